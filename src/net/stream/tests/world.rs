//! Two linked networks whose streams are up.

use bytes::Bytes;
use libp2p::PeerId;
use serde_bytes::ByteBuf;

use crate::base::batch::{Batch, Head};
use crate::base::id::Life;
use crate::base::key::SecretKey;
use crate::base::signer::Signer;
use crate::base::time::WallTime;
use crate::engine::frame::{Packet, TreeMessage};
use crate::engine::{Input, Output};
use crate::net::stream::frame::Frame;
use crate::net::stream::{Effects, Streams};
use crate::net::tests::pair::{Pair, Side, id};

pub fn is_up(input: &Input) -> bool {
    matches!(input, Input::TreeUp { .. })
}

/// Both streams are open.
pub async fn up() -> Pair {
    let mut pair = Pair::linked().await;
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

pub fn message(number: u64, padding: usize) -> Packet {
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.resize(8 + padding, 7);
    Packet::Message(TreeMessage(ByteBuf::from(bytes)))
}

pub fn signer() -> Signer {
    Signer::new(SecretKey::from_seed([3; 32]))
}

pub fn sealed(signer: &mut Signer, number: u64, payload: Vec<u8>) -> Batch {
    let head = Head {
        author: signer.me(),
        life: Life(1),
        topic: "speed".to_owned(),
        first: number,
        count: 1,
        sent: WallTime(0),
        place: None,
        receipts: false,
        foreign: false,
        origin: None,
    };
    Batch::seal(head, &[(WallTime(0), Bytes::from(payload))], signer)
}

pub fn batch(signer: &mut Signer, number: u64, bytes: usize) -> Packet {
    Packet::Batch(sealed(signer, number, vec![number as u8; bytes]).into())
}

/// The number in a packet of ours, and how long it is.
pub fn number(packet: &Packet) -> (u64, usize) {
    match packet {
        Packet::Batch(batch) => {
            let payload = batch.items_from(0).next().expect("one message").payload;
            (batch.first(), payload.len())
        }
        Packet::Message(TreeMessage(bytes)) => {
            let (number, padding) = bytes.split_first_chunk().expect("a number");
            (u64::from_be_bytes(*number), padding.len())
        }
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
