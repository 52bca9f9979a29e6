//! One room, and what it wants done.

use std::time::Duration;

use crate::base::id::{Life, NodeId};
use crate::base::key::SecretKey;
use crate::base::machine::{Machine, Outbox};
use crate::base::time::Time;
use crate::protocol::tree::wire::Run;
use crate::protocol::tree::{Frame, Input, Message, Name, Output, Source, TreeConfig, TreeMachine};

/// A frame of so many bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Light {
    pub name: Name,
    pub bytes: usize,
}

impl Frame for Light {
    fn name(&self) -> Name {
        self.name
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn messages(&self) -> usize {
        1
    }
}

pub fn node(number: u16) -> NodeId {
    let mut seed = [0; 32];
    seed[..2].copy_from_slice(&number.to_be_bytes());
    SecretKey::from_seed(seed).id()
}

pub fn source(author: NodeId) -> Source {
    Source { author, life: Life(1), bucket: 3 }
}

pub fn frame(source: Source, sequence: u64) -> Light {
    Light { name: Name { source, sequence }, bytes: 1_000 }
}

pub const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A room with neighbours 1, 2, ... that take part in bucket 3 and answer within 10 ms.
pub struct Room {
    pub machine: TreeMachine<Light>,
    pub now: Time,
    pub peers: Vec<NodeId>,
}

impl Room {
    pub fn with(neighbours: u16, config: TreeConfig) -> Self {
        let peers: Vec<NodeId> = (1..=neighbours).map(node).collect();
        let mut room = Self {
            machine: TreeMachine::new(config),
            now: Time::from_micros(1_000_000),
            peers: peers.clone(),
        };
        for peer in peers {
            room.give(Input::Joined { peer, bucket: 3 });
            room.give(Input::Up { peer, round_trip: Some(ms(10)) });
        }
        room
    }

    pub fn new(neighbours: u16) -> Self {
        Self::with(neighbours, TreeConfig::default())
    }

    pub fn give(&mut self, input: Input<Light>) -> Vec<Output<Light>> {
        let mut out = Outbox::new();
        self.machine.handle(self.now, input, &mut out);
        out.drain().collect()
    }

    /// Time goes on, with ticks where they are wanted.
    pub fn wait(&mut self, span: Duration) -> Vec<Output<Light>> {
        let end = self.now + span;
        let mut all = Vec::new();
        while let Some(at) = self.machine.deadline().filter(|at| *at <= end) {
            assert!(at >= self.now || all.len() < 10_000, "it ticks for ever");
            self.now = self.now.max(at);
            all.extend(self.give(Input::Tick));
        }
        self.now = end;
        all
    }

    /// Time goes on, and what is due then is late.
    pub fn late(&mut self, span: Duration) -> Vec<Output<Light>> {
        self.now = self.now + span;
        self.give(Input::Tick)
    }

    pub fn hear(&mut self, from: usize, frame: Light) -> Vec<Output<Light>> {
        let from = self.peers[from];
        self.give(Input::Heard { from, frame })
    }

    pub fn tell(&mut self, from: usize, message: Message) -> Vec<Output<Light>> {
        let from = self.peers[from];
        self.give(Input::Told { from, message })
    }

    pub fn announce(&mut self, by: usize, of: Source, from: u64, to: u64) -> Vec<Output<Light>> {
        self.tell(by, Message::Announce(vec![Run { source: of, from, to }]))
    }

    pub fn sent(&mut self, peer: usize, bytes: usize) -> Vec<Output<Light>> {
        let peer = self.peers[peer];
        self.give(Input::Sent { peer, bytes })
    }

    /// The neighbours that are sent this frame, by their place.
    pub fn receivers(&self, out: &[Output<Light>], sequence: u64) -> Vec<usize> {
        let sent = out.iter().filter_map(|output| match output {
            Output::Send { to, frame } if frame.name.sequence == sequence => Some(to),
            _ => None,
        });
        let places = sent.map(|to| self.peers.iter().position(|peer| peer == to).unwrap());
        let mut places: Vec<usize> = places.collect();
        places.sort_unstable();
        places
    }

    /// What is said, and to whom.
    pub fn said(&self, out: &[Output<Light>]) -> Vec<(usize, Message)> {
        let told = out.iter().filter_map(|output| match output {
            Output::Tell { to, message } => Some((to, message.clone())),
            _ => None,
        });
        let place = |to| self.peers.iter().position(|peer| peer == to).unwrap();
        told.map(|(to, message)| (place(to), message)).collect()
    }
}
