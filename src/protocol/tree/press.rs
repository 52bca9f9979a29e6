//! Pressure: who has to wait for full links, and which of these are not worth waiting for.

use std::collections::BTreeMap;
use std::time::Duration;

use super::frame::Frame;
use super::input::Output;
use super::load::Fall;
use super::machine::{Out, TreeMachine};
use super::wire::Message;
use crate::base::id::NodeId;
use crate::base::time::Time;

/// How often full links are looked at.
const LOOK: Duration = Duration::from_millis(25);

/// Who looks so much later had too much to do itself, and what its links did meanwhile it has yet
/// to hear.
const LATE: Duration = Duration::from_millis(10);

/// How often demoted ones are.
const GLANCE: Duration = Duration::from_millis(500);

/// Who is held for so long is told why: in between are the holds of links that are merely busy.
const TELL: Duration = Duration::from_millis(50);

/// Who is held for so long, while others are ahead, is not held any more. Links that are merely
/// busy hold for less: half a mebibyte takes 500 ms at 8 Mbps, or where many nodes share a
/// processor. (With 100 ms, 16 nodes on two cores that had other work too gave one another up all
/// the time, and lost a tenth of what a free-running author wrote.)
const BEHIND: Duration = Duration::from_secs(1);

/// A neighbour whose frames are not taken now.
#[derive(Debug)]
pub(super) struct Held {
    since: Time,
    /// Since then this node looked in time.
    watched: Time,
    /// How far away the link is that is waited for.
    far: u8,
    /// What the neighbour was told of that.
    told: u8,
}

impl Held {
    /// For how long that was seen without a break.
    fn for_long(&self, now: Time) -> Duration {
        now.since(self.since.max(self.watched))
    }
}

impl<F: Frame> TreeMachine<F> {
    /// A link took bytes.
    pub(super) fn sent(&mut self, now: Time, peer: NodeId, bytes: usize, out: &mut Out<F>) {
        let neighbour = self.neighbours.get_mut(&peer);
        let Some(link) = neighbour.and_then(|of| of.link.as_mut()) else { return };
        let stood = link.load.sent(now, bytes, &self.config);
        if self.give_owed(now, peer, out) || stood {
            self.judge(now, out);
        }
    }

    /// Looks at all links: demotes those that others wait for in vain, and says who has to wait.
    pub(super) fn judge(&mut self, now: Time, out: &mut Out<F>) {
        let mut span =
            if self.judge_at.is_some() { now.since(self.judged) } else { Duration::ZERO };
        if self.judge_at.is_some_and(|at| now.since(at) > LATE) {
            self.looked_late(now);
            span = Duration::ZERO;
        }
        self.judged = now;
        let links = || self.neighbours.values().filter_map(|of| of.link.as_ref());
        let others_dry = links().any(|link| link.load.is_dry(now, &self.config));
        let any_blocks = links().any(|link| link.load.blocks());
        let mut blocked = false;
        let mut demoted = false;
        for link in self.neighbours.values_mut().filter_map(|of| of.link.as_mut()) {
            match link.load.judge(now, span, others_dry, any_blocks, &self.config) {
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
        self.hold(now, out);
        // While this node is behind, its links are not what others wait for.
        let late = !self.behind && self.held.values().any(|held| held.for_long(now) >= BEHIND);
        if late && self.give_way(now) {
            self.hold(now, out);
        }
        for (to, held) in &mut self.held {
            if held.told != held.far && now.since(held.since) >= TELL {
                held.told = held.far;
                out.push(Output::Tell { to: *to, message: Message::Waiting(held.far) });
            }
        }
    }

    /// This node lacks frames, or no more. It goes on reading, because what it lacks is on the same
    /// links as what has to wait: behind it, or asked for.
    pub(super) fn fall_behind(&mut self, behind: bool, out: &mut Out<F>) {
        if self.behind == behind {
            return;
        }
        self.behind = behind;
        for (to, _) in self.neighbours.iter().filter(|(_, of)| of.link.is_some()) {
            out.push(Output::Tell { to: *to, message: Message::Behind(behind) });
        }
    }

    /// A neighbour lacks frames, or no more.
    pub(super) fn pauses(&mut self, now: Time, peer: NodeId, paused: bool, out: &mut Out<F>) {
        let neighbour = self.neighbours.get_mut(&peer);
        if let Some(link) = neighbour.and_then(|of| of.link.as_mut()) {
            if paused {
                link.load.pause(now);
            } else {
                link.load.resume(now, &self.config);
            }
            self.judge(now, out);
        }
    }

    /// This node had too much to do itself, as others on the same machine then have: what it saw of
    /// its links is no evidence against them.
    fn looked_late(&mut self, now: Time) {
        for link in self.neighbours.values_mut().filter_map(|of| of.link.as_mut()) {
            link.load.acquit();
        }
        for held in self.held.values_mut() {
            held.watched = now;
        }
    }

    /// A neighbour waits for others, or does not any more.
    pub(super) fn waits(&mut self, peer: NodeId, far: u8) {
        let neighbour = self.neighbours.get_mut(&peer);
        if let Some(link) = neighbour.and_then(|of| of.link.as_mut()) {
            link.load.waits_for(far);
        }
    }

    /// Frames that a held neighbour brings are elsewhere already: who goes on does so without the
    /// full links, and so does this node. True when one fell.
    fn give_way(&mut self, now: Time) -> bool {
        let mut ahead = BTreeMap::new();
        for (source, by) in self.wants.announced() {
            let parent = self.grove.tree(&source).and_then(|tree| tree.parent);
            if let Some(parent) = parent.filter(|parent| *parent != by)
                && let Some(held) = self.held.get(&parent)
            {
                ahead.insert(parent, held.for_long(now));
            }
        }
        let mut fell = false;
        for link in self.neighbours.values_mut().filter_map(|of| of.link.as_mut()) {
            let load = &mut link.load;
            let patience = BEHIND * u32::from(load.far());
            let late =
                ahead.iter().any(|(peer, held)| *held >= patience && load.feeders().contains(peer));
            if late && load.blocks() && load.is_full() {
                load.give_way(now);
                self.stats.demoted_yielding += 1;
                fell = true;
            }
        }
        fell
    }

    /// A link became lazy for a source: nobody waits for it who does not feed it.
    pub(super) fn forgive(&mut self, now: Time, peer: NodeId, out: &mut Out<F>) {
        let neighbour = self.neighbours.get_mut(&peer);
        if let Some(link) = neighbour.and_then(|of| of.link.as_mut())
            && link.load.blocks()
        {
            link.load.forgive_feeders();
            self.judge(now, out);
        }
    }

    /// Says who has to wait, where that changed.
    pub(super) fn hold(&mut self, now: Time, out: &mut Out<F>) {
        let mut feeders: BTreeMap<NodeId, u8> = BTreeMap::new();
        let mut room = self.openings.bytes() < self.config.high;
        // Own frames wait for a stalled link too when there is no other: nobody would get them.
        let links = || self.neighbours.values().filter_map(|of| of.link.as_ref());
        room &= links().next().is_none() || !links().all(|link| link.load.is_stalled());
        for load in links().map(|link| &link.load).filter(|load| load.blocks()) {
            room &= !load.is_fed_here();
            let flooded = load.is_flooded(&self.config);
            let waits = |peer: &&NodeId| flooded || !self.is_heard(**peer);
            for peer in load.feeders().iter().filter(waits) {
                let far = feeders.entry(*peer).or_default();
                *far = load.far().max(*far);
            }
        }
        feeders.retain(|peer, _| self.neighbours.get(peer).is_some_and(|of| of.link.is_some()));
        self.release(&feeders, out);
        for (from, far) in feeders {
            if let Some(held) = self.held.get_mut(&from) {
                held.far = far;
                continue;
            }
            self.held.insert(from, Held { since: now, watched: now, far, told: 0 });
            out.push(Output::Hold { from, held: true });
        }
        if room != self.room {
            self.room = room;
            out.push(Output::Room(room));
        }
    }

    /// Who is behind is read: others wait until it says that it is behind no more.
    fn is_heard(&self, peer: NodeId) -> bool {
        let link = self.neighbours.get(&peer).and_then(|of| of.link.as_ref());
        link.is_some_and(|link| link.load.is_paused())
    }

    /// Goes on with those who feed no full link any more.
    fn release(&mut self, feeders: &BTreeMap<NodeId, u8>, out: &mut Out<F>) {
        self.held.retain(|from, held| {
            let stays = feeders.contains_key(from);
            if !stays {
                out.push(Output::Hold { from: *from, held: false });
            }
            if !stays && held.told > 0 {
                out.push(Output::Tell { to: *from, message: Message::Waiting(0) });
            }
            stays
        });
    }
}
