//! What is sent arrives, in order and whole.

use super::world::{
    LONG, batch, fill, message, number, received, send, sent, signer, up, up_by, wire,
};
use crate::engine::{Input, Output};
use crate::net::stream::reader::MAX_WAITING;
use crate::net::tests::pair::{Side, id};

#[tokio::test]
async fn a_hundred_thousand_small_packets_come_in_order() {
    let mut pair = up().await;
    let more = |number: u64| (number % 3) as usize;
    for round in 0..10 {
        let numbers = 10_000 * round..10_000 * (round + 1);
        numbers.clone().for_each(|each| send(&mut pair, message(each, more(each))));
        for expected in numbers {
            let packet = received(&mut pair).await;
            assert_eq!(number(&packet), (expected, more(expected)));
        }
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

#[tokio::test]
async fn every_transport_carries_streams() {
    let mut signer = signer();
    for address in ["/memory/0", "/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0/ws"] {
        let mut pair = up_by(address).await;
        for each in 1..=50 {
            send(&mut pair, batch(&mut signer, each, 100_000));
        }
        for expected in 1..=50 {
            assert_eq!(number(&received(&mut pair).await), (expected, 100_000), "{address}");
        }
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
    let written = fill(&mut pair).await;
    assert!(written >= MAX_WAITING, "one has room for these: {written}");
    let packet = batch(&mut signer(), 1, 64 * 1024);

    // The rest of two's queue, and more.
    let is_down = |input: &Input| matches!(input, Input::TreeDown { .. });
    (0..128).for_each(|_| send(&mut pair, packet.clone()));
    while !is_down(&pair.two.next().await) {}
    assert_eq!(pair.two.stream_stats().overfull, 1);

    // The last one may have been cut.
    for _ in 1..written / wire(&packet) {
        assert_eq!(number(&received(&mut pair).await), (1, 64 * 1024));
    }
}

#[tokio::test]
async fn a_held_peer_waits_with_its_batches_and_others_do_not() {
    let mut pair = up().await;
    pair.one.perform(Output::TreeHold { peer: id(Side::Two), held: true });
    let mut signer = signer();
    send(&mut pair, message(1, 0));
    send(&mut pair, batch(&mut signer, 2, 10));
    assert_eq!(number(&received(&mut pair).await).0, 1, "messages before it are heard");
    let packet = batch(&mut signer, 3, 10);
    pair.one.perform(Output::TreeSend { to: id(Side::Two), packet });
    let is_packet = |input: &Input| matches!(input, Input::TreePacket { .. });
    assert_eq!(pair.until(is_packet).await.0, Side::Two, "the other direction is free");
    assert!(tokio::time::timeout(LONG, received(&mut pair)).await.is_err());
    pair.one.perform(Output::TreeHold { peer: id(Side::Two), held: false });
    assert_eq!(number(&received(&mut pair).await).0, 2);
}
