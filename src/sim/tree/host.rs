//! One node: its room, its line, and what it has to send.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::protocol::tree::{Frame, Message, Name, TreeMachine};

/// A line serves its links in turn, so many bytes at a time: they share it as connections do.
const TURN: u32 = 16 * 1024;

/// A frame without contents.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parcel {
    pub name: Name,
    pub bytes: u32,
}

impl Frame for Parcel {
    fn name(&self) -> Name {
        self.name
    }

    fn bytes(&self) -> usize {
        self.bytes as usize
    }

    fn messages(&self) -> usize {
        1
    }
}

/// What travels over a link.
#[derive(Clone, Debug)]
pub(super) enum Packet {
    Frame(Parcel),
    Message(Message),
}

impl Packet {
    pub fn bytes(&self) -> u32 {
        match self {
            Self::Frame(frame) => frame.bytes,
            Self::Message(Message::Announce(runs)) => 40 + 80 * runs.len() as u32,
            Self::Message(_) => 120,
        }
    }
}

/// One end of a link: what has to be sent, and what is not read.
#[derive(Debug)]
pub(super) struct Course {
    /// Differs from link to link, so that nothing comes over a later one.
    pub epoch: u32,
    pub latency: Duration,
    /// Bytes per second, where the link is slower than the lines.
    pub rate: Option<f64>,
    /// It sends.
    pub busy: bool,
    /// What comes from there is not read now, and waits.
    pub held: bool,
    pub waiting: VecDeque<Packet>,
    messages: VecDeque<Message>,
    frames: VecDeque<Parcel>,
    /// How much of the first frame is out.
    part: u32,
    /// A message is being sent, not the first frame.
    saying: bool,
}

impl Course {
    pub fn new(epoch: u32, latency: Duration, rate: Option<f64>) -> Self {
        Self {
            epoch,
            latency,
            rate,
            busy: false,
            held: false,
            waiting: VecDeque::new(),
            messages: VecDeque::new(),
            frames: VecDeque::new(),
            part: 0,
            saying: false,
        }
    }

    pub fn queue(&mut self, packet: Packet) {
        match packet {
            Packet::Frame(frame) => self.frames.push_back(frame),
            Packet::Message(message) => self.messages.push_back(message),
        }
    }

    /// Whether it has something to send; frames only if they are read.
    fn is_ready(&self, reads: bool) -> bool {
        !self.busy && (!self.messages.is_empty() || reads && !self.frames.is_empty())
    }

    /// What is sent next: how many bytes, and whether they are of a frame. Messages go first, but
    /// not into the middle of a frame.
    pub fn begin(&mut self, reads: bool) -> Option<(u32, bool)> {
        if !self.is_ready(reads) {
            return None;
        }
        self.saying = self.part == 0 && !self.messages.is_empty();
        if self.saying {
            let message = self.messages.front()?.clone();
            return Some((Packet::Message(message).bytes(), false));
        }
        let left = self.frames.front()?.bytes - self.part;
        Some((left.min(TURN), true))
    }

    /// It was sent; returns what is whole now.
    pub fn left(&mut self, bytes: u32) -> Option<Packet> {
        if self.saying {
            return self.messages.pop_front().map(Packet::Message);
        }
        self.part += bytes;
        let whole = self.frames.front().is_some_and(|frame| self.part >= frame.bytes);
        if !whole {
            return None;
        }
        self.part = 0;
        self.frames.pop_front().map(Packet::Frame)
    }
}

/// One node.
#[derive(Debug)]
pub(super) struct Host {
    pub id: NodeId,
    pub machine: TreeMachine<Parcel>,
    pub alive: bool,
    /// What its line takes each way, in bytes per second; as much as there is when not given.
    pub rate: Option<f64>,
    pub line_busy: bool,
    /// When all that came was received.
    pub line_free: Time,
    pub last_served: u32,
    pub courses: BTreeMap<u32, Course>,
    pub tick_at: Option<Time>,
    /// Own frames may be published.
    pub room: bool,
    /// Of its last own frame.
    pub sequence: u64,
    pub delivered: u64,
}

impl Host {
    pub fn new(id: NodeId, machine: TreeMachine<Parcel>, rate: Option<f64>) -> Self {
        Self {
            id,
            machine,
            alive: true,
            rate,
            line_busy: false,
            line_free: Time::ZERO,
            last_served: 0,
            courses: BTreeMap::new(),
            tick_at: None,
            room: true,
            sequence: 0,
            delivered: 0,
        }
    }

    /// Its end of a link, if that is the one that is meant.
    pub fn course(&mut self, peer: u32, epoch: u32) -> Option<&mut Course> {
        self.courses.get_mut(&peer).filter(|course| course.epoch == epoch)
    }

    /// Whose turn it is.
    pub fn next_course(&self, reads: impl Fn(u32) -> bool) -> Option<u32> {
        let after = self.courses.range(self.last_served.saturating_add(1)..);
        let all = after.chain(self.courses.range(..=self.last_served));
        let mut ready = all.filter(|(peer, course)| course.is_ready(reads(**peer)));
        ready.next().map(|(peer, _)| *peer)
    }
}
