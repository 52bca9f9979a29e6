//! The spec of the pretend world.
