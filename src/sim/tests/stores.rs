//! The store model.

use std::time::Duration;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::sim::disk::{Disk, Poisoned};
use crate::sim::scenario::{DiskModel, Span};
use crate::store::op::{Op, Space};

fn put(value: u8) -> [Op; 1] {
    [Op::Put { space: Space::Node, key: b"k".to_vec(), value: vec![value] }]
}

fn write(disk: &mut Disk, value: u8, model: &DiskModel) -> Result<Duration, Poisoned> {
    disk.write(&put(value), model, &mut ChaCha8Rng::seed_from_u64(1))
}

#[test]
fn what_is_written_outlives_a_crash_after_its_delay() {
    let model = DiskModel { delay: Span::millis(3), ..DiskModel::default() };
    let mut disk = Disk::default();
    assert_eq!(write(&mut disk, 1, &model), Ok(Duration::from_millis(3)));
    disk.crash();
    assert_eq!(disk.read(Space::Node, b"k"), Some(&[1][..]));
}

#[test]
fn a_torn_disk_loses_the_last_writes_with_a_crash() {
    let model = DiskModel { torn: 2, ..DiskModel::default() };
    let mut disk = Disk::default();
    for value in 1..=4 {
        write(&mut disk, value, &model).unwrap();
    }
    assert_eq!(disk.read(Space::Node, b"k"), Some(&[4][..]));
    disk.crash();
    assert_eq!(disk.read(Space::Node, b"k"), Some(&[2][..]));
}

#[test]
fn a_failed_write_poisons_until_the_next_start() {
    let mut disk = Disk::default();
    let failing = DiskModel { failing: 1.0, ..DiskModel::default() };
    assert_eq!(write(&mut disk, 1, &failing), Err(Poisoned));
    assert_eq!(write(&mut disk, 1, &DiskModel::default()), Err(Poisoned));
    disk.crash();
    assert!(write(&mut disk, 1, &DiskModel::default()).is_ok());
}
