//! The sentences of the spec, one test each.

mod knowing;
mod leaving;
mod room;
