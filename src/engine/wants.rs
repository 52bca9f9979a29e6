//! What each room wants done: outside, or by another room.

use super::event::Event;
use super::frame::{Message, Room, Ticket};
use super::machines::Engine;
use super::output::Output;
use crate::base::codec::to_cbor;
use crate::base::machine::Outbox;
use crate::base::time::Time;
use crate::base::token::Token;
use crate::protocol::discovery::{self, Card};
use crate::protocol::link;
use crate::protocol::membership::{self, Finding};
use crate::protocol::topic;
use crate::protocol::tree;

impl Engine {
    pub(super) fn link_wants(&mut self, now: Time, output: link::Output, out: &mut Outbox<Output>) {
        match output {
            link::Output::Close(link) => out.push(Output::Close(link)),
            link::Output::Linked { peer, life, address } => {
                self.tell_membership(now, membership::Input::Linked { peer, life });
                self.tell_discovery(now, discovery::Input::Linked { peer, life, address });
                self.tell_topic(now, topic::Input::Linked { peer });
                out.push(Output::Changed);
            }
            link::Output::Unlinked { peer } => {
                self.round_trips.remove(&peer);
                self.tell_membership(now, membership::Input::Unlinked { peer });
                self.tell_discovery(now, discovery::Input::Unlinked { peer });
                self.tell_topic(now, topic::Input::Unlinked { peer });
                out.push(Output::Changed);
            }
        }
    }

    pub(super) fn membership_wants(
        &mut self,
        now: Time,
        output: membership::Output,
        out: &mut Outbox<Output>,
    ) {
        match output {
            membership::Output::Unlink { peer } => {
                self.tell_link(now, link::Input::Unlink { peer });
            }
            membership::Output::Left { node, life } => {
                self.tell_discovery(now, discovery::Input::Left { peer: node, life });
                out.push(Output::Event(Event::Left { node, life }));
                out.push(Output::Changed);
            }
            membership::Output::Reach { peer } => {
                self.tell_discovery(now, discovery::Input::Wanted { peer });
            }
            membership::Output::Incarnation(incarnation) => {
                out.push(Output::Incarnation(incarnation));
            }
            membership::Output::Bar { node, incarnation, certificate } => {
                let certificate = to_cbor(&certificate).into();
                out.push(Output::Bar { node, incarnation, certificate });
            }
            membership::Output::Unbar { node } => out.push(Output::Unbar { node }),
            membership::Output::Down { node, .. } => {
                self.tell_topic(now, topic::Input::Gone { node });
                self.tell_discovery(now, discovery::Input::Down { peer: node });
                out.push(Output::Changed);
            }
            membership::Output::Save(saved) => {
                out.push(Output::Store(vec![saved.op()]));
            }
            membership::Output::Tell { to, message } => out.push(Output::Tell {
                to,
                ticket: Ticket { room: Room::Membership, token: Token::default() },
                message: Message::Membership(message),
            }),
            membership::Output::Online { node, life } => {
                // Its card may be here already, from before it was put out.
                if let Some(card) = self.discovery.card(node) {
                    let topics = card.interests();
                    self.tell_topic(now, topic::Input::Reads { node, topics });
                }
                out.push(Output::Event(Event::Online { node, life }));
                out.push(Output::Changed);
            }
            membership::Output::Unreachable { node } => {
                out.push(Output::Event(Event::Unreachable { node }));
            }
            membership::Output::Ask { to, token, message } => out.push(Output::Ask {
                to,
                ticket: Ticket { room: Room::Membership, token },
                message: Message::Membership(message),
            }),
            membership::Output::Answer { token, message } => {
                out.push(Output::Answer { token, message: Message::Membership(message) });
            }
            membership::Output::Found(finding) => self.found(now, finding, out),
            membership::Output::MayStop => out.push(Output::MayStop),
        }
    }

    /// What membership found is written down, and told unless it is only a detail.
    pub(super) fn found(&mut self, now: Time, finding: Finding, out: &mut Outbox<Output>) {
        self.stories.add(now, &finding);
        if !finding.is_detail() {
            out.push(Output::Event(Event::Membership(finding)));
        }
    }

    pub(super) fn discovery_wants(
        &mut self,
        now: Time,
        output: discovery::Output,
        out: &mut Outbox<Output>,
    ) {
        match output {
            discovery::Output::Dial { token, peer, addresses } => {
                out.push(Output::Dial { token, peer, addresses });
            }
            discovery::Output::Unreached { peer } => {
                self.tell_membership(now, membership::Input::Unreached { peer });
            }
            discovery::Output::Unlink { peer } => {
                self.tell_link(now, link::Input::Unlink { peer });
            }
            discovery::Output::Unneeded { peer } => {
                self.tell_membership(now, membership::Input::Unneeded { peer });
            }
            discovery::Output::Neighbour { peer, joined } => {
                self.branches.neighbour(peer, joined);
                self.tell_branch(now, peer, out);
                // The carrier first: what waits for a neighbour goes out at once.
                out.push(Output::Neighbour { peer, joined });
                self.tell_topic(now, topic::Input::Neighbour { peer, joined });
            }
            discovery::Output::Card(card) => self.card(now, card, out),
            discovery::Output::Gone { node } => {
                self.tell_topic(now, topic::Input::Gone { node });
                self.tell_membership(now, membership::Input::Forgotten { node });
                out.push(Output::Changed);
            }
            discovery::Output::Ask { to, token, message } => out.push(Output::Ask {
                to,
                ticket: Ticket { room: Room::Discovery, token },
                message: Message::Discovery(message),
            }),
            discovery::Output::Tell { to, token, message } => out.push(Output::Tell {
                to,
                ticket: Ticket { room: Room::Discovery, token },
                message: Message::Discovery(message),
            }),
            discovery::Output::Answer { token, message } => {
                out.push(Output::Answer { token, message: Message::Discovery(message) });
            }
            discovery::Output::Connected { token, result } => {
                out.push(Output::Connected { token, result });
            }
            discovery::Output::Notice(discovery::Notice::CardsFull { node }) => {
                out.push(Output::Event(Event::CardsFull { node }));
            }
            discovery::Output::Notice(discovery::Notice::OurselvesNewer { life }) => {
                out.push(Output::Event(Event::OurselvesNewer { life }));
            }
        }
    }

    fn card(&mut self, now: Time, card: Card, out: &mut Outbox<Output>) {
        let (node, life, topics) = (card.node, card.life, card.interests());
        self.tell_topic(now, topic::Input::Reads { node, topics });
        self.tell_membership(now, membership::Input::Known { node, life });
        out.push(Output::Changed);
    }

    pub(super) fn topic_wants(
        &mut self,
        now: Time,
        output: topic::Output,
        out: &mut Outbox<Output>,
    ) {
        match output {
            topic::Output::Join(bucket) => out.push(Output::Join(bucket)),
            topic::Output::Leave(bucket) => out.push(Output::Leave(bucket)),
            topic::Output::Broadcast { token, bucket, frame } => {
                out.push(Output::Broadcast { token, bucket, frame });
            }
            topic::Output::Behind(behind) => self.tell_tree(now, tree::Input::Behind(behind)),
            topic::Output::Grow(batch) => self.tell_tree(now, tree::Input::Publish(batch)),
            topic::Output::Deliver { subscription, messages } => {
                out.push(Output::Deliver { subscription, messages });
            }
            topic::Output::Reads(topics) => {
                self.tell_discovery(now, discovery::Input::Reads { topics });
            }
            topic::Output::Ask { to, token, message } => out.push(Output::Ask {
                to,
                ticket: Ticket { room: Room::Topic, token },
                message: Message::Topic(message),
            }),
            topic::Output::Tell { to, token, message } => out.push(Output::Tell {
                to,
                ticket: Ticket { room: Room::Topic, token },
                message: Message::Topic(message),
            }),
            topic::Output::Reach { peer } => {
                self.tell_discovery(now, discovery::Input::Wanted { peer });
            }
            topic::Output::Answer { token, message } => {
                out.push(Output::Answer { token, message: Message::Topic(message) });
            }
            topic::Output::Door { topic, payload } => out.push(Output::Door { topic, payload }),
            topic::Output::Published { token, result } => {
                out.push(Output::Published { token, result });
            }
            topic::Output::Confirmed { token, report } => {
                out.push(Output::Confirmed { token, report });
            }
            topic::Output::Subscribed { subscription, result } => {
                out.push(Output::Subscribed { subscription, result });
            }
            topic::Output::Kept { token, messages } => out.push(Output::Kept { token, messages }),
            topic::Output::Notice(topic::Notice::Unread { id }) => {
                out.push(Output::Event(Event::Unread { id }));
            }
            topic::Output::Notice(topic::Notice::NotSent { id }) => {
                out.push(Output::Event(Event::NotSent { id }));
            }
            topic::Output::Notice(topic::Notice::Gap { author, topic, from, to }) => {
                out.push(Output::Event(Event::Gap { author, topic, from, to }));
            }
        }
    }
}
