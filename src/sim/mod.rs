//! Floor 4b: pretend worlds, in virtual time and from one seed.

pub mod broadcast;
