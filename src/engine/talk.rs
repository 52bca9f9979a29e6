//! What peers ask, tell and answer goes to the room whose words these are.

use super::frame::{Message, Room, Ticket};
use super::machines::Engine;
use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::base::token::Token;
use crate::protocol::{discovery, membership, topic};

impl Engine {
    pub(super) fn asked(&mut self, now: Time, from: NodeId, token: Token, message: Message) {
        match message {
            Message::Membership(message) => {
                self.tell_membership(now, membership::Input::Asked { from, token, message });
            }
            Message::Discovery(message) => {
                self.tell_discovery(now, discovery::Input::Asked { from, token, message });
            }
            Message::Topic(message) => {
                self.tell_topic(now, topic::Input::Asked { token, message });
            }
        }
    }

    pub(super) fn told(&mut self, now: Time, from: NodeId, message: Message) {
        match message {
            Message::Membership(message) => {
                self.tell_membership(now, membership::Input::Told { from, message });
            }
            Message::Discovery(message) => {
                self.tell_discovery(now, discovery::Input::Told { from, message });
            }
            Message::Topic(message) => {
                self.tell_topic(now, topic::Input::Told { from, message });
            }
        }
    }

    pub(super) fn answered(&mut self, now: Time, ticket: Ticket, message: Message) {
        let Ticket { room, token } = ticket;
        match (room, message) {
            (Room::Membership, Message::Membership(message)) => {
                self.tell_membership(now, membership::Input::Answer { token, message });
            }
            (Room::Discovery, Message::Discovery(message)) => {
                self.tell_discovery(now, discovery::Input::Answer { token, message });
            }
            (Room::Topic, Message::Topic(message)) => {
                self.tell_topic(now, topic::Input::Answer { token, message });
            }
            // An answer out of another room than the question is none.
            _ => self.no_answer(now, ticket),
        }
    }

    /// What was told has arrived.
    pub(super) fn arrived(&mut self, now: Time, Ticket { room, token }: Ticket) {
        match room {
            Room::Membership => {
                self.tell_membership(now, membership::Input::Settled { token });
            }
            // It does not mind whether its words arrive.
            Room::Discovery => {}
            Room::Topic => self.tell_topic(now, topic::Input::Arrived { token }),
        }
    }

    pub(super) fn no_answer(&mut self, now: Time, Ticket { room, token }: Ticket) {
        match room {
            Room::Membership => {
                self.tell_membership(now, membership::Input::Settled { token });
            }
            Room::Discovery => self.tell_discovery(now, discovery::Input::NoAnswer { token }),
            Room::Topic => self.tell_topic(now, topic::Input::NoAnswer { token }),
        }
    }
}
