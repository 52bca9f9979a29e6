//! Each message on its way through this node, as events of `tracing`: published, sent, heard,
//! delivered, dropped.
//!
//! All of them have the target `gossip_mesh::message`, the level `DEBUG`, and the field `trace`:
//! the message's [`TraceId`](crate::TraceId), which is the same on every node without a byte on
//! the wire. So one search for it in the logs of all nodes follows the message.
//!
//! | event | at | fields beside `trace`, `author`, `topic` and `number` |
//! | --- | --- | --- |
//! | `published` | the author | |
//! | `sent` | the author, and with the tree who passes it on | `carrier`, `to` (tree) |
//! | `heard` | who gets its first copy (tree: each copy) | `carrier`, `from` |
//! | `delivered` | for each subscription | `subscription` |
//! | `dropped` | the author | `reason` |
//!
//! A message that its publisher gave a [`TraceContext`](crate::TraceContext) has it as the field
//! `traceparent` of `sent`, `heard` and `delivered`, beside its own id: there the trace of the
//! program and the way through the mesh meet.
//!
//! What nobody listens to costs a comparison: frames are read, and ids made, only for an event
//! that is wanted.

use tracing::{Level, debug, enabled};

use crate::base::batch::{Batch, Head};
use crate::base::trace_context::TraceContext;
use crate::engine::frame::Packet;
use crate::engine::{Event, Input, Output};
use crate::protocol::topic::MessageId;

const TARGET: &str = "gossip_mesh::message";

/// Largest payload of a frame that is read to be logged: what is too large is refused elsewhere.
const ANY: usize = usize::MAX;

/// Tells of messages in what came in.
pub fn came(input: &Input) {
    if !enabled!(target: TARGET, Level::DEBUG) {
        return;
    }
    let heard = |head: &Head, carrier: &str, from: &_| {
        each(head, |id, context| {
            debug!(
                target: TARGET,
                trace = %id.trace(), author = %id.author, topic = id.topic, number = id.number,
                traceparent = context.map(tracing::field::display), carrier, %from, "heard"
            );
        });
    };
    match input {
        Input::Heard { from, frame, .. } => {
            if let Ok(batch) = Batch::read(frame, ANY) {
                heard(batch.head(), "gossipsub", from);
            }
        }
        Input::TreePacket { from, packet: Packet::Batch(batch) } => {
            heard(batch.head(), "tree", from);
        }
        _ => {}
    }
}

/// Tells of messages in what is to be done.
pub fn goes(output: &Output) {
    if !enabled!(target: TARGET, Level::DEBUG) {
        return;
    }
    match output {
        Output::Published { result: Ok(id), .. } => debug!(
            target: TARGET,
            trace = %id.trace(), author = %id.author, topic = id.topic, number = id.number,
            "published"
        ),
        Output::Broadcast { frame, .. } => {
            if let Ok(batch) = Batch::read(frame, ANY) {
                each(batch.head(), |id, context| {
                    debug!(
                        target: TARGET,
                        trace = %id.trace(), author = %id.author, topic = id.topic,
                        number = id.number, traceparent = context.map(tracing::field::display),
                        carrier = "gossipsub", "sent"
                    );
                });
            }
        }
        Output::TreeSend { to, packet: Packet::Batch(batch) } => {
            each(batch.head(), |id, context| {
                debug!(
                    target: TARGET,
                    trace = %id.trace(), author = %id.author, topic = id.topic,
                    number = id.number, traceparent = context.map(tracing::field::display),
                    carrier = "tree", %to, "sent"
                );
            });
        }
        Output::Deliver { subscription, messages } => {
            for message in messages {
                let (id, context) = (&message.id, message.trace_context);
                debug!(
                    target: TARGET,
                    trace = %id.trace(), author = %id.author, topic = id.topic,
                    number = id.number, traceparent = context.map(tracing::field::display),
                    subscription = subscription.0, "delivered"
                );
            }
        }
        Output::Event(Event::Unread { id }) => dropped(id, "no reader came in time"),
        Output::Event(Event::NotSent { id }) => dropped(id, "all queues were full"),
        _ => {}
    }
}

fn dropped(id: &MessageId, reason: &str) {
    debug!(
        target: TARGET,
        trace = %id.trace(), author = %id.author, topic = id.topic, number = id.number,
        reason, "dropped"
    );
}

/// The messages of a batch. How many there are was checked when it was read.
fn each(head: &Head, tell: impl Fn(&MessageId, Option<TraceContext>)) {
    let Head { author, life, first, count, .. } = *head;
    for number in (first..).take(usize::try_from(count).unwrap_or_default()) {
        let id = MessageId { author, life, topic: head.topic.clone(), number };
        tell(&id, head.context_of(number));
    }
}
