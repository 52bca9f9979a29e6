//! How a node becomes a member, stops being one, and becomes one again.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::catch_up::Told;
use super::due::Due;
use super::finding::Finding;
use super::joining::PATIENCE;
use super::machine::MembershipMachine;
use super::output::Output;
use super::wire::{News, Phase, Pulse};
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;

/// Known nodes with smaller ids that a node waits for, at most, before it founds.
const MAX_TURNS: u32 = 20;

/// A node that remembers a membership waits this long for more than half of it.
const REMEMBERED: u32 = 100;

/// What a node remembers on its way in.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Birth {
    /// There is nobody to join.
    pub(super) alone: bool,
    /// Since when it looks for members.
    pub(super) since: Time,
    /// Whose votes counted before the last stop.
    pub(super) remembered: BTreeSet<NodeId>,
    /// Those of them met, which remember the same.
    pub(super) met: BTreeSet<NodeId>,
    /// Who is asked to take this node in, and the D it tells, page by page.
    pub(super) through: Option<NodeId>,
    pub(super) agreed: BTreeSet<NodeId>,
    /// The last member tried, and how often in vain.
    pub(super) last_tried: Option<NodeId>,
    pub(super) tries: u32,
    /// Downs in a row, and the last one.
    pub(super) downs: u32,
    pub(super) last_down: Option<Time>,
    /// Whose records are being fetched, and since when.
    pub(super) fetching: Option<(NodeId, Time)>,
    /// What was told with them, page by page.
    #[serde(default)]
    pub(super) pages: Told,
    /// When others were asked what they hold, because something did not fit.
    #[serde(default)]
    pub(super) asked: Option<Time>,
    /// Of whom the one that takes this node in told.
    pub(super) present: BTreeSet<NodeId>,
}

impl Birth {
    pub fn new(alone: bool, remembered: BTreeSet<NodeId>) -> Self {
        Self {
            alone,
            since: Time::ZERO,
            remembered,
            met: BTreeSet::new(),
            through: None,
            agreed: BTreeSet::new(),
            last_tried: None,
            tries: 0,
            downs: 0,
            last_down: None,
            fetching: None,
            pages: Told::default(),
            asked: None,
            present: BTreeSet::new(),
        }
    }

    /// One page at a time, from one peer at a time. True when it may begin now.
    pub fn may_fetch(&mut self, now: Time, peer: NodeId, timeout: Duration) -> bool {
        let busy = self.fetching.is_some_and(|(_, since)| now.since(since) < timeout * 20);
        if !busy {
            self.fetching = Some((peer, now));
            self.pages = Told::default();
        }
        !busy
    }

    /// One more page from a peer. False when it is not this peer's turn, or tells of more than
    /// there may be.
    pub fn turn_page(&mut self, peer: NodeId, page: Told, most: usize) -> bool {
        self.pages.add(page);
        let fits = self.pages.agreed.len() <= most;
        if !fits {
            self.pages = Told::default();
        }
        fits && self.fetching.is_some_and(|(from, _)| from == peer)
    }

    /// What was told in all pages.
    pub fn told(&mut self) -> Told {
        std::mem::take(&mut self.pages)
    }

    pub fn fetched(&mut self, peer: NodeId) {
        if self.fetching.is_some_and(|(from, _)| from == peer) {
            self.fetching = None;
        }
    }
}

impl MembershipMachine {
    /// Founds a mesh when it is this node's turn and no other is active.
    pub(super) fn maybe_found(&mut self, now: Time, out: &mut Outbox<Output>) {
        if self.phase != Phase::Joining || self.birth.downs > 0 {
            return;
        }
        let timeout = self.config.timeout;
        self.agenda.set_by(Due::Seek, now + timeout * 5);
        let remembers = self.birth.remembered.len() > 1;
        let found_after = self.config.found_after();
        // Where the machine has too much to do, the answers of others are as late as this node is.
        let turns = found_after / 2 * self.turn() + self.probes.lateness() * 4;
        let wait = if remembers {
            timeout * REMEMBERED + turns
        } else if self.birth.alone {
            Duration::ZERO
        } else {
            found_after + turns
        };
        let at = self.birth.since + wait;
        if now < at || self.birth.through.is_some() {
            return self.agenda.set(Due::Found, at.max(now + timeout));
        }
        let is_asked = |peer: NodeId| self.probes.of(peer).is_some();
        let may_wait = !self.birth.alone && now < at + timeout * PATIENCE;
        if may_wait && self.desk.linked().any(is_asked) {
            return self.agenda.set(Due::Found, now + timeout / 4);
        }
        self.drop_absent(now, &BTreeSet::new());
        self.roll.agree_on(&BTreeSet::from([self.me]));
        self.begin(now, None, out);
    }

    /// Those remembered that did not come back are no members of what begins now: their votes
    /// would be counted on for ever.
    pub(super) fn drop_absent(&mut self, now: Time, present: &BTreeSet<NodeId>) {
        if self.birth.remembered.is_empty() || self.birth.downs > 0 {
            return;
        }
        let is_absent = |node: &NodeId| *node != self.me && !present.contains(node);
        let absent: Vec<NodeId> =
            self.roll.alive().map(|(node, _)| node).filter(is_absent).collect();
        for node in absent {
            self.roll.forget(node);
            self.view_changed(now, node, false);
        }
    }

    /// How many known nodes come before this one.
    fn turn(&self) -> u32 {
        let before = self.acquaintances.keys().filter(|node| **node < self.me).count();
        u32::try_from(before).unwrap_or(MAX_TURNS).min(MAX_TURNS)
    }

    /// A node that looks for members, too. When more than half of a membership that stopped have
    /// met again, it goes on as it was.
    pub(super) fn meets_again(
        &mut self,
        now: Time,
        from: NodeId,
        pulse: &Pulse,
        out: &mut Outbox<Output>,
    ) {
        let (_, agreed) = self.roll.digests();
        let remembered = &self.birth.remembered;
        if pulse.agreed != agreed || !remembered.contains(&from) || !remembered.contains(&self.me) {
            return;
        }
        self.birth.met.insert(from);
        if (self.birth.met.len() + 1) * 2 > self.birth.remembered.len() {
            self.begin(now, Some(from), out);
        }
    }

    /// Isolated, and another member answered that looks for members, too: neither is alone. The
    /// membership is as it was, so what may be decided with it still needs a majority of it.
    pub(super) fn meets_fellow(
        &mut self,
        now: Time,
        peer: NodeId,
        phase: Phase,
        out: &mut Outbox<Output>,
    ) {
        let looks = matches!(phase, Phase::Isolated | Phase::Joining);
        let is_member = self.roll.is_agreed(peer) && self.roll.is_alive(peer);
        if self.phase == Phase::Isolated && looks && is_member {
            self.begin(now, Some(peer), out);
        }
    }

    /// From here on this node is a member.
    pub(super) fn begin(&mut self, now: Time, through: Option<NodeId>, out: &mut Outbox<Output>) {
        self.phase = Phase::Active;
        self.birth.through = None;
        self.birth.tries = 0;
        self.birth.fetching = None;
        self.agenda.cancel(Due::Found);
        self.agenda.cancel(Due::Join);
        self.agenda.cancel(Due::Seek);
        self.found(Finding::Rejoined { incarnation: self.incarnation, through }, out);
        if let Some(own) = self.own_record() {
            self.tell_all(&own, out);
        }
        self.watch_anew(now, true);
        self.agenda.set_by(Due::Push, now);
        self.agenda.set_by(Due::Save, now + self.config.timeout * 10);
        self.agenda.set_by(Due::Expire, now + Duration::from_secs(60));
        self.agenda.set_by(Due::Meet, now + self.config.timeout * 10);
        let linked: Vec<NodeId> = self.desk.linked().collect();
        for peer in linked {
            // Those that look for members learn that there is one.
            self.probe(now, peer, out);
        }
    }

    /// The mesh stands already.
    pub(super) fn begin_formed(&mut self, now: Time) {
        self.told_view = self.roll.sizes();
        self.watch_anew(now, false);
        self.agenda.set_by(Due::Expire, now + Duration::from_secs(60));
        self.agenda.set_by(Due::Meet, now + self.config.timeout * 10);
    }

    pub(super) fn own_record(&self) -> Option<News> {
        self.roll.record(self.me).map(super::roll::Record::news)
    }
}
