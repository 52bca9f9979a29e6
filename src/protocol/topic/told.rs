//! Receipts that were told to a neighbour, until it is known whether they arrived.

use std::time::Duration;

use hashlink::LinkedHashMap;

use super::relay::Bundle;
use crate::base::time::Time;
use crate::base::token::Token;

/// Most bundles under way at once.
const MAX_BUNDLES: usize = 4_096;

/// Most readers in all of them together (about 4 MB): one neighbour alone can fill bundles to the
/// brim, and it costs it nothing.
pub(crate) const MAX_TOLD_READERS: usize = 65_536;

/// How long one is under way at most. (Guess: far above the time a failed `Tell` needs.)
const MAX_AGE: Duration = Duration::from_secs(30);

/// Bundles under way, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Told {
    bundles: LinkedHashMap<Token, (Time, Bundle)>,
    readers: usize,
}

impl Told {
    /// Remembers a bundle. Returns how many receipts are not remembered any more to make room.
    pub(crate) fn insert(&mut self, now: Time, token: Token, bundle: Bundle) -> usize {
        self.readers += bundle.readers.len();
        self.bundles.insert(token, (now, bundle));
        let mut lost = 0;
        while self.is_over(now)
            && let Some((_, (_, oldest))) = self.bundles.pop_front()
        {
            self.readers = self.readers.saturating_sub(oldest.readers.len());
            lost += oldest.readers.len();
        }
        lost
    }

    /// Its fate is known.
    pub(crate) fn remove(&mut self, token: Token) -> Option<Bundle> {
        let (_, bundle) = self.bundles.remove(&token)?;
        self.readers = self.readers.saturating_sub(bundle.readers.len());
        Some(bundle)
    }

    /// How many receipts are under way.
    #[cfg(test)]
    pub(crate) fn readers(&self) -> usize {
        self.readers
    }

    fn is_over(&self, now: Time) -> bool {
        let old = |at: Time| now.since(at) > MAX_AGE;
        self.readers > MAX_TOLD_READERS
            || self.bundles.len() > MAX_BUNDLES
            || self.bundles.front().is_some_and(|(_, (at, _))| old(*at))
    }
}
