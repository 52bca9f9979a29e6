//! A connection while only the hello uses it: its first stream, and the multiplexer that has to be
//! driven beside it, because nobody else does yet.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::core::StreamMuxer;
use libp2p::core::muxing::{StreamMuxerBox, StreamMuxerEvent, StreamMuxerExt, SubstreamBox};

use super::proof::Role;
use super::wire::{self, Message, Reason};
use crate::net::refusal::{HelloError, Refusal};

/// Longest wait for the refused side to read why. Guess: a round trip around the world.
const FAREWELL: Duration = Duration::from_millis(500);

/// Most streams beside the first before the hello is over. A peer that is done one packet before
/// us may open a few; a stranger could fill each with 256 KiB that nobody reads.
pub(super) const MAX_EARLY: usize = 16;

/// A connection in its hello.
pub(super) struct Line {
    muxer: StreamMuxerBox,
    /// Streams that came too early for us; the swarm gets them first.
    early: VecDeque<SubstreamBox>,
}

impl Line {
    /// A fresh connection.
    pub fn new(muxer: StreamMuxerBox) -> Self {
        Self { muxer, early: VecDeque::new() }
    }

    /// The connection for whoever comes after the hello, with nothing lost.
    pub fn into_muxer(self) -> StreamMuxerBox {
        if self.early.is_empty() { self.muxer } else { StreamMuxerBox::new(self) }
    }

    /// The first stream: the dialer opens it, the listener accepts it.
    pub async fn first_stream(&mut self, role: Role) -> Result<SubstreamBox, HelloError> {
        poll_fn(|cx| {
            let opened = match role {
                Role::Dialer => self.muxer.poll_outbound_unpin(cx),
                Role::Listener => Pin::new(&mut *self).poll_inbound(cx),
            };
            if let Poll::Ready(stream) = opened {
                return Poll::Ready(Ok(stream?));
            }
            match self.poll_to_rest(cx) {
                Poll::Ready(error) => Poll::Ready(Err(error)),
                Poll::Pending if role == Role::Listener => match self.early.pop_front() {
                    Some(stream) => Poll::Ready(Ok(stream)),
                    None => Poll::Pending,
                },
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    /// Runs a conversation on a stream of this connection, and the connection beside it.
    pub async fn drive<T>(
        &mut self,
        conversation: impl Future<Output = Result<T, HelloError>>,
    ) -> Result<T, HelloError> {
        let mut conversation = pin!(conversation);
        poll_fn(|cx| {
            if let Poll::Ready(end) = conversation.as_mut().poll(cx) {
                return Poll::Ready(end);
            }
            match self.poll_to_rest(cx) {
                Poll::Pending => Poll::Pending,
                // What came before the line broke still counts: it may be the reason why.
                Poll::Ready(HelloError::Broken(why)) => match conversation.as_mut().poll(cx) {
                    Poll::Ready(end) => Poll::Ready(end),
                    Poll::Pending => Poll::Ready(Err(HelloError::Broken(why))),
                },
                Poll::Ready(error) => Poll::Ready(Err(error)),
            }
        })
        .await
    }

    /// Tells the peer why it is refused, and waits a little until it has gone: closing at once
    /// could overtake the reason on its way.
    pub async fn part(&mut self, stream: &mut SubstreamBox, why: &Refusal) {
        let farewell = async {
            let message = wire::encode(&Message::Refusal(Reason::from(why)));
            wire::write(stream, &message).await?;
            stream.close().await?;
            let mut ignored = [0; 512];
            while stream.read(&mut ignored).await? > 0 {}
            Ok(())
        };
        // The peer is refused either way; that it could not be told is its own loss.
        let _ = tokio::time::timeout(FAREWELL, self.drive(farewell)).await;
    }

    /// Lets the multiplexer work until it has nothing to do; ready only when this is the end.
    fn poll_to_rest(&mut self, cx: &mut Context<'_>) -> Poll<HelloError> {
        loop {
            match self.muxer.poll_inbound_unpin(cx) {
                Poll::Ready(Ok(_)) if self.early.len() >= MAX_EARLY => {
                    return Poll::Ready(HelloError::RefusedByUs(Refusal::Garbage));
                }
                Poll::Ready(Ok(stream)) => {
                    self.early.push_back(stream);
                    continue;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(error.into()),
                Poll::Pending => {}
            }
            match self.muxer.poll_unpin(cx) {
                // A change of address within the first milliseconds: nobody knows the old one.
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(error.into()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// After the hello: the early streams first, then whatever the connection brings.
impl StreamMuxer for Line {
    type Substream = SubstreamBox;
    type Error = io::Error;

    fn poll_inbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<SubstreamBox>> {
        match self.early.pop_front() {
            Some(stream) => Poll::Ready(Ok(stream)),
            None => self.muxer.poll_inbound_unpin(cx),
        }
    }

    fn poll_outbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<SubstreamBox>> {
        self.muxer.poll_outbound_unpin(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.muxer.poll_close_unpin(cx)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        self.muxer.poll_unpin(cx)
    }
}
