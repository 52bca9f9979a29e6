//! Where the room's inputs go.

use std::collections::BTreeMap;
use std::time::Duration;

use super::cache::Cache;
use super::config::TreeConfig;
use super::frame::Frame;
use super::gather::Gathered;
use super::grove::Grove;
use super::input::{Input, Output};
use super::link::{Link, Neighbour};
use super::openings::Openings;
use super::press::Held;
use super::stats::TreeStats;
use super::wants::Wants;
use super::wire::Message;
use crate::base::id::NodeId;
use crate::base::machine::{Machine, Outbox, earliest};
use crate::base::time::Time;

/// Passes frames on over a tree for each source. See the module.
#[derive(Debug)]
pub(crate) struct TreeMachine<F> {
    pub(super) config: TreeConfig,
    pub(super) neighbours: BTreeMap<NodeId, Neighbour>,
    pub(super) grove: Grove,
    pub(super) cache: Cache<F>,
    pub(super) wants: Wants,
    pub(super) gathered: Gathered,
    pub(super) openings: Openings<F>,
    /// Whose frames are not taken now, and whether own ones are.
    pub(super) held: BTreeMap<NodeId, Held>,
    pub(super) room: bool,
    /// This node lacks frames: who brings others is to wait.
    pub(super) behind: bool,
    /// When the loads were looked at, and are to be next.
    pub(super) judged: Time,
    pub(super) judge_at: Option<Time>,
    pub(super) stats: TreeStats,
}

impl<F: Frame> TreeMachine<F> {
    pub(crate) fn new(config: TreeConfig) -> Self {
        Self {
            neighbours: BTreeMap::new(),
            grove: Grove::new(config.max_sources.max(1)),
            cache: Cache::new(config.max_kept_bytes, config.keep_for),
            wants: Wants::new(config.max_wanted),
            gathered: Gathered::default(),
            openings: Openings::new(),
            held: BTreeMap::new(),
            room: true,
            behind: false,
            judged: Time::ZERO,
            judge_at: None,
            stats: TreeStats::default(),
            config,
        }
    }

    /// Counters, and what is held now.
    pub(crate) fn stats(&self) -> TreeStats {
        TreeStats {
            forgotten: self.grove.forgotten(),
            sources: self.grove.len() as u64,
            kept_bytes: self.cache.bytes() as u64,
            ..self.stats
        }
    }

    fn up(&mut self, now: Time, peer: NodeId, round_trip: Option<Duration>, out: &mut Out<F>) {
        let neighbour = self.neighbours.entry(peer).or_default();
        if let Some(link) = &mut neighbour.link {
            link.round_trip = round_trip.or(link.round_trip);
            return;
        }
        neighbour.link = Some(Link { round_trip, ..Link::default() });
        if self.behind {
            out.push(Output::Tell { to: peer, message: Message::Behind(true) });
        }
        let buckets = neighbour.buckets.clone();
        self.grove.forget(peer);
        for bucket in buckets {
            self.recall(now, peer, bucket, out);
        }
    }

    fn down(&mut self, now: Time, peer: NodeId, out: &mut Out<F>) {
        self.grove.forget(peer);
        self.held.remove(&peer);
        if let Some(neighbour) = self.neighbours.get_mut(&peer) {
            neighbour.link = None;
            self.drop_if_gone(peer);
        }
        self.judge(now, out);
    }

    fn joined(&mut self, now: Time, peer: NodeId, bucket: u16, out: &mut Out<F>) {
        let neighbour = self.neighbours.entry(peer).or_default();
        if neighbour.buckets.insert(bucket) && neighbour.link.is_some() {
            self.recall(now, peer, bucket, out);
        }
    }

    fn parted(&mut self, peer: NodeId, bucket: u16) {
        if let Some(neighbour) = self.neighbours.get_mut(&peer) {
            neighbour.buckets.remove(&bucket);
            self.drop_if_gone(peer);
        }
    }

    fn drop_if_gone(&mut self, peer: NodeId) {
        if self.neighbours.get(&peer).is_some_and(Neighbour::is_gone) {
            self.neighbours.remove(&peer);
        }
    }

    fn told(&mut self, now: Time, from: NodeId, message: Message, out: &mut Out<F>) {
        match message {
            Message::Announce(runs) => self.announced(now, from, &runs),
            Message::Graft(run) => self.grafted(now, from, run, out),
            Message::Prune(source) => {
                if let Some(tree) = self.grove.tree_mut(&source) {
                    tree.set_eager(from, false);
                    self.forgive(now, from, out);
                }
            }
            Message::Waiting(far) => self.waits(from, far),
            Message::Behind(behind) => self.pauses(now, from, behind, out),
        }
    }

    fn tick(&mut self, now: Time, out: &mut Out<F>) {
        self.cache.expire(now);
        if self.openings.deadline().is_some_and(|at| at <= now) {
            self.follow(now, out);
        }
        if self.gathered.deadline().is_some_and(|at| at <= now) {
            self.announce(out);
        }
        self.ask(now, out);
        if self.judge_at.is_some_and(|at| at <= now) {
            self.judge(now, out);
        }
    }

    /// The round trip of a link, or what is taken for it.
    pub(super) fn round_trip(&self, peer: NodeId) -> Duration {
        let link = self.neighbours.get(&peer).and_then(|neighbour| neighbour.link.as_ref());
        link.and_then(|link| link.round_trip).unwrap_or(self.config.round_trip)
    }
}

impl<F: Frame> Machine for TreeMachine<F> {
    type Input = Input<F>;
    type Output = Output<F>;

    fn handle(&mut self, now: Time, input: Input<F>, out: &mut Out<F>) {
        match input {
            Input::Tick => self.tick(now, out),
            Input::Up { peer, round_trip } => self.up(now, peer, round_trip, out),
            Input::Down { peer } => self.down(now, peer, out),
            Input::Joined { peer, bucket } => self.joined(now, peer, bucket, out),
            Input::Parted { peer, bucket } => self.parted(peer, bucket),
            Input::Publish(frame) => self.publish(now, frame, out),
            Input::Heard { from, frame } => self.heard(now, from, frame, out),
            Input::Told { from, message } => self.told(now, from, message, out),
            Input::Sent { peer, bytes } => self.sent(now, peer, bytes, out),
            Input::Behind(behind) => self.fall_behind(behind, out),
        }
    }

    fn deadline(&self) -> Option<Time> {
        let repair = earliest(self.gathered.deadline(), self.wants.deadline());
        let other = earliest(self.openings.deadline(), self.cache.deadline());
        earliest(repair, earliest(self.judge_at, other))
    }
}

pub(super) type Out<F> = Outbox<Output<F>>;
