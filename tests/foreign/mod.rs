//! A libp2p program that knows nothing of us: plain swarms with gossipsub, as anybody writes them.

use std::collections::VecDeque;
use std::time::Duration;

use futures::StreamExt;
use libp2p::gossipsub::{self, IdentTopic, MessageAuthenticity, MessageId, PublishError};
use libp2p::identity::Keypair;
use libp2p::kad::{self, store::MemoryStore};
use libp2p::swarm::{NetworkBehaviour, Swarm, SwarmEvent};
use libp2p::{Multiaddr, PeerId, StreamProtocol, SwarmBuilder, identify, noise, tcp, yamux};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Nothing here takes longer, unless it never happens.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(NetworkBehaviour)]
struct Behaviour {
    gossip: gossipsub::Behaviour,
    identify: identify::Behaviour,
    kademlia: kad::Behaviour<MemoryStore>,
}

/// What a foreigner sees.
#[derive(Debug)]
pub enum Seen {
    Message {
        author: PeerId,
        payload: Vec<u8>,
    },
    /// The door takes part in a topic.
    Subscribed(String),
    Identified(Box<identify::Info>),
    /// Those whom the door's Kademlia names.
    Found(Vec<kad::PeerInfo>),
    Closed,
    Refused,
}

enum Wish {
    Publish(String, Vec<u8>),
    Lookup,
}

/// A foreign program, running until it is dropped.
pub struct Foreigner {
    pub id: PeerId,
    pub address: Multiaddr,
    wishes: mpsc::Sender<Wish>,
    seen: mpsc::Receiver<Seen>,
    task: JoinHandle<()>,
}

impl Drop for Foreigner {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Foreigner {
    /// One that takes part in these topics and dials these addresses.
    pub async fn start(key: Keypair, topics: &[&str], dial: &[Multiaddr]) -> Self {
        let mut swarm = swarm(key).await;
        swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
        let address = loop {
            if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
                break address;
            }
        };
        for topic in topics {
            swarm.behaviour_mut().gossip.subscribe(&IdentTopic::new(*topic)).unwrap();
        }
        dial.iter().for_each(|address| swarm.dial(address.clone()).unwrap());
        let (wishes, wished) = mpsc::channel(64);
        let (seeing, seen) = mpsc::channel(4_096);
        let id = *swarm.local_peer_id();
        let task = tokio::spawn(run(swarm, wished, seeing));
        Self { id, address, wishes, seen, task }
    }

    /// Publishes as soon as somebody takes part in the topic.
    pub async fn publish(&self, topic: &str, payload: impl Into<Vec<u8>>) {
        self.wishes.send(Wish::Publish(topic.to_owned(), payload.into())).await.unwrap();
    }

    /// Asks Kademlia for whoever is near.
    pub async fn look_up(&self) {
        self.wishes.send(Wish::Lookup).await.unwrap();
    }

    /// The next thing of interest it sees.
    pub async fn until<T>(&mut self, what: &str, mut find: impl FnMut(Seen) -> Option<T>) -> T {
        let finding = async {
            loop {
                let seen = self.seen.recv().await.expect("the foreigner runs");
                if let Some(found) = find(seen) {
                    return found;
                }
            }
        };
        let found = tokio::time::timeout(PATIENCE, finding).await;
        found.unwrap_or_else(|_| panic!("a foreigner never saw {what}"))
    }

    /// The next message but greetings, and whose it is by its signature.
    pub async fn message(&mut self) -> (PeerId, String) {
        self.until("a message", |seen| match seen {
            Seen::Message { author, payload } if payload != b"hello" => {
                Some((author, String::from_utf8_lossy(&payload).into_owned()))
            }
            _ => None,
        })
        .await
    }

    /// Whether somebody greets it soon.
    pub async fn is_greeted(&mut self, by: PeerId) -> bool {
        let greeted = self.until("a greeting", |seen| match seen {
            Seen::Message { author, payload } => {
                (author == by && payload == b"hello").then_some(())
            }
            _ => None,
        });
        tokio::time::timeout(Duration::from_millis(200), greeted).await.is_ok()
    }

    /// Everything it saw until now.
    pub fn so_far(&mut self) -> Vec<Seen> {
        std::iter::from_fn(|| self.seen.try_recv().ok()).collect()
    }
}

async fn swarm(key: Keypair) -> Swarm<Behaviour> {
    SwarmBuilder::with_existing_identity(key)
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_quic()
        .with_dns()
        .unwrap()
        .with_websocket(noise::Config::new, yamux::Config::default)
        .await
        .unwrap()
        .with_behaviour(behaviour)
        .unwrap()
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(60)))
        .build()
}

fn behaviour(key: &Keypair) -> Behaviour {
    let me = key.public().to_peer_id();
    let settings = gossipsub::ConfigBuilder::default()
        .message_id_fn(|message| {
            let mut id = message.source.map(PeerId::to_bytes).unwrap_or_default();
            id.extend(message.sequence_number.unwrap_or_default().to_be_bytes());
            MessageId::from(id)
        })
        .max_transmit_size(4 * 1024 * 1024)
        .heartbeat_initial_delay(Duration::from_millis(100))
        .build()
        .unwrap();
    let signed = MessageAuthenticity::Signed(key.clone());
    let kademlia = kad::Config::new(StreamProtocol::new("/ipfs/kad/1.0.0"));
    let mut kademlia = kad::Behaviour::with_config(me, MemoryStore::new(me), kademlia);
    kademlia.set_mode(Some(kad::Mode::Server));
    Behaviour {
        gossip: gossipsub::Behaviour::new(signed, settings).unwrap(),
        identify: identify::Behaviour::new(identify::Config::new("x/1".into(), key.public())),
        kademlia,
    }
}

async fn run(
    mut swarm: Swarm<Behaviour>,
    mut wished: mpsc::Receiver<Wish>,
    seeing: mpsc::Sender<Seen>,
) {
    let mut outbox: VecDeque<(String, Vec<u8>)> = VecDeque::new();
    loop {
        tokio::select! {
            wish = wished.recv() => match wish {
                Some(Wish::Publish(topic, payload)) => outbox.push_back((topic, payload)),
                Some(Wish::Lookup) => {
                    swarm.behaviour_mut().kademlia.get_closest_peers(PeerId::random());
                }
                None => return,
            },
            event = swarm.select_next_some() => if let Some(seen) = see(&mut swarm, event) {
                seeing.send(seen).await.unwrap();
            },
        }
        while let Some((topic, payload)) = outbox.pop_front() {
            let gossip = &mut swarm.behaviour_mut().gossip;
            match gossip.publish(IdentTopic::new(&topic), payload.clone()) {
                Err(PublishError::NoPeersSubscribedToTopic) => {
                    outbox.push_front((topic, payload));
                    break;
                }
                published => drop(published.unwrap()),
            }
        }
    }
}

fn see(swarm: &mut Swarm<Behaviour>, event: SwarmEvent<BehaviourEvent>) -> Option<Seen> {
    Some(match event {
        SwarmEvent::ConnectionClosed { .. } => Seen::Closed,
        SwarmEvent::OutgoingConnectionError { .. } => Seen::Refused,
        SwarmEvent::Behaviour(BehaviourEvent::Gossip(event)) => match event {
            gossipsub::Event::Message { message, .. } => {
                Seen::Message { author: message.source?, payload: message.data }
            }
            gossipsub::Event::Subscribed { topic, .. } => Seen::Subscribed(topic.into_string()),
            _ => return None,
        },
        SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received {
            peer_id,
            info,
            ..
        })) => {
            for address in &info.listen_addrs {
                swarm.behaviour_mut().kademlia.add_address(&peer_id, address.clone());
            }
            Seen::Identified(Box::new(info))
        }
        SwarmEvent::Behaviour(BehaviourEvent::Kademlia(kad::Event::OutboundQueryProgressed {
            result: kad::QueryResult::GetClosestPeers(Ok(found)),
            ..
        })) => Seen::Found(found.peers),
        _ => return None,
    })
}
