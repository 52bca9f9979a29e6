//! The sentences of the spec, one test each.

mod links;
mod room;
mod ties;
