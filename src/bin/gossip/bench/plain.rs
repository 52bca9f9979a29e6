//! gossipsub used directly: libp2p over TCP, noise and yamux with the defaults of all of them,
//! along the same graph. What a program would have without us.
//!
//! Nothing is repaired and nothing is told: what is lost here is found out by the board alone. A
//! message that gossipsub does not take, because all queues are full, is given to it again.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use libp2p::gossipsub::{self, IdentTopic, MessageAuthenticity, PublishError};
use libp2p::swarm::{Swarm, SwarmEvent};
use libp2p::{Multiaddr, PeerId, SwarmBuilder, noise, tcp, yamux};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::board::{Board, now};
use super::letter::{Letter, NO_PART};
use super::measure::Subject;
use super::mesh::Transport;
use super::outcome::Counters;
use super::run::{Accepted, Author, Authors};
use super::usage::Watched;
use crate::exit::Failure;
use crate::lab::graph::Graph;

type Node = Swarm<gossipsub::Behaviour>;

/// Nodes along a graph. They end with it.
#[derive(Debug)]
pub struct Plain {
    nodes: Vec<(PeerId, mpsc::Sender<Bytes>)>,
    tasks: JoinSet<()>,
    notes: Arc<Notes>,
}

/// What the nodes saw while they found each other.
#[derive(Debug, Default)]
struct Notes {
    /// Ends of connections.
    ends: AtomicUsize,
    /// Which node heard a message of whom.
    heard: Mutex<BTreeSet<(usize, PeerId)>>,
}

/// Where a node writes down what it hears.
struct Ear {
    node: usize,
    /// Its place on the board; an author that is alone has none.
    receiver: Option<usize>,
    size: usize,
    board: Arc<Board>,
    notes: Arc<Notes>,
}

/// An author.
#[derive(Debug)]
pub struct Pen {
    to: mpsc::Sender<Bytes>,
    size: usize,
}

impl Plain {
    /// Starts a node for each of the graph and waits until all are connected. All take part in the
    /// topic; what comes is written on the board as the same nodes of ours would write it.
    ///
    /// # Errors
    /// A node that cannot be started, connections that do not come about in time.
    pub async fn start(
        graph: &Graph,
        authors: usize,
        size: usize,
        board: &Arc<Board>,
    ) -> Result<Self, Failure> {
        let notes = Arc::new(Notes::default());
        let mut plain = Self { nodes: Vec::new(), tasks: JoinSet::new(), notes: notes.clone() };
        let mut places: Vec<Multiaddr> = Vec::new();
        let alone = usize::from(authors == 1);
        for number in graph.nodes() {
            let mut node = build(size).map_err(|error| failed(&error))?;
            places.push(listen(&mut node).await?);
            let earlier = graph.neighbours(number).iter().filter(|other| **other < number);
            for place in earlier.filter_map(|other| places.get(*other)) {
                node.dial(place.clone()).map_err(|error| failed(&error))?;
            }
            let (to, letters) = mpsc::channel(QUEUE);
            plain.nodes.push((*node.local_peer_id(), to));
            let (board, notes) = (board.clone(), notes.clone());
            let receiver = number.checked_sub(alone);
            let ear = Ear { node: number, receiver, size, board, notes };
            plain.tasks.spawn(turn(node, letters, ear));
        }
        let ends: usize = graph.nodes().map(|node| graph.degree(node)).sum();
        let what = "the nodes of gossipsub have not found their neighbours";
        wait(what, || notes.ends.load(Ordering::Acquire) >= ends).await?;
        Ok(plain)
    }

    /// The first nodes, as soon as a message of each came to all.
    ///
    /// # Errors
    /// When it does not in time.
    pub async fn authors(&self, count: usize, size: usize) -> Result<Authors<Pen>, Failure> {
        let mut pens = Vec::new();
        for (id, to) in self.nodes.iter().take(count) {
            let is_heard = || {
                let heard = self.notes.heard.lock().unwrap_or_else(PoisonError::into_inner);
                let by = heard.iter().filter(|(_, author)| author == id).count();
                // Asked again with every look: what came before the meshes grew is lost.
                let _ = to.try_send(Letter::write(NO_PART, size));
                by + 1 >= self.nodes.len()
            };
            wait("a message of gossipsub has not come to all", is_heard).await?;
            pens.push(Pen { to: to.clone(), size });
        }
        Ok(Authors(pens))
    }
}

impl Subject for Plain {
    async fn counters(&self) -> Result<Option<Counters>, Failure> {
        Ok(None)
    }

    fn watched(&self) -> &Watched {
        &Watched::Own
    }
}

impl Author for Pen {
    async fn publish(&mut self, number: u64) -> Result<Accepted, Failure> {
        let letter = Bytes::write(number, self.size);
        let Err(full) = self.to.try_send(letter) else { return Ok(Accepted::AtOnce) };
        let sent = self.to.send(full.into_inner()).await;
        sent.map_err(|_| Failure::failed("a node of gossipsub has ended"))?;
        Ok(Accepted::Later)
    }
}

impl Ear {
    fn hears(&self, event: SwarmEvent<gossipsub::Event>) {
        match event {
            SwarmEvent::ConnectionEstablished { .. } => {
                self.notes.ends.fetch_add(1, Ordering::AcqRel);
            }
            SwarmEvent::Behaviour(gossipsub::Event::Message { message, .. }) => {
                let author = message.source;
                let number = Bytes::from(message.data).read(self.size);
                if let (Some(NO_PART), Some(author)) = (number, author) {
                    let heard = self.notes.heard.lock();
                    heard.unwrap_or_else(PoisonError::into_inner).insert((self.node, author));
                } else if let Some(receiver) = self.receiver {
                    self.board.received(receiver, number);
                }
            }
            _ => {}
        }
    }
}

/// Lives until nobody can have it publish any more.
async fn turn(mut node: Node, mut letters: mpsc::Receiver<Bytes>, ear: Ear) {
    let mut held: Option<Bytes> = None;
    loop {
        tokio::select! {
            letter = letters.recv(), if held.is_none() => match letter {
                Some(letter) => held = publish(&mut node, letter),
                None => return,
            },
            () = tokio::time::sleep(AGAIN), if held.is_some() => {
                held = held.and_then(|letter| publish(&mut node, letter));
            }
            event = node.select_next_some() => ear.hears(event),
        }
    }
}

/// Gives a message to gossipsub; what it has no room for comes back.
fn publish(node: &mut Node, letter: Bytes) -> Option<Bytes> {
    match node.behaviour_mut().publish(topic(), letter.to_vec()) {
        Err(PublishError::AllQueuesFull(_) | PublishError::NoPeersSubscribedToTopic) => {
            Some(letter)
        }
        // What is refused otherwise is lost, which the board shows.
        _ => None,
    }
}

fn topic() -> IdentTopic {
    IdentTopic::new("bench")
}

fn build(size: usize) -> Result<Node, Box<dyn std::error::Error + Send + Sync>> {
    let behaviour = |key: &libp2p::identity::Keypair| {
        let mut config = gossipsub::ConfigBuilder::default();
        let default = gossipsub::Config::default().max_transmit_size();
        // Only what it could not do at all is changed.
        let config = config.max_transmit_size(default.max(size + ROOM)).build()?;
        let author = MessageAuthenticity::Signed(key.clone());
        let mut behaviour = gossipsub::Behaviour::new(author, config)?;
        behaviour.subscribe(&topic())?;
        Ok(behaviour)
    };
    let node = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)?
        .with_behaviour(behaviour)?
        .with_swarm_config(|config| config.with_idle_connection_timeout(IDLE))
        .build();
    Ok(node)
}

async fn listen(node: &mut Node) -> Result<Multiaddr, Failure> {
    node.listen_on(Transport::Tcp.place()).map_err(|error| failed(&error))?;
    loop {
        if let SwarmEvent::NewListenAddr { address, .. } = node.select_next_some().await {
            return Ok(address);
        }
    }
}

/// Waits until it holds.
async fn wait(what: &str, mut holds: impl FnMut() -> bool) -> Result<(), Failure> {
    let begin = now();
    while !holds() {
        if now().duration_since(begin) > START {
            let seconds = START.as_secs();
            return Err(Failure::failed(format!(
                "{what} within {seconds} s: is the machine busy?"
            )));
        }
        tokio::time::sleep(GLANCE).await;
    }
    Ok(())
}

fn failed(error: &impl ToString) -> Failure {
    Failure::failed(format!("gossipsub cannot be started: {}", error.to_string()))
}

/// Messages between an author and its node.
const QUEUE: usize = 1_024;
/// Bytes around a message.
const ROOM: usize = 4_096;
/// How soon a message is given again that found full queues.
const AGAIN: Duration = Duration::from_millis(1);
/// Connections without any use stay.
const IDLE: Duration = Duration::from_secs(3_600);
/// How long connections and meshes have to be there.
const START: Duration = Duration::from_secs(60);
/// How often a wait looks again.
const GLANCE: Duration = Duration::from_millis(100);
