//! How links of a scenario behave.

use serde::{Deserialize, Serialize};

use super::span::Span;

/// How long a message is under way, one way.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Latency {
    /// Always so long.
    Constant(Span),
    /// Anything between the two.
    Uniform(Span, Span),
    /// A bell around `mean`, cut off at `least` (and at `mean` plus four deviations).
    Normal {
        /// The middle of the bell.
        mean: Span,
        /// Its standard deviation.
        deviation: Span,
        /// No message is faster.
        least: Span,
    },
    /// `least` and a tail of `mean` on average, as in a busy network; cut off at twenty `mean`.
    Exponential {
        /// No message is faster.
        least: Span,
        /// Average length of the tail.
        mean: Span,
    },
}

/// What happens to a lost packet.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// As on TCP: it is sent again after a stall, and what follows waits for it.
    #[default]
    Stream,
    /// The message vanishes, and messages may overtake each other.
    Datagram,
}

/// The model of every link. Shares are between 0 and 1, each direction is drawn by itself.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkModel {
    /// What a lost packet means. Default `stream`.
    pub kind: Kind,
    /// One way. Default 2 to 10 ms, evenly: the LAN of the specification.
    pub latency: Latency,
    /// Share of packets lost. Default 0.
    pub loss: f64,
    /// Share of messages that come twice (`datagram` only). Default 0.
    pub duplicate: f64,
    /// Share of messages that take up to ten times as long (`datagram` only). Default 0.
    pub reorder: f64,
    /// Bytes per second that one direction of a link carries; without it as many as there are.
    /// Needs counted bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<u64>,
    /// The first retransmission stall of a stream; doubles. Default 200 ms.
    pub retransmit: Span,
    /// How often each end pings a connection, as libp2p does; zero never. Default 2 s.
    pub ping: Span,
    /// How long a ping may take. Default 2 s.
    pub ping_timeout: Span,
}

impl Default for LinkModel {
    fn default() -> Self {
        Self {
            kind: Kind::Stream,
            latency: Latency::Uniform(Span::millis(2), Span::millis(10)),
            loss: 0.0,
            duplicate: 0.0,
            reorder: 0.0,
            bandwidth: None,
            retransmit: Span::millis(200),
            ping: Span::secs(2),
            ping_timeout: Span::secs(2),
        }
    }
}

/// The store of every node.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DiskModel {
    /// How long a write takes until it is durable. Default 0.
    pub delay: Span,
    /// Share of writes that fail; the first one poisons the store until the node starts again.
    pub failing: f64,
    /// A crash takes the last so many acknowledged writes with it, as a disk that lies does.
    pub torn: u32,
}

/// The clock of every node.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClockModel {
    /// Each node's clock goes wrong by up to so many millionths, either way. Default 0.
    pub skew: u32,
}
