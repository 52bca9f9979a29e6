//! The trees: one per source.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::frame::Source;
use super::seen::Seen;
use crate::base::id::{Life, NodeId};
use crate::base::time::Time;

/// Announcements in a row that came clearly before the frame, until the link is asked for frames.
/// Doubles with every time that it was, so that a link which only announces fast ends the trying.
const EARLY: u32 = 8;

/// A longer pause is one of the author.
const MAX_SILENCE: Duration = Duration::from_millis(500);

/// What this node knows of one source: its place in the tree.
#[derive(Debug)]
pub(super) struct Tree {
    /// Which of its frames were here.
    pub seen: Seen,
    /// Who brings its frames; nobody while that is open.
    pub parent: Option<NodeId>,
    /// When the last frame came first, and which it was.
    pub progress: (Time, u64),
    /// How long no frame came, of late, although more followed.
    pub silence: Duration,
    /// Neighbours to whom its frames are only announced.
    lazy: BTreeSet<NodeId>,
    /// Neighbours that were asked to only announce, and when.
    pruned: BTreeMap<NodeId, Time>,
    /// Neighbours whose announcements came before the frames.
    early: BTreeMap<NodeId, Early>,
}

#[derive(Clone, Copy, Debug)]
struct Early {
    in_a_row: u32,
    needed: u32,
}

impl Tree {
    fn new(now: Time, first: u64) -> Self {
        Self {
            seen: Seen::before(first),
            parent: None,
            progress: (now, first.saturating_sub(1)),
            silence: Duration::ZERO,
            lazy: BTreeSet::new(),
            pruned: BTreeMap::new(),
            early: BTreeMap::new(),
        }
    }

    /// Whether frames are sent to a neighbour at once. Not to who brings them: it has them, and
    /// would take the copy for a sign that we need nothing from it.
    pub(super) fn is_eager(&self, peer: NodeId) -> bool {
        self.parent != Some(peer) && !self.lazy.contains(&peer)
    }

    pub(super) fn set_eager(&mut self, peer: NodeId, eager: bool) {
        if eager {
            self.lazy.remove(&peer);
        } else {
            self.lazy.insert(peer);
        }
    }

    /// A frame came first from this neighbour.
    pub(super) fn brought_by(
        &mut self,
        now: Time,
        peer: NodeId,
        sequence: u64,
        is_front: bool,
        patience: Duration,
    ) {
        self.breathe(now);
        self.progress = (now, sequence);
        // What a neighbour sent before it heard that it should not does not make it the parent.
        let may_lead = is_front || self.parent.is_none();
        if may_lead && !self.is_pruned(now, peer, patience) {
            self.pruned.remove(&peer);
            self.parent = Some(peer);
        }
    }

    /// Remembers the longest pause between frames, less and less while they come without one.
    fn breathe(&mut self, now: Time) {
        let pause = now.since(self.progress.0);
        if pause < MAX_SILENCE {
            self.silence = pause.max(self.silence.saturating_sub(pause / 4));
        }
    }

    fn is_pruned(&self, now: Time, peer: NodeId, patience: Duration) -> bool {
        self.pruned.get(&peer).is_some_and(|at| now.since(*at) < patience)
    }

    /// A further copy came from this neighbour. True when it is to be told that it need not send:
    /// again after `patience`, because the first word may have crossed a request for frames.
    pub(super) fn prune(&mut self, now: Time, peer: NodeId, patience: Duration) -> bool {
        self.lazy.insert(peer);
        if self.parent == Some(peer) {
            return false;
        }
        let told = self.is_pruned(now, peer, patience);
        if !told {
            self.pruned.insert(peer, now);
        }
        !told
    }

    /// This neighbour is asked for frames, so it may bring them.
    pub(super) fn grafted(&mut self, peer: NodeId) {
        self.pruned.remove(&peer);
        self.parent = self.parent.or(Some(peer));
    }

    /// A frame came after this neighbour had announced it, clearly. True when that happened often
    /// enough to ask it for frames.
    pub(super) fn was_early(&mut self, peer: NodeId) -> bool {
        let early = self.early.entry(peer).or_insert(Early { in_a_row: 0, needed: EARLY });
        early.in_a_row = early.in_a_row.saturating_add(1);
        let enough = early.in_a_row >= early.needed;
        if enough {
            *early = Early { in_a_row: 0, needed: early.needed.saturating_mul(2) };
        }
        enough
    }

    /// A frame came before anybody announced it, or soon after.
    pub(super) fn was_in_time(&mut self) {
        self.early.values_mut().for_each(|early| early.in_a_row = 0);
    }

    /// The link to a neighbour is gone, or new: nothing is known of it.
    pub(super) fn forget(&mut self, peer: NodeId) {
        self.lazy.remove(&peer);
        self.pruned.remove(&peer);
        self.early.remove(&peer);
        self.parent = self.parent.filter(|parent| *parent != peer);
    }
}

/// The trees of all sources, within a bound.
#[derive(Debug)]
pub(super) struct Grove {
    trees: BTreeMap<Source, Tree>,
    max: usize,
    /// Trees that had to leave.
    forgotten: u64,
}

impl Grove {
    pub(super) fn new(max: usize) -> Self {
        Self { trees: BTreeMap::new(), max, forgotten: 0 }
    }

    /// The tree of a source, planted if there was none; `first` is the sequence that came. True
    /// when nothing is known of its links.
    ///
    /// A new tree begins as its author's last one is now: the author stands where it stood.
    pub(super) fn open(&mut self, now: Time, source: Source, first: u64) -> (&mut Tree, bool) {
        let new = !self.trees.contains_key(&source);
        if new && self.trees.len() >= self.max {
            self.drop_quietest();
        }
        let like = new.then(|| self.last_of(source.author)).flatten();
        let unknown = new && like.is_none();
        let tree = self.trees.entry(source).or_insert_with(|| {
            let tree = Tree::new(now, first);
            let Some((lazy, pruned, parent)) = like else { return tree };
            Tree { lazy, pruned, parent, ..tree }
        });
        (tree, unknown)
    }

    pub(super) fn tree(&self, source: &Source) -> Option<&Tree> {
        self.trees.get(source)
    }

    pub(super) fn tree_mut(&mut self, source: &Source) -> Option<&mut Tree> {
        self.trees.get_mut(source)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Source, &Tree)> {
        self.trees.iter()
    }

    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    pub(super) fn len(&self) -> usize {
        self.trees.len()
    }

    /// See [`Tree::forget`].
    pub(super) fn forget(&mut self, peer: NodeId) {
        self.trees.values_mut().for_each(|tree| tree.forget(peer));
    }

    fn drop_quietest(&mut self) {
        let quietest = self.trees.iter().min_by_key(|(_, tree)| tree.progress.0);
        if let Some(source) = quietest.map(|(source, _)| *source) {
            self.trees.remove(&source);
            self.forgotten += 1;
        }
    }

    #[expect(clippy::type_complexity, reason = "the links of a tree, taken apart once")]
    fn last_of(
        &self,
        author: NodeId,
    ) -> Option<(BTreeSet<NodeId>, BTreeMap<NodeId, Time>, Option<NodeId>)> {
        let first = Source { author, life: Life(0), bucket: 0 };
        let last = Source { author, life: Life(u64::MAX), bucket: u16::MAX };
        let trees = self.trees.range(first..=last);
        let newest = trees.map(|(_, tree)| tree).max_by_key(|tree| tree.progress.0)?;
        Some((newest.lazy.clone(), newest.pruned.clone(), newest.parent))
    }
}
