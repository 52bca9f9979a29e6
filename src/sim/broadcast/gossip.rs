//! Messages: pushed over the mesh, and told of beside it.

use rand::RngExt;

use super::held::Published;
use super::tick::ticks;
use super::world::{Event, World};

impl World<'_> {
    /// A live node publishes the next message.
    pub fn publish(&mut self) {
        let count = self.nodes.len();
        // At least one node is alive: a kill leaves one, and churn takes no last one.
        let author = loop {
            let node = self.authors.random_range(0..count);
            if self.nodes.is_alive(node) {
                break node;
            }
        };
        let message = self.held.published.len() as u8;
        self.held.published.push(Published { author, at: self.now() });
        self.held.hold(author, message, self.now(), 0);
        let (flood, degree) = (self.scenario.flood_publish, self.scenario.degree);
        if !flood && !self.scenario.fixed {
            let mesh = self.links.mesh_count(author);
            self.choose(author, degree.saturating_sub(mesh), |world, end| {
                !world.links.in_mesh(end)
            });
            for place in 0..self.choice.len() {
                let to = self.links.peer(self.choice[place]);
                self.push(author, to, message, 1);
            }
        }
        for end in self.links.ends(author) {
            if flood || self.links.in_mesh(end) {
                self.push(author, self.links.peer(end), message, 1);
            }
        }
    }

    /// Sends a copy.
    fn push(&mut self, from: u32, to: u32, message: u8, hops: u16) {
        self.counts.copies += 1;
        if self.is_lost() {
            self.counts.lost_copies += 1;
        } else {
            self.send(from, to, Event::Copy { to, from, message, hops });
        }
    }

    /// A copy arrives. The first one goes on over the mesh.
    pub fn copy(&mut self, node: u32, from: u32, message: u8, hops: u16) {
        if !self.nodes.is_alive(node) {
            self.counts.to_the_dead += 1;
            return;
        }
        self.held.count_copy(node, message);
        if self.held.seen(node, message).is_some() {
            return;
        }
        self.held.hold(node, message, self.now(), hops);
        let author = self.held.published[usize::from(message)].author;
        for end in self.links.ends(node) {
            let peer = self.links.peer(end);
            if self.links.in_mesh(end) && peer != from && peer != author {
                self.push(node, peer, message, hops.saturating_add(1));
            }
        }
    }

    /// Tells some peers outside the mesh what is new here.
    pub fn tell(&mut self, node: u32) {
        let window = self.scenario.history_gossip;
        // The heartbeat of this moment counts: it is the first one for what came since the last.
        let messages = self.recent(node, |beats| beats <= window);
        if messages == 0 {
            return;
        }
        let outside = self.links.ends(node).filter(|end| !self.links.in_mesh(*end)).count();
        let share = (self.scenario.gossip_factor * outside as f64) as usize;
        self.choose(node, share.max(self.scenario.gossip_lazy), |world, end| {
            !world.links.in_mesh(end)
        });
        for place in 0..self.choice.len() {
            let to = self.links.peer(self.choice[place]);
            self.counts.haves += 1;
            self.send_control(node, to, Event::Have { to, from: node, messages });
        }
    }

    /// The messages that came to a node so many of its heartbeats ago.
    fn recent(&self, node: u32, within: impl Fn(u32) -> bool) -> u64 {
        let mut messages = 0;
        for message in self.held.messages() {
            if let Some(seen) = self.held.seen(node, message) {
                let beats = self.nodes.beats(node, seen, self.now(), self.heartbeat);
                messages |= u64::from(within(beats)) << message;
            }
        }
        messages
    }

    fn send_control(&mut self, from: u32, to: u32, event: Event) {
        if self.is_lost() {
            self.counts.lost_control += 1;
        } else {
            self.send(from, to, event);
        }
    }

    /// A peer tells what it has: ask for what is missing and not asked for.
    pub fn have(&mut self, node: u32, from: u32, messages: u64) {
        if !self.nodes.is_alive(node) {
            return;
        }
        let now = self.now();
        let patience = self.scenario.ask_again.map(ticks);
        let mut wanted = 0;
        for message in bits(messages) {
            let waits = self
                .held
                .asked(node, message)
                .is_some_and(|asked| patience.is_none_or(|patience| now.since(asked) < patience));
            if self.held.seen(node, message).is_none() && !waits {
                self.held.ask(node, message, now);
                wanted |= 1 << message;
            }
        }
        if wanted != 0 {
            self.counts.wants += 1;
            self.send_control(node, from, Event::Want { to: from, from: node, messages: wanted });
        }
    }

    /// A peer asks for messages: it gets those that are remembered.
    pub fn want(&mut self, node: u32, from: u32, messages: u64) {
        if !self.nodes.is_alive(node) {
            return;
        }
        let window = self.scenario.history;
        for message in bits(messages & self.recent(node, |beats| beats < window)) {
            let hops = self.held.hops(node, message).saturating_add(1);
            self.push(node, from, message, hops);
        }
    }
}

/// The numbers of the bits that are set.
fn bits(mut set: u64) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let lowest = set.trailing_zeros();
        set &= set.wrapping_sub(1);
        // Below 64.
        (lowest < 64).then_some(lowest as u8)
    })
}
