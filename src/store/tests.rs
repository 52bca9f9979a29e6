//! What the disk keeps, refuses and survives.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::{Op, Space, Store, StoreError};

const LIFE: &[u8] = b"life";
const PATIENCE: Duration = Duration::from_secs(30);

fn put(key: &[u8], value: u64) -> Op {
    Op::Put { space: Space::Node, key: key.to_vec(), value: value.to_be_bytes().to_vec() }
}

/// Writes and waits until it is on disk, or never will be.
fn write(store: &Store, ops: Vec<Op>) -> Result<(), StoreError> {
    let (sender, stored) = mpsc::sync_channel(1);
    store.submit(ops, move |result| sender.send(result).unwrap());
    stored.recv_timeout(PATIENCE).expect("the writer answers")
}

fn read(store: &Store, key: &[u8]) -> Option<u64> {
    let value = store.read(Space::Node, key).unwrap();
    value.map(|bytes| u64::from_be_bytes(bytes.try_into().unwrap()))
}

#[test]
fn a_value_survives_closing_and_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(read(&store, LIFE), None, "a new store knows nothing");
    assert_eq!(write(&store, vec![put(LIFE, 1)]), Ok(()));
    assert_eq!(write(&store, vec![put(LIFE, 2), put(b"other", 9)]), Ok(()));
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!((read(&store, LIFE), read(&store, b"other")), (Some(2), Some(9)));
}

#[test]
fn what_was_accepted_is_on_disk_when_the_store_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (sender, stored) = mpsc::sync_channel(500);
    for value in 0..500_u64 {
        let sender = sender.clone();
        let done = move |result: Result<(), _>| sender.send(result.map(|()| value)).unwrap();
        store.submit(vec![put(&value.to_be_bytes(), value)], done);
    }
    drop(store);
    let order: Vec<_> = stored.try_iter().collect();
    assert_eq!(order, (0..500).map(Ok).collect::<Vec<_>>(), "each is told once, in order");
    let store = Store::open(folder.path()).unwrap();
    assert!((0..500_u64).all(|value| read(&store, &value.to_be_bytes()) == Some(value)));
}

#[test]
fn a_store_that_is_open_elsewhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = Store::open(folder.path()).unwrap();
    let path = folder.path().join("store.redb");
    assert_eq!(Store::open(folder.path()).err(), Some(StoreError::InUse { path }));
    drop(first);
    assert!(Store::open(folder.path()).is_ok());
}

#[test]
fn a_file_that_is_no_store_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    fs::write(&path, b"the diary of somebody else").unwrap();
    let refused = Store::open(folder.path()).err();
    assert!(matches!(refused, Some(StoreError::Open { .. })), "{refused:?}");
    assert_eq!(fs::read(&path).unwrap(), b"the diary of somebody else");
}

#[test]
fn a_folder_that_is_missing_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let refused = Store::open(&folder.path().join("missing")).err();
    assert!(matches!(refused, Some(StoreError::Open { .. })), "{refused:?}");
}

/// Set for the process that `a_killed_node_…` starts and kills: the folder of its store.
const VICTIM: &str = "GOSSIP_MESH_STORE_VICTIM";

/// Not a test of its own: writes one value after the other, and says each that is stored.
#[test]
#[ignore = "run and killed by the test below"]
fn victim() {
    let Some(folder) = std::env::var_os(VICTIM) else { return };
    let store = Store::open(Path::new(&folder)).unwrap();
    let first = read(&store, LIFE).unwrap_or(0) + 1;
    for value in first.. {
        write(&store, vec![put(LIFE, value), put(b"twin", value)]).unwrap();
        println!("stored {value}");
    }
}

#[test]
fn a_killed_node_finds_what_it_was_told_is_stored_and_nothing_by_halves() {
    let folder = tempfile::tempdir().unwrap();
    let mut stored = 0;
    for victim in 1..=8 {
        stored = kill_while_writing(folder.path(), victim * 3).max(stored);
        let store = Store::open(folder.path()).expect("it opens again after a crash");
        let (life, twin) = (read(&store, LIFE).unwrap(), read(&store, b"twin").unwrap());
        assert_eq!(life, twin, "changes given together are seen together");
        assert!((stored..=stored + 1).contains(&life), "{life}, but {stored} was acknowledged");
    }
}

/// Kills a writing process in the middle of its work; gives the last value it said is stored.
fn kill_while_writing(folder: &Path, after: usize) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::tests::victim", "--ignored", "--nocapture", "--quiet"])
        .env(VICTIM, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut values = lines.filter_map(|line| line.unwrap().strip_prefix("stored ")?.parse().ok());
    let seen = values.by_ref().take(after).last().expect("the victim writes");
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said between our last look and its death counts as well.
    values.last().unwrap_or(seen)
}

/// A file system of two megabytes; gone when dropped.
struct TinyDisk(tempfile::TempDir);

impl TinyDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(folder.path());
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then_some(Self(folder))
    }
}

impl Drop for TinyDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).output();
    }
}

#[test]
fn a_full_disk_poisons_the_store_and_loses_nothing_that_was_stored() {
    let Some(disk) = TinyDisk::mount() else {
        // Past the harness, which would swallow it.
        let reason = "SKIPPED: a full disk cannot be tried, because mounting a tmpfs needs root";
        return writeln!(std::io::stderr(), "{reason}").unwrap();
    };
    let store = Store::open(disk.0.path()).unwrap();
    write(&store, vec![put(LIFE, 7)]).unwrap();
    let large = Op::Put { space: Space::Node, key: b"large".to_vec(), value: vec![1; 8 << 20] };
    let refused = write(&store, vec![put(LIFE, 8), large]);
    assert!(matches!(refused, Err(StoreError::Poisoned(_))), "{refused:?}");
    let refused = write(&store, vec![put(LIFE, 9)]);
    assert!(matches!(refused, Err(StoreError::Poisoned(_))), "poisoned for good: {refused:?}");
    drop(store);
    let store = Store::open(disk.0.path()).expect("it opens again after a start");
    assert_eq!(read(&store, LIFE), Some(7));
}
