//! When this node goes on too fast: more and more comes while something before it is missing, and
//! what is missing may be gone everywhere before it was asked for.

use std::time::Duration;

use crate::base::time::Time;

/// So many bytes wait for what is missing. Neighbours keep 4 MiB at least to repair it, and what is
/// on its way comes all the same: about 1 MiB for every node between here and the author.
const BEGIN: usize = 1024 * 1024;

/// So few bytes are what overtakes on its way.
const END: usize = BEGIN / 4;

/// How long others wait for it. A repair takes 60 ms and a round trip, or a second where all have
/// too much to do; what nobody gave in this time nobody has.
const LIMIT: Duration = Duration::from_secs(2);

/// Whether the carrier should wait, and since when.
#[derive(Debug, Default)]
pub(super) struct Behind {
    since: Option<Time>,
    /// It has waited for as long as it may, and does not again before all is well.
    in_vain: bool,
}

impl Behind {
    /// Looks at how many bytes came too early. `Some` when the carrier is to wait from now on, or
    /// to go on.
    pub(super) fn look(&mut self, now: Time, early: usize) -> Option<bool> {
        if early <= END {
            self.in_vain = false;
            return self.since.take().map(|_| false);
        }
        match self.since {
            Some(since) if now.since(since) >= LIMIT => {
                self.in_vain = true;
                self.since = None;
                Some(false)
            }
            None if early > BEGIN && !self.in_vain => {
                self.since = Some(now);
                Some(true)
            }
            _ => None,
        }
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.since.map(|since| since + LIMIT)
    }
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, Behind, END, LIMIT};
    use crate::base::time::Time;

    #[test]
    fn others_wait_until_the_repair_and_not_for_ever() {
        let (mut behind, start) = (Behind::default(), Time::ZERO);
        assert_eq!(behind.look(start, BEGIN), None);
        assert_eq!(behind.look(start, BEGIN + 1), Some(true));
        assert_eq!(behind.look(start, END + 1), None);
        assert_eq!(behind.look(start, END), Some(false));
        // What cannot be repaired is waited for once.
        assert_eq!(behind.look(start, BEGIN + 1), Some(true));
        let late = start + LIMIT;
        assert_eq!(behind.deadline(), Some(late));
        assert_eq!(behind.look(late, BEGIN + 1), Some(false));
        assert_eq!((behind.look(late, 2 * BEGIN), behind.deadline()), (None, None));
        assert_eq!(behind.look(late, 0), None);
        assert_eq!(behind.look(late, BEGIN + 1), Some(true));
    }
}
