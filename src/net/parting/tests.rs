//! A connection whose last bytes nobody takes.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::io::Cursor;
use libp2p::core::StreamMuxer;
use libp2p::core::muxing::StreamMuxerEvent;

use super::Parting;

/// Never comes to an end.
struct Stuck;

type Stream = Cursor<Vec<u8>>;

impl StreamMuxer for Stuck {
    type Substream = Stream;
    type Error = io::Error;

    fn poll_inbound(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        Poll::Pending
    }

    fn poll_outbound(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        Poll::Pending
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        Poll::Pending
    }
}

#[tokio::test]
async fn a_close_that_nobody_takes_is_over_soon() {
    let mut connection = Parting::new(Stuck);
    let close = poll_fn(|cx| Pin::new(&mut connection).poll_close(cx));
    let closed = tokio::time::timeout(Duration::from_secs(20), close).await;
    closed.expect("it does not wait for ever").unwrap();
}
