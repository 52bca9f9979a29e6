//! The spec's sentences as tests.

mod chaos;
mod door;
mod incoming;
mod outgoing;
mod reading;
mod receipts;
mod ways;
mod world;
