//! Pressure: who has to wait for full links, and which of these are not worth waiting for.

use std::collections::BTreeSet;
use std::time::Duration;

use super::frame::Frame;
use super::input::Output;
use super::load::Fall;
use super::machine::{Out, TreeMachine};
use crate::base::id::NodeId;
use crate::base::time::Time;

/// How often full links are looked at.
const LOOK: Duration = Duration::from_millis(25);

/// How often demoted ones are.
const GLANCE: Duration = Duration::from_millis(500);

impl<F: Frame> TreeMachine<F> {
    /// A link took bytes.
    pub(super) fn sent(&mut self, now: Time, peer: NodeId, bytes: usize, out: &mut Out<F>) {
        let neighbour = self.neighbours.get_mut(&peer);
        let Some(link) = neighbour.and_then(|of| of.link.as_mut()) else { return };
        if link.load.sent(now, bytes, &self.config) {
            self.judge(now, out);
        }
    }

    /// Looks at all links: demotes those that others wait for in vain, and says who has to wait.
    pub(super) fn judge(&mut self, now: Time, out: &mut Out<F>) {
        let span = if self.judge_at.is_some() { now.since(self.judged) } else { Duration::ZERO };
        self.judged = now;
        let links = || self.neighbours.values().filter_map(|of| of.link.as_ref());
        let others_dry = links().any(|link| link.load.is_dry(now, &self.config));
        let mut blocked = false;
        let mut demoted = false;
        for link in self.neighbours.values_mut().filter_map(|of| of.link.as_mut()) {
            match link.load.judge(now, span, others_dry, &self.config) {
                Some(Fall::Slow) => self.stats.demoted_slow += 1,
                Some(Fall::Stuck) => self.stats.demoted_stuck += 1,
                Some(Fall::Stalled) => self.stats.stalled += 1,
                None => {}
            }
            blocked |= link.load.blocks();
            demoted |= link.load.is_demoted();
        }
        self.judge_at = match (blocked, demoted) {
            (true, _) => Some(now + LOOK),
            (_, true) => Some(now + GLANCE),
            _ => None,
        };
        self.hold(out);
    }

    /// Says who has to wait, where that changed.
    pub(super) fn hold(&mut self, out: &mut Out<F>) {
        let mut held: BTreeSet<NodeId> = BTreeSet::new();
        let mut room = self.openings.bytes() < self.config.high;
        let links = self.neighbours.values().filter_map(|of| of.link.as_ref());
        for load in links.map(|link| &link.load).filter(|load| load.blocks()) {
            held.extend(load.feeders());
            room &= !load.is_fed_here();
        }
        held.retain(|peer| self.neighbours.get(peer).is_some_and(|of| of.link.is_some()));
        for from in held.difference(&self.held) {
            out.push(Output::Hold { from: *from, held: true });
        }
        for from in self.held.difference(&held) {
            out.push(Output::Hold { from: *from, held: false });
        }
        if room != self.room {
            out.push(Output::Room(room));
        }
        self.held = held;
        self.room = room;
    }
}
