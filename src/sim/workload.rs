//! Load: messages on a topic that everybody reads.

use std::num::NonZeroU8;
use std::time::Duration;

use bytes::Bytes;
use rand::RngExt;

use super::cast::Breed;
use super::happening::Happening;
use super::host::Power;
use super::scenario::Rooms;
use super::stage::Stage;
use crate::base::token::Token;
use crate::engine::Input;
use crate::protocol::topic;

const TOPIC: &str = "load";

/// A node that starts reads the topic, if there is load.
pub(crate) fn subscribe<B: Breed>(stage: &mut Stage<'_, B>, node: u32) {
    if stage.scenario.workload.is_some() && stage.scenario.rooms == Rooms::All {
        let subscription = Token(stage.name());
        let topic = TOPIC.to_owned();
        let (own, group, earlier) = (false, None, topic::Earlier::default());
        let command = topic::Command::Subscribe { subscription, topic, own, group, earlier };
        stage.input(node, Input::Topic(command));
    }
}

/// Some node publishes, and the next time is set.
pub(crate) fn publish<B: Breed>(stage: &mut Stage<'_, B>) {
    let Some(workload) = &stage.scenario.workload else { return };
    let gap = Duration::try_from_secs_f64(1.0 / workload.rate).unwrap_or(Duration::from_secs(1));
    stage.queue.push(stage.now + gap.max(Duration::from_micros(1)), Happening::Load);
    let node = stage.rng.random_range(0..stage.scenario.nodes);
    if stage.host(node).power != Power::On || stage.scenario.rooms != Rooms::All {
        return;
    }
    let command = topic::Command::Publish {
        token: Token(stage.name()),
        topic: TOPIC.to_owned(),
        payload: Bytes::from(vec![b'x'; workload.size]),
        relays: NonZeroU8::MIN,
        receipts: None,
        foreign: false,
        strategy: topic::Strategy::RoundRobin,
        if_read: false,
        envelope: topic::Envelope::default(),
    };
    stage.input(node, Input::Topic(command));
}
