//! Self-doubt: others reach whom this node suspected. Is it this node that is broken?

use rand::seq::SliceRandom;

use super::config::SelfReset;
use super::due::Due;
use super::finding::{Finding, GoingDownReason};
use super::machine::MembershipMachine;
use super::output::Output;
use super::sweep::{Purpose, Sweep};
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;

/// Most members probed in self-doubt.
const SAMPLE: usize = 32;

/// Fewer silent ones than this prove nothing.
const FEWEST_SILENT: u32 = 3;

impl MembershipMachine {
    /// Woken late, this node was not run for a while and answers may lie unread: what would count
    /// as silence gets a timeout more. Only once per probe interval, so that a node that is always
    /// late finds the dead as well.
    pub(super) fn own_lateness(&mut self, now: Time) {
        let timeout = self.config.timeout;
        let Some(due) = self.agenda.deadline().filter(|due| *due <= now) else { return };
        self.probes.was_late(now.since(due));
        let late = now.since(due) >= timeout;
        let again =
            self.last_late.is_some_and(|last| now.since(last) < self.config.probe_interval());
        if !late || again {
            return;
        }
        self.last_late = Some(now);
        self.probes.is_worse();
        self.agenda.postpone(now, now + timeout, |due| {
            matches!(due, Due::Missed(_) | Due::Silent { .. } | Due::Suspect(_) | Due::Round(_))
        });
    }

    pub(super) fn doubt_oneself(&mut self, now: Time, node: NodeId, out: &mut Outbox<Output>) {
        if self.config.self_reset == SelfReset::Seed {
            self.found(Finding::SelfDoubt { node, probing: 0 }, out);
            return self.go_down(now, GoingDownReason::SelfDoubt, out);
        }
        let pause = self.config.flap_window() / 2;
        if self.last_doubt.is_some_and(|last| now.since(last) < pause) {
            return;
        }
        self.last_doubt = Some(now);
        let mut others: Vec<NodeId> =
            self.roll.alive().map(|(node, _)| node).filter(|node| *node != self.me).collect();
        others.shuffle(&mut self.random);
        others.truncate(SAMPLE);
        let probing = u32::try_from(others.len()).unwrap_or(u32::MAX);
        self.found(Finding::SelfDoubt { node, probing }, out);
        self.sweeps.insert(Purpose::SelfDoubt, Sweep::new(&others, self.config.miss_limit));
        others.into_iter().for_each(|other| self.probe(now, other, out));
    }

    /// All of them answered or had their time.
    pub(super) fn self_checked(&mut self, now: Time, sweep: &Sweep, out: &mut Outbox<Output>) {
        let (answered, silent) = (sweep.answered, sweep.silent);
        self.found(Finding::SelfChecked { answered, silent }, out);
        if self.is_active() && silent >= FEWEST_SILENT && silent > answered {
            self.go_down(now, GoingDownReason::SelfDoubt, out);
        }
    }
}
