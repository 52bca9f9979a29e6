//! Announcements that are gathered before they go out.

use std::collections::BTreeMap;
use std::time::Duration;

use super::frame::{Name, Source};
use super::wire::{MAX_RUNS, Message, Run, WINDOW};
use crate::base::time::Time;

/// What came since the last announcement, as runs per source.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    news: BTreeMap<Source, News>,
    due: Option<Time>,
}

/// What came of one source.
#[derive(Debug, Default)]
pub(super) struct News {
    runs: Vec<(u64, u64)>,
    /// Not all of it was brought by the parent, so it may be news there too.
    pub astray: bool,
}

impl News {
    /// The runs, oldest arrival first.
    pub(super) fn runs(&self, source: Source) -> impl Iterator<Item = Run> + '_ {
        self.runs.iter().map(move |(from, to)| Run { source, from: *from, to: *to })
    }
}

impl Gathered {
    /// A frame came first, and not from the parent when it came `astray`. In order, a source has
    /// one run.
    pub(super) fn add(&mut self, now: Time, name: Name, astray: bool, wait: Duration) {
        self.due.get_or_insert(now + wait);
        let news = self.news.entry(name.source).or_default();
        news.astray |= astray;
        // More gaps within milliseconds are made on purpose: what is left out can be asked for.
        let fits = news.runs.len() < MAX_RUNS;
        match news.runs.last_mut() {
            Some((_, to)) if to.checked_add(1) == Some(name.sequence) => *to = name.sequence,
            _ if fits => news.runs.push((name.sequence, name.sequence)),
            _ => {}
        }
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.due
    }

    /// What was gathered of one source.
    pub(super) fn of(&self, source: Source) -> impl Iterator<Item = Run> + '_ {
        self.news.get(&source).into_iter().flat_map(move |news| news.runs(source))
    }

    /// Takes all that was gathered.
    pub(super) fn take(&mut self) -> BTreeMap<Source, News> {
        self.due = None;
        std::mem::take(&mut self.news)
    }
}

/// Runs as messages that are small enough.
pub(super) fn messages(runs: &[Run]) -> impl Iterator<Item = Message> + '_ {
    runs.chunks(MAX_RUNS).map(|runs| Message::Announce(runs.to_vec()))
}

/// The sequences of a run that count: the newest `WINDOW`; none of one that makes no sense.
pub(super) fn counted(run: &Run) -> std::ops::RangeInclusive<u64> {
    run.from.max(run.to.saturating_sub(WINDOW - 1)).max(1)..=run.to
}
