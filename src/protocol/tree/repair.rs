//! What was announced and is missing: whom to ask for it, and what to give when asked.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use super::frame::{Frame, Name, Source};
use super::gather::{News, counted, messages};
use super::input::Output;
use super::load::Feeder;
use super::machine::{Out, TreeMachine};
use super::wants::Want;
use super::wire::{MAX_RUNS, Message, Run, WINDOW};
use crate::base::id::NodeId;
use crate::base::time::Time;

/// Rounds in which all neighbours are asked for a frame before it is dropped; an answer is waited
/// for twice as long in each. With 20 ms at first that is 5 s for each neighbour: under load an
/// answer stands behind a mebibyte that is queued already.
const ROUNDS: u32 = 8;

/// The longest time that an answer is taken to need. (With 1 s a node that asked somebody in vain
/// was behind for longer than others wait for it, and 1 MB messages were lost in half of all runs.)
const MAX_ANSWER: Duration = Duration::from_millis(150);

/// An announcement is clearly early when it is so much before the frame, or a quarter of the
/// link's round trip.
const EARLY: Duration = Duration::from_millis(5);

impl<F: Frame> TreeMachine<F> {
    /// Tells each link what came since the last time and was not sent there.
    pub(super) fn announce(&mut self, out: &mut Out<F>) {
        let gathered = self.gathered.take();
        for (peer, neighbour) in &self.neighbours {
            let Some(link) = &neighbour.link else { continue };
            let is_news = |source: &Source, news: &News| {
                let tree = self.grove.tree(source);
                let sent = !link.load.is_demoted() && tree.is_some_and(|tree| tree.is_eager(*peer));
                let brought = !news.astray && tree.is_some_and(|tree| tree.parent == Some(*peer));
                let has_it = sent || brought || source.author == *peer;
                neighbour.takes(source.bucket) && !has_it
            };
            let news = gathered.iter().filter(|(source, news)| is_news(source, news));
            let runs: Vec<Run> = news.flat_map(|(source, news)| news.runs(*source)).collect();
            self.stats.announced += runs.len() as u64;
            for message in messages(&runs) {
                out.push(Output::Tell { to: *peer, message });
            }
        }
    }

    /// Tells a new neighbour the newest frames of each active source of a bucket.
    pub(super) fn recall(&mut self, now: Time, peer: NodeId, bucket: u16, out: &mut Out<F>) {
        let active = self.grove.iter().filter(|(source, tree)| {
            source.bucket == bucket
                && source.author != peer
                && now.since(tree.progress.0) < self.config.keep_for
        });
        let runs: Vec<Run> = active
            .map(|(source, tree)| {
                let (from, to) = tree.seen.newest_run();
                Run { source: *source, from, to }
            })
            .collect();
        self.stats.announced += runs.len() as u64;
        for message in messages(&runs) {
            out.push(Output::Tell { to: peer, message });
        }
    }

    /// A neighbour has these frames.
    pub(super) fn announced(&mut self, now: Time, from: NodeId, runs: &[Run]) {
        // A liar may list the longest runs; all frames that can be missing are enough.
        let mut budget = self.config.max_wanted;
        for run in runs.iter().take(MAX_RUNS) {
            let tree = self.grove.tree(&run.source);
            if tree.is_some_and(|tree| tree.seen.contains_up_to(run.to)) {
                continue;
            }
            // Without a parent nothing is under way, so the first to have it is asked at once.
            let orphan = tree.is_some_and(|tree| tree.parent.is_none());
            let due = if orphan { now } else { now + self.patience(from) };
            for sequence in counted(run) {
                budget = budget.saturating_sub(1);
                if budget == 0 {
                    return;
                }
                if !tree.is_some_and(|tree| tree.seen.contains(sequence)) {
                    let name = Name { source: run.source, sequence };
                    let fits = self.wants.offered(now, name, from, true, due);
                    self.stats.unasked += u64::from(!fits);
                }
            }
        }
    }

    /// A later frame came before these.
    pub(super) fn miss(&mut self, now: Time, by: NodeId, source: Source, missing: Range<u64>) {
        if missing.is_empty() {
            return;
        }
        let due = now + self.patience(by);
        for sequence in missing.start.max(missing.end.saturating_sub(WINDOW))..missing.end {
            let name = Name { source, sequence };
            let fits = self.wants.offered(now, name, by, false, due);
            self.stats.unasked += u64::from(!fits);
        }
    }

    /// A frame came that may have been announced before: who announced it early enough, often
    /// enough, is asked to send. The one before it of its source came at `before`.
    pub(super) fn was_wanted(
        &mut self,
        now: Time,
        from: NodeId,
        name: Name,
        before: Time,
        out: &mut Out<F>,
    ) {
        let want = self.wants.take(&name);
        let asked = want.as_ref().is_some_and(|want| want.rounds > 0 || !want.asked.is_empty());
        let asks = want.as_ref().map_or(&[][..], |want| &want.asked);
        if let Some((_, at)) = asks.iter().find(|(peer, _)| *peer == from) {
            self.answered(from, now.since(*at));
        }
        let early = want.and_then(|want| Some((want.announced?, want.since)));
        // Announcements overtake what is queued: while frames stream, only more than their pauses
        // tells that another way is shorter.
        let pause = self.grove.tree(&name.source).map_or(Duration::ZERO, |tree| tree.silence);
        let early = early.filter(|(by, since)| {
            let pause = if before > *since { pause } else { Duration::ZERO };
            let clearly = EARLY.max(self.round_trip(*by) / 4).max(pause);
            *by != from && now.since(*since) > clearly && !asked
        });
        let Some(tree) = self.grove.tree_mut(&name.source) else { return };
        match early {
            Some((by, _)) if tree.was_early(by) => {
                tree.grafted(by);
                self.stats.grafts_for_latency += 1;
                // It asks for no frame: the last one is below the first.
                let (from, to) = (name.sequence.saturating_add(1), name.sequence);
                let run = Run { source: name.source, from, to };
                out.push(Output::Tell { to: by, message: Message::Graft(run) });
            }
            Some(_) => {}
            None => tree.was_in_time(),
        }
    }

    /// Asks for all that is due, in one message where sequences follow each other.
    pub(super) fn ask(&mut self, now: Time, out: &mut Out<F>) {
        let mut asked: BTreeMap<(NodeId, Source), Vec<(u64, u64)>> = BTreeMap::new();
        while let Some((name, mut want)) = self.wants.take_due(now) {
            if let Some(later) = self.still_under_way(now, name, &want) {
                self.wants.put(name, want, later);
                continue;
            }
            let Some(peer) = self.whom_to_ask(now, name, &mut want) else {
                self.stats.unrepaired += 1;
                continue;
            };
            let wait = self.patience(peer).max(self.answer_time(peer));
            let wait = wait.saturating_mul(1 << want.rounds.min(ROUNDS));
            self.wants.put(name, want, now + wait);
            let runs = asked.entry((peer, name.source)).or_default();
            match runs.last_mut() {
                Some((_, to)) if to.checked_add(1) == Some(name.sequence) => *to = name.sequence,
                _ => runs.push((name.sequence, name.sequence)),
            }
        }
        for ((peer, source), runs) in asked {
            if let Some(tree) = self.grove.tree_mut(&source) {
                tree.grafted(peer);
            }
            for (from, to) in runs {
                self.stats.grafts_for_missing += 1;
                let run = Run { source, from, to };
                out.push(Output::Tell { to: peer, message: Message::Graft(run) });
            }
        }
    }

    /// Frames before this one still come, where they are in order: until when this one may be
    /// behind them. What is not taken from the parent for now is not asked for elsewhere; a frame
    /// that later ones have overtaken is not among that.
    fn still_under_way(&self, now: Time, name: Name, want: &Want) -> Option<Time> {
        let tree = self.grove.tree(&name.source)?;
        let parent = tree.parent?;
        let (at, sequence) = tree.progress;
        let until = at + self.patience(parent).max(tree.silence);
        let old = now.since(want.since) > self.config.keep_for;
        if old || sequence > name.sequence {
            return None;
        }
        if self.held.contains_key(&parent) {
            return Some(now + self.patience(parent));
        }
        (until > now).then_some(until)
    }

    /// The next neighbour to be asked: first who offered it, then any other; nobody when all were
    /// asked too often, or the frame is too old.
    fn whom_to_ask(&self, now: Time, name: Name, want: &mut Want) -> Option<NodeId> {
        if now.since(want.since) > self.config.keep_for {
            return None;
        }
        let was_asked =
            |want: &Want, peer: &NodeId| want.asked.iter().any(|(asked, _)| asked == peer);
        loop {
            let all = self.neighbours.keys().filter(|peer| !want.offers.contains(*peer));
            let mut all = want.offers.iter().chain(all);
            let takes = |peer: &NodeId| {
                self.neighbours.get(peer).is_some_and(|of| of.takes(name.source.bucket))
            };
            let next = all.find(|peer| !was_asked(want, peer) && takes(peer)).copied();
            if let Some(peer) = next {
                want.asked.push((peer, now));
                return Some(peer);
            }
            want.rounds += 1;
            if want.asked.is_empty() || want.rounds >= ROUNDS {
                return None;
            }
            want.asked.clear();
        }
    }

    /// A neighbour asks for frames, and for what comes.
    pub(super) fn grafted(&mut self, now: Time, from: NodeId, run: Run, out: &mut Out<F>) {
        self.stats.grafted += 1;
        let neighbour = self.neighbours.get_mut(&from);
        let Some(link) = neighbour.and_then(|of| of.taking(run.source.bucket)) else { return };
        for sequence in counted(&run) {
            let name = Name { source: run.source, sequence };
            if self.cache.frame(&name).is_some() {
                link.owe(name);
            }
        }
        let full = self.give_owed(now, from, out);
        if let Some(tree) = self.grove.tree_mut(&run.source) {
            tree.set_eager(from, true);
        }
        // What came in the last milliseconds was not sent to it, and would not be announced now.
        let news: Vec<Run> = self.gathered.of(run.source).collect();
        for message in messages(&news) {
            out.push(Output::Tell { to: from, message });
        }
        if full {
            self.judge(now, out);
        }
    }

    /// Sends what a neighbour asked for, as far as its link has room. True when it is full now.
    pub(super) fn give_owed(&mut self, now: Time, to: NodeId, out: &mut Out<F>) -> bool {
        let mut full = false;
        let link = self.neighbours.get_mut(&to).and_then(|of| of.link.as_mut());
        let Some(link) = link else { return false };
        while let Some(name) = link.next_owed(&self.config) {
            let Some(frame) = self.cache.frame(&name) else { continue };
            self.stats.sent += 1;
            full |= link.load.queue(now, frame.bytes(), Feeder::Nobody, &self.config);
            out.push(Output::Send { to, frame: frame.clone() });
        }
        full
    }

    /// What was asked for came after so long.
    fn answered(&mut self, peer: NodeId, after: Duration) {
        let neighbour = self.neighbours.get_mut(&peer);
        if let Some(link) = neighbour.and_then(|of| of.link.as_mut()) {
            let before = link.answer_time;
            link.answer_time = after.max(before.saturating_sub(before / 4)).min(MAX_ANSWER);
        }
    }

    /// How long this neighbour took of late to give what was asked for.
    fn answer_time(&self, peer: NodeId) -> Duration {
        let link = self.neighbours.get(&peer).and_then(|of| of.link.as_ref());
        link.map_or(Duration::ZERO, |link| link.answer_time)
    }

    /// How long a frame from this neighbour may take: two round trips, or a bit.
    pub(super) fn patience(&self, peer: NodeId) -> Duration {
        self.config.graft_after.max(self.round_trip(peer).saturating_mul(2))
    }
}
