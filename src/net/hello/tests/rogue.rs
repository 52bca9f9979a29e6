//! Peers that do not play by the rules: the bare connection, and what one likes on its stream.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::{future, io};

use futures::{AsyncRead, AsyncWrite, StreamExt};
use libp2p::core::muxing::{StreamMuxerBox, StreamMuxerExt, SubstreamBox};
use libp2p::core::transport::{Boxed, DialOpts, ListenerId, PortUse};
use libp2p::core::{Endpoint, Transport};
use libp2p::{Multiaddr, PeerId};
use serde_bytes::ByteArray;

use crate::base::key::SecretKey;
use crate::net::hello::line::Line;
use crate::net::hello::proof::Role;
use crate::net::hello::wire::{self, FORMAT_VERSION, MAGIC, Message, Opening};
use crate::net::refusal::{HelloError, Refusal};
use crate::net::transport::build_plain;

use super::world::ALL;

/// A peer with a transport and nothing above it.
pub struct Rogue {
    transport: Boxed<(PeerId, StreamMuxerBox)>,
}

/// A connection of a rogue, and its first stream.
pub struct Wire {
    pub line: Line,
    stream: Option<SubstreamBox>,
}

/// A stream that notes what is written to it.
pub struct Tap<'a> {
    inner: &'a mut SubstreamBox,
    pub written: Vec<u8>,
}

pub fn opening() -> Opening {
    Opening {
        magic: ByteArray::new(MAGIC),
        version: FORMAT_VERSION,
        network: "orchard".into(),
        nonce: ByteArray::new([42; 32]),
    }
}

impl Rogue {
    pub fn new(key: &SecretKey) -> Self {
        Self { transport: build_plain(key, ALL).expect("transports") }
    }

    pub async fn dial(&mut self, address: Multiaddr) -> Wire {
        let opts = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
        let dial = self.transport.dial(address, opts).expect("a dial");
        let (_, muxer) = dial.await.expect("a connection");
        Wire { line: Line::new(muxer), stream: None }
    }

    pub async fn listen(&mut self, address: &str) -> Multiaddr {
        let address = address.parse().expect("an address");
        self.transport.listen_on(ListenerId::next(), address).expect("a listener");
        let event = self.transport.select_next_some().await;
        event.into_new_address().expect("an address")
    }

    pub async fn accept(&mut self) -> Wire {
        loop {
            if let Some((upgrade, _)) = self.transport.select_next_some().await.into_incoming() {
                let (_, muxer) = upgrade.await.expect("a connection");
                return Wire { line: Line::new(muxer), stream: None };
            }
        }
    }
}

impl Wire {
    pub async fn open(mut self, role: Role) -> Self {
        self.stream = Some(self.line.first_stream(role).await.expect("a stream"));
        self
    }

    /// Does what the script says with the stream.
    pub async fn play<T>(
        &mut self,
        script: impl AsyncFnOnce(&mut SubstreamBox) -> Result<T, HelloError>,
    ) -> Result<T, HelloError> {
        let stream = self.stream.as_mut().expect("an open stream");
        self.line.drive(script(stream)).await
    }

    /// Writes these bytes as they are.
    pub async fn write(&mut self, bytes: &[u8]) {
        use futures::AsyncWriteExt;
        self.play(async |stream| {
            stream.write_all(bytes).await?;
            Ok(stream.flush().await?)
        })
        .await
        .expect("written");
    }

    /// Says a message of the hello.
    pub async fn say(&mut self, message: &Message) {
        self.play(async |stream| wire::write(stream, &wire::encode(message)).await)
            .await
            .expect("said");
    }

    /// The bytes of the next message.
    pub async fn hear_bytes(&mut self) -> Vec<u8> {
        self.play(async |stream| wire::read(stream).await).await.expect("heard")
    }

    /// The reason for which the node ends this.
    pub async fn hear_refusal(&mut self) -> Refusal {
        match wire::decode(&self.hear_bytes().await) {
            Ok(Message::Refusal(reason)) => reason.into(),
            other => panic!("a refusal, not {other:?}"),
        }
    }

    /// Waits, saying nothing, until the node has closed the connection.
    pub async fn until_closed(&mut self) {
        future::poll_fn(|cx| {
            // QUIC tells of the end only whoever waits for streams.
            match (self.line.poll_inbound_unpin(cx), self.line.poll_unpin(cx)) {
                (Poll::Pending, Poll::Pending) => Poll::Pending,
                (Poll::Ready(Ok(_)), _) => panic!("a node opens no stream before the hello"),
                _ => Poll::Ready(()),
            }
        })
        .await;
    }
}

impl<'a> Tap<'a> {
    pub fn new(inner: &'a mut SubstreamBox) -> Self {
        Self { inner, written: Vec::new() }
    }
}

impl AsyncRead for Tap<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.get_mut().inner).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Tap<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let tap = self.get_mut();
        let taken = ready!(Pin::new(&mut *tap.inner).poll_write(cx, bytes))?;
        tap.written.extend_from_slice(&bytes[..taken]);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.get_mut().inner).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.get_mut().inner).poll_close(cx)
    }
}
