//! All machines of a node, with their outboxes: made, looked at, and told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::branches::Branches;
use super::recorder::{Limits, Recorder};
use super::recording::{Recording, RecordingHeader, RecordingOf};
use super::story::StoryBook;
use crate::base::batch::Batch;
use crate::base::id::{Life, NodeId};
use crate::base::key::SecretKey;
use crate::base::machine::{Machine, Outbox};
use crate::base::signer::{Signer, Verifier};
use crate::base::time::{Time, WallTime};
use crate::protocol::discovery::{self, DiscoveryMachine};
use crate::protocol::link::{self, LinkMachine, LinkStats, Links, WatchConfig};
use crate::protocol::membership::{self, MembershipConfig, MembershipMachine, Roll, Saved};
use crate::protocol::topic::{self, TopicConfig, TopicMachine};
use crate::protocol::tree::{self, TreeConfig, TreeMachine};

/// What an engine is made from.
#[derive(Debug)]
pub struct EngineSettings {
    /// Who we are.
    pub key: SecretKey,
    /// Which start of us this is.
    pub life: Life,
    /// The wall clock at `Time::ZERO`.
    pub started: WallTime,
    /// Seed of all randomness.
    pub seed: u64,
    /// Settings of the link room.
    pub watch: WatchConfig,
    /// Settings of the membership room.
    pub membership: MembershipConfig,
    /// What membership remembers from the last start.
    pub saved: Saved,
    /// Checks signatures.
    pub verifier: Verifier,
    /// A mesh that stands already, with this node in it.
    pub formed: Option<Roll>,
    /// Settings of the discovery room, and what it starts with.
    pub discovery: discovery::Settings,
    /// Settings of the topic room.
    pub topic: TopicConfig,
    /// Settings of the tree carrier.
    pub tree: TreeConfig,
}

/// All machines of a node as one.
pub struct Engine {
    pub(super) me: NodeId,
    pub(super) life: Life,
    pub(super) link: LinkMachine,
    pub(super) membership: MembershipMachine,
    pub(super) discovery: DiscoveryMachine,
    pub(super) topic: TopicMachine,
    pub(super) tree: TreeMachine<Arc<Batch>>,
    pub(super) to_link: Outbox<link::Output>,
    pub(super) to_membership: Outbox<membership::Output>,
    pub(super) to_discovery: Outbox<discovery::Output>,
    pub(super) to_topic: Outbox<topic::Output>,
    pub(super) to_tree: Outbox<tree::Output<Arc<Batch>>>,
    /// Links that the tree may use.
    pub(super) branches: Branches,
    /// When the last ping of a linked peer was answered, and after how long.
    pub(super) round_trips: BTreeMap<NodeId, (Time, Duration)>,
    pub(super) stories: StoryBook,
    pub(super) started: WallTime,
    pub(super) recorder: Option<Recorder<MembershipMachine>>,
    /// What every recording begins with.
    pub(super) header: RecordingHeader,
}

impl Engine {
    pub fn new(settings: EngineSettings) -> Self {
        let EngineSettings {
            key,
            life,
            started,
            seed,
            watch,
            membership,
            saved,
            verifier,
            formed,
            discovery,
            topic,
            tree,
        } = settings;
        let open = discovery.topology.is_open();
        let me = key.id();
        let header = RecordingHeader::new(me, life, started, seed, membership.clone());
        let alone =
            discovery.bootstrap.is_empty() && discovery.topology.neighbours().next().is_none();
        let (topic_signer, topic_verifier) = (Signer::new(key.clone()), verifier.clone());
        let membership = membership::Settings {
            config: membership,
            signer: Signer::new(key),
            verifier,
            life,
            seed,
            saved,
            alone,
            formed,
        };
        Self {
            me,
            life,
            topic: TopicMachine::new(topic, topic_signer, topic_verifier, life, started),
            link: LinkMachine::new(watch, me),
            membership: MembershipMachine::new(membership),
            discovery: DiscoveryMachine::new(discovery, seed),
            to_link: Outbox::new(),
            to_membership: Outbox::new(),
            to_discovery: Outbox::new(),
            to_topic: Outbox::new(),
            tree: TreeMachine::new(tree),
            to_tree: Outbox::new(),
            branches: Branches::new(open),
            round_trips: BTreeMap::new(),
            stories: StoryBook::new(me),
            started,
            recorder: None,
            header,
        }
    }

    /// Records from now on what comes into membership.
    pub fn record(&mut self, limits: Limits) {
        self.recorder = Some(Recorder::new(&mut self.membership, limits));
    }

    /// What was recorded, when it was.
    pub fn recording(&self) -> Option<Recording> {
        let recorder = self.recorder.as_ref()?;
        Some(Recording::new(RecordingOf::new(self.header.clone(), recorder.read())))
    }

    /// Who we are.
    pub fn me(&self) -> NodeId {
        self.me
    }

    /// Which start of us this is.
    pub fn life(&self) -> Life {
        self.life
    }

    /// Who is linked, and by which connections.
    pub fn links(&self) -> &Links {
        self.link.links()
    }

    /// How many links came and went.
    pub fn link_stats(&self) -> LinkStats {
        self.link.stats()
    }

    /// The room that decides who is there, to look at.
    pub fn membership(&self) -> &MembershipMachine {
        &self.membership
    }

    /// The room that decides whom to dial, and holds the cards, to look at.
    pub fn discovery(&self) -> &DiscoveryMachine {
        &self.discovery
    }

    /// The room that decides what becomes of messages, to look at.
    pub fn topic(&self) -> &TopicMachine {
        &self.topic
    }

    /// The room that decides where batches go at once, to look at.
    #[cfg(feature = "net")]
    pub fn tree(&self) -> &TreeMachine<Arc<Batch>> {
        &self.tree
    }

    /// The last round trip measured with a linked peer.
    pub fn round_trip(&self, peer: NodeId) -> Option<Duration> {
        self.round_trips.get(&peer).map(|(_, took)| *took)
    }

    /// Other nodes that read a topic, by their newest cards; of a pattern, those that read by it.
    pub fn readers(&self, topic: &str) -> Vec<NodeId> {
        self.topic.readers_of(topic).into_iter().collect()
    }

    pub(super) fn tell_link(&mut self, now: Time, input: link::Input) {
        self.link.handle(now, input, &mut self.to_link);
    }

    pub(super) fn tell_membership(&mut self, now: Time, input: membership::Input) {
        let out = &mut self.to_membership;
        match &mut self.recorder {
            Some(recorder) => recorder.turn(&mut self.membership, now, input, out),
            None => self.membership.handle(now, input, out),
        }
    }

    pub(super) fn tell_discovery(&mut self, now: Time, input: discovery::Input) {
        self.discovery.handle(now, input, &mut self.to_discovery);
    }

    pub(super) fn tell_tree(&mut self, now: Time, input: tree::Input<Arc<Batch>>) {
        self.tree.handle(now, input, &mut self.to_tree);
    }

    pub(super) fn tell_topic(&mut self, now: Time, input: topic::Input) {
        self.topic.handle(now, input, &mut self.to_topic);
    }
}
