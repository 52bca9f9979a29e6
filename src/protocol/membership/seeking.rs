//! How a node looks for members, one by one.

use std::time::Duration;

use super::due::Due;
use super::finding::Finding;
use super::machine::MembershipMachine;
use super::output::Output;
use super::wire::Phase;
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;

/// The longest wait between two tries of an isolated node.
const LONGEST_SEEK: Duration = Duration::from_secs(30);

impl MembershipMachine {
    /// Looks for a member that takes this node in.
    pub(super) fn seek(&mut self, now: Time, out: &mut Outbox<Output>) {
        if !matches!(self.phase, Phase::Joining | Phase::Isolated) {
            return;
        }
        let timeout = self.config.timeout;
        if self.birth.through.is_none() {
            if self.phase == Phase::Joining {
                const AT_ONCE: usize = 8;
                let linked: Vec<NodeId> = self.desk.linked().take(AT_ONCE).collect();
                linked.into_iter().for_each(|peer| self.probe(now, peer, out));
            }
            if self.phase == Phase::Isolated || self.birth.downs > 0 {
                self.try_next(now, out);
            }
        }
        let wait = match self.phase {
            Phase::Isolated => self.jitter(timeout, self.birth.tries),
            _ => timeout * 5,
        };
        self.agenda.set(Due::Seek, now + wait);
    }

    /// The next member in turn, one at a time.
    fn try_next(&mut self, now: Time, out: &mut Outbox<Output>) {
        let after = self.birth.last_tried;
        let others = |node: &NodeId| *node != self.me;
        let next = self
            .roll
            .records_after(after)
            .map(|(node, _)| node)
            .chain(self.roll.records().map(|(node, _)| node))
            .find(others);
        let Some(next) = next else { return };
        self.birth.last_tried = Some(next);
        self.birth.tries = self.birth.tries.saturating_add(1);
        self.probe(now, next, out);
    }

    /// Anywhere up to `timeout * 2^tries`, at most half a minute.
    fn jitter(&mut self, timeout: Duration, tries: u32) -> Duration {
        let most = timeout.saturating_mul(1 << tries.min(16)).min(LONGEST_SEEK);
        most.mul_f64(self.chance()).max(Duration::from_millis(1))
    }

    /// Nobody answers: the fault is here, or this node is alone.
    pub(super) fn isolated(&mut self, now: Time, subject: NodeId, out: &mut Outbox<Output>) {
        self.found(Finding::ConsideredSelfDown { node: subject }, out);
        self.rest(Phase::Isolated);
        self.birth.tries = 0;
        self.agenda.set(Due::Seek, now);
    }
}
