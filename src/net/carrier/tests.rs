//! Carriers in swarms of their own, over the memory transport, all driven by the test.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::select_all;
use futures::{FutureExt, StreamExt};
use libp2p::gossipsub::Event;
use libp2p::swarm::{Swarm, SwarmEvent, dial_opts::DialOpts};

use super::*;
use crate::net::transport::{self, Transports};
use crate::protocol::discovery::Topology;

mod turns;

const BUCKET: Bucket = Bucket(0);

const PATIENCE: Duration = Duration::from_secs(30);

/// What one carrier told.
#[derive(Default)]
struct Told {
    /// (neighbour, payload) of every message.
    messages: Vec<(PeerId, Vec<u8>)>,
    copies: Vec<Copy>,
    /// The order of both: whether it was a copy, and of which number.
    order: Vec<(bool, u64)>,
    /// Subscriptions of peers.
    joined: usize,
}

struct World {
    swarms: Vec<Swarm<Carrier>>,
    told: Vec<Told>,
}

fn fixed() -> Config {
    let mut config = Config { topology: Topology::Fixed(Default::default()), ..Config::lab() };
    config.gossip.heartbeat = Duration::from_millis(200);
    config
}

fn swarm(config: &Config, settings: &ConfigBuilder) -> Swarm<Carrier> {
    let key = SecretKey::generate();
    let memory = Transports {
        tcp: false,
        quic: false,
        websocket: false,
        dns: false,
        ..Transports::all(&config.link, false)
    };
    let transport = transport::build_plain(&key, memory).unwrap();
    let carrier = Carrier::with(&key, config, Clock::start(), settings).unwrap();
    let swarm_config = crate::net::behaviour::swarm_config(&config.link);
    let mut swarm = Swarm::new(transport, carrier, key.id().into(), swarm_config);
    swarm.listen_on("/memory/0".parse().unwrap()).unwrap();
    swarm.behaviour_mut().join(BUCKET);
    swarm
}

impl World {
    /// `count` carriers, each connected with each of `links`.
    async fn new(count: usize, settings: &ConfigBuilder, links: &[(usize, usize)]) -> Self {
        let config = fixed();
        let swarms = (0..count).map(|_| swarm(&config, settings)).collect();
        let told = (0..count).map(|_| Told::default()).collect();
        let mut world = Self { swarms, told };
        world.until(|world| world.swarms.iter().all(|s| s.listeners().count() == 1)).await;
        for (from, to) in links {
            let target = &world.swarms[*to];
            let address = target.listeners().next().unwrap().clone();
            let dial = DialOpts::peer_id(*target.local_peer_id()).addresses(vec![address]);
            world.swarms[*from].dial(dial.build()).unwrap();
        }
        let joined = 2 * links.len();
        world.until(|world| world.told.iter().map(|t| t.joined).sum::<usize>() == joined).await;
        world
    }

    fn id(&self, node: usize) -> PeerId {
        *self.swarms[node].local_peer_id()
    }

    /// Makes them neighbours.
    fn edge(&mut self, one: usize, other: usize) {
        let (a, b) = (self.id(one), self.id(other));
        self.swarms[one].behaviour_mut().neighbour(&b, true);
        self.swarms[other].behaviour_mut().neighbour(&a, true);
    }

    fn publish(&mut self, node: usize, payload: &[u8]) -> Carried {
        self.swarms[node].behaviour_mut().publish(BUCKET, payload)
    }

    async fn step(&mut self) {
        let events = self.swarms.iter_mut().map(|swarm| swarm.select_next_some());
        let (event, node, _) = select_all(events).await;
        let told = &mut self.told[node];
        match event {
            SwarmEvent::Behaviour(CarrierEvent::Copy(copy)) => {
                told.order.push((true, copy.sequence));
                told.copies.push(copy);
            }
            SwarmEvent::Behaviour(CarrierEvent::Gossip(Event::Message {
                propagation_source,
                message,
                ..
            })) => {
                told.order.push((false, message.sequence_number.unwrap()));
                told.messages.push((propagation_source, message.data));
            }
            SwarmEvent::Behaviour(CarrierEvent::Gossip(Event::Subscribed { .. })) => {
                told.joined += 1;
            }
            SwarmEvent::OutgoingConnectionError { error, .. } => panic!("a dial failed: {error}"),
            _ => {}
        }
    }

    async fn until(&mut self, mut holds: impl FnMut(&Self) -> bool) {
        let wait = async {
            while !holds(self) {
                self.step().await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("in vain");
    }

    /// Takes all that still comes.
    async fn settle(&mut self) {
        while tokio::time::timeout(Duration::from_millis(300), self.step()).await.is_ok() {}
    }
}

fn all_pairs(count: usize) -> Vec<(usize, usize)> {
    (0..count).flat_map(|b| (0..b).map(move |a| (a, b))).collect()
}

#[tokio::test]
async fn every_copy_is_told_with_its_sender_and_after_its_message() {
    // Two ways from 0 to 3.
    let edges = [(0, 1), (0, 2), (1, 3), (2, 3)];
    let mut world = World::new(4, &settings(&fixed()), &edges).await;
    for (one, other) in edges {
        world.edge(one, other);
    }
    let author = world.id(0);
    let mut by_both = 0;
    for number in 0..50 {
        assert_eq!(world.publish(0, &[number]), Carried::Out);
        world.until(|world| world.told[3].messages.len() > usize::from(number)).await;
    }
    world.settle().await;
    let relays = BTreeSet::from([world.id(1), world.id(2)]);
    let told = &world.told[3];
    assert_eq!(told.messages.len(), 50);
    for (place, (from, _)) in told.messages.iter().enumerate() {
        let (_, sequence) = *told.order.iter().filter(|(copy, _)| !copy).nth(place).unwrap();
        let of_it = |copy: &&Copy| copy.sequence == sequence;
        let senders: Vec<PeerId> = told.copies.iter().filter(of_it).map(|c| c.from).collect();
        let different: BTreeSet<PeerId> = senders.iter().copied().collect();
        assert_eq!(senders.first(), Some(from), "the first copy is the message");
        assert_eq!(senders.len(), different.len(), "nobody sends it twice");
        assert!(different.is_subset(&relays), "copies come from neighbours");
        by_both += usize::from(different == relays);
        let first = told.order.iter().position(|(_, number)| *number == sequence).unwrap();
        assert!(!told.order[first].0, "the message comes before its copies");
    }
    assert!(told.copies.iter().all(|copy| copy.author == author));
    assert!(by_both > 25, "most come both ways, not {by_both} of 50");
}

#[tokio::test]
async fn in_a_fixed_graph_messages_travel_along_the_edges_even_where_all_are_linked() {
    let line = [(0, 1), (1, 2), (2, 3)];
    let mut world = World::new(4, &settings(&fixed()), &all_pairs(4)).await;
    for (one, other) in line {
        world.edge(one, other);
    }
    for number in 0..50 {
        assert_eq!(world.publish(0, &[number]), Carried::Out);
        assert_eq!(world.publish(2, &[number]), Carried::Out);
    }
    world.until(|world| world.told[3].messages.len() == 100).await;
    // Some heartbeats more, for whoever would pass on what it has.
    world.settle().await;
    for (node, told) in world.told.iter().enumerate() {
        let neighbours: BTreeSet<PeerId> = (0..4)
            .filter(|other| line.contains(&(node, *other)) || line.contains(&(*other, node)))
            .map(|other| world.id(other))
            .collect();
        assert!(told.copies.iter().all(|copy| neighbours.contains(&copy.from)), "to {node}");
        assert_eq!(told.messages.len(), if node % 2 == 0 { 50 } else { 100 });
    }
}

#[tokio::test]
async fn without_a_neighbour_in_the_bucket_nothing_is_sent() {
    let mut world = World::new(2, &settings(&fixed()), &[(0, 1)]).await;
    assert_eq!(world.publish(0, b"to nobody"), Carried::NoPeers);
    world.edge(0, 1);
    assert_eq!(world.publish(0, b"to one"), Carried::Out);
    world.until(|world| !world.told[1].messages.is_empty()).await;
    let other = world.id(1);
    world.swarms[0].behaviour_mut().neighbour(&other, false);
    assert_eq!(world.publish(0, b"to nobody again"), Carried::NoPeers);
    world.settle().await;
    assert_eq!(world.told[1].messages.len(), 1);
}

#[tokio::test]
async fn a_neighbour_that_is_not_linked_is_not_dialled_by_gossipsub() {
    let mut world = World::new(2, &settings(&fixed()), &[]).await;
    // A failed dial would end the test.
    world.edge(0, 1);
    world.settle().await;
    assert!(world.swarms.iter().all(|swarm| swarm.network_info().num_peers() == 0));
}

/// The only way to node 2 is that it asks for what it was told of: 200 messages in a second, 400
/// of them in one list of ids. With gossipsub's own ids and limits such a list is larger than the
/// receiver takes, and after it nothing comes any more.
#[tokio::test]
async fn thousands_of_ids_told_to_a_peer_outside_the_mesh_do_not_silence_its_link() {
    let mut settings = settings(&fixed());
    settings
        .heartbeat_interval(Duration::from_millis(500))
        .history_length(12)
        .history_gossip(4)
        .gossip_lazy(6);
    let mut world = World::new(3, &settings, &[(0, 1), (0, 2)]).await;
    // Somebody has to be published to, or nothing is remembered.
    world.edge(0, 1);
    let count: u16 = 2_000;
    let mut pace = tokio::time::interval(Duration::from_millis(5));
    for number in 0..count {
        world.publish(0, &number.to_be_bytes());
        while world.step().now_or_never().is_some() {}
        tokio::select! {
            _ = pace.tick() => {}
            () = async { loop { world.step().await } } => {}
        }
    }
    world.until(|world| world.told[2].messages.len() == usize::from(count)).await;
}
