//! Writes the packets for one peer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use futures::future::poll_fn;
use futures::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::frame::{Frame, Kind};
use super::queue::Queue;
use super::report::Reporter;

/// Bytes of a whole write: yamux makes one frame of each, and cuts larger ones to this.
const WHOLE: usize = 16 * 1024;

/// Bytes taken from the queue in one go.
const LOAD: usize = 256 * 1024;

/// Bytes of batches that are reported as written together, and at the end of a load what is left:
/// what is seen of a slow link should not be that it stands still.
const REPORT: usize = 64 * 1024;

/// Writes what is in the queue until the stream ends, and tells how many bytes of batches were
/// written. Gathers small packets while there are more, and writes a single one at once.
pub(super) async fn write<S>(stream: S, queue: Arc<Queue>, reporter: Reporter)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let pen = Pen { stream, begun: Vec::new() };
    let error = pen.write(&queue, &reporter).await;
    reporter.broken(&error).await;
}

struct Pen<S> {
    stream: S,
    /// Less than a whole write, which waits for more.
    begun: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Pen<S> {
    async fn write(mut self, queue: &Queue, reporter: &Reporter) -> io::Error {
        loop {
            if let Err(error) = self.write_some(queue, reporter).await {
                return error;
            }
        }
    }

    async fn write_some(&mut self, queue: &Queue, reporter: &Reporter) -> io::Result<()> {
        let mut load = Vec::new();
        queue.take(LOAD, &mut load);
        if load.is_empty() {
            self.flush().await?;
            return self.wait(queue).await;
        }
        let mut batches = 0;
        for frame in load {
            self.put(&frame.head()).await?;
            self.put(&frame.body).await?;
            batches += batch_bytes(&frame);
            if batches >= REPORT {
                reporter.sent(std::mem::take(&mut batches)).await;
            }
        }
        if batches > 0 {
            reporter.sent(batches).await;
        }
        Ok(())
    }

    /// Fills up whole writes, and keeps the rest for the next packet.
    async fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        if !self.begun.is_empty() || rest.len() < WHOLE {
            let (near, far) = rest.split_at(rest.len().min(WHOLE - self.begun.len()));
            self.begun.extend_from_slice(near);
            rest = far;
            if self.begun.len() < WHOLE {
                return Ok(());
            }
            self.write_begun().await?;
        }
        let (whole, far) = rest.split_at(rest.len() - rest.len() % WHOLE);
        write_all(&mut self.stream, whole).await?;
        self.begun.extend_from_slice(far);
        Ok(())
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.write_begun().await?;
        self.stream.flush().await
    }

    async fn write_begun(&mut self) -> io::Result<()> {
        write_all(&mut self.stream, &self.begun).await?;
        self.begun.clear();
        Ok(())
    }

    /// Until there is something to write.
    async fn wait(&mut self, queue: &Queue) -> io::Result<()> {
        let stream = &mut self.stream;
        tokio::select! {
            () = queue.filled() => Ok(()),
            error = poll_fn(|cx| ended(stream, cx)) => Err(error),
        }
    }
}

const fn batch_bytes(frame: &Frame) -> usize {
    match frame.kind {
        Kind::Batch => frame.body.len(),
        Kind::Message => 0,
    }
}

/// Like `AsyncWriteExt::write_all`, but a stream that the peer ended is an error at once: with a
/// full window it would otherwise never come to one.
async fn write_all<S>(stream: &mut S, mut bytes: &[u8]) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while !bytes.is_empty() {
        let written = poll_fn(|cx| match Pin::new(&mut *stream).poll_write(cx, bytes) {
            Poll::Pending => ended(stream, cx).map(Err),
            written => written,
        });
        match written.await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            count => bytes = bytes.get(count..).unwrap_or_default(),
        }
    }
    Ok(())
}

/// Ready when the peer ended the stream, or says something on it, which it never should. The
/// stream must not be touched afterwards: one that was never agreed on would panic.
fn ended<S: AsyncRead + Unpin>(stream: &mut S, cx: &mut std::task::Context<'_>) -> Poll<io::Error> {
    Pin::new(stream).poll_read(cx, &mut [0]).map(|read| match read {
        Ok(0) => io::ErrorKind::UnexpectedEof.into(),
        Ok(_) => io::ErrorKind::InvalidData.into(),
        Err(error) => error,
    })
}
