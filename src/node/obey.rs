//! What handles ask, as inputs of the engine.

use super::command::{Command, Publication};
use super::driver::Driver;
use super::publisher::Sent;
use super::sinks::sink;
use crate::base::machine::Outbox;
use crate::engine::{Input, Output};
use crate::protocol::discovery;
use crate::protocol::topic::{self, TopicConfig};

impl Driver {
    pub(super) fn obey(&mut self, command: Command, out: &mut Outbox<Output>) {
        let input = match command {
            Command::Publish { publication, confirm, reply } => {
                let Publication { topic, payload, relays, foreign, strategy, if_read, envelope } =
                    publication;
                let (receipts, report) = confirm.unzip();
                let token = self.replies.publish(reply, report);
                Input::Topic(topic::Command::Publish {
                    token,
                    topic,
                    payload,
                    relays,
                    receipts,
                    foreign,
                    strategy,
                    if_read,
                    envelope,
                })
            }
            Command::Subscribe { topic, own, group, earlier, reply } => {
                let TopicConfig { max_undelivered, max_undelivered_bytes, .. } = self.config.topic;
                let (sink, deliveries) =
                    sink(topic.clone(), max_undelivered, max_undelivered_bytes);
                let subscription = self.replies.subscribe(reply, deliveries);
                self.sinks.add(subscription, sink);
                Input::Topic(topic::Command::Subscribe { subscription, topic, own, group, earlier })
            }
            Command::Publisher(outgoing) => return self.outgoing.push(outgoing),
            Command::Unsubscribe(subscription) => {
                self.sinks.remove(subscription);
                Input::Topic(topic::Command::Unsubscribe { subscription })
            }
            Command::Read { query, reply } => {
                let token = self.replies.read(reply);
                Input::Topic(topic::Command::Read { token, query })
            }
            Command::Connect { address, reply } => {
                let token = self.replies.connect(reply);
                Input::Discovery(discovery::Command::Connect { token, address })
            }
            Command::Disconnect(peer) => Input::Discovery(discovery::Command::Disconnect { peer }),
            Command::Forget(peer) => Input::Discovery(discovery::Command::Forget { peer }),
            Command::Rewire(topology) => Input::Discovery(discovery::Command::Rewire(topology)),
            Command::Leave(reply) => {
                self.leaving.push(reply);
                Input::Leave
            }
            look => return self.show(look),
        };
        self.turn(input, out);
    }

    /// Takes what a publisher sent, as far as its topic has room: what is left waits, and the
    /// publisher with it.
    pub(super) fn publish(&mut self, mut sent: Sent, out: &mut Outbox<Output>) {
        while let Some((payload, _)) = sent.payloads.front() {
            if !self.engine.topic().has_room(&sent.topic, payload.len()) {
                sent.gate.close();
                self.held.push(sent);
                return;
            }
            let (topic, foreign) = (sent.topic.clone(), sent.foreign);
            let Some((payload, trace_context)) = sent.payloads.pop_front() else { return };
            let envelope = topic::Envelope { compressed: sent.compressed, trace_context };
            let send = topic::Command::Send { topic, payload, foreign, envelope };
            self.turn(Input::Topic(send), out);
        }
        sent.gate.open();
    }

    /// Goes on with publishers whose topics had no room.
    pub(super) fn publish_held(&mut self, out: &mut Outbox<Output>) {
        for sent in std::mem::take(&mut self.held) {
            self.publish(sent, out);
        }
    }
}
