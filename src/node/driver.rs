//! The one task that turns the engine: inputs in, outputs done. It decides nothing and waits for
//! nothing but the next input.

use std::time::Duration;

use futures::stream::{BoxStream, SelectAll};
use futures::{FutureExt, StreamExt};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::command::{Command, Publication};
use super::follow;
use super::pace::TurnStats;
use super::peer::{Member, Overview, Peer, Stats, own_standing};
use super::publisher::{Outgoing, Sent};
use super::replies::Replies;
use super::sinks::{Delivered, Sinks, sink};
use super::source::Sighting;
use super::tally::{Tally, Undelivered};
use crate::base::id::NodeId;
use crate::base::machine::{Machine, Outbox};
use crate::base::time::Time;
use crate::config::Config;
use crate::engine::{Engine, Event, Input, Output};
use crate::net::Network;
use crate::net::clock::Clock;
use crate::protocol::discovery::{self, Source};
use crate::protocol::membership;
use crate::protocol::topic::{self, TopicConfig};
use crate::store::Store;

/// Commands, or inputs of the network, taken in one go.
const BATCH: usize = 64;

/// Most of what the network says at once to what it was asked, before it is the others' turn.
const MAX_SETTLE: usize = 4_096;

/// How long a driver without a deadline sleeps: it is woken by anything that happens.
const IDLE: Duration = Duration::from_secs(3_600);

/// Turns one node.
pub struct Driver {
    pub config: Config,
    pub engine: Engine,
    pub network: Network,
    /// Held open while the node runs, so that nobody else can use the folder.
    pub store: Option<Store>,
    pub clock: Clock,
    pub mailbox: mpsc::Receiver<Command>,
    pub events: broadcast::Sender<Event>,
    /// Raised when nodes or what they read changed.
    pub changed: watch::Sender<u64>,
    pub sources: SelectAll<BoxStream<'static, Sighting>>,
    /// What publishers send.
    pub outgoing: SelectAll<Outgoing>,
    /// What was sent on topics that take nothing now.
    pub held: Vec<Sent>,
    pub replies: Replies,
    pub sinks: Sinks,
    pub leaving: Vec<oneshot::Sender<()>>,
    pub tally: Tally,
    pub stopped: bool,
}

/// Why the driver woke up.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is not stored")]
enum Woken {
    Due,
    Commands(usize),
    Heard(Input),
    Sent(Sent),
    Sighted(Sighting),
}

impl Driver {
    /// Runs until the node leaves or its last handle is dropped.
    pub async fn run(mut self) {
        let mut out = Outbox::new();
        let mut commands = Vec::with_capacity(BATCH);
        let sleep = tokio::time::sleep(Duration::ZERO);
        tokio::pin!(sleep);
        while !self.stopped {
            if self.engine.deadline().is_some_and(|due| due <= self.clock.now()) {
                // A timer would be up to a millisecond late.
                self.tick(&mut out);
                self.settle(&mut out);
            }
            let wake = self.engine.deadline().unwrap_or_else(|| self.clock.now() + IDLE);
            sleep.as_mut().reset(self.clock.instant(wake).into());
            // In no fixed order: under load each of them gets its turns.
            let woken = tokio::select! {
                () = &mut sleep => Woken::Due,
                count = self.mailbox.recv_many(&mut commands, BATCH) => Woken::Commands(count),
                input = self.network.next() => Woken::Heard(input),
                Some(sent) = self.outgoing.next() => Woken::Sent(sent),
                Some(sighting) = self.sources.next() => Woken::Sighted(sighting),
            };
            let began = self.clock.now();
            match woken {
                Woken::Due => self.tick(&mut out),
                Woken::Commands(count) => {
                    self.stopped |= count == 0;
                    for command in commands.drain(..) {
                        self.obey(command, &mut out);
                    }
                }
                Woken::Heard(input) => self.listen(input, &mut out),
                Woken::Sent(sent) => self.publish(sent, &mut out),
                Woken::Sighted(Sighting { node: peer, addresses }) => {
                    let source = Source::Custom;
                    self.turn(Input::Sighting { source, peer, addresses }, &mut out);
                }
            }
            self.settle(&mut out);
            self.publish_held(&mut out);
            self.tally.turns.turned(self.clock.now().since(began));
        }
        self.stop();
    }

    /// Takes what a publisher sent, as far as its topic has room: what is left waits, and the
    /// publisher with it.
    fn publish(&mut self, mut sent: Sent, out: &mut Outbox<Output>) {
        while let Some((payload, _)) = sent.payloads.front() {
            if !self.engine.topic().has_room(&sent.topic, payload.len()) {
                sent.gate.close();
                self.held.push(sent);
                return;
            }
            let (topic, foreign) = (sent.topic.clone(), sent.foreign);
            let Some((payload, trace_context)) = sent.payloads.pop_front() else { return };
            let envelope = topic::Envelope { compressed: sent.compressed, trace_context };
            let send = topic::Command::Send { topic, payload, foreign, envelope };
            self.turn(Input::Topic(send), out);
        }
        sent.gate.open();
    }

    /// Goes on with publishers whose topics had no room.
    fn publish_held(&mut self, out: &mut Outbox<Output>) {
        for sent in std::mem::take(&mut self.held) {
            self.publish(sent, out);
        }
    }

    fn tick(&mut self, out: &mut Outbox<Output>) {
        self.tally.ticks += 1;
        if let Some(due) = self.engine.deadline() {
            self.tally.turns.late_by(self.clock.now().since(due));
        }
        self.turn(Input::Tick, out);
    }

    /// Takes what the network has ready, as many at once as of commands: neither starves.
    fn listen(&mut self, first: Input, out: &mut Outbox<Output>) {
        let mut next = Some(first);
        for _ in 0..BATCH {
            let Some(input) = next else { return };
            self.turn(input, out);
            next = self.network.next().now_or_never();
        }
        if let Some(input) = next {
            self.turn(input, out);
        }
    }

    /// Takes what the network answered at once, so that it does not pile up: the network does
    /// nothing new as long as there is any.
    fn settle(&mut self, out: &mut Outbox<Output>) {
        for _ in 0..MAX_SETTLE {
            let Some(input) = self.network.answered() else { return };
            self.turn(input, out);
        }
    }

    /// Everything the network holds goes before those who wait are told.
    fn stop(self) {
        let Self { network, store, leaving, mailbox, .. } = self;
        drop(network);
        drop(store);
        // From here on every command is told that the node has stopped.
        drop(mailbox);
        for reply in leaving {
            let _ = reply.send(());
        }
    }

    fn turn(&mut self, input: Input, out: &mut Outbox<Output>) {
        follow::came(&input);
        self.tally.tree.came(&input);
        self.engine.handle(self.clock.now(), input, out);
        while let Some(output) = out.pop() {
            follow::goes(&output);
            self.tally.tree.goes(&output);
            if let Some(output) = self.network.perform(output) {
                self.reply(output, out);
            }
        }
    }

    /// What is not for the network is for the user.
    fn reply(&mut self, output: Output, out: &mut Outbox<Output>) {
        match output {
            Output::Deliver { subscription, messages } => {
                match self.sinks.deliver(subscription, messages) {
                    Delivered::Yes => {}
                    Delivered::Abandoned => self.unsubscribe(subscription, out),
                    Delivered::Lagged(event) => self.tell(event),
                }
            }
            Output::Published { token, result } => {
                if let Err(error) = &result {
                    self.tally.refused.count(error);
                }
                self.replies.published(token, result);
            }
            Output::Confirmed { token, report } => self.replies.confirmed(token, report),
            Output::Subscribed { subscription, result } => {
                let accepted = result.is_ok();
                if !self.replies.subscribed(subscription, result) && accepted {
                    self.unsubscribe(subscription, out);
                } else if !accepted {
                    self.sinks.remove(subscription);
                }
            }
            Output::Kept { token, messages } => self.replies.kept(token, messages),
            Output::Connected { token, result } => self.replies.connected(token, result),
            Output::Store(ops) => {
                if let Some(store) = &self.store {
                    store.submit(ops, |result| {
                        if let Err(error) = result {
                            tracing::warn!(%error, "not remembered");
                        }
                    });
                }
            }
            Output::Event(event) => self.tell(event),
            Output::Changed => self.changed.send_modify(|version| *version += 1),
            Output::MayStop => self.stopped = true,
            // The network took all others.
            _ => {}
        }
    }

    fn unsubscribe(&mut self, subscription: crate::base::token::Token, out: &mut Outbox<Output>) {
        self.sinks.remove(subscription);
        let command = topic::Command::Unsubscribe { subscription };
        self.engine.handle(self.clock.now(), Input::Topic(command), out);
    }

    fn tell(&mut self, event: Event) {
        self.tally.undelivered.count(&event);
        tracing::debug!(%event, "event");
        // Nobody has to listen.
        let _ = self.events.send(event);
    }

    fn obey(&mut self, command: Command, out: &mut Outbox<Output>) {
        let input = match command {
            Command::Publish { publication, confirm, reply } => {
                let Publication { topic, payload, relays, foreign, strategy, if_read, envelope } =
                    publication;
                let (receipts, report) = confirm.unzip();
                let token = self.replies.publish(reply, report);
                Input::Topic(topic::Command::Publish {
                    token,
                    topic,
                    payload,
                    relays,
                    receipts,
                    foreign,
                    strategy,
                    if_read,
                    envelope,
                })
            }
            Command::Subscribe { topic, own, group, earlier, reply } => {
                let TopicConfig { max_undelivered, max_undelivered_bytes, .. } = self.config.topic;
                let (sink, deliveries) =
                    sink(topic.clone(), max_undelivered, max_undelivered_bytes);
                let subscription = self.replies.subscribe(reply, deliveries);
                self.sinks.add(subscription, sink);
                Input::Topic(topic::Command::Subscribe { subscription, topic, own, group, earlier })
            }
            Command::Publisher(outgoing) => return self.outgoing.push(outgoing),
            Command::Unsubscribe(subscription) => {
                self.sinks.remove(subscription);
                Input::Topic(topic::Command::Unsubscribe { subscription })
            }
            Command::Read { query, reply } => {
                let token = self.replies.read(reply);
                Input::Topic(topic::Command::Read { token, query })
            }
            Command::Connect { address, reply } => {
                let token = self.replies.connect(reply);
                Input::Discovery(discovery::Command::Connect { token, address })
            }
            Command::Disconnect(peer) => Input::Discovery(discovery::Command::Disconnect { peer }),
            Command::Forget(peer) => Input::Discovery(discovery::Command::Forget { peer }),
            Command::Rewire(topology) => Input::Discovery(discovery::Command::Rewire(topology)),
            Command::Leave(reply) => {
                self.leaving.push(reply);
                Input::Leave
            }
            look => return self.show(look),
        };
        self.turn(input, out);
    }

    /// Commands that do not concern the engine.
    fn show(&mut self, command: Command) {
        match command {
            Command::Peers(reply) => drop(reply.send(self.peers())),
            Command::Members(reply) => drop(reply.send(self.members())),
            Command::Why { node, reply } => {
                drop(reply.send(self.engine.story(self.clock.now(), node)));
            }
            Command::Recording(reply) => {
                let cards = self.engine.discovery().known().chain([self.engine.discovery().own()]);
                let names = cards.map(|card| (card.node, card.name.clone())).collect();
                let recording = self.engine.recording();
                drop(reply.send(recording.map(|recording| recording.with_names(names))));
            }
            Command::Readers { topic, reply } => drop(reply.send(self.engine.readers(&topic))),
            Command::Overview(reply) => drop(reply.send(self.overview())),
            Command::Disturb { faults, reply } => drop(reply.send(self.network.disturb(&faults))),
            Command::Faults(reply) => drop(reply.send(self.network.faults())),
            Command::Report(event) => self.tell(event),
            // `obey` took all others.
            _ => {}
        }
    }

    fn peers(&self) -> Vec<Peer> {
        let now = self.clock.now();
        let members = self.engine.membership().members();
        members.map(|(id, member)| self.peer(now, id, member)).collect()
    }

    fn members(&self) -> Vec<Member> {
        let now = self.clock.now();
        let name_of = |id| self.engine.discovery().card(id).map(|card| card.name.clone());
        let others = self.engine.membership().members().map(|(id, known)| Member {
            id,
            name: name_of(id).unwrap_or_default(),
            standing: known.standing,
            since: now.since(known.since),
            incarnation: known.incarnation,
            is_this_node: false,
        });
        let (me, room) = (self.engine.me(), self.engine.membership());
        let itself = Member {
            id: me,
            name: self.engine.discovery().own().name.clone(),
            standing: own_standing(room.phase()),
            since: now.since(room.member(me).map_or(Time::ZERO, |known| known.since)),
            incarnation: room.incarnation(),
            is_this_node: true,
        };
        let mut members: Vec<Member> = others.chain([itself]).collect();
        members.sort_by_key(|member| member.id);
        members
    }

    fn peer(&self, now: Time, id: NodeId, member: membership::Member) -> Peer {
        let card = self.engine.discovery().card(id).cloned();
        let linked = self.engine.links().is_linked(id);
        let neighbour = match self.config.topology.is_open() {
            true => linked,
            false => self.engine.discovery().is_neighbour(id),
        };
        let (name, addresses, topics, groups, labels) = card
            .map(|card| (card.name, card.addresses, card.topics, card.groups, card.labels))
            .unwrap_or_default();
        Peer {
            id,
            name,
            life: member.incarnation.life,
            standing: member.standing,
            since: now.since(member.since),
            addresses,
            topics,
            groups,
            labels,
            linked,
            neighbour,
            round_trip: self.engine.round_trip(id),
        }
    }

    fn overview(&self) -> Overview {
        let own = self.engine.discovery().own();
        let hello = self.network.hello_stats();
        let membership = self.engine.membership();
        let (active, agreed) = membership.roll().sizes();
        let named = |counts: std::collections::BTreeMap<&'static str, u64>| {
            counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
        };
        Overview {
            id: self.engine.me(),
            name: own.name.clone(),
            network: self.config.network.clone(),
            life: self.engine.life(),
            incarnation: membership.incarnation(),
            phase: membership.phase(),
            health: membership.health(),
            active,
            agreed,
            uptime: self.clock.now().since(Time::ZERO),
            addresses: self.network.addresses(),
            door: self.network.door_addresses(),
            topics: own.topics.clone(),
            groups: own.groups.clone(),
            links: self.engine.links().peers().count(),
            max_message_bytes: self.config.topic.max_message_bytes,
            stats: Stats {
                topic: self.engine.topic().stats(),
                discovery: self.engine.discovery().stats(),
                membership: membership.stats(),
                link: self.engine.link_stats(),
                carrier: self.network.carrier_stats(),
                tree: self.tally.tree,
                branches: self.engine.tree().stats(),
                stream: self.network.stream_stats(),
                readers: self.sinks.stats(),
                undelivered: Undelivered { missed: self.sinks.missed(), ..self.tally.undelivered },
                publish_refused: self.tally.refused,
                door: self.network.door_stats(),
                refused: named(hello.refused_by_us),
                refused_by_peers: named(hello.refused_by_peer),
                silent: hello.silent,
                broken: hello.broken,
                ticks: self.tally.ticks,
                turns: TurnStats {
                    commands_waiting: self.mailbox.len() as u64,
                    ..self.tally.turns
                },
            },
        }
    }
}
