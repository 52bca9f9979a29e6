//! Which settings contradict each other, or themselves.

use multiaddr::{Multiaddr, Protocol};

use super::{Config, ConfigError, GossipConfig};
use crate::base::name::check_name;
use crate::base::pattern::is_pattern;

/// The most for `topic.max_message_bytes`: readers hold a message in memory as a whole.
const MAX_MESSAGE_BYTES: usize = 256 * 1024 * 1024;

/// What was found wrong so far.
#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    fn unless(&mut self, holds: bool, otherwise: &str) {
        if !holds {
            self.0.push(otherwise.to_owned());
        }
    }
}

impl Config {
    /// Checks the settings as a whole.
    ///
    /// # Errors
    /// Names all contradictions at once.
    ///
    /// ```
    /// # use gossip_mesh::Config;
    /// let mut config = Config::lab();
    /// assert!(config.check().is_ok());
    /// config.topic.buckets = 0;
    /// config.mdns = true;
    /// assert_eq!(config.check().unwrap_err().0.len(), 2);
    /// ```
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut wrong = Wrong::default();
        self.check_gossip(&mut wrong);
        self.check_topic(&mut wrong);
        self.check_discovery(&mut wrong);
        self.check_link(&mut wrong);
        self.check_door(&mut wrong);
        self.check_parts_together(&mut wrong);
        wrong.0.extend(self.membership.check());
        wrong.0.extend(self.topology.contradiction().map(str::to_owned));
        self.check_names(&mut wrong);
        self.check_addresses(&mut wrong);
        if wrong.0.is_empty() { Ok(()) } else { Err(ConfigError(wrong.0)) }
    }

    fn check_gossip(&self, wrong: &mut Wrong) {
        let gossip = &self.gossip;
        let outbound = GossipConfig::MESH_OUTBOUND;
        wrong.unless(
            outbound <= gossip.mesh_low
                && gossip.mesh_low <= gossip.mesh
                && gossip.mesh <= gossip.mesh_high
                && 2 * outbound <= gossip.mesh,
            "`gossip.mesh_low` <= `gossip.mesh` <= `gossip.mesh_high` must hold, with `mesh` >= 2",
        );
        wrong.unless(!gossip.heartbeat.is_zero(), "`gossip.heartbeat` must be above zero");
        wrong.unless(gossip.queue_messages > 0, "`gossip.queue_messages` must be at least 1");
    }

    fn check_topic(&self, wrong: &mut Wrong) {
        let topic = &self.topic;
        wrong.unless(topic.buckets > 0, "`topic.buckets` must be at least 1");
        wrong.unless(topic.max_message_bytes > 0, "`topic.max_message_bytes` must be above zero");
        wrong.unless(
            topic.max_message_bytes <= MAX_MESSAGE_BYTES,
            "`topic.max_message_bytes` must be at most 256 MiB",
        );
        wrong.unless(topic.max_kept > 0, "`topic.max_kept` must be at least 1");
        wrong.unless(topic.max_undelivered > 0, "`topic.max_undelivered` must be at least 1");
    }

    fn check_discovery(&self, wrong: &mut Wrong) {
        let discovery = &self.discovery;
        wrong.unless(discovery.max_dials > 0, "`discovery.max_dials` must be at least 1");
        wrong.unless(
            discovery.backoff_first <= discovery.backoff_max,
            "`discovery.backoff_first` must not be above `discovery.backoff_max`",
        );
        wrong.unless(
            !discovery.backoff_first.is_zero(),
            "`discovery.backoff_first` must not be zero",
        );
    }

    fn check_link(&self, wrong: &mut Wrong) {
        let link = &self.link;
        wrong.unless(link.max_links > 0, "`link.max_links` must be at least 1");
        wrong.unless(
            !link.handshake_timeout.is_zero() && !link.hello_timeout.is_zero(),
            "`link.handshake_timeout` and `link.hello_timeout` must be above zero",
        );
        wrong.unless(link.max_pending > 0, "`link.max_pending` must be at least 1");
        wrong.unless(link.watch.misses > 0, "`link.watch.misses` must be at least 1");
        wrong.unless(link.watch.slow_limit > 0, "`link.watch.slow_limit` must be at least 1");
    }

    fn check_door(&self, wrong: &mut Wrong) {
        let door = &self.door;
        wrong.unless(door.max_links > 0, "`door.max_links` must be at least 1");
        wrong.unless(
            door.listen.is_empty() || !door.topics.is_empty(),
            "`door.listen` opens a door that carries no topic: name some in `door.topics`",
        );
        wrong.unless(
            !door.listen.is_empty() || door.topics.is_empty(),
            "`door.topics` is set, but there is no door: add an address to `door.listen`",
        );
    }

    /// Settings of which each is well by itself.
    fn check_parts_together(&self, wrong: &mut Wrong) {
        wrong.unless(
            self.api.tcp.is_none() || self.api.token_file.is_some() || self.data.is_some(),
            "`api.tcp` needs a token: set `api.token_file` or a data folder",
        );
        wrong.unless(
            !self.mdns || self.listen.iter().any(|address| !is_loopback(address)),
            "`mdns` is on, but the node listens on loopback or nowhere, where mDNS finds nobody: \
             turn it off or listen on an interface",
        );
        wrong.unless(
            self.topology.is_open() || !self.kademlia,
            "`kademlia` finds nodes to link with, but the topology is fixed: turn one off",
        );
        wrong.unless(
            !self.faults || !self.listen.iter().any(is_quic),
            "`faults` is on, and QUIC cannot be disturbed: leave `quic-v1` out of `listen`",
        );
    }

    fn check_names(&self, wrong: &mut Wrong) {
        for (what, name) in self.names() {
            if let Err(reason) = check_name(name) {
                wrong.0.push(format!("{what}: {reason}"));
            }
        }
        for topic in self.door.topics.iter().filter(|topic| is_pattern(topic)) {
            wrong.0.push(format!(
                "`door.topics`: `{topic}` is a pattern: a door carries named topics"
            ));
        }
    }

    fn check_addresses(&self, wrong: &mut Wrong) {
        for address in self.listen.iter().chain(&self.door.listen) {
            if address.iter().any(|part| matches!(part, Protocol::P2p(_))) {
                wrong.0.push(format!("`{address}`: leave `/p2p/…` out of a listen address"));
            }
        }
        for address in self.listen.iter().filter(|address| self.door.listen.contains(address)) {
            if !has_port_zero(address) {
                wrong.0.push(format!("`{address}` is both in `listen` and in `door.listen`"));
            }
        }
    }

    fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        [("`network`", self.network.as_str())]
            .into_iter()
            .chain(self.name.as_deref().map(|name| ("`name`", name)))
            .chain(self.door.topics.iter().map(|topic| ("`door.topics`", topic.as_str())))
    }
}

fn is_loopback(address: &Multiaddr) -> bool {
    address.iter().any(|part| match part {
        Protocol::Ip4(ip) => ip.is_loopback(),
        Protocol::Ip6(ip) => ip.is_loopback(),
        Protocol::Memory(_) => true,
        _ => false,
    })
}

fn is_quic(address: &Multiaddr) -> bool {
    address.iter().any(|part| matches!(part, Protocol::Quic | Protocol::QuicV1))
}

fn has_port_zero(address: &Multiaddr) -> bool {
    address.iter().any(|part| matches!(part, Protocol::Tcp(0) | Protocol::Udp(0)))
}
