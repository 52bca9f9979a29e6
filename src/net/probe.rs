//! Probes: small questions and answers with streams and limits of their own, so that a large answer
//! or many open questions of the control lane never hold up a sign of life.

use libp2p::StreamProtocol;

use super::control::{Exchange, exchange};
use crate::base::limits::MAX_PROBE;
use crate::config::LinkConfig;

const PROTOCOL: StreamProtocol = StreamProtocol::new("/gossip-mesh/probe/1");

/// The behaviour of the probe lane.
pub fn probe(config: &LinkConfig) -> Exchange {
    exchange(PROTOCOL, MAX_PROBE, config)
}
