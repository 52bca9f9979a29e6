//! Frames on their way: first copies, further ones, and to whom they go.

use std::time::Duration;

use super::frame::{Frame, Name};
use super::input::Output;
use super::load::Feeder;
use super::machine::{Out, TreeMachine};
use super::wire::Message;
use crate::base::id::NodeId;
use crate::base::time::Time;

/// The longest time for which a source's first frame is alone.
const MAX_OPENING: Duration = Duration::from_millis(500);

impl<F: Frame> TreeMachine<F> {
    /// Our own next frame.
    pub(super) fn publish(&mut self, now: Time, frame: F, out: &mut Out<F>) {
        let name = frame.name();
        if name.sequence == 0 {
            self.stats.malformed += 1;
            return;
        }
        let (tree, unknown) = self.grove.open(now, name.source, name.sequence);
        if tree.seen.insert(name.sequence).is_none() {
            self.stats.malformed += 1;
            return;
        }
        tree.progress = (now, name.sequence);
        if unknown {
            let wait = self.longest_round_trip(name.source.bucket);
            self.openings.open(name.source, now, wait);
        } else if self.openings.is_open(name.source) {
            self.openings.put(frame);
            return self.hold(now, out);
        }
        self.pass_on(now, Feeder::Here, name, frame, out);
    }

    /// The first frames of new sources have made their trees: what waited follows.
    pub(super) fn follow(&mut self, now: Time, out: &mut Out<F>) {
        let frames = self.openings.take_due(now);
        for frame in frames {
            self.pass_on(now, Feeder::Here, frame.name(), frame, out);
        }
        self.hold(now, out);
    }

    fn longest_round_trip(&self, bucket: u16) -> Duration {
        let links = self.neighbours.values().filter(|of| of.takes(bucket));
        let trips = links.filter_map(|of| of.link.as_ref()?.round_trip);
        trips.max().unwrap_or_default().min(MAX_OPENING)
    }

    /// A frame came.
    pub(super) fn heard(&mut self, now: Time, from: NodeId, frame: F, out: &mut Out<F>) {
        let name = frame.name();
        if name.sequence == 0 {
            self.stats.malformed += 1;
            return;
        }
        let patience = self.patience(from);
        let (tree, _) = self.grove.open(now, name.source, name.sequence);
        let is_front = name.sequence > tree.seen.newest();
        let (before, _) = tree.progress;
        let Some(missing) = tree.seen.insert(name.sequence) else {
            self.further_copy(now, from, name, out);
            return;
        };
        tree.brought_by(now, from, name.sequence, is_front, patience);
        self.stats.frames += 1;
        self.was_wanted(now, from, name, before, out);
        self.miss(now, from, name.source, missing);
        out.push(Output::Deliver { from, frame: frame.clone() });
        let by = if is_front { Feeder::Neighbour(from) } else { Feeder::Repair(from) };
        self.pass_on(now, by, name, frame, out);
    }

    /// Who brings what is here already need not bring it.
    fn further_copy(&mut self, now: Time, from: NodeId, name: Name, out: &mut Out<F>) {
        self.stats.copies += 1;
        let patience = self.patience(from);
        let tree = self.grove.tree_mut(&name.source);
        if tree.is_some_and(|tree| tree.prune(now, from, patience)) {
            self.stats.prunes += 1;
            out.push(Output::Tell { to: from, message: Message::Prune(name.source) });
            self.forgive(now, from, out);
        }
        out.push(Output::Copy { from, name });
    }

    /// To all eager links at once; the others will hear of it.
    fn pass_on(&mut self, now: Time, by: Feeder, name: Name, frame: F, out: &mut Out<F>) {
        let Some(tree) = self.grove.tree(&name.source) else { return };
        let astray = by.neighbour() != tree.parent;
        let mut passed = false;
        let mut relied_on = Vec::new();
        let mut full = false;
        for (peer, neighbour) in &mut self.neighbours {
            // Its author has it, and so has who brought it.
            let has_it = Some(*peer) == by.neighbour() || *peer == name.source.author;
            let Some(link) = neighbour.taking(name.source.bucket).filter(|_| !has_it) else {
                continue;
            };
            if !tree.is_eager(*peer) {
                // It goes on without this node, and so do those behind it.
                passed |= by != Feeder::Here && !link.load.is_demoted();
                continue;
            }
            if link.load.is_demoted() {
                relied_on.push(*peer);
                continue;
            }
            passed = true;
            if matches!(by, Feeder::Repair(_)) && !link.load.has_room(&self.config) {
                link.owe(name);
                continue;
            }
            self.stats.sent += 1;
            full |= link.load.queue(now, frame.bytes(), by, &self.config);
            out.push(Output::Send { to: *peer, frame: frame.clone() });
        }
        if !passed {
            full |= self.rely_on(now, &relied_on, by, &frame, out);
        }
        self.gathered.add(now, name, astray, self.config.gather);
        self.cache.keep(now, name, frame);
        if full {
            self.judge(now, out);
        }
    }

    /// Demoted links get what nobody else would take, unless they stalled or give way.
    fn rely_on(
        &mut self,
        now: Time,
        peers: &[NodeId],
        by: Feeder,
        frame: &F,
        out: &mut Out<F>,
    ) -> bool {
        let mut full = false;
        for peer in peers {
            let link = self.neighbours.get_mut(peer).and_then(|of| of.link.as_mut());
            let Some(link) = link.filter(|link| link.load.is_reliable(by)) else { continue };
            link.load.rely();
            self.stats.sent += 1;
            full |= link.load.queue(now, frame.bytes(), by, &self.config);
            out.push(Output::Send { to: *peer, frame: frame.clone() });
        }
        full
    }
}
