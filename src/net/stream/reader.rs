//! Reads the packets of one peer.

use std::io;
use std::sync::Arc;

use futures::{AsyncRead, AsyncReadExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::frame::{Flaw, Frame, Frames, Kind, Limits};
use super::report::Reporter;
use crate::base::id::NodeId;
use crate::base::signer::Verifier;
use crate::engine::frame::Packet;

/// Bytes read at most in one go: first, and by those who have much to read. Most links are idle,
/// and there may be a thousand.
const MIN_BUFFER: usize = 8 * 1024;
const MAX_BUFFER: usize = 128 * 1024;

/// Packets after which it is the turn of other tasks: some 50 us each, for their signatures.
const TURN: usize = 8;

/// Most bytes of packets that wait for the driver, of all peers together. A packet that is larger
/// waits alone. All of them may be for one link that is full already, so they have to find room in
/// its queue.
pub(super) const MAX_WAITING: usize = 2 * 1024 * 1024;

/// Most packets that wait for the driver.
pub(super) const MAX_WAITING_PACKETS: usize = 1024;

/// A packet on its way to the driver.
#[derive(Debug)]
pub(super) struct Arrival {
    pub from: NodeId,
    pub packet: Packet,
    /// Its share of what may wait, given back when the driver takes it.
    _share: OwnedSemaphorePermit,
}

/// Where readers put what they read.
#[derive(Clone, Debug)]
pub(super) struct Inbox {
    pub packets: mpsc::Sender<Arrival>,
    pub shares: Arc<Semaphore>,
}

impl Inbox {
    /// The inbox, and where the driver takes from it.
    pub fn new() -> (Self, mpsc::Receiver<Arrival>) {
        let (packets, taken) = mpsc::channel(MAX_WAITING_PACKETS);
        (Self { packets, shares: Arc::new(Semaphore::new(MAX_WAITING)) }, taken)
    }

    /// Waits while there is too much. `None` when the driver is gone.
    async fn put(&self, from: NodeId, packet: Packet, bytes: usize) -> Option<()> {
        let share = u32::try_from(bytes.min(MAX_WAITING)).unwrap_or(u32::MAX);
        let _share = self.shares.clone().acquire_many_owned(share).await.ok()?;
        self.packets.send(Arrival { from, packet, _share }).await.ok()
    }
}

/// Why a reader stopped.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error(transparent)]
    Broken(#[from] io::Error),
    #[error(transparent)]
    Refused(#[from] Flaw),
    #[error("the driver is gone")]
    Abandoned,
}

/// Reads one stream of a peer. Signatures are checked here, so that the driver has no work with
/// them.
#[derive(Debug)]
pub(super) struct Eye {
    from: NodeId,
    limits: Limits,
    verifier: Verifier,
    inbox: Inbox,
    /// While true, batches are not handed on, and so not read.
    held: watch::Receiver<bool>,
}

impl Eye {
    pub fn new(from: NodeId, limits: Limits, inbox: Inbox, held: watch::Receiver<bool>) -> Self {
        Self { from, limits, verifier: Verifier::default(), inbox, held }
    }

    /// Reads packets until the stream ends or breaks a rule.
    pub async fn watch<S: AsyncRead + Unpin>(mut self, stream: S, reporter: Reporter) {
        match self.read(stream).await {
            End::Broken(error) => reporter.broken(&error).await,
            End::Refused(flaw) => reporter.refused(flaw).await,
            End::Abandoned => {}
        }
    }

    async fn read<S: AsyncRead + Unpin>(&mut self, mut stream: S) -> End {
        let mut frames = Frames::new(self.limits);
        let mut buffer = vec![0; MIN_BUFFER];
        let mut packets = 0_usize;
        loop {
            let read = match stream.read(&mut buffer).await {
                Ok(0) => return io::Error::from(io::ErrorKind::UnexpectedEof).into(),
                Ok(read) => read,
                Err(error) => return error.into(),
            };
            let mut rest = buffer.get(..read).unwrap_or_default();
            loop {
                match frames.next(&mut rest) {
                    Ok(None) => break,
                    Ok(Some(frame)) => {
                        if let Err(end) = self.hand_on(&frame).await {
                            return end;
                        }
                        packets = packets.wrapping_add(1);
                        if packets.is_multiple_of(TURN) {
                            tokio::task::yield_now().await;
                        }
                    }
                    Err(flaw) => return flaw.into(),
                }
            }
            if read == buffer.len() && read < MAX_BUFFER {
                buffer.resize(2 * read, 0);
            }
        }
    }

    async fn hand_on(&mut self, frame: &Frame) -> Result<(), End> {
        let packet = frame.open(self.limits, &self.verifier)?;
        if frame.kind == Kind::Batch {
            self.held.wait_for(|held| !held).await.map_err(|_gone| End::Abandoned)?;
        }
        self.inbox.put(self.from, packet, frame.len()).await.ok_or(End::Abandoned)
    }
}
