//! What is sent arrives, in order and whole.

use super::world::{batch, message, number, received, send, signer, up};
use crate::engine::{Input, Output};
use crate::net::tests::pair::{Pair, Side, id};

#[tokio::test]
async fn a_hundred_thousand_small_packets_come_in_order() {
    let mut pair = up().await;
    (0..100_000).for_each(|each| send(&mut pair, message(each, (each % 40) as usize)));
    for expected in 0..100_000 {
        let packet = received(&mut pair).await;
        assert_eq!(number(&packet), (expected, (expected % 40) as usize));
    }
}

#[tokio::test]
async fn batches_of_every_size_come_in_order() {
    let mut pair = up().await;
    let mut signer = signer();
    let largest = 1024 * 1024;
    let near = 16 * 1024 - 200..16 * 1024 + 20;
    let sizes: Vec<usize> =
        [0, 1, largest, 10, 65_536, 131_072, 7].into_iter().chain(near).collect();
    for (expected, size) in (1..).zip(sizes) {
        send(&mut pair, batch(&mut signer, expected, size));
        if expected % 4 == 0 {
            for earlier in expected - 3..=expected {
                assert_eq!(number(&received(&mut pair).await).0, earlier);
            }
        }
    }
}

#[tokio::test]
async fn large_batches_flow_and_every_byte_written_is_told() {
    let mut pair = up().await;
    let mut signer = signer();
    let (mut offered, mut written, mut read) = (0, 0, 0);
    let mut next = 1;
    while read < 24 {
        while next <= 24 && offered - written < 4 << 20 {
            let packet = batch(&mut signer, next, 1 << 20);
            offered += wire(&packet);
            send(&mut pair, packet);
            next += 1;
        }
        match pair.until(|_| true).await {
            (Side::Two, Input::TreeSent { peer, bytes }) => {
                assert_eq!(peer, id(Side::One));
                written += bytes;
            }
            (Side::One, Input::TreePacket { packet, .. }) => {
                read += 1;
                assert_eq!(number(&packet), (read, 1 << 20));
            }
            _ => {}
        }
    }
    while written < offered {
        written += sent(&mut pair).await;
    }
    assert_eq!(written, offered);
}

fn wire(packet: &crate::engine::frame::Packet) -> usize {
    match packet {
        crate::engine::frame::Packet::Batch(batch) => batch.wire().len(),
        crate::engine::frame::Packet::Message(_) => 0,
    }
}

/// What two is told next of what it wrote.
async fn sent(pair: &mut Pair) -> usize {
    match pair.until(|input| matches!(input, Input::TreeSent { .. })).await {
        (Side::Two, Input::TreeSent { bytes, .. }) => bytes,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_single_packet_does_not_wait_for_more() {
    let mut pair = up().await;
    for expected in 0..100 {
        send(&mut pair, message(expected, 1));
        assert_eq!(number(&received(&mut pair).await).0, expected);
    }
}

#[tokio::test]
async fn messages_go_before_batches_that_still_wait() {
    let mut pair = up().await;
    let mut signer = signer();
    for each in 1..=4 {
        send(&mut pair, batch(&mut signer, each, 1 << 20));
    }
    send(&mut pair, message(1_000, 0));
    let mut order = Vec::new();
    for _ in 0..5 {
        order.push(number(&received(&mut pair).await).0);
    }
    assert_eq!(order, [1_000, 1, 2, 3, 4], "nothing was written before the message was queued");
}

#[tokio::test]
async fn a_driver_that_takes_nothing_stops_the_writer_and_only_the_bound_ends_the_stream() {
    let mut pair = up().await;
    pair.one.perform(Output::TreeHold(true));
    let mut signer = signer();
    let packet = batch(&mut signer, 1, 64 * 1024);
    let each = wire(&packet);
    let (mut offered, mut written) = (0, 0);
    // As much as one, the window of the stream and the system take.
    let stalled = loop {
        while offered - written < 2 << 20 {
            send(&mut pair, packet.clone());
            offered += each;
        }
        assert!(offered < 64 << 20, "the writer never stops");
        let next = std::time::Duration::from_secs(1);
        match tokio::time::timeout(next, sent(&mut pair)).await {
            Ok(bytes) => written += bytes,
            Err(_elapsed) => break written,
        }
    };
    assert!(stalled >= 8 << 20, "one has room for 8 MiB: {stalled}");

    // The rest of two's queue, and more.
    let is_down = |input: &Input| matches!(input, Input::TreeDown { .. });
    (0..128).for_each(|_| send(&mut pair, packet.clone()));
    assert_eq!(pair.until(is_down).await.0, Side::Two);
    assert_eq!(pair.two.stream_stats().overfull, 1);

    pair.one.perform(Output::TreeHold(false));
    for _ in 0..(8 << 20) / (each + 5) {
        assert_eq!(number(&received(&mut pair).await), (1, 64 * 1024));
    }
}
