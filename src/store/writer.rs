//! The one writer: a thread that commits what waits, many changes with one fsync.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use redb::{Database, DatabaseError, ReadableDatabase, TableDefinition};

use super::error::StoreError;
use super::op::{Op, Space};

/// Batches that may wait for the writer; a further one waits for a place.
const MAX_WAITING: usize = 256;

const NODE: TableDefinition<&[u8], &[u8]> = TableDefinition::new("node");

const fn table(space: Space) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    match space {
        Space::Node => NODE,
    }
}

/// Called from the writer's thread when a batch is on disk, or will never be.
type Stored = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

struct Batch {
    ops: Vec<Op>,
    stored: Stored,
}

/// The node's memory on disk. Dropping it waits for what was accepted to be written.
pub struct Store {
    database: Arc<Database>,
    batches: Option<SyncSender<Batch>>,
    writer: Option<JoinHandle<()>>,
}

impl Store {
    /// Opens the store in a data folder, or makes it.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process has it, [`StoreError::Open`] for the rest.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join("store.redb");
        let database = Arc::new(open(&path)?);
        // The file's name is on disk as well, or a power cut could take all of it.
        sync_folder(folder)
            .map_err(|error| StoreError::Open { path: path.clone(), reason: error.to_string() })?;
        let (batches, waiting) = sync_channel(MAX_WAITING);
        let writing = database.clone();
        let writer = std::thread::Builder::new()
            .name("gossip-store".to_owned())
            .spawn(move || write_all(&writing, &waiting))
            .map_err(|error| StoreError::Open { path, reason: error.to_string() })?;
        Ok(Self { database, batches: Some(batches), writer: Some(writer) })
    }

    /// The value under a key.
    ///
    /// # Errors
    /// [`StoreError::Read`] when the disk or the file is broken.
    pub fn read(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let broken = |error: redb::Error| StoreError::Read(error.to_string());
        let transaction = self.database.begin_read().map_err(|error| broken(error.into()))?;
        let rows = match transaction.open_table(table(space)) {
            Ok(rows) => rows,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(broken(error.into())),
        };
        let row = rows.get(key).map_err(|error| broken(error.into()))?;
        Ok(row.map(|value| value.value().to_vec()))
    }

    /// Hands changes to the writer; `stored` is called when they are on disk, or never will be.
    pub fn submit(
        &self,
        ops: Vec<Op>,
        stored: impl FnOnce(Result<(), StoreError>) + Send + 'static,
    ) {
        let batch = Batch { ops, stored: Box::new(stored) };
        let refused = match &self.batches {
            Some(batches) => batches.send(batch).err().map(|refused| refused.0),
            None => Some(batch),
        };
        if let Some(batch) = refused {
            (batch.stored)(Err(StoreError::Poisoned("the writer has stopped".to_owned())));
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        drop(self.batches.take());
        if let Some(writer) = self.writer.take() {
            // A panicked writer has nothing left to wait for.
            let _ = writer.join();
        }
    }
}

fn open(path: &PathBuf) -> Result<Database, StoreError> {
    Database::create(path).map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen => StoreError::InUse { path: path.clone() },
        error => StoreError::Open { path: path.clone(), reason: error.to_string() },
    })
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

/// Elsewhere folders cannot be opened as files, and need not be.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

fn write_all(database: &Database, waiting: &Receiver<Batch>) {
    let mut poison = None;
    while let Ok(first) = waiting.recv() {
        let more = waiting.try_iter().take(MAX_WAITING);
        let batches: Vec<Batch> = std::iter::once(first).chain(more).collect();
        let result = match &poison {
            Some(error) => Err(StoreError::clone(error)),
            None => commit(database, &batches),
        };
        if let Err(error) = &result {
            poison.get_or_insert_with(|| error.clone());
        }
        for batch in batches {
            (batch.stored)(result.clone());
        }
    }
}

/// All batches in one transaction, so with one fsync.
fn commit(database: &Database, batches: &[Batch]) -> Result<(), StoreError> {
    let write = || -> Result<(), redb::Error> {
        let mut transaction = database.begin_write()?;
        transaction.set_two_phase_commit(true);
        for op in batches.iter().flat_map(|batch| &batch.ops) {
            let Op::Put { space, key, value } = op;
            transaction.open_table(table(*space))?.insert(key.as_slice(), value.as_slice())?;
        }
        transaction.commit()?;
        Ok(())
    };
    write().map_err(|error| StoreError::Poisoned(error.to_string()))
}
