//! Who hears what. This file translates between the outside and the rooms, and between rooms; it
//! decides nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::branches::Branches;
use super::condition::{Condition, Facts};
use super::event::Event;
use super::frame::{Message, Room, Ticket};
use super::input::Input;
use super::output::Output;
use super::recorder::{Limits, Recorder};
use super::recording::{Recording, RecordingHeader, RecordingOf};
use super::story::{Episode, Story, StoryBook};
use crate::base::batch::Batch;
use crate::base::codec::{from_cbor, to_cbor};
use crate::base::id::{Life, NodeId};
use crate::base::key::SecretKey;
use crate::base::limits::MAX_CERTIFICATE;
use crate::base::machine::{Machine, Outbox, earliest};
use crate::base::signer::{Signer, Verifier};
use crate::base::time::{Time, WallTime};
use crate::base::token::Token;
use crate::protocol::discovery::{self, Card, DiscoveryMachine};
use crate::protocol::link::{self, LinkMachine, LinkStats, Links, WatchConfig};
use crate::protocol::membership::{
    self, Finding, MembershipConfig, MembershipMachine, Roll, Saved,
};
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
    me: NodeId,
    life: Life,
    link: LinkMachine,
    membership: MembershipMachine,
    discovery: DiscoveryMachine,
    topic: TopicMachine,
    tree: TreeMachine<Arc<Batch>>,
    to_link: Outbox<link::Output>,
    to_membership: Outbox<membership::Output>,
    to_discovery: Outbox<discovery::Output>,
    to_topic: Outbox<topic::Output>,
    to_tree: Outbox<tree::Output<Arc<Batch>>>,
    /// Links that the tree may use.
    pub(super) branches: Branches,
    /// When the last ping of a linked peer was answered, and after how long.
    round_trips: BTreeMap<NodeId, (Time, Duration)>,
    stories: StoryBook,
    started: WallTime,
    recorder: Option<Recorder<MembershipMachine>>,
    /// What every recording begins with.
    header: RecordingHeader,
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

    /// The rooms, to look at.
    pub fn membership(&self) -> &MembershipMachine {
        &self.membership
    }

    /// The rooms, to look at.
    pub fn discovery(&self) -> &DiscoveryMachine {
        &self.discovery
    }

    /// The rooms, to look at.
    pub fn topic(&self) -> &TopicMachine {
        &self.topic
    }

    /// The rooms, to look at.
    #[cfg(feature = "net")]
    pub fn tree(&self) -> &TreeMachine<Arc<Batch>> {
        &self.tree
    }

    /// The last round trip measured with a linked peer.
    pub fn round_trip(&self, peer: NodeId) -> Option<Duration> {
        self.round_trips.get(&peer).map(|(_, took)| *took)
    }

    /// The story of a node, this one or another, as it is known here.
    pub fn story(&self, now: Time, node: NodeId) -> Story {
        let thread = self.stories.of(node);
        let member = self.membership.member(node);
        let (heard, round_trip) = self.membership.last_heard(node);
        let certificate = self.membership.certificate(node);
        let facts = Facts {
            standing: member.map(|member| member.standing),
            linked: self.links().is_linked(node),
            heard: heard.map(|at| now.since(at)),
            round_trip: round_trip.or_else(|| self.round_trip(node)),
        };
        let (since, condition) = match node == self.me {
            true => {
                let (phase, health) = (self.membership.phase(), self.membership.health());
                (Time::ZERO, Condition::of_itself(now, thread, phase, health))
            }
            false => {
                let since = member.map_or(Time::ZERO, |member| member.since);
                (since, Condition::of_other(now, thread, facts, certificate.as_ref()))
            }
        };
        let episode = |entry: &super::story::Entry| Episode {
            at: self.started.at(entry.at),
            finding: entry.finding.clone(),
        };
        Story {
            node,
            seen_by: self.me,
            standing: facts.standing.filter(|_| node != self.me),
            since: now.since(since),
            condition,
            episodes: thread.entries().map(episode).collect(),
            dropped: thread.dropped(),
            certificate,
        }
    }

    /// Other nodes that read a topic, by their newest cards; of a pattern, those that read by it.
    pub fn readers(&self, topic: &str) -> Vec<NodeId> {
        self.topic.readers_of(topic).into_iter().collect()
    }

    fn tell_link(&mut self, now: Time, input: link::Input) {
        self.link.handle(now, input, &mut self.to_link);
    }

    fn tell_membership(&mut self, now: Time, input: membership::Input) {
        let out = &mut self.to_membership;
        match &mut self.recorder {
            Some(recorder) => recorder.turn(&mut self.membership, now, input, out),
            None => self.membership.handle(now, input, out),
        }
    }

    fn tell_discovery(&mut self, now: Time, input: discovery::Input) {
        self.discovery.handle(now, input, &mut self.to_discovery);
    }

    pub(super) fn tell_tree(&mut self, now: Time, input: tree::Input<Arc<Batch>>) {
        self.tree.handle(now, input, &mut self.to_tree);
    }

    pub(super) fn tell_topic(&mut self, now: Time, input: topic::Input) {
        self.topic.handle(now, input, &mut self.to_topic);
    }

    /// An input from outside goes to the room it is for.
    fn enter(&mut self, now: Time, input: Input, out: &mut Outbox<Output>) {
        if let Some(peer) = input.sign_of_life()
            && self.links().is_linked(peer)
            && self.membership.wants_heard(now, peer)
        {
            self.tell_membership(now, membership::Input::Heard { peer });
        }
        match input {
            Input::Tick => {
                self.tell_link(now, link::Input::Tick);
                self.tell_membership(now, membership::Input::Tick);
                self.tell_discovery(now, discovery::Input::Tick);
                self.tell_topic(now, topic::Input::Tick);
                self.tell_tree(now, tree::Input::Tick);
            }
            Input::Opened { peer, life, link } => {
                self.tell_link(now, link::Input::Opened { peer, life, link });
            }
            Input::Closed { peer, link } => {
                self.tell_link(now, link::Input::Closed { peer, link });
            }
            Input::Pinged { peer, link, answered } => {
                // A ping may still come back after its link has ended.
                if let Some(round_trip) = answered
                    && self.links().is_linked(peer)
                {
                    self.round_trips.insert(peer, (now, round_trip));
                    self.branch_measured(now, peer, round_trip);
                }
                let answered = answered.is_some();
                self.tell_link(now, link::Input::Pinged { peer, link, answered });
            }
            Input::Slow { peer } => self.tell_link(now, link::Input::Slow { peer }),
            Input::Leave => self.tell_membership(now, membership::Input::Leave),

            Input::Dialled { token, peer } => {
                self.tell_discovery(now, discovery::Input::Dialled { token, peer });
            }
            Input::DialFailed { token, failure } => {
                self.tell_discovery(now, discovery::Input::DialFailed { token, failure });
            }
            Input::Refused { peer, by_us, reason } => {
                out.push(Output::Event(Event::Refused { peer, by_us, reason }));
            }
            // Its reader is the quorum room, which is about to come.
            Input::Barred { by, certificate } => {
                if let Ok(certificate) = from_cbor(&certificate, MAX_CERTIFICATE) {
                    self.tell_membership(now, membership::Input::Barred { by, certificate });
                }
            }
            Input::Listening { addresses } => {
                self.tell_discovery(now, discovery::Input::Listening { addresses });
            }
            Input::Sighting { source, peer, addresses } => {
                self.tell_discovery(now, discovery::Input::Sighting { source, peer, addresses });
            }
            Input::Discovery(command) => {
                self.tell_discovery(now, discovery::Input::Command(command));
            }

            Input::Heard { from, author, sequence, frame } => {
                self.tell_topic(now, topic::Input::Heard { from, author, sequence, frame });
            }
            Input::Copy { from, author, sequence } => {
                self.tell_topic(now, topic::Input::Copy { from, author, sequence });
            }
            Input::Carried { token, outcome } => {
                self.tell_topic(now, topic::Input::Carried { token, outcome });
            }
            Input::Joined { peer, bucket } => {
                self.tell_topic(now, topic::Input::Joined { peer, bucket });
                self.tell_tree(now, tree::Input::Joined { peer, bucket: bucket.0 });
            }
            Input::Parted { peer, bucket } => {
                self.tell_topic(now, topic::Input::Parted { peer, bucket });
                self.tell_tree(now, tree::Input::Parted { peer, bucket: bucket.0 });
            }
            Input::Door { topic, author, origin, payload } => {
                self.tell_topic(now, topic::Input::Door { topic, author, origin, payload });
            }
            Input::Topic(command) => self.tell_topic(now, topic::Input::Command(command)),

            Input::Asked { from, token, message } => match message {
                Message::Membership(message) => {
                    self.tell_membership(now, membership::Input::Asked { from, token, message });
                }
                Message::Discovery(message) => {
                    self.tell_discovery(now, discovery::Input::Asked { from, token, message });
                }
                Message::Topic(message) => {
                    self.tell_topic(now, topic::Input::Asked { token, message });
                }
            },
            Input::Told { from, message } => match message {
                Message::Membership(message) => {
                    self.tell_membership(now, membership::Input::Told { from, message });
                }
                Message::Discovery(message) => {
                    self.tell_discovery(now, discovery::Input::Told { from, message });
                }
                Message::Topic(message) => {
                    self.tell_topic(now, topic::Input::Told { from, message });
                }
            },
            Input::Answer { ticket: Ticket { room, token }, message, .. } => {
                match (room, message) {
                    (Room::Membership, Message::Membership(message)) => {
                        self.tell_membership(now, membership::Input::Answer { token, message });
                    }
                    (Room::Discovery, Message::Discovery(message)) => {
                        self.tell_discovery(now, discovery::Input::Answer { token, message });
                    }
                    (Room::Topic, Message::Topic(message)) => {
                        self.tell_topic(now, topic::Input::Answer { token, message });
                    }
                    // An answer out of another room than the question is none.
                    (room, _) => self.no_answer(now, room, token),
                }
            }
            Input::Arrived { ticket: Ticket { room, token }, .. } => match room {
                Room::Membership => {
                    self.tell_membership(now, membership::Input::Settled { token });
                }
                // It does not mind whether its words arrive.
                Room::Discovery => {}
                Room::Topic => self.tell_topic(now, topic::Input::Arrived { token }),
            },
            Input::NoAnswer { ticket: Ticket { room, token } } => self.no_answer(now, room, token),
            Input::TreeUp { peer } => self.stream_up(now, peer, out),
            Input::TreeDown { peer } => self.stream_down(now, peer),
            Input::TreePacket { from, packet } => self.packet(now, from, packet),
            Input::TreeSent { peer, bytes } => {
                self.tell_tree(now, tree::Input::Sent { peer, bytes });
            }
            // Its sender breaks rules: to link anew costs it more than a stream does.
            Input::TreeRefused { peer } => self.tell_link(now, link::Input::Unlink { peer }),
        }
    }

    fn no_answer(&mut self, now: Time, room: Room, token: Token) {
        match room {
            Room::Membership => {
                self.tell_membership(now, membership::Input::Settled { token });
            }
            Room::Discovery => self.tell_discovery(now, discovery::Input::NoAnswer { token }),
            Room::Topic => self.tell_topic(now, topic::Input::NoAnswer { token }),
        }
    }

    /// What the rooms want goes outside or to the other rooms, until all are content.
    fn settle(&mut self, now: Time, out: &mut Outbox<Output>) {
        loop {
            if let Some(output) = self.to_link.pop() {
                self.link_wants(now, output, out);
            } else if let Some(output) = self.to_membership.pop() {
                self.membership_wants(now, output, out);
            } else if let Some(output) = self.to_discovery.pop() {
                self.discovery_wants(now, output, out);
            } else if let Some(output) = self.to_topic.pop() {
                self.topic_wants(now, output, out);
            } else if let Some(output) = self.to_tree.pop() {
                self.tree_wants(now, output, out);
            } else {
                return;
            }
        }
    }

    fn link_wants(&mut self, now: Time, output: link::Output, out: &mut Outbox<Output>) {
        match output {
            link::Output::Close(link) => out.push(Output::Close(link)),
            link::Output::Linked { peer, life, address } => {
                self.tell_membership(now, membership::Input::Linked { peer, life });
                self.tell_discovery(now, discovery::Input::Linked { peer, life, address });
                self.tell_topic(now, topic::Input::Linked { peer });
                out.push(Output::Changed);
            }
            link::Output::Unlinked { peer } => {
                self.round_trips.remove(&peer);
                self.tell_membership(now, membership::Input::Unlinked { peer });
                self.tell_discovery(now, discovery::Input::Unlinked { peer });
                self.tell_topic(now, topic::Input::Unlinked { peer });
                out.push(Output::Changed);
            }
        }
    }

    fn membership_wants(
        &mut self,
        now: Time,
        output: membership::Output,
        out: &mut Outbox<Output>,
    ) {
        match output {
            membership::Output::Unlink { peer } => {
                self.tell_link(now, link::Input::Unlink { peer });
            }
            membership::Output::Left { node, life } => {
                self.tell_discovery(now, discovery::Input::Left { peer: node, life });
                out.push(Output::Event(Event::Left { node, life }));
                out.push(Output::Changed);
            }
            membership::Output::Reach { peer } => {
                self.tell_discovery(now, discovery::Input::Wanted { peer });
            }
            membership::Output::Incarnation(incarnation) => {
                out.push(Output::Incarnation(incarnation));
            }
            membership::Output::Bar { node, incarnation, certificate } => {
                let certificate = to_cbor(&certificate).into();
                out.push(Output::Bar { node, incarnation, certificate });
            }
            membership::Output::Unbar { node } => out.push(Output::Unbar { node }),
            membership::Output::Down { node, .. } => {
                self.tell_topic(now, topic::Input::Gone { node });
                self.tell_discovery(now, discovery::Input::Down { peer: node });
                out.push(Output::Changed);
            }
            membership::Output::Save(saved) => {
                out.push(Output::Store(vec![saved.op()]));
            }
            membership::Output::Tell { to, message } => out.push(Output::Tell {
                to,
                ticket: Ticket { room: Room::Membership, token: Token::default() },
                message: Message::Membership(message),
            }),
            membership::Output::Online { node, life } => {
                // Its card may be here already, from before it was put out.
                if let Some(card) = self.discovery.card(node) {
                    let topics = card.interests();
                    self.tell_topic(now, topic::Input::Reads { node, topics });
                }
                out.push(Output::Event(Event::Online { node, life }));
                out.push(Output::Changed);
            }
            membership::Output::Unreachable { node } => {
                out.push(Output::Event(Event::Unreachable { node }));
            }
            membership::Output::Ask { to, token, message } => out.push(Output::Ask {
                to,
                ticket: Ticket { room: Room::Membership, token },
                message: Message::Membership(message),
            }),
            membership::Output::Answer { token, message } => {
                out.push(Output::Answer { token, message: Message::Membership(message) });
            }
            membership::Output::Found(finding) => self.found(now, finding, out),
            membership::Output::MayStop => out.push(Output::MayStop),
        }
    }

    /// What membership found is written down, and told unless it is only a detail.
    pub(super) fn found(&mut self, now: Time, finding: Finding, out: &mut Outbox<Output>) {
        self.stories.add(now, &finding);
        if !finding.is_detail() {
            out.push(Output::Event(Event::Membership(finding)));
        }
    }

    fn discovery_wants(&mut self, now: Time, output: discovery::Output, out: &mut Outbox<Output>) {
        match output {
            discovery::Output::Dial { token, peer, addresses } => {
                out.push(Output::Dial { token, peer, addresses });
            }
            discovery::Output::Unreached { peer } => {
                self.tell_membership(now, membership::Input::Unreached { peer });
            }
            discovery::Output::Unlink { peer } => {
                self.tell_link(now, link::Input::Unlink { peer });
            }
            discovery::Output::Unneeded { peer } => {
                self.tell_membership(now, membership::Input::Unneeded { peer });
            }
            discovery::Output::Neighbour { peer, joined } => {
                self.branches.neighbour(peer, joined);
                self.tell_branch(now, peer, out);
                out.push(Output::Neighbour { peer, joined });
            }
            discovery::Output::Card(card) => self.card(now, card, out),
            discovery::Output::Gone { node } => {
                self.tell_topic(now, topic::Input::Gone { node });
                self.tell_membership(now, membership::Input::Forgotten { node });
                out.push(Output::Changed);
            }
            discovery::Output::Ask { to, token, message } => out.push(Output::Ask {
                to,
                ticket: Ticket { room: Room::Discovery, token },
                message: Message::Discovery(message),
            }),
            discovery::Output::Tell { to, token, message } => out.push(Output::Tell {
                to,
                ticket: Ticket { room: Room::Discovery, token },
                message: Message::Discovery(message),
            }),
            discovery::Output::Answer { token, message } => {
                out.push(Output::Answer { token, message: Message::Discovery(message) });
            }
            discovery::Output::Connected { token, result } => {
                out.push(Output::Connected { token, result });
            }
            discovery::Output::Notice(discovery::Notice::CardsFull { node }) => {
                out.push(Output::Event(Event::CardsFull { node }));
            }
            discovery::Output::Notice(discovery::Notice::OurselvesNewer { life }) => {
                out.push(Output::Event(Event::OurselvesNewer { life }));
            }
        }
    }

    fn card(&mut self, now: Time, card: Card, out: &mut Outbox<Output>) {
        let (node, life, topics) = (card.node, card.life, card.interests());
        self.tell_topic(now, topic::Input::Reads { node, topics });
        self.tell_membership(now, membership::Input::Known { node, life });
        out.push(Output::Changed);
    }

    fn topic_wants(&mut self, now: Time, output: topic::Output, out: &mut Outbox<Output>) {
        match output {
            topic::Output::Join(bucket) => out.push(Output::Join(bucket)),
            topic::Output::Leave(bucket) => out.push(Output::Leave(bucket)),
            topic::Output::Broadcast { token, bucket, frame } => {
                out.push(Output::Broadcast { token, bucket, frame });
            }
            topic::Output::Behind(behind) => self.tell_tree(now, tree::Input::Behind(behind)),
            topic::Output::Grow(batch) => self.tell_tree(now, tree::Input::Publish(batch)),
            topic::Output::Deliver { subscription, messages } => {
                out.push(Output::Deliver { subscription, messages });
            }
            topic::Output::Reads(topics) => {
                self.tell_discovery(now, discovery::Input::Reads { topics });
            }
            topic::Output::Ask { to, token, message } => out.push(Output::Ask {
                to,
                ticket: Ticket { room: Room::Topic, token },
                message: Message::Topic(message),
            }),
            topic::Output::Tell { to, token, message } => out.push(Output::Tell {
                to,
                ticket: Ticket { room: Room::Topic, token },
                message: Message::Topic(message),
            }),
            topic::Output::Reach { peer } => {
                self.tell_discovery(now, discovery::Input::Wanted { peer });
            }
            topic::Output::Answer { token, message } => {
                out.push(Output::Answer { token, message: Message::Topic(message) });
            }
            topic::Output::Door { topic, payload } => out.push(Output::Door { topic, payload }),
            topic::Output::Published { token, result } => {
                out.push(Output::Published { token, result });
            }
            topic::Output::Confirmed { token, report } => {
                out.push(Output::Confirmed { token, report });
            }
            topic::Output::Subscribed { subscription, result } => {
                out.push(Output::Subscribed { subscription, result });
            }
            topic::Output::Kept { token, messages } => out.push(Output::Kept { token, messages }),
            topic::Output::Notice(topic::Notice::Unread { id }) => {
                out.push(Output::Event(Event::Unread { id }));
            }
            topic::Output::Notice(topic::Notice::NotSent { id }) => {
                out.push(Output::Event(Event::NotSent { id }));
            }
            topic::Output::Notice(topic::Notice::Gap { author, topic, from, to }) => {
                out.push(Output::Event(Event::Gap { author, topic, from, to }));
            }
        }
    }
}

impl Machine for Engine {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Time, input: Input, out: &mut Outbox<Output>) {
        self.enter(now, input, out);
        self.settle(now, out);
    }

    fn deadline(&self) -> Option<Time> {
        let rooms = [
            self.link.deadline(),
            self.membership.deadline(),
            self.discovery.deadline(),
            self.topic.deadline(),
            self.tree.deadline(),
        ];
        rooms.into_iter().fold(None, earliest)
    }
}
