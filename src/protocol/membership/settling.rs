//! How D follows A: not before A rests, and by as few words as it takes.

use std::time::Duration;

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::due::Due;
use super::finding::Finding;
use super::machine::MembershipMachine;
use super::output::Output;
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;

/// In timeouts: the longest that an A is not told because it does not rest.
const RESTLESS: u32 = 5;

/// In timeouts: how often it is told until D has followed it, first and later on.
const AGAIN: u32 = 2;
const LATER: u32 = 10;

/// In timeouts: how long the word of those that are linked may take to move D.
const ENOUGH: u32 = 5;

/// How A moved of late.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct Settling {
    /// When A changed first, and last, since it was told.
    moved: Option<(Time, Time)>,
    /// When this A was first told.
    told: Option<Time>,
    /// When A changed last.
    last: Option<Time>,
}

impl Settling {
    fn note(&mut self, now: Time) {
        let first = self.moved.map_or(now, |(first, _)| first);
        *self = Self { moved: Some((first, now)), told: None, last: Some(now) };
    }

    /// This A was told so long ago, and D has not followed.
    pub fn was_told_for(&self, now: Time, span: Duration) -> bool {
        self.told.is_some_and(|told| now.since(told) >= span)
    }

    /// A did not change for a timeout.
    pub fn rests(&self, now: Time, timeout: Duration) -> bool {
        self.last.is_none_or(|last| now.since(last) >= timeout)
    }
}

impl MembershipMachine {
    /// A changed: what peers told of theirs is of the past.
    pub(super) fn view_moved(&mut self, now: Time) {
        self.settling.note(now);
        self.views.clear();
        self.agenda.set_by(Due::Push, now + self.config.timeout / 2);
    }

    /// It is of no use yet to compare A with others: it changed a moment ago.
    fn is_restless(&self, now: Time) -> bool {
        let timeout = self.config.timeout;
        self.settling.moved.is_some_and(|(first, last)| {
            now.since(last) < timeout / 2 && now.since(first) < timeout * RESTLESS
        })
    }

    /// The votes of all that live count now, and of nobody else.
    pub(super) fn settle(&mut self, now: Time, out: &mut Outbox<Output>) {
        self.roll.settle();
        for hold in self.holds.values_mut() {
            hold.hopeless = false;
        }
        self.tell_view(out);
        self.tell_pulse(now, out);
        self.agenda.set_by(Due::Save, now + self.config.timeout * 10);
    }

    pub(super) fn tell_view(&mut self, out: &mut Outbox<Output>) {
        let sizes = self.roll.sizes();
        if self.is_active() && self.told_view != sizes {
            self.told_view = sizes;
            let (active, agreed) = sizes;
            self.found(Finding::ViewChanged { active, agreed }, out);
        }
    }

    /// The view changed a moment ago, or is not agreed on yet.
    pub(super) fn push(&mut self, now: Time, out: &mut Outbox<Output>) {
        if !self.is_active() {
            return;
        }
        if !self.roll.is_settled() && self.roll.is_held_by_majority(self.me) {
            return self.settle(now, out);
        }
        self.tell_view(out);
        if self.roll.is_settled() {
            return;
        }
        let timeout = self.config.timeout;
        if self.is_restless(now) {
            return self.agenda.set_by(Due::Push, now + timeout / 2);
        }
        self.settling.moved = None;
        let told = *self.settling.told.get_or_insert(now);
        self.tell_pulse(now, out);
        let is_stuck = now.since(told) >= timeout * ENOUGH;
        if is_stuck {
            self.ask_voters(now, out);
        }
        // Busy links need no probes, so nothing else would carry the agreement.
        let again = if is_stuck { LATER } else { AGAIN };
        self.agenda.set_by(Due::Push, now + timeout * again);
    }

    /// The members whose word moves D may be none of those that are linked. Where too few of D are
    /// left the others are asked what has become of it.
    fn ask_voters(&mut self, now: Time, out: &mut Outbox<Output>) {
        const AT_ONCE: usize = 3;
        let unlinked =
            self.roll.alive().filter(|(node, _)| *node != self.me && !self.desk.is_linked(*node));
        let (mut voters, mut others): (Vec<_>, Vec<_>) =
            unlinked.map(|(node, record)| (node, record.agreed)).partition(|(_, agreed)| *agreed);
        voters.shuffle(&mut self.random);
        others.shuffle(&mut self.random);
        voters.extend(others);
        voters.truncate(AT_ONCE);
        voters.into_iter().for_each(|(voter, _)| self.probe(now, voter, out));
    }

    /// To all linked members, at once.
    pub(super) fn tell_pulse(&mut self, now: Time, out: &mut Outbox<Output>) {
        let members: Vec<NodeId> =
            self.desk.linked().filter(|peer| self.roll.is_alive(*peer)).collect();
        for peer in members {
            self.probe(now, peer, out);
        }
    }
}
