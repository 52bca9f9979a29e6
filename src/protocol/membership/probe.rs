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

/// The wait for the first answer of a peer whose way was never measured, in timeouts. (RFC 6298
/// waits a second.)
const FIRST_WAIT: u32 = 3;

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

/// Probes of a peer that had their time and may still be answered.
const MAX_LATE: usize = 4;

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
    /// Those that had their time, the latest last: an answer still tells how long the way is.
    late: BTreeMap<NodeId, Vec<(Token, Time)>>,
    round_trips: BTreeMap<NodeId, RoundTrip>,
    heard: BTreeMap<NodeId, Time>,
    /// A link with them was waited for in vain; the dial may go on.
    cold: BTreeSet<NodeId>,
    /// 0 is well; with every step our own waits grow, because the fault may be ours.
    health: u8,
    /// How late this node was of late when something was due. It is no later to see an answer.
    #[serde(default)]
    lateness: Duration,
}

impl Probes {
    /// Something was due so long ago. What was before fades by an eighth each time.
    pub fn was_late(&mut self, by: Duration) {
        self.lateness = by.max(self.lateness - self.lateness / 8);
    }

    /// How late this node was of late.
    pub const fn lateness(&self) -> Duration {
        self.lateness
    }

    pub fn of(&self, peer: NodeId) -> Option<&Probe> {
        self.under_way.get(&peer)
    }

    pub fn begin(&mut self, peer: NodeId, stage: Stage, now: Time, wait: Duration) -> Time {
        let until = now + wait;
        self.under_way.insert(peer, Probe { stage, since: now, until });
        until
    }

    pub fn end(&mut self, peer: NodeId) -> Option<Probe> {
        let probe = self.under_way.remove(&peer)?;
        if let Stage::Answer(token) = probe.stage {
            let late = self.late.entry(peer).or_default();
            if late.len() >= MAX_LATE {
                late.remove(0);
            }
            late.push((token, probe.since));
        }
        Some(probe)
    }

    /// The answer to a probe came. A late one is no answer any more, but it measures the way: else
    /// nobody would ever wait long enough for a peer that is always farther than the first wait.
    pub fn answered(
        &mut self,
        now: Time,
        peer: NodeId,
        token: Token,
        config: &MembershipConfig,
    ) -> bool {
        let Some(probe) = self.under_way.get(&peer).copied() else {
            self.measure_late(now, peer, token, config);
            return false;
        };
        if probe.stage != Stage::Answer(token) {
            self.measure_late(now, peer, token, config);
            return false;
        }
        self.under_way.remove(&peer);
        self.late.remove(&peer);
        self.measure(peer, now.since(probe.since));
        true
    }

    /// What was late counts as at most twice what is usual, and what is later than the time to
    /// contradict a suspicion not at all: a peer that stood still, or was cut off, is no peer that
    /// is far away.
    fn measure_late(&mut self, now: Time, peer: NodeId, token: Token, config: &MembershipConfig) {
        let Some(late) = self.late.get_mut(&peer) else { return };
        let Some(place) = late.iter().position(|(asked, _)| *asked == token) else { return };
        let (_, since) = late.swap_remove(place);
        let took = now.since(since);
        if took <= config.refute_window() {
            self.measure(peer, took.min(self.usual_wait(peer, config) * 2));
        }
    }

    fn measure(&mut self, peer: NodeId, sample: Duration) {
        self.round_trips
            .entry(peer)
            .and_modify(|trip| trip.take(sample))
            .or_insert_with(|| RoundTrip::first(sample));
    }

    pub fn round_trip(&self, peer: NodeId) -> Option<Duration> {
        self.round_trips.get(&peer).map(RoundTrip::smoothed)
    }

    /// How long to wait for an answer of a linked peer.
    pub fn wait(&self, peer: NodeId, config: &MembershipConfig) -> Duration {
        let health = if config.adaptive_timeout { self.health } else { 0 };
        let wait = self.usual_wait(peer, config) * (1 + u32::from(health));
        wait.min(config.timeout * MAX_WAIT)
    }

    /// How long a node that is well waits. A witness waits so long, whatever its own health: who
    /// asked it does not wait for ever.
    pub fn usual_wait(&self, peer: NodeId, config: &MembershipConfig) -> Duration {
        if !config.adaptive_timeout {
            return config.timeout;
        }
        let trip = self.round_trips.get(&peer);
        let first = config.timeout * FIRST_WAIT;
        let usual = trip.map_or(first, |trip| trip.smoothed + trip.variation * 4);
        (usual.max(config.timeout) + self.lateness).min(config.timeout * MAX_WAIT)
    }

    /// How long to wait for the report of a witness that is asked about a node: so long as all its
    /// probes may take, if it is as far from that node as we are, or was never linked with it. In
    /// a sparse graph most witnesses were not, and each of their probes first waits for a link.
    pub fn report_wait(
        &self,
        node: NodeId,
        witness: NodeId,
        config: &MembershipConfig,
    ) -> Duration {
        let link = config.timeout * LINK_WAIT + self.patience(config);
        let probe = self.usual_wait(node, config).max(link);
        probe * config.miss_limit + self.usual_wait(witness, config) * 2
    }

    /// How long to wait for a link: as long as a dial may take; with a peer that was heard before
    /// once, then no longer than for an answer, until something is heard again.
    pub fn link_wait(&self, peer: NodeId, config: &MembershipConfig) -> Duration {
        let known = self.heard.contains_key(&peer);
        let wait = if known && self.cold.contains(&peer) { 1 } else { LINK_WAIT };
        config.timeout * wait + self.patience(config)
    }

    /// How much longer this node waits because it is late itself.
    fn patience(&self, config: &MembershipConfig) -> Duration {
        self.lateness.min(config.timeout * MAX_WAIT)
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
        self.late.remove(&peer);
        self.round_trips.remove(&peer);
        self.heard.remove(&peer);
        self.cold.remove(&peer);
    }

    /// Nothing is under way any more.
    pub fn stop(&mut self) {
        self.under_way.clear();
        self.late.clear();
    }
}
