//! A connection while only the hello uses it: its first stream, and the multiplexer that has to be
//! driven beside it, because nobody else does yet.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::core::muxing::{StreamMuxerBox, StreamMuxerExt, SubstreamBox};

use super::proof::Role;
use super::wire::{self, Message, Reason};
use crate::net::refusal::{HelloError, Refusal};

/// Longest wait for the refused side to read why. Guess: a round trip around the world.
const FAREWELL: Duration = Duration::from_millis(500);

/// The first stream: the dialer opens it, the listener accepts it.
pub(super) async fn first_stream(
    muxer: &mut StreamMuxerBox,
    role: Role,
) -> io::Result<SubstreamBox> {
    poll_fn(|cx| {
        let stream = match role {
            Role::Dialer => muxer.poll_outbound_unpin(cx),
            Role::Listener => muxer.poll_inbound_unpin(cx),
        };
        if stream.is_ready() {
            return stream;
        }
        poll_to_rest(muxer, cx).map(Err)
    })
    .await
}

/// Runs a conversation on a stream of the multiplexer, and the multiplexer beside it.
pub(super) async fn drive<T>(
    muxer: &mut StreamMuxerBox,
    conversation: impl Future<Output = Result<T, HelloError>>,
) -> Result<T, HelloError> {
    let mut conversation = pin!(conversation);
    poll_fn(|cx| {
        if let Poll::Ready(end) = conversation.as_mut().poll(cx) {
            return Poll::Ready(end);
        }
        let Poll::Ready(error) = poll_to_rest(muxer, cx) else { return Poll::Pending };
        // What came before the line broke still counts: it may be the reason why.
        match conversation.as_mut().poll(cx) {
            Poll::Ready(end) => Poll::Ready(end),
            Poll::Pending => Poll::Ready(Err(error.into())),
        }
    })
    .await
}

/// Lets the multiplexer work until it has nothing to do; ready only when it broke.
fn poll_to_rest(muxer: &mut StreamMuxerBox, cx: &mut Context<'_>) -> Poll<io::Error> {
    loop {
        match muxer.poll_unpin(cx) {
            // A change of address within the first milliseconds: nobody knows the old one yet.
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(error),
            Poll::Pending => return Poll::Pending,
        }
    }
}

/// Tells the peer why it is refused, and waits a little until it has gone: closing at once could
/// overtake the reason on its way.
pub(super) async fn part(muxer: &mut StreamMuxerBox, stream: &mut SubstreamBox, why: &Refusal) {
    let farewell = async {
        let message = wire::encode(&Message::Refusal(Reason::from(why)));
        wire::write(stream, &message).await?;
        stream.close().await?;
        let mut ignored = [0; 512];
        while stream.read(&mut ignored).await? > 0 {}
        Ok(())
    };
    // The peer is refused either way; that it could not be told is its own loss.
    let _ = tokio::time::timeout(FAREWELL, drive(muxer, farewell)).await;
}
