//! `[link]`: connections.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::time::duration;
use crate::protocol::link::WatchConfig;

/// Limits and habits of connections.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkConfig {
    /// Most connections, both ways together. Default 256 (LAN), 1,024 (lab, WAN).
    pub max_links: u32,
    /// Most connections under way, each way. One IP address holds a quarter of them at most, where
    /// `max_inbound_per_ip` is set. Default 64.
    pub max_pending: u32,
    /// How long connecting, securing and multiplexing may take, before the hello. Default 5 s (a
    /// few round trips around the world, on a busy machine).
    #[serde(with = "duration")]
    pub handshake_timeout: Duration,
    /// New inbound connections per remote IP address and second; 0 is no limit. Default 10.
    pub max_inbound_per_ip: u32,
    /// Questions of one peer under way at once. Default 64.
    pub max_requests: usize,
    /// How long a question waits for its answer. Default 5 s.
    #[serde(with = "duration")]
    pub request_timeout: Duration,
    /// How long the hello at the start of a connection may take. Default 3 s.
    #[serde(with = "duration")]
    pub hello_timeout: Duration,
    /// Most inbound hellos under way. Default 64.
    pub max_hellos: usize,
    /// How often each link is pinged. Default 2 s.
    #[serde(with = "duration")]
    pub ping_interval: Duration,
    /// How long a ping may take. Default 2 s.
    #[serde(with = "duration")]
    pub ping_timeout: Duration,
    /// A link without any use is closed after this. Default 1 h.
    #[serde(with = "duration")]
    pub idle: Duration,
    /// QUIC: a silent connection is dead after this. Default 4 s.
    #[serde(with = "duration")]
    pub quic_idle: Duration,
    /// When a link is given up, and which of two connections becomes the link.
    pub watch: WatchConfig,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self {
            max_links: 256,
            max_pending: 64,
            handshake_timeout: Duration::from_secs(5),
            max_inbound_per_ip: 10,
            max_requests: 64,
            request_timeout: Duration::from_secs(5),
            hello_timeout: Duration::from_secs(3),
            max_hellos: 64,
            ping_interval: Duration::from_secs(2),
            ping_timeout: Duration::from_secs(2),
            idle: Duration::from_secs(3_600),
            quic_idle: Duration::from_secs(4),
            watch: WatchConfig::default(),
        }
    }
}
