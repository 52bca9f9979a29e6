//! The hot paths, for benchmarks: what a message costs in the machines, without network, task or
//! disk. Not for users: it changes with what it measures.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::base::batch::{Batch, Head};
use crate::base::id::{Life, NodeId};
use crate::base::key::SecretKey;
use crate::base::machine::{Machine, Outbox};
use crate::base::signer::{Signer, Verifier};
use crate::base::time::{Time, WallTime};
use crate::base::token::Token;
use crate::config::Config;
use crate::engine::{Engine, EngineSettings, Input, Output};
use crate::protocol::discovery::{self, Topology};
use crate::protocol::membership::Saved;
use crate::protocol::topic::{Command, Earlier};
use crate::protocol::tree::TreeConfig;

/// The topic of all messages here.
const TOPIC: &str = "bench";

/// An author of batches.
#[derive(Debug)]
pub struct Writer {
    signer: Signer,
    next: u64,
}

/// The engine of a node that reads what a [`Writer`] wrote.
pub struct Reader {
    engine: Engine,
    author: NodeId,
    out: Outbox<Output>,
}

impl Writer {
    /// A writer of this seed, in its first life.
    pub fn new(seed: u8) -> Self {
        Self { signer: Signer::new(SecretKey::from_seed([seed; 32])), next: 1 }
    }

    /// Encodes and signs the next messages, 4,096 of them at most: the bytes that travel. Their
    /// numbers follow those of the last call.
    pub fn seal(&mut self, payloads: &[Bytes]) -> Bytes {
        let payloads: Vec<(WallTime, Bytes)> =
            payloads.iter().map(|payload| (WallTime(0), payload.clone())).collect();
        let head = Head::new(self.signer.me(), Life(1), TOPIC, self.next);
        self.next += payloads.len() as u64;
        Batch::seal(head, &payloads, &mut self.signer).wire().clone()
    }

    /// Who it is.
    pub fn id(&self) -> NodeId {
        self.signer.me()
    }
}

/// Takes a batch apart and checks its signature: how many messages it has, 0 when it is none.
pub fn open(wire: &Bytes) -> usize {
    let read = Batch::read(wire, wire.len());
    let proved = read.and_then(|batch| batch.prove(&Verifier::default()));
    proved.map_or(0, |batch| batch.count())
}

impl Reader {
    /// A node that has subscribed, and has heard nothing of this author yet.
    pub fn new(author: NodeId) -> Self {
        let mut reader = Self { engine: Engine::new(settings()), author, out: Outbox::new() };
        let (subscription, topic) = (Token(1), TOPIC.to_owned());
        reader.turn(Input::Topic(Command::Subscribe {
            subscription,
            topic,
            own: false,
            group: None,
            earlier: Earlier::default(),
        }));
        reader
    }

    /// Takes a batch that a neighbour passed on: how many messages were delivered.
    pub fn hear(&mut self, wire: &Bytes) -> usize {
        let (from, sequence) = (self.author, 0);
        self.turn(Input::Heard { from, author: self.author, sequence, frame: wire.clone() })
    }

    fn turn(&mut self, input: Input) -> usize {
        self.engine.handle(Time::ZERO, input, &mut self.out);
        let mut delivered = 0;
        while let Some(output) = self.out.pop() {
            if let Output::Deliver { messages, .. } = output {
                delivered += messages.len();
            }
        }
        delivered
    }
}

fn settings() -> EngineSettings {
    let (key, config) = (SecretKey::from_seed([200; 32]), Config::lab());
    EngineSettings {
        key: key.clone(),
        life: Life(1),
        started: WallTime(1_700_000_000_000_000),
        seed: 1,
        watch: config.link.watch,
        membership: config.membership,
        saved: Saved::default(),
        verifier: Verifier::default(),
        formed: None,
        discovery: discovery::Settings {
            config: config.discovery,
            key,
            life: Life(1),
            name: "reader".to_owned(),
            labels: BTreeMap::new(),
            bootstrap: Vec::new(),
            topology: Topology::Open,
        },
        topic: config.topic,
        tree: TreeConfig::default(),
    }
}
