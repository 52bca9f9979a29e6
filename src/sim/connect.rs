//! Connections: how they begin, how they are pinged, how they end.
//!
//! Their own packets (dials, ends, pings) are always repeated until they arrive, as TCP does,
//! whatever the scenario says of messages.

use std::time::Duration;

use multiaddr::Multiaddr;

use super::cast::{Breed, Cast};
use super::happening::{Happening, Letter};
use super::host::Power;
use super::link::{Way, latency, stall};
use super::stage::Stage;
use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::base::token::Token;
use crate::engine::Input;
use crate::protocol::discovery::DialFailure;
use crate::protocol::link::{Link, LinkId};

/// A dial without an answer has failed after this: `link.handshake_timeout` of the product.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// One-way trips until the dialled side has a connection: TCP, Noise, the multiplexer, the hello.
const TRIPS: u32 = 7;

/// One side of a connection.
#[derive(Clone, Copy, Debug)]
struct End {
    node: u32,
    open: bool,
    /// Its node was told that the connection is up.
    told: bool,
    /// The last ping was not answered, or there was none yet.
    uncertain: bool,
}

/// A connection between two processes. End 0 dialled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connection {
    ends: [End; 2],
    /// From end 0 to end 1, and back.
    ways: [Way; 2],
}

impl Connection {
    fn new(from: u32, to: u32) -> Self {
        let end = |node| End { node, open: true, told: false, uncertain: true };
        Self { ends: [end(from), end(to)], ways: [Way::default(); 2] }
    }

    pub fn end_of(&self, node: u32) -> usize {
        usize::from(self.ends[0].node != node)
    }

    pub fn node(&self, end: usize) -> u32 {
        self.ends[end].node
    }

    pub fn is_open(&self, end: usize) -> bool {
        self.ends[end].open
    }

    pub fn way(&mut self, from_end: usize) -> &mut Way {
        &mut self.ways[from_end]
    }
}

impl<B: Breed> Stage<'_, B> {
    pub fn dial(&mut self, from: u32, token: Token, peer: Option<NodeId>, addresses: &[Multiaddr]) {
        let to = addresses.iter().find_map(|address| {
            self.cast.resident(address).map(|resident| (resident, address.clone()))
        });
        // Bare nodes have no cards: they know everybody's address.
        let to = to.or_else(|| {
            let resident = self.cast.number(peer.filter(|_| addresses.is_empty())?)?;
            Some((resident, Cast::address(resident)))
        });
        let Some((to, address)) = to else {
            return self.dial_fails(self.now, from, token, "no such address");
        };
        if to == from {
            let failure = DialFailure::Ourselves;
            return self.later(self.now, from, Input::DialFailed { token, failure });
        }
        if peer.is_some_and(|peer| peer != self.cast.id(to)) {
            let failure = DialFailure::WrongPeer(Some(self.cast.id(to)));
            return self.later(self.now, from, Input::DialFailed { token, failure });
        }
        match self.trips(from, to, TRIPS) {
            Some(span) if span < HANDSHAKE => {
                let generation = self.host(from).generation;
                let dial = Happening::Dial { from, generation, token, to, address };
                self.queue.push(self.now + span, dial);
            }
            _ => self.dial_fails(self.now + HANDSHAKE, from, token, "timed out"),
        }
    }

    fn dial_fails(&mut self, at: Time, node: u32, token: Token, reason: &str) {
        let failure = DialFailure::Unreachable(reason.to_owned());
        self.later(at, node, Input::DialFailed { token, failure });
    }

    /// How long so many packets back and forth take; `None` when they never arrive.
    fn trips(&mut self, from: u32, to: u32, count: u32) -> Option<Duration> {
        let mut whole = Duration::ZERO;
        for trip in 0..count {
            let (a, b) = if trip % 2 == 0 { (from, to) } else { (to, from) };
            whole += self.trip(a, b)?;
        }
        Some(whole)
    }

    fn trip(&mut self, from: u32, to: u32) -> Option<Duration> {
        if !self.weather.passes(from, to) {
            return None;
        }
        let model = &self.scenario.link;
        let loss = self.weather.loss(from, to, model.loss);
        let stall = stall(model, loss, &mut self.rng)?;
        Some(stall + latency(&model.latency, &mut self.rng))
    }

    /// The dialled machine decides.
    pub fn dial_arrives(
        &mut self,
        from: u32,
        generation: u32,
        token: Token,
        to: u32,
        address: Multiaddr,
    ) {
        if self.host(from).generation != generation {
            return;
        }
        let back = self.trip(to, from).filter(|_| self.weather.passes(from, to));
        match (self.host(to).power, back) {
            (Power::On, Some(back)) if self.is_barred(from, to, back) => {
                self.dial_fails(self.now + back, from, token, "put out by a quorum");
            }
            (Power::On, Some(back)) => {
                let link = self.link(from, to);
                self.sent.connections += 1;
                let connection = self.connections.get_mut(&link);
                if let Some(connection) = connection {
                    let at = self.now + back;
                    connection.ways[1].hold_until(at);
                    self.queue.push(at, Happening::Up { link, token, address });
                }
                self.opened(link, 1, None);
            }
            (Power::Off, Some(back)) => {
                self.dial_fails(self.now + back, from, token, "connection refused");
            }
            _ => self.dial_fails(self.now + HANDSHAKE, from, token, "timed out"),
        }
    }

    /// One of the two was put out, as the other knows: it is told so, with the proof.
    fn is_barred(&mut self, from: u32, to: u32, back: Duration) -> bool {
        for (refused, by, at) in [(from, to, self.now + back), (to, from, self.now)] {
            let incarnation = self.host(refused).incarnation;
            let bar = self.host(by).bars.get(&refused).cloned();
            if let Some((_, certificate)) = bar.filter(|(barred, _)| incarnation <= *barred) {
                let by = Some(self.cast.id(by));
                self.later(at, refused, Input::Barred { by, certificate });
                return true;
            }
        }
        false
    }

    /// A new connection.
    pub fn link(&mut self, from: u32, to: u32) -> u64 {
        let link = self.name();
        self.connections.insert(link, Connection::new(from, to));
        link
    }

    /// The dialler has its connection.
    pub fn up(&mut self, link: u64, token: Token, address: Multiaddr) {
        let Some(connection) = self.connections.get(&link) else { return };
        let (from, to) = (connection.node(0), connection.node(1));
        if !connection.is_open(0) {
            return;
        }
        let peer = self.cast.id(to);
        self.opened(link, 0, Some(address));
        self.later(self.now, from, Input::Dialled { token, peer });
    }

    /// One end has the connection from now on.
    pub fn opened(&mut self, link: u64, end: usize, dialled: Option<Multiaddr>) {
        let Some(connection) = self.connections.get_mut(&link) else { return };
        connection.ends[end].told = true;
        let (node, other) = (connection.node(end), connection.node(1 - end));
        self.host(node).links.insert((other, link));
        let (peer, life) = (self.cast.id(other), self.host(other).life);
        let opened = Input::Opened { peer, life, link: Link { id: LinkId(link), dialled } };
        // Through the queue, because the node may be paused.
        self.later(self.now, node, opened);
        let joined: Vec<_> = self.host(node).joined.iter().copied().collect();
        for bucket in joined {
            self.send(link, node, Letter::Joined(bucket), 0);
        }
        if !self.scenario.link.ping.0.is_zero() {
            self.queue.push(self.now, Happening::Ping { link, end });
        }
    }

    /// A node closes a connection; the other end hears of it.
    pub fn close(&mut self, node: u32, link: u64) {
        let Some(connection) = self.connections.get(&link) else { return };
        let end = connection.end_of(node);
        if connection.is_open(end) {
            self.tell_end(link, end);
            self.shut(link, end);
        }
    }

    /// The process at an end is gone or done with the connection; its machine tells the other.
    pub fn tell_end(&mut self, link: u64, end: usize) {
        let Some(connection) = self.connections.get(&link).copied() else { return };
        let (from, to) = (connection.node(end), connection.node(1 - end));
        if let Some(span) = self.trip(from, to)
            && let Some(connection) = self.connections.get_mut(&link)
        {
            let at = connection.ways[end].hold_until(self.now + span);
            self.queue.push(at, Happening::Gone { link, end: 1 - end });
        }
    }

    /// The other machine does not know the connection: it answers with a reset.
    pub fn reset(&mut self, link: u64, end: usize) {
        let Some(connection) = self.connections.get(&link).copied() else { return };
        let (near, far) = (connection.node(end), connection.node(1 - end));
        if self.host(far).power != Power::Dark
            && let (Some(there), Some(back)) = (self.trip(near, far), self.trip(far, near))
        {
            self.queue.push(self.now + there + back, Happening::Gone { link, end });
        }
    }

    /// An end learns that the other is gone.
    pub fn gone(&mut self, link: u64, end: usize) {
        if self.connections.get(&link).is_some_and(|connection| connection.is_open(end)) {
            self.shut(link, end);
        }
    }

    /// This end is closed, and its node is told.
    fn shut(&mut self, link: u64, end: usize) {
        let Some(connection) = self.connections.get_mut(&link) else { return };
        let told = connection.ends[end].told;
        let (node, other) = (connection.node(end), connection.node(1 - end));
        self.forget_end(link, end);
        self.give_up_questions(node, link, self.now);
        if told {
            let (peer, link) = (self.cast.id(other), LinkId(link));
            self.later(self.now, node, Input::Closed { peer, link });
        }
    }

    /// This end is there no more; nobody is told.
    pub fn forget_end(&mut self, link: u64, end: usize) {
        let Some(connection) = self.connections.get_mut(&link) else { return };
        connection.ends[end].open = false;
        let over = !connection.ends[1 - end].open;
        let (node, other) = (connection.node(end), connection.node(1 - end));
        self.host(node).links.remove(&(other, link));
        if over {
            self.connections.remove(&link);
        }
    }

    /// Time for one end to ping the other.
    pub fn ping(&mut self, link: u64, end: usize) {
        let Some(connection) = self.connections.get(&link).copied() else { return };
        if !connection.is_open(end) {
            return;
        }
        let (near, far) = (connection.node(end), connection.node(1 - end));
        self.queue.push(self.now + self.scenario.link.ping.0, Happening::Ping { link, end });
        if self.host(near).power != Power::On {
            return;
        }
        let timeout = self.scenario.link.ping_timeout.0;
        let (there, back) = (self.trip(near, far), self.trip(far, near));
        let round_trip = there.zip(back).map(|(there, back)| there + back);
        let power = self.host(far).power;
        if there.is_some() && power != Power::Dark && !connection.is_open(1 - end) {
            return self.reset(link, end);
        }
        match power {
            Power::On => {
                let answered = round_trip.filter(|round_trip| *round_trip < timeout);
                self.pinged(link, end, answered);
            }
            Power::Paused => self.queue.push(self.now + timeout, Happening::PingOver { link, end }),
            Power::Off | Power::Dark => self.pinged(link, end, None),
        }
    }

    /// A paused node may have gone on in time.
    pub fn ping_over(&mut self, link: u64, end: usize) {
        let Some(connection) = self.connections.get(&link).copied() else { return };
        let timeout = self.scenario.link.ping_timeout.0;
        let answered = self.host(connection.node(1 - end)).power == Power::On;
        self.tell_pinged(link, end, answered.then_some(timeout), self.now);
    }

    fn pinged(&mut self, link: u64, end: usize, answered: Option<Duration>) {
        let at = self.now + answered.unwrap_or(self.scenario.link.ping_timeout.0);
        self.tell_pinged(link, end, answered, at);
    }

    /// Answers are told only where they are news: first ones, and those after a failure. So idle
    /// links cost nothing.
    fn tell_pinged(&mut self, link: u64, end: usize, answered: Option<Duration>, at: Time) {
        let Some(connection) = self.connections.get_mut(&link) else { return };
        let (node, other) = (connection.node(end), connection.node(1 - end));
        let near = &mut connection.ends[end];
        if !near.open || answered.is_some() && !near.uncertain {
            return;
        }
        near.uncertain = answered.is_none();
        let peer = self.cast.id(other);
        self.later(at, node, Input::Pinged { peer, link: LinkId(link), answered });
    }

    /// All links of the graph are up from the first moment.
    pub fn form(&mut self, but: &std::collections::BTreeSet<u32>) {
        for from in 0..self.scenario.nodes {
            let peers = self.cast.neighbours.get(from as usize).cloned().unwrap_or_default();
            let peers = peers.into_iter().filter(|to| from < *to && !but.contains(to));
            for to in peers.filter(|_| !but.contains(&from)) {
                let link = self.link(from, to);
                self.opened(link, 1, None);
                self.opened(link, 0, Some(Cast::address(to)));
            }
        }
    }
}
