//! The queue of what is to happen: a ring of buckets, one per tick, each in the order of coming.
//!
//! A heap would touch twenty places of memory per event, a bucket touches two. What lies beyond
//! the ring (a second and a bit) is rare, and waits in a tree.

use std::collections::BTreeMap;

use super::tick::Tick;

/// Ticks in the ring: 1.3 s, more than the longest usual heartbeat.
const RING: u32 = 1 << 17;

/// No cell.
const NONE: u32 = u32::MAX;

/// Events in the order of their time, and of their coming where times are equal.
#[derive(Debug)]
pub struct Wheel<T> {
    now: Tick,
    buckets: Vec<Bucket>,
    cells: Vec<Cell<T>>,
    free: u32,
    near: usize,
    far: BTreeMap<Tick, Vec<T>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    first: u32,
    last: u32,
}

#[derive(Debug)]
struct Cell<T> {
    event: T,
    next: u32,
}

const EMPTY: Bucket = Bucket { first: NONE, last: NONE };

impl<T: Copy> Wheel<T> {
    pub fn new() -> Self {
        Self {
            now: Tick::default(),
            buckets: vec![EMPTY; RING as usize],
            cells: Vec::new(),
            free: NONE,
            near: 0,
            far: BTreeMap::new(),
        }
    }

    /// The time of the last event taken.
    pub fn now(&self) -> Tick {
        self.now
    }

    /// Adds an event. One that lies in the past happens now.
    pub fn schedule(&mut self, at: Tick, event: T) {
        let at = at.max(self.now);
        if at.since(self.now) >= RING {
            self.far.entry(at).or_default().push(event);
        } else {
            self.append(at, event);
        }
    }

    /// Takes the next event that is not after `end`.
    pub fn next(&mut self, end: Tick) -> Option<T> {
        loop {
            let bucket = &mut self.buckets[place(self.now)];
            if let Some(cell) = self.cells.get(bucket.first as usize) {
                let taken = bucket.first;
                let event = cell.event;
                *bucket = match cell.next {
                    NONE => EMPTY,
                    next => Bucket { first: next, ..*bucket },
                };
                self.near -= 1;
                self.cells[taken as usize].next = self.free;
                self.free = taken;
                return Some(event);
            }
            let next = self.following()?;
            if next > end {
                return None;
            }
            self.advance(next);
        }
    }

    /// The next tick to look at.
    fn following(&self) -> Option<Tick> {
        if self.near > 0 {
            return Some(self.now.plus(1));
        }
        self.far.first_key_value().map(|(at, _)| *at)
    }

    /// Goes on, and fetches what the ring can hold now. This comes before any event is added to
    /// those ticks directly, so the order of coming is kept.
    fn advance(&mut self, now: Tick) {
        self.now = now;
        while let Some(entry) = self.far.first_entry() {
            if entry.key().since(now) >= RING {
                break;
            }
            let (at, events) = entry.remove_entry();
            events.into_iter().for_each(|event| self.append(at, event));
        }
    }

    fn append(&mut self, at: Tick, event: T) {
        let cell = self.cell(event);
        let bucket = &mut self.buckets[place(at)];
        if bucket.last == NONE {
            *bucket = Bucket { first: cell, last: cell };
        } else {
            self.cells[bucket.last as usize].next = cell;
            bucket.last = cell;
        }
        self.near += 1;
    }

    fn cell(&mut self, event: T) -> u32 {
        let cell = Cell { event, next: NONE };
        if self.free == NONE {
            self.cells.push(cell);
            // Four billion events of 32 bytes do not fit into a memory this model is meant for.
            return (self.cells.len() - 1) as u32;
        }
        let place = self.free;
        self.free = self.cells[place as usize].next;
        self.cells[place as usize] = cell;
        place
    }
}

fn place(at: Tick) -> usize {
    (at.0 % RING) as usize
}
