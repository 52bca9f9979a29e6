//! The spec's sentences as tests.

mod chaos;
mod door;
mod format;
mod groups;
mod incoming;
mod outgoing;
mod patterns;
mod reading;
mod receipts;
mod ways;
mod world;
