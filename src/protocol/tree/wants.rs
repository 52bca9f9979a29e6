//! Frames that are known to be missing, and whom to ask for them.

use std::collections::{BTreeMap, BTreeSet};

use super::frame::{Name, Source};
use crate::base::id::NodeId;
use crate::base::time::Time;

/// Most neighbours remembered to have a frame; any other may be asked too.
const MAX_OFFERS: usize = 8;

/// A missing frame.
#[derive(Debug)]
pub(super) struct Want {
    /// When it was first missed.
    pub since: Time,
    /// Who announced it first: not known when only a later frame came.
    pub announced: Option<NodeId>,
    /// Who is likely to have it, the likeliest first.
    pub offers: Vec<NodeId>,
    /// Who was asked in this round, and when.
    pub asked: Vec<(NodeId, Time)>,
    /// Rounds in which everybody was asked.
    pub rounds: u32,
    due: Time,
}

/// All missing frames, within a bound, in the order in which they are to be asked for.
#[derive(Debug)]
pub(super) struct Wants {
    wants: BTreeMap<Name, Want>,
    agenda: BTreeSet<(Time, Name)>,
    max: usize,
}

impl Wants {
    pub(super) fn new(max: usize) -> Self {
        Self { wants: BTreeMap::new(), agenda: BTreeSet::new(), max }
    }

    /// A neighbour has a frame that is missing here; to be asked for at `due`, if that is new.
    /// False when too many are missing.
    pub(super) fn offered(
        &mut self,
        now: Time,
        name: Name,
        by: NodeId,
        announced: bool,
        due: Time,
    ) -> bool {
        if let Some(want) = self.wants.get_mut(&name) {
            if announced {
                want.announced.get_or_insert(by);
            }
            if want.offers.len() < MAX_OFFERS && !want.offers.contains(&by) {
                want.offers.push(by);
            }
            return true;
        }
        if self.wants.len() >= self.max {
            return false;
        }
        let announced = announced.then_some(by);
        let (offers, asked) = (vec![by], Vec::new());
        self.put(name, Want { since: now, announced, offers, asked, rounds: 0, due }, due);
        true
    }

    /// A frame came: it is not missing any more.
    pub(super) fn take(&mut self, name: &Name) -> Option<Want> {
        if self.wants.is_empty() {
            return None;
        }
        let want = self.wants.remove(name)?;
        self.agenda.remove(&(want.due, *name));
        Some(want)
    }

    /// Takes out the next one to be asked for.
    pub(super) fn take_due(&mut self, now: Time) -> Option<(Name, Want)> {
        let (_, name) = *self.agenda.first().filter(|(due, _)| *due <= now)?;
        self.take(&name).map(|want| (name, want))
    }

    /// Puts one in, to be asked for at `due`.
    pub(super) fn put(&mut self, name: Name, want: Want, due: Time) {
        self.agenda.insert((due, name));
        self.wants.insert(name, Want { due, ..want });
    }

    /// Of which sources frames were announced that are not here, and by whom first.
    pub(super) fn announced(&self) -> impl Iterator<Item = (Source, NodeId)> + '_ {
        let all = self.wants.iter();
        all.filter_map(|(name, want)| Some((name.source, want.announced?)))
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.agenda.first().map(|(due, _)| *due)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.wants.len()
    }
}
