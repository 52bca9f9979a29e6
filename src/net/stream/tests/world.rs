//! Two linked networks whose streams are up.

use std::time::Duration;

use bytes::Bytes;
use libp2p::PeerId;

use crate::base::batch::{Batch, Head};
use crate::base::id::Life;
use crate::base::key::SecretKey;
use crate::base::signer::Signer;
use crate::base::time::WallTime;
use crate::config::Config;
use crate::engine::frame::Packet;
use crate::engine::{Input, Output};
use crate::net::stream::frame::Frame;
use crate::net::stream::{Effects, Streams};
use crate::net::tests::pair::{Pair, Side, id};
use crate::protocol::tree::{Message, Run, Source};

/// A writer that could write would have written long ago.
pub const LONG: Duration = Duration::from_secs(1);

pub fn is_up(input: &Input) -> bool {
    matches!(input, Input::TreeUp { .. })
}

/// Both streams are open.
pub async fn up() -> Pair {
    up_by("/ip4/127.0.0.1/tcp/0").await
}

/// The same, by the transport of this address.
pub async fn up_by(address: &str) -> Pair {
    let listen = vec![address.parse().expect("an address")];
    let mut pair = Pair::with(&Config { listen, ..Config::lab() }).await;
    pair.dial();
    both_up(&mut pair).await;
    pair
}

/// Waits until both sides say so.
pub async fn both_up(pair: &mut Pair) {
    let (first, _) = pair.until(is_up).await;
    while pair.until(is_up).await.0 == first {}
}

/// Two sends to one.
pub fn send(pair: &mut Pair, packet: Packet) {
    pair.two.perform(Output::TreeSend { to: id(Side::One), packet });
}

/// Two sends to one what no honest node would.
pub fn put(pair: &mut Pair, frame: Frame) {
    let (streams, mut effects): (&mut Streams, Effects) = pair.two.streams();
    streams.put(PeerId::from(id(Side::One)), frame, &mut effects);
}

/// A message with a number, and so many runs of 90 bytes more.
pub fn message(number: u64, more: usize) -> Packet {
    let source = Source { author: id(Side::Two), life: Life(1), bucket: 0 };
    Packet::Message(Message::Announce(vec![Run { source, from: number, to: number }; 1 + more]))
}

pub fn signer() -> Signer {
    Signer::new(SecretKey::from_seed([3; 32]))
}

pub fn sealed(signer: &mut Signer, number: u64, payload: Vec<u8>) -> Batch {
    let head = Head::new(signer.me(), Life(1), "speed", number);
    Batch::seal(head, &[(WallTime(0), Bytes::from(payload))], signer)
}

pub fn batch(signer: &mut Signer, number: u64, bytes: usize) -> Packet {
    Packet::Batch(sealed(signer, number, vec![number as u8; bytes]).into())
}

/// The number in a packet of ours, and how long it is.
pub fn number(packet: &Packet) -> (u64, usize) {
    match packet {
        Packet::Batch(batch) => {
            let payload = batch
                .open(usize::MAX)
                .expect("plain")
                .items_from(0)
                .next()
                .expect("one message")
                .payload;
            (batch.first(), payload.len())
        }
        Packet::Message(Message::Announce(runs)) => (runs[0].from, runs.len() - 1),
        Packet::Message(other) => panic!("{other:?}"),
    }
}

/// What one receives next of two's packets.
pub async fn received(pair: &mut Pair) -> Packet {
    match pair.until(|input| matches!(input, Input::TreePacket { .. })).await {
        (Side::One, Input::TreePacket { from, packet }) => {
            assert_eq!(from, id(Side::Two));
            packet
        }
        other => panic!("{other:?}"),
    }
}

/// Bytes of a batch, of which two is told when they are written.
pub fn wire(packet: &Packet) -> usize {
    match packet {
        Packet::Batch(batch) => batch.wire().len(),
        Packet::Message(_) => 0,
    }
}

/// What two is told next of what it wrote.
pub async fn sent(pair: &mut Pair) -> usize {
    match pair.until(|input| matches!(input, Input::TreeSent { .. })).await {
        (Side::Two, Input::TreeSent { bytes, .. }) => bytes,
        other => panic!("{other:?}"),
    }
}

/// Two sends, and one's driver does nothing, until nothing moves any more: what one's readers, the
/// window of the stream and the system take. Gives back how many bytes of batches were written.
pub async fn fill(pair: &mut Pair) -> usize {
    // One has accepted the stream when it has heard something by it.
    send(pair, message(0, 0));
    received(pair).await;
    let packet = batch(&mut signer(), 1, 64 * 1024);
    let (mut offered, mut written) = (0, 0);
    loop {
        while offered - written < 2 << 20 {
            send(pair, packet.clone());
            offered += wire(&packet);
        }
        assert!(offered < 64 << 20, "the writer never stops");
        match tokio::time::timeout(LONG, pair.two.next()).await {
            Ok(Input::TreeSent { bytes, .. }) => written += bytes,
            Ok(_) => {}
            Err(_elapsed) => return written,
        }
    }
}
