//! What speaks on every link: gossipsub, questions and answers, pings, identify, discovery.

use std::num::NonZeroUsize;
use std::time::Duration;

use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::core::upgrade::Version;
use libp2p::swarm::NetworkBehaviour;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::{PeerId, StreamProtocol, identify, mdns, ping, swarm};

use super::carrier::Carrier;
use super::clock::Clock;
use super::control::{Exchange, control};
use super::gate::Gate;
use super::kademlia::{Finder, address_book};
use super::probe::probe;
use super::stream::Opener;
use crate::base::key::SecretKey;
use crate::config::{Config, LinkConfig};
use crate::engine::frame::Lane;

/// How nodes of this framework call themselves to identify.
pub const AGENT: &str = concat!("gossip-mesh/", env!("CARGO_PKG_VERSION"));

const IDENTIFY: &str = "/gossip-mesh/1";
const KADEMLIA: StreamProtocol = StreamProtocol::new("/gossip-mesh/kad/1");

/// Connections with one peer that may live at once: the link, a simultaneous dial, and those of a
/// new life before the old ones are closed.
const MAX_PER_PEER: u32 = 4;

/// What speaks on every link.
#[derive(NetworkBehaviour)]
pub struct Behaviour {
    // The two gatekeepers come first: who is refused by them is seen by nobody else.
    limits: connection_limits::Behaviour,
    gate: Gate,
    pub carrier: Carrier,
    pub control: Exchange,
    pub probe: Exchange,
    pub opener: Opener,
    pub ping: ping::Behaviour,
    pub identify: identify::Behaviour,
    pub kademlia: Toggle<Finder>,
    pub mdns: Toggle<mdns::tokio::Behaviour>,
}

impl Behaviour {
    /// All of it, for these settings.
    pub fn new(key: &SecretKey, config: &Config, clock: Clock) -> Result<Self, String> {
        let me = PeerId::from(key.id());
        let kademlia = config.kademlia.then(|| Finder(address_book(me, KADEMLIA)));
        let mdns = match config.mdns {
            true => Some(mdns(me).map_err(|error| format!("mDNS cannot start: {error}"))?),
            false => None,
        };
        Ok(Self {
            limits: limits(&config.link),
            gate: Gate::new(clock, &config.link),
            carrier: Carrier::new(key, config, clock)?,
            control: control(&config.link, config.topic.max_message_bytes),
            probe: probe(&config.link),
            opener: Opener::default(),
            ping: ping::Behaviour::new(
                ping::Config::new()
                    .with_interval(config.link.ping_interval)
                    .with_timeout(config.link.ping_timeout),
            ),
            identify: identify::Behaviour::new(
                identify::Config::new(IDENTIFY.to_owned(), key.keypair().public())
                    .with_agent_version(AGENT.to_owned())
                    .with_push_listen_addr_updates(true)
                    // Whoever announces addresses does so because the others lead nowhere.
                    .with_hide_listen_addrs(!config.announce.is_empty()),
            ),
            kademlia: kademlia.into(),
            mdns: mdns.into(),
        })
    }

    /// What carries the questions and answers of a lane.
    pub fn exchange(&mut self, lane: Lane) -> &mut Exchange {
        match lane {
            Lane::Control => &mut self.control,
            Lane::Probe => &mut self.probe,
        }
    }
}

fn limits(config: &LinkConfig) -> connection_limits::Behaviour {
    connection_limits::Behaviour::new(
        ConnectionLimits::default()
            .with_max_pending_incoming(Some(config.max_pending))
            .with_max_pending_outgoing(Some(config.max_pending))
            .with_max_established_incoming(Some(config.max_links))
            .with_max_established_outgoing(Some(config.max_links))
            .with_max_established(Some(config.max_links))
            .with_max_established_per_peer(Some(MAX_PER_PEER)),
    )
}

fn mdns(me: PeerId) -> std::io::Result<mdns::tokio::Behaviour> {
    mdns::tokio::Behaviour::new(
        mdns::Config {
            ttl: Duration::from_secs(60),
            query_interval: Duration::from_secs(10),
            ..mdns::Config::default()
        },
        me,
    )
}

/// Settings of the swarm itself.
pub fn swarm_config(config: &LinkConfig) -> swarm::Config {
    swarm::Config::with_tokio_executor()
        .with_idle_connection_timeout(config.idle)
        // Without waiting for the other side's nod, which saves a round trip, and the 10 s that a
        // new stream on a silent connection would wait for it before a ping counts as missed.
        .with_substream_upgrade_protocol_override(Version::V1Lazy)
        .with_notify_handler_buffer_size(const { NonZeroUsize::new(64).unwrap() })
        .with_per_connection_event_buffer_size(64)
        .with_max_negotiating_inbound_streams(256)
}
