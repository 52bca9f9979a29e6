//! What is known of each node.

use super::tick::Tick;

/// Nodes by number.
#[derive(Debug)]
pub struct Nodes {
    alive: Vec<bool>,
    /// Crashed so long ago that all know it.
    buried: Vec<bool>,
    /// The last start.
    born: Vec<Tick>,
    /// A heartbeat of each.
    beat: Vec<Tick>,
}

impl Nodes {
    pub fn new(count: usize) -> Self {
        Self {
            alive: vec![true; count],
            buried: vec![false; count],
            born: vec![Tick::default(); count],
            beat: vec![Tick::default(); count],
        }
    }

    pub fn len(&self) -> u32 {
        // Made from a number of this size.
        self.alive.len() as u32
    }

    pub fn is_alive(&self, node: u32) -> bool {
        self.alive[node as usize]
    }

    pub fn is_buried(&self, node: u32) -> bool {
        self.buried[node as usize]
    }

    pub fn live(&self) -> impl Iterator<Item = u32> {
        (0..self.len()).filter(|node| self.is_alive(*node))
    }

    /// Nodes that have been alive since then.
    pub fn live_since(&self, moment: Tick) -> impl Iterator<Item = u32> {
        self.live().filter(move |node| self.born[*node as usize] <= moment)
    }

    pub fn crash(&mut self, node: u32) {
        self.alive[node as usize] = false;
    }

    pub fn bury(&mut self, node: u32) {
        self.buried[node as usize] = true;
    }

    pub fn start(&mut self, node: u32, now: Tick) {
        self.alive[node as usize] = true;
        self.buried[node as usize] = false;
        self.born[node as usize] = now;
    }

    pub fn set_beat(&mut self, node: u32, at: Tick) {
        self.beat[node as usize] = at;
    }

    /// Heartbeats of the node after `since`, up to and with `now`.
    pub fn beats(&self, node: u32, since: Tick, now: Tick, every: u32) -> u32 {
        // `beat` is the latest heartbeat, or the one to come first.
        let latest = self.beat[node as usize];
        if latest > now || latest < since { 0 } else { latest.since(since) / every + 1 }
    }
}
