//! What is due when: one deadline outward, many inside.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::base::time::Time;

/// Things to do, each at most once, each at a time.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(bound = "K: Ord + Copy + Serialize + serde::de::DeserializeOwned")]
pub struct Agenda<K: Ord> {
    due: BTreeSet<(Time, K)>,
    at: BTreeMap<K, Time>,
}

impl<K: Copy + Ord> Agenda<K> {
    /// Do it then, and at no other time.
    pub fn set(&mut self, what: K, at: Time) {
        self.cancel(what);
        self.due.insert((at, what));
        self.at.insert(what, at);
    }

    /// Do it then, unless it is to be done sooner anyway.
    pub fn set_by(&mut self, what: K, at: Time) {
        if self.at.get(&what).is_none_or(|set| at < *set) {
            self.set(what, at);
        }
    }

    pub fn cancel(&mut self, what: K) {
        if let Some(at) = self.at.remove(&what) {
            self.due.remove(&(at, what));
        }
    }

    /// The next thing that is due, taken off the agenda.
    pub fn pop(&mut self, now: Time) -> Option<K> {
        let (at, what) = *self.due.first()?;
        if at > now {
            return None;
        }
        self.cancel(what);
        Some(what)
    }

    /// What of the chosen is due already is due later.
    pub fn postpone(&mut self, now: Time, later: Time, chosen: impl Fn(&K) -> bool) {
        let due = self.due.iter().take_while(|(at, _)| *at <= now).map(|(_, what)| *what);
        let late: Vec<K> = due.filter(chosen).collect();
        late.into_iter().for_each(|what| self.set(what, later));
    }

    pub fn deadline(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Keeps only some of it.
    pub fn retain(&mut self, keep: impl Fn(&K) -> bool) {
        self.due.retain(|(_, what)| keep(what));
        self.at.retain(|what, _| keep(what));
    }
}

impl<K: Ord> Default for Agenda<K> {
    fn default() -> Self {
        Self { due: BTreeSet::new(), at: BTreeMap::new() }
    }
}
