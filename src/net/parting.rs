//! The end of a connection, which must not depend on the other side.

#[cfg(test)]
mod tests;

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::core::StreamMuxer;
use libp2p::core::muxing::StreamMuxerEvent;
use tokio::time::{Sleep, sleep};

/// How long the last bytes of a connection may take to the system.
const LAST_BYTES: Duration = Duration::from_secs(1);

/// A multiplexed connection that is over soon after it is closed. The swarm waits for the close
/// before it says that the connection has ended, and a peer that takes nothing any more while the
/// system's buffers are full would make that for ever.
pub struct Parting<M> {
    muxer: M,
    limit: Option<Pin<Box<Sleep>>>,
}

impl<M> Parting<M> {
    pub fn new(muxer: M) -> Self {
        Self { muxer, limit: None }
    }
}

impl<M: StreamMuxer + Unpin> Parting<M> {
    fn muxer(self: Pin<&mut Self>) -> Pin<&mut M> {
        Pin::new(&mut self.get_mut().muxer)
    }
}

impl<M: StreamMuxer + Unpin> StreamMuxer for Parting<M> {
    type Substream = M::Substream;
    type Error = M::Error;

    fn poll_inbound(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<M::Substream, M::Error>> {
        self.muxer().poll_inbound(cx)
    }

    fn poll_outbound(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<M::Substream, M::Error>> {
        self.muxer().poll_outbound(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), M::Error>> {
        if let Poll::Ready(end) = self.as_mut().muxer().poll_close(cx) {
            return Poll::Ready(end);
        }
        let limit = self.limit.get_or_insert_with(|| Box::pin(sleep(LAST_BYTES)));
        // Dropped, the connection is closed by the system.
        limit.as_mut().poll(cx).map(Ok)
    }

    fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<StreamMuxerEvent, M::Error>> {
        self.muxer().poll(cx)
    }
}
