//! Who hears what. This file translates between the outside and the rooms, and between rooms; it
//! decides nothing.

use std::time::Duration;

use super::event::Event;
use super::input::Input;
use super::machines::Engine;
use super::output::Output;
use crate::base::codec::from_cbor;
use crate::base::id::NodeId;
use crate::base::limits::MAX_CERTIFICATE;
use crate::base::machine::{Machine, Outbox, earliest};
use crate::base::time::Time;
use crate::protocol::link::{self, LinkId};
use crate::protocol::topic::{self, Bucket};
use crate::protocol::{discovery, membership, tree};

impl Machine for Engine {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Time, input: Input, out: &mut Outbox<Output>) {
        self.enter(now, input, out);
        self.settle(now, out);
    }

    fn deadline(&self) -> Option<Time> {
        let rooms = [
            self.link.deadline(),
            self.membership.deadline(),
            self.discovery.deadline(),
            self.topic.deadline(),
            self.tree.deadline(),
        ];
        rooms.into_iter().fold(None, earliest)
    }
}

impl Engine {
    /// An input from outside goes to the room it is for.
    fn enter(&mut self, now: Time, input: Input, out: &mut Outbox<Output>) {
        self.sign_of_life(now, &input);
        match input {
            Input::Tick => self.tick(now),
            Input::Opened { peer, life, link } => {
                self.tell_link(now, link::Input::Opened { peer, life, link });
            }
            Input::Closed { peer, link } => {
                self.tell_link(now, link::Input::Closed { peer, link });
            }
            Input::Pinged { peer, link, answered } => self.pinged(now, peer, link, answered),
            Input::Slow { peer } => self.tell_link(now, link::Input::Slow { peer }),
            Input::Leave => self.tell_membership(now, membership::Input::Leave),

            Input::Dialled { token, peer } => {
                self.tell_discovery(now, discovery::Input::Dialled { token, peer });
            }
            Input::DialFailed { token, failure } => {
                self.tell_discovery(now, discovery::Input::DialFailed { token, failure });
            }
            Input::Refused { peer, by_us, reason } => {
                out.push(Output::Event(Event::Refused { peer, by_us, reason }));
            }
            Input::Barred { by, certificate } => self.barred(now, by, &certificate),
            Input::Listening { addresses } => {
                self.tell_discovery(now, discovery::Input::Listening { addresses });
            }
            Input::Sighting { source, peer, addresses } => {
                self.tell_discovery(now, discovery::Input::Sighting { source, peer, addresses });
            }
            Input::Discovery(command) => {
                self.tell_discovery(now, discovery::Input::Command(command));
            }

            Input::Heard { from, author, sequence, frame } => {
                self.tell_topic(now, topic::Input::Heard { from, author, sequence, frame });
            }
            Input::Copy { from, author, sequence } => {
                self.tell_topic(now, topic::Input::Copy { from, author, sequence });
            }
            Input::Carried { token, outcome } => {
                self.tell_topic(now, topic::Input::Carried { token, outcome });
            }
            Input::Joined { peer, bucket } => self.joined(now, peer, bucket),
            Input::Parted { peer, bucket } => self.parted(now, peer, bucket),
            Input::Door { topic, author, origin, payload } => {
                self.tell_topic(now, topic::Input::Door { topic, author, origin, payload });
            }
            Input::Topic(command) => self.tell_topic(now, topic::Input::Command(command)),

            Input::Asked { from, token, message } => self.asked(now, from, token, message),
            Input::Told { from, message } => self.told(now, from, message),
            Input::Answer { ticket, message, .. } => self.answered(now, ticket, message),
            Input::Arrived { ticket, .. } => self.arrived(now, ticket),
            Input::NoAnswer { ticket } => self.no_answer(now, ticket),

            Input::TreeUp { peer } => self.stream_up(now, peer, out),
            Input::TreeDown { peer } => self.stream_down(now, peer),
            Input::TreePacket { from, packet } => self.packet(now, from, packet),
            Input::TreeSent { peer, bytes } => {
                self.tell_tree(now, tree::Input::Sent { peer, bytes });
            }
            // Its sender breaks rules: to link anew costs it more than a stream does.
            Input::TreeRefused { peer } => self.tell_link(now, link::Input::Unlink { peer }),
        }
    }

    /// Any word of a linked peer is worth a probe's answer.
    fn sign_of_life(&mut self, now: Time, input: &Input) {
        if let Some(peer) = input.sign_of_life()
            && self.links().is_linked(peer)
            && self.membership.wants_heard(now, peer)
        {
            self.tell_membership(now, membership::Input::Heard { peer });
        }
    }

    fn tick(&mut self, now: Time) {
        self.tell_link(now, link::Input::Tick);
        self.tell_membership(now, membership::Input::Tick);
        self.tell_discovery(now, discovery::Input::Tick);
        self.tell_topic(now, topic::Input::Tick);
        self.tell_tree(now, tree::Input::Tick);
    }

    fn pinged(&mut self, now: Time, peer: NodeId, link: LinkId, answered: Option<Duration>) {
        // A ping may still come back after its link has ended.
        if let Some(round_trip) = answered
            && self.links().is_linked(peer)
        {
            self.round_trips.insert(peer, (now, round_trip));
            self.branch_measured(now, peer, round_trip);
        }
        let answered = answered.is_some();
        self.tell_link(now, link::Input::Pinged { peer, link, answered });
    }

    fn joined(&mut self, now: Time, peer: NodeId, bucket: Bucket) {
        self.tell_topic(now, topic::Input::Joined { peer, bucket });
        self.tell_tree(now, tree::Input::Joined { peer, bucket: bucket.0 });
    }

    fn parted(&mut self, now: Time, peer: NodeId, bucket: Bucket) {
        self.tell_topic(now, topic::Input::Parted { peer, bucket });
        self.tell_tree(now, tree::Input::Parted { peer, bucket: bucket.0 });
    }

    /// What cannot be read proves nothing: the peer refused, and that is all.
    fn barred(&mut self, now: Time, by: Option<NodeId>, certificate: &[u8]) {
        if let Ok(certificate) = from_cbor(certificate, MAX_CERTIFICATE) {
            self.tell_membership(now, membership::Input::Barred { by, certificate });
        }
    }

    /// What the rooms want goes outside or to the other rooms, until all are content.
    fn settle(&mut self, now: Time, out: &mut Outbox<Output>) {
        loop {
            if let Some(output) = self.to_link.pop() {
                self.link_wants(now, output, out);
            } else if let Some(output) = self.to_membership.pop() {
                self.membership_wants(now, output, out);
            } else if let Some(output) = self.to_discovery.pop() {
                self.discovery_wants(now, output, out);
            } else if let Some(output) = self.to_topic.pop() {
                self.topic_wants(now, output, out);
            } else if let Some(output) = self.to_tree.pop() {
                self.tree_wants(now, output, out);
            } else {
                return;
            }
        }
    }
}
