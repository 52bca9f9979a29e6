//! The spec's sentences as tests.

mod bounds;
mod passing;
mod pressure;
mod repairing;
mod room;
