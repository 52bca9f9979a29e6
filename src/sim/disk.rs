//! What a node remembers over its starts: slow, failing, or torn by a crash.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::sim::scenario::DiskModel;
use crate::store::op::{Op, Space};

/// A row's place: its table and its key.
type Place = (u8, Vec<u8>);

/// What a crash would take back: what stood there before.
type Before = Vec<(Place, Option<Vec<u8>>)>;

/// The store of one node.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    rows: BTreeMap<Place, Vec<u8>>,
    /// The last batches, which a torn disk loses with a crash.
    young: VecDeque<Before>,
    poisoned: bool,
}

/// A write failed. Everything after it fails too, until the node starts again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Poisoned;

fn place(space: Space, key: &[u8]) -> Place {
    let table = match space {
        Space::Node => 0,
    };
    (table, key.to_vec())
}

impl Disk {
    /// Takes a batch; it is acknowledged after the time that is returned.
    pub fn write(
        &mut self,
        ops: &[Op],
        model: &DiskModel,
        rng: &mut ChaCha8Rng,
    ) -> Result<Duration, Poisoned> {
        if self.poisoned || model.failing > 0.0 && rng.random_bool(model.failing) {
            self.poisoned = true;
            return Err(Poisoned);
        }
        let mut before = Vec::new();
        for op in ops {
            let Op::Put { space, key, value } = op;
            let place = place(*space, key);
            before.push((place.clone(), self.rows.insert(place, value.clone())));
        }
        self.young.push_back(before);
        while self.young.len() > model.torn as usize {
            self.young.pop_front();
        }
        Ok(model.delay.0)
    }

    /// The process ended without warning: what is young is gone, a poison too.
    pub fn crash(&mut self) {
        self.poisoned = false;
        while let Some(before) = self.young.pop_back() {
            for (place, value) in before.into_iter().rev() {
                match value {
                    Some(value) => self.rows.insert(place, value),
                    None => self.rows.remove(&place),
                };
            }
        }
    }

    /// The value under a key.
    pub fn read(&self, space: Space, key: &[u8]) -> Option<&[u8]> {
        self.rows.get(&place(space, key)).map(Vec::as_slice)
    }
}
