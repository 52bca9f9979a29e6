//! The topic room.

mod bounded;
mod buckets;
mod command;
pub(crate) mod config;
mod confirm;
mod delivery;
pub(crate) mod error;
mod frame;
mod hear;
mod input;
mod kept;
pub(crate) mod machine;
mod numbers;
mod output;
mod publish;
mod readers;
mod reading;
mod receipt;
mod received;
mod record;
mod relay;
mod stats;
mod subscription;
mod topic;
mod trace;
mod waiting;
mod ways;
pub(crate) mod wire;

#[cfg(test)]
mod tests;

pub use command::{Paths, Query, Which};
pub use config::TopicConfig;
pub use delivery::Delivery;
pub use error::TopicError;
pub use received::{Report, Way};
pub use stats::TopicStats;
pub use topic::Topic;
pub use wire::{Hop, MessageId};

pub(crate) use command::Command;
pub(crate) use input::{Bucket, Carried, Input};
pub(crate) use machine::TopicMachine;
pub(crate) use output::{Notice, Output};
pub(crate) use received::{Kept, Received};
pub(crate) use wire::Message;
