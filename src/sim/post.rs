//! Messages between nodes: questions, answers, statements, and copies of broadcasts.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use super::cast::Breed;
use super::happening::{Happening, Letter};
use super::host::Power;
use super::link::Fate;
use super::scenario::Form;
use super::stage::Stage;
use crate::base::codec::to_cbor;
use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::base::token::Token;
use crate::engine::Input;
use crate::engine::frame::{Message, Request, Response, Room, Ticket};
use crate::protocol::topic::Bucket;

/// How long a question waits for its answer, as `link.request_timeout` of the product.
const PATIENCE: Duration = Duration::from_secs(5);

/// A question or statement under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    pub asker: u32,
    pub generation: u32,
    pub link: u64,
    pub ticket: Ticket,
    /// Who may answer.
    pub asked: u32,
}

impl<B: Breed> Stage<'_, B> {
    /// Asks or tells a linked peer.
    pub fn ask(&mut self, node: u32, to: NodeId, ticket: Ticket, message: Message, wants: bool) {
        let peer = self.cast.number(to);
        let link = peer.and_then(|peer| Some((peer, self.host(node).link_to(peer)?)));
        let Some((asked, link)) = link else {
            return self.later(self.now, node, Input::NoAnswer { ticket });
        };
        let name = self.name();
        let generation = self.host(node).generation;
        self.questions.insert(name, Question { asker: node, generation, link, ticket, asked });
        self.patience.push_back((self.now + PATIENCE, name));
        self.host(node).asked.insert((link, name));
        let room = ticket.room;
        let request = if wants { Request::Ask(message) } else { Request::Tell(message) };
        let bytes = self.weigh(&request);
        let letter = match request {
            Request::Ask(message) => Letter::Ask(name, message),
            Request::Tell(message) => Letter::Tell(name, message),
        };
        self.count(room, bytes);
        self.send(link, node, letter, bytes);
    }

    fn count(&mut self, room: Room, bytes: usize) {
        self.sent.all.add(bytes);
        if room == Room::Membership {
            self.sent.membership.add(bytes);
        }
    }

    /// Answers a question, if it is still open and this node was asked.
    pub fn answer(&mut self, node: u32, name: u64, message: Message) {
        let Some(question) = self.questions.get(&name).copied() else { return };
        if question.asked != node {
            return;
        }
        let response = Response(Some(message));
        let bytes = self.weigh(&response);
        if let Response(Some(message)) = response {
            self.count(question.ticket.room, bytes);
            self.send(question.link, node, Letter::Answer(name, message), bytes);
        }
    }

    /// The bytes of a message on the wire, where they are counted; what it says goes into the
    /// trace.
    fn weigh(&mut self, message: &impl Serialize) -> usize {
        if !self.exact {
            return 0;
        }
        let bytes = to_cbor(message);
        self.trace.content(&bytes);
        bytes.len()
    }

    /// Puts a letter on its way over a connection.
    pub fn send(&mut self, link: u64, from: u32, letter: Letter, bytes: usize) {
        let now = self.now;
        let Some(connection) = self.connections.get_mut(&link) else { return };
        let end = connection.end_of(from);
        let to = connection.node(1 - end);
        if !self.weather.passes(from, to) {
            return;
        }
        if !connection.is_open(1 - end) {
            return self.reset(link, end);
        }
        let loss = self.weather.loss(from, to, self.scenario.link.loss);
        let way = connection.way(end);
        match way.send(&self.scenario.link, loss, bytes, now, &mut self.rng) {
            Fate::Lost => {}
            Fate::Arrives(at) => self.queue.push(at, Happening::Letter { link, to, letter }),
            Fate::Twice(at, again) => {
                let copy = letter.clone();
                self.queue.push(at, Happening::Letter { link, to, letter });
                self.queue.push(again, Happening::Letter { link, to, letter: copy });
            }
        }
    }

    /// A letter is there.
    pub fn arrive(&mut self, link: u64, to: u32, letter: Letter) {
        let Some(connection) = self.connections.get(&link) else { return };
        let end = connection.end_of(to);
        let from = connection.node(1 - end);
        if !connection.is_open(end) {
            return;
        }
        let host = self.host(to);
        if host.power == Power::Paused {
            return host.held.push_back(Happening::Letter { link, to, letter });
        }
        let sender = self.cast.id(from);
        match letter {
            Letter::Ask(name, message) => {
                self.input(to, Input::Asked { from: sender, token: Token(name), message });
            }
            Letter::Tell(name, message) => {
                self.input(to, Input::Told { from: sender, message });
                self.send(link, to, Letter::Arrived(name), 0);
            }
            Letter::Answer(name, message) => {
                if let Some(ticket) = self.settle(name) {
                    self.input(to, Input::Answer { from: sender, ticket, message });
                }
            }
            Letter::Arrived(name) => {
                if let Some(ticket) = self.settle(name) {
                    self.input(to, Input::Arrived { from: sender, ticket });
                }
            }
            Letter::Copy { author, number, bucket, frame } => {
                self.copy(to, from, (author, number), bucket, frame);
            }
            Letter::Joined(bucket) => self.input(to, Input::Joined { peer: sender, bucket }),
            Letter::Parted(bucket) => self.input(to, Input::Parted { peer: sender, bucket }),
        }
    }

    /// A question is open no more.
    fn settle(&mut self, name: u64) -> Option<Ticket> {
        let question = self.questions.remove(&name)?;
        let host = self.host(question.asker);
        host.asked.remove(&(question.link, name));
        (host.generation == question.generation).then_some(question.ticket)
    }

    /// The oldest question has waited too long.
    pub fn lose_patience(&mut self) {
        let Some((_, name)) = self.patience.pop_front() else { return };
        let Some(question) = self.questions.get(&name) else { return };
        let asker = question.asker;
        if let Some(ticket) = self.settle(name) {
            // Through the queue, because the asker may be paused.
            self.later(self.now, asker, Input::NoAnswer { ticket });
        }
    }

    /// The questions asked over a connection will not be answered any more.
    pub fn give_up_questions(&mut self, node: u32, link: u64, at: Time) {
        let asked = self.host(node).asked.range((link, 0)..=(link, u64::MAX));
        let names: Vec<u64> = asked.map(|(_, name)| *name).collect();
        for name in names {
            if let Some(ticket) = self.settle(name) {
                self.later(at, node, Input::NoAnswer { ticket });
            }
        }
    }

    /// To all linked peers.
    pub fn tell_all(&mut self, node: u32, letter: &Letter) {
        for peer in self.host(node).peers() {
            if let Some(link) = self.host(node).link_to(peer) {
                self.send(link, node, letter.clone(), 0);
            }
        }
    }

    /// To all linked peers in the bucket but one; false when there is none.
    pub fn spread(
        &mut self,
        node: u32,
        not_to: Option<u32>,
        (author, number): (u32, u64),
        bucket: Bucket,
        frame: &Bytes,
    ) -> bool {
        let fixed = self.scenario.topology.kind != Form::Open;
        let mut reached = false;
        for peer in self.host(node).peers() {
            let wanted = Some(peer) != not_to
                && self.host(peer).joined.contains(&bucket)
                && (!fixed || self.host(node).neighbours.contains(&peer));
            let Some(link) = self.host(node).link_to(peer).filter(|_| wanted) else { continue };
            reached = true;
            let frame = frame.clone();
            let bytes = frame.len();
            self.count(Room::Topic, bytes);
            self.send(link, node, Letter::Copy { author, number, bucket, frame }, bytes);
        }
        reached
    }

    fn copy(&mut self, to: u32, from: u32, name: (u32, u64), bucket: Bucket, frame: Bytes) {
        let (peer, author, sequence) = (self.cast.id(from), self.cast.id(name.0), name.1);
        if self.host(to).heard.insert(name) {
            self.spread(to, Some(from), name, bucket, &frame);
            self.input(to, Input::Heard { from: peer, author, sequence, frame });
        }
        self.input(to, Input::Copy { from: peer, author, sequence });
    }
}
