//! A memory with two bounds: how many, and how long.

use std::hash::Hash;
use std::time::Duration;

use hashlink::LinkedHashMap;

use crate::base::time::Time;

/// Remembers at most `max` entries for at most `age`; the oldest is forgotten first.
///
/// Old entries leave when new ones come, so an idle memory may hold them longer; never more of
/// them.
#[derive(Debug)]
pub(crate) struct Bounded<K, V> {
    entries: LinkedHashMap<K, (Time, V)>,
    max: usize,
    age: Duration,
}

impl<K: Eq + Hash, V> Bounded<K, V> {
    pub(crate) fn new(max: usize, age: Duration) -> Self {
        Self { entries: LinkedHashMap::new(), max, age }
    }

    /// Remembers a new entry. One that is there already becomes the newest.
    pub(crate) fn insert(&mut self, now: Time, key: K, value: V) {
        self.entries.insert(key, (now, value));
        while self.is_over(now) {
            self.entries.pop_front();
        }
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).map(|(_, value)| value)
    }

    pub(crate) fn contains(&self, key: &K) -> bool {
        self.entries.contains_key(key)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    fn is_over(&self, now: Time) -> bool {
        let old = |at: Time| now.since(at) > self.age;
        self.entries.len() > self.max || self.entries.front().is_some_and(|(_, (at, _))| old(*at))
    }
}
