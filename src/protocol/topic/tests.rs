//! The spec's sentences as tests.

mod beginning;
mod carriers;
mod chaos;
mod door;
mod edges;
mod envelopes;
mod groups;
mod history;
mod incoming;
mod late;
mod order;
mod outgoing;
mod patterns;
mod pieces;
mod reading;
mod receipts;
mod ways;
mod world;
