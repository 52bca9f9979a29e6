//! One machine, and what it wants.

use std::time::Duration;

use crate::base::id::{Life, NodeId};
use crate::base::key::SecretKey;
use crate::base::machine::{Machine, Outbox};
use crate::base::time::Time;
use crate::protocol::link::{Input, Link, LinkId, LinkMachine, Output, WatchConfig};

pub const MS: Duration = Duration::from_millis(1);
pub const LIFE: Life = Life(5);

pub fn key(number: u8) -> SecretKey {
    SecretKey::from_seed([number; 32])
}

pub fn id(number: u8) -> NodeId {
    key(number).id()
}

/// An id that is smaller than `id(0)`, or larger.
pub fn id_that_is(smaller: bool) -> NodeId {
    (1..).map(id).find(|other| (*other < id(0)) == smaller).unwrap()
}

pub fn ours(number: u64) -> Link {
    Link { id: LinkId(number), dialled: Some("/ip4/127.0.0.1/tcp/7001".parse().unwrap()) }
}

pub fn theirs(number: u64) -> Link {
    Link { id: LinkId(number), dialled: None }
}

/// The room of node 0.
pub struct Room {
    pub now: Time,
    pub machine: LinkMachine,
}

impl Room {
    pub fn new() -> Self {
        Self::with(WatchConfig::default())
    }

    pub fn with(config: WatchConfig) -> Self {
        Self { now: Time::ZERO, machine: LinkMachine::new(config, id(0)) }
    }

    pub fn input(&mut self, input: Input) -> Vec<Output> {
        let mut out = Outbox::new();
        self.machine.handle(self.now, input, &mut out);
        out.drain().collect()
    }

    pub fn opens(&mut self, peer: NodeId, life: Life, link: Link) -> Vec<Output> {
        self.input(Input::Opened { peer, life, link })
    }

    pub fn closes(&mut self, peer: NodeId, link: u64) -> Vec<Output> {
        self.input(Input::Closed { peer, link: LinkId(link) })
    }

    /// Lets time pass, with a tick at every deadline on the way.
    pub fn wait(&mut self, span: Duration) -> Vec<Output> {
        let end = self.now + span;
        let mut wanted = Vec::new();
        while let Some(due) = self.machine.deadline().filter(|due| *due <= end) {
            assert!(due >= self.now, "a deadline in the past");
            self.now = due;
            wanted.extend(self.input(Input::Tick));
            let next = self.machine.deadline();
            assert!(next.is_none_or(|next| next > due), "a tick must move the deadline");
        }
        self.now = end;
        wanted
    }

    pub fn is_linked(&self, node: NodeId) -> bool {
        self.machine.links().is_linked(node)
    }
}

/// Which connections are to be closed.
pub fn closed(outputs: &[Output]) -> Vec<LinkId> {
    let close = |output: &Output| match output {
        Output::Close(link) => Some(*link),
        _ => None,
    };
    outputs.iter().filter_map(close).collect()
}
