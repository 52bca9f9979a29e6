//! Which node holds which message: flat arrays, a row per node.

use super::tick::Tick;

/// Messages of the run, and what each node knows of each.
#[derive(Debug)]
pub struct Held {
    count: usize,
    seen: Vec<Tick>,
    asked: Vec<Tick>,
    hops: Vec<u16>,
    copies: Vec<u16>,
    /// Those published so far.
    pub published: Vec<Published>,
}

/// A message.
#[derive(Clone, Copy, Debug)]
pub struct Published {
    pub author: u32,
    pub at: Tick,
}

impl Held {
    pub fn new(nodes: usize, count: usize) -> Self {
        Self {
            count,
            seen: vec![Tick::NEVER; nodes * count],
            asked: vec![Tick::NEVER; nodes * count],
            hops: vec![0; nodes * count],
            copies: vec![0; nodes * count],
            published: Vec::with_capacity(count),
        }
    }

    fn place(&self, node: u32, message: u8) -> usize {
        node as usize * self.count + usize::from(message)
    }

    /// When the first copy came.
    pub fn seen(&self, node: u32, message: u8) -> Option<Tick> {
        let seen = self.seen[self.place(node, message)];
        (seen != Tick::NEVER).then_some(seen)
    }

    /// Links between the author and the node, on the way of the first copy.
    pub fn hops(&self, node: u32, message: u8) -> u16 {
        self.hops[self.place(node, message)]
    }

    /// Copies that came, the first one too.
    pub fn copies(&self, node: u32, message: u8) -> u16 {
        self.copies[self.place(node, message)]
    }

    pub fn count_copy(&mut self, node: u32, message: u8) {
        let place = self.place(node, message);
        self.copies[place] = self.copies[place].saturating_add(1);
    }

    pub fn hold(&mut self, node: u32, message: u8, now: Tick, hops: u16) {
        let place = self.place(node, message);
        self.seen[place] = now;
        self.hops[place] = hops;
    }

    /// When the node asked for the message.
    pub fn asked(&self, node: u32, message: u8) -> Option<Tick> {
        let asked = self.asked[self.place(node, message)];
        (asked != Tick::NEVER).then_some(asked)
    }

    pub fn ask(&mut self, node: u32, message: u8, now: Tick) {
        let place = self.place(node, message);
        self.asked[place] = now;
    }

    /// A node that starts again knows nothing.
    pub fn forget(&mut self, node: u32) {
        let row = self.place(node, 0)..self.place(node, 0) + self.count;
        self.seen[row.clone()].fill(Tick::NEVER);
        self.asked[row.clone()].fill(Tick::NEVER);
        self.copies[row].fill(0);
    }

    /// The messages published so far.
    pub fn messages(&self) -> impl Iterator<Item = u8> + use<> {
        // At most 64, as the scenario is checked.
        (0..self.published.len()).map(|message| message as u8)
    }
}
