//! The world: nodes with the room of the product, links between them, one queue.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::host::{Course, Host, Packet, Parcel};
use super::port;
use crate::base::id::{Life, NodeId};
use crate::base::key::SecretKey;
use crate::base::machine::{Machine, Outbox};
use crate::base::time::Time;
use crate::protocol::tree::{Input, Name, Output, Source, TreeConfig, TreeMachine, TreeStats};
use crate::sim::queue::Queue;

/// The bucket in which everything happens.
const BUCKET: u16 = 0;

/// What can happen.
#[derive(Debug)]
pub(super) enum Event {
    Tick(u32),
    /// A part of what a node had to send to another is on its way.
    Left {
        node: u32,
        to: u32,
        epoch: u32,
        bytes: u32,
    },
    /// Its last byte is there; the receiver's own line may still be busy.
    Arrived {
        from: u32,
        to: u32,
        epoch: u32,
        packet: Packet,
    },
    Received {
        from: u32,
        to: u32,
        epoch: u32,
        packet: Packet,
    },
    Up {
        node: u32,
        peer: u32,
        epoch: u32,
    },
}

/// A frame that was published, and when it came where.
#[derive(Debug)]
pub(super) struct Published {
    pub at: Time,
    pub author: u32,
    /// Per node; `None` where it did not come.
    pub came: Vec<Option<Time>>,
    /// Copies that came, the first of each node too.
    pub copies: u64,
}

/// Nodes, links, and what is under way.
#[derive(Debug)]
pub(super) struct World {
    pub hosts: Vec<Host>,
    pub published: Vec<Published>,
    config: TreeConfig,
    places: HashMap<NodeId, u32>,
    names: HashMap<Name, usize>,
    queue: Queue<Event>,
    now: Time,
    out: Outbox<Output<Parcel>>,
    epochs: u32,
}

impl World {
    pub fn new(config: TreeConfig) -> Self {
        Self {
            hosts: Vec::new(),
            published: Vec::new(),
            config,
            places: HashMap::new(),
            names: HashMap::new(),
            queue: Queue::new(),
            now: Time::ZERO,
            out: Outbox::new(),
            epochs: 0,
        }
    }

    #[cfg(test)]
    pub fn now(&self) -> Time {
        self.now
    }

    /// A new node; `rate` is what its line takes, each way, in bytes per second.
    pub fn add(&mut self, rate: Option<f64>) -> u32 {
        let place = self.hosts.len() as u32;
        let mut seed = [0; 32];
        seed.iter_mut().zip(place.to_be_bytes()).for_each(|(to, byte)| *to = byte);
        let id = SecretKey::from_seed(seed).id();
        self.places.insert(id, place);
        self.hosts.push(Host::new(id, TreeMachine::new(self.config.clone()), rate));
        place
    }

    /// A link between two nodes, usable at once on either side; `rate` is its own in bytes per
    /// second.
    pub fn link(&mut self, a: u32, b: u32, latency: Duration, rate: Option<f64>) {
        self.epochs += 1;
        let epoch = self.epochs;
        for (node, peer) in [(a, b), (b, a)] {
            let course = Course::new(epoch, latency, rate);
            self.hosts[node as usize].courses.insert(peer, course);
            self.queue.push(self.now, Event::Up { node, peer, epoch });
        }
    }

    /// The link is gone, with all that is under way on it; both ends know.
    pub fn unlink(&mut self, a: u32, b: u32) {
        for (node, peer) in [(a, b), (b, a)] {
            if self.hosts[node as usize].courses.remove(&peer).is_some() {
                let id = self.id(peer);
                self.give(node, Input::Down { peer: id });
                self.give(node, Input::Parted { peer: id, bucket: BUCKET });
            }
        }
    }

    /// The node is gone without a word: links to it swallow everything.
    pub fn kill(&mut self, node: u32) {
        self.hosts[node as usize].alive = false;
    }

    pub fn is_linked(&self, a: u32, b: u32) -> bool {
        self.hosts[a as usize].courses.contains_key(&b)
    }

    /// The next frame of an author.
    pub fn publish(&mut self, author: u32, bytes: u32) {
        let host = &mut self.hosts[author as usize];
        host.sequence += 1;
        let source = Source { author: host.id, life: Life(1), bucket: BUCKET };
        let name = Name { source, sequence: host.sequence };
        let mut came = vec![None; self.hosts.len()];
        came[author as usize] = Some(self.now);
        self.names.insert(name, self.published.len());
        self.published.push(Published { at: self.now, author, came, copies: 0 });
        self.give(author, Input::Publish(Parcel { name, bytes }));
    }

    /// Whether the author may publish.
    pub fn has_room(&self, author: u32) -> bool {
        self.hosts[author as usize].room
    }

    /// Lets everything happen until then.
    pub fn run_until(&mut self, end: Time) {
        while let Some((at, event)) = self.queue.pop(end) {
            self.now = at;
            self.happen(event);
        }
        self.now = end;
    }

    /// The counters of all living nodes.
    pub fn stats(&self) -> impl Iterator<Item = TreeStats> + '_ {
        self.hosts.iter().filter(|host| host.alive).map(|host| host.machine.stats())
    }

    fn id(&self, node: u32) -> NodeId {
        self.hosts[node as usize].id
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Tick(node) => {
                let host = &mut self.hosts[node as usize];
                if host.tick_at == Some(self.now) {
                    host.tick_at = None;
                    self.give(node, Input::Tick);
                }
            }
            Event::Up { node, peer, epoch } => self.up(node, peer, epoch),
            Event::Left { node, to, epoch, bytes } => self.left(node, to, epoch, bytes),
            Event::Arrived { from, to, epoch, packet } => self.arrived(from, to, epoch, packet),
            Event::Received { from, to, epoch, packet } => self.received(from, to, epoch, packet),
        }
    }

    fn up(&mut self, node: u32, peer: u32, epoch: u32) {
        let Some(course) = self.hosts[node as usize].course(peer, epoch) else { return };
        let round_trip = Some(course.latency * 2);
        let peer = self.id(peer);
        self.give(node, Input::Joined { peer, bucket: BUCKET });
        self.give(node, Input::Up { peer, round_trip });
    }

    /// The node's line or the link is free again.
    fn left(&mut self, node: u32, to: u32, epoch: u32, bytes: u32) {
        let host = &mut self.hosts[node as usize];
        host.line_busy = false;
        let Some(course) = host.course(to, epoch) else { return self.pump(node, None) };
        course.busy = false;
        let arrives = self.now + course.latency;
        if let Some(packet) = course.left(bytes) {
            self.queue.push(arrives, Event::Arrived { from: node, to, epoch, packet });
        }
        if bytes > 0 {
            let peer = self.id(to);
            self.give(node, Input::Sent { peer, bytes: bytes as usize });
        }
        self.pump(node, Some(to));
    }

    /// The receiver's line takes what comes one after the other.
    fn arrived(&mut self, from: u32, to: u32, epoch: u32, packet: Packet) {
        let host = &mut self.hosts[to as usize];
        let Some(rate) = host.rate else { return self.received(from, to, epoch, packet) };
        host.line_free = self.now.max(host.line_free + port::time(packet.bytes(), rate));
        self.queue.push(host.line_free, Event::Received { from, to, epoch, packet });
    }

    fn received(&mut self, from: u32, to: u32, epoch: u32, packet: Packet) {
        let (now, sender) = (self.now, self.id(from));
        let host = &mut self.hosts[to as usize];
        let alive = host.alive;
        let Some(course) = host.course(from, epoch).filter(|_| alive) else { return };
        // Messages are held up with the frames they come with.
        if course.held {
            course.waiting.push_back(packet);
            return;
        }
        match packet {
            Packet::Message(message) => self.give(to, Input::Told { from: sender, message }),
            Packet::Frame(frame) => {
                if let Some(published) = self.names.get(&frame.name) {
                    let published = &mut self.published[*published];
                    published.copies += 1;
                    if published.came.len() <= to as usize {
                        published.came.resize(to as usize + 1, None);
                    }
                    published.came[to as usize].get_or_insert(now);
                }
                self.give(to, Input::Heard { from: sender, frame });
            }
        }
    }

    /// Gives a node an input and does what it wants.
    fn give(&mut self, node: u32, input: Input<Parcel>) {
        let mut out = std::mem::take(&mut self.out);
        let host = &mut self.hosts[node as usize];
        if !host.alive {
            return;
        }
        host.machine.handle(self.now, input, &mut out);
        if let Some(at) = host.machine.deadline()
            && host.tick_at.is_none_or(|tick| at < tick)
        {
            host.tick_at = Some(at.max(self.now));
            self.queue.push(at.max(self.now), Event::Tick(node));
        }
        let mut freed = Vec::new();
        while let Some(output) = out.pop() {
            freed.extend(self.obey(node, output));
        }
        self.out = out;
        for (from, epoch, packet) in freed {
            self.received(from, node, epoch, packet);
        }
    }

    /// Does one thing; returns what can be read now.
    fn obey(&mut self, node: u32, output: Output<Parcel>) -> Vec<(u32, u32, Packet)> {
        match output {
            Output::Send { to, frame } => self.queue_packet(node, to, Packet::Frame(frame)),
            Output::Tell { to, message } => self.queue_packet(node, to, Packet::Message(message)),
            Output::Deliver { .. } => self.hosts[node as usize].delivered += 1,
            Output::Copy { .. } => {}
            Output::Room(room) => self.hosts[node as usize].room = room,
            Output::Hold { from, held } => return self.hold(node, from, held),
        }
        Vec::new()
    }

    fn hold(&mut self, node: u32, from: NodeId, held: bool) -> Vec<(u32, u32, Packet)> {
        let from = self.places[&from];
        let Some(course) = self.hosts[node as usize].courses.get_mut(&from) else {
            return Vec::new();
        };
        course.held = held;
        let epoch = course.epoch;
        let waiting = if held { Default::default() } else { std::mem::take(&mut course.waiting) };
        if !held {
            self.pump(from, Some(node));
        }
        waiting.into_iter().map(|packet| (from, epoch, packet)).collect()
    }

    fn queue_packet(&mut self, node: u32, to: NodeId, packet: Packet) {
        let to = self.places[&to];
        if let Some(course) = self.hosts[node as usize].courses.get_mut(&to) {
            course.queue(packet);
            self.pump(node, Some(to));
        }
    }

    /// Begins to send what may be sent: over the node's line, or over one link.
    fn pump(&mut self, node: u32, to: Option<u32>) {
        let host = &self.hosts[node as usize];
        let next = match host.rate {
            Some(_) if host.line_busy => None,
            Some(_) => host.next_course(|peer| self.reads(peer, node)),
            None => to.filter(|to| host.courses.get(to).is_some_and(|course| !course.busy)),
        };
        let Some(peer) = next else { return };
        let reads = self.reads(peer, node);
        let host = &mut self.hosts[node as usize];
        let line = host.rate;
        let Some(course) = host.courses.get_mut(&peer) else { return };
        let Some((size, of_frame)) = course.begin(reads) else { return };
        course.busy = true;
        let epoch = course.epoch;
        let takes = line.or(course.rate).map_or(Duration::ZERO, |rate| port::time(size, rate));
        host.line_busy = line.is_some();
        host.last_served = peer;
        let bytes = if of_frame { size } else { 0 };
        self.queue.push(self.now + takes, Event::Left { node, to: peer, epoch, bytes });
    }

    /// Whether a node takes frames from another: it holds the link or not. A dead one takes all.
    fn reads(&self, node: u32, from: u32) -> bool {
        self.hosts[node as usize].courses.get(&from).is_none_or(|course| !course.held)
    }

    /// The links of each living node with living ones, and their latencies.
    pub fn living_links(&self) -> BTreeMap<u32, Vec<(u32, Duration)>> {
        let alive = |node: &u32| self.hosts[*node as usize].alive;
        let all = (0..self.hosts.len() as u32).filter(alive);
        all.map(|node| {
            let courses = self.hosts[node as usize].courses.iter();
            let links = courses.filter(|(peer, _)| alive(peer));
            (node, links.map(|(peer, course)| (*peer, course.latency)).collect())
        })
        .collect()
    }
}
