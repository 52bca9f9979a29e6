//! Probes under way, round trips, and when each peer was last heard. One probe per peer at a time,
//! whoever wants to know.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::config::MembershipConfig;
use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::base::token::Token;

/// The longest wait for an answer, in timeouts.
const MAX_WAIT: u32 = 20;

/// How long a link may take to come up before it counts as silence, in timeouts.
const LINK_WAIT: u32 = 5;

/// Smoothed round trip and its variation (RFC 6298).
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct RoundTrip {
    smoothed: Duration,
    variation: Duration,
}

impl RoundTrip {
    const fn first(sample: Duration) -> Self {
        Self { smoothed: sample, variation: Duration::from_micros(sample.as_micros() as u64 / 2) }
    }

    fn take(&mut self, sample: Duration) {
        let off = self.smoothed.abs_diff(sample);
        self.variation = (self.variation * 3 + off) / 4;
        self.smoothed = (self.smoothed * 7 + sample) / 8;
    }

    pub const fn smoothed(&self) -> Duration {
        self.smoothed
    }
}

/// A question to a peer, waiting for a link or for an answer.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Stage {
    /// For a link to be asked over.
    Link,
    /// For the answer to this question.
    Answer(Token),
}

/// A probe under way.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Probe {
    pub stage: Stage,
    /// When this stage began.
    pub since: Time,
    /// Until when it may last.
    pub until: Time,
}

/// All probes under way, and what is known of the ways to peers.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Probes {
    under_way: BTreeMap<NodeId, Probe>,
    round_trips: BTreeMap<NodeId, RoundTrip>,
    heard: BTreeMap<NodeId, Time>,
    /// A link with them was waited for in vain; the dial may go on.
    cold: BTreeSet<NodeId>,
    /// 0 is well; with every step our own waits grow, because the fault may be ours.
    health: u8,
}

impl Probes {
    pub fn of(&self, peer: NodeId) -> Option<&Probe> {
        self.under_way.get(&peer)
    }

    pub fn begin(&mut self, peer: NodeId, stage: Stage, now: Time, wait: Duration) -> Time {
        let until = now + wait;
        self.under_way.insert(peer, Probe { stage, since: now, until });
        until
    }

    pub fn end(&mut self, peer: NodeId) -> Option<Probe> {
        self.under_way.remove(&peer)
    }

    /// The answer to a probe came. A late one still measures nothing.
    pub fn answered(&mut self, now: Time, peer: NodeId, token: Token) -> bool {
        let Some(probe) = self.under_way.get(&peer).copied() else { return false };
        if probe.stage != Stage::Answer(token) {
            return false;
        }
        self.under_way.remove(&peer);
        let sample = now.since(probe.since);
        self.round_trips
            .entry(peer)
            .and_modify(|trip| trip.take(sample))
            .or_insert_with(|| RoundTrip::first(sample));
        true
    }

    pub fn round_trip(&self, peer: NodeId) -> Option<Duration> {
        self.round_trips.get(&peer).map(RoundTrip::smoothed)
    }

    /// How long to wait for an answer of a linked peer.
    pub fn wait(&self, peer: NodeId, config: &MembershipConfig) -> Duration {
        if !config.adaptive_timeout {
            return config.timeout;
        }
        let usual = self
            .round_trips
            .get(&peer)
            .map_or(Duration::ZERO, |trip| trip.smoothed + trip.variation * 4);
        let wait = config.timeout.max(usual) * (1 + u32::from(self.health));
        wait.min(config.timeout * MAX_WAIT)
    }

    /// How long to wait for a link: once as long as a dial may take, then no longer than for an
    /// answer, until something is heard.
    pub fn link_wait(&self, peer: NodeId, config: &MembershipConfig) -> Duration {
        if self.cold.contains(&peer) { config.timeout } else { config.timeout * LINK_WAIT }
    }

    /// A link was waited for in vain.
    pub fn is_cold(&mut self, peer: NodeId) {
        self.cold.insert(peer);
    }

    pub fn heard(&mut self, now: Time, peer: NodeId) {
        self.heard.insert(peer, now);
        self.cold.remove(&peer);
    }

    pub fn last_heard(&self, peer: NodeId) -> Option<Time> {
        self.heard.get(&peer).copied()
    }

    /// True when anybody was heard since then.
    pub fn heard_anybody_since(&self, then: Time) -> bool {
        self.heard.values().any(|at| *at > then)
    }

    pub fn health(&self) -> u8 {
        self.health
    }

    pub fn is_well(&mut self) {
        self.health = self.health.saturating_sub(1);
    }

    pub fn is_worse(&mut self) {
        self.health = (self.health + 1).min(7);
    }

    /// A node is not known any more.
    pub fn forget(&mut self, peer: NodeId) {
        self.under_way.remove(&peer);
        self.round_trips.remove(&peer);
        self.heard.remove(&peer);
        self.cold.remove(&peer);
    }

    /// Nothing is under way any more.
    pub fn stop(&mut self) {
        self.under_way.clear();
    }
}
