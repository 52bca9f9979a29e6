//! Streams that end, and what comes after.

use bytes::Bytes;
use libp2p::PeerId;
use tokio::runtime::Handle;

use super::world::{
    both_up, fill, is_up, message, number, put, received, sealed, send, signer, up, up_by,
};
use crate::base::limits::MAX_TREE_MESSAGE;
use crate::engine::{Input, Output};
use crate::net::stream::StreamStats;
use crate::net::stream::frame::{Frame, Kind};
use crate::net::tests::pair::{Pair, Side, id};

fn is_tree(input: &Input) -> bool {
    matches!(input, Input::TreeUp { .. } | Input::TreeDown { .. } | Input::TreeRefused { .. })
}

/// One refuses what two says, and two's stream is opened again.
async fn refused(frame: Frame) -> StreamStats {
    refused_by(up().await, frame).await
}

async fn refused_by(mut pair: Pair, frame: Frame) -> StreamStats {
    put(&mut pair, frame);
    let mut told = [Vec::new(), Vec::new()];
    while told[1].len() < 2 || told[0].is_empty() {
        let (side, input) = pair.until(is_tree).await;
        told[usize::from(side == Side::Two)].push(format!("{input:?}"));
    }
    let (one, two) = (id(Side::One), id(Side::Two));
    assert_eq!(told[0], [format!("{:?}", Input::TreeRefused { peer: two })]);
    let expected = [Input::TreeDown { peer: one }, Input::TreeUp { peer: one }];
    assert_eq!(told[1], expected.map(|input| format!("{input:?}")));
    send(&mut pair, message(9, 0));
    assert_eq!(number(&received(&mut pair).await).0, 9);
    assert_eq!(pair.two.stream_stats(), StreamStats { broken: 1, ..StreamStats::default() });
    pair.one.stream_stats()
}

#[tokio::test]
async fn a_forged_batch_closes_its_stream_and_is_counted() {
    let honest = sealed(&mut signer(), 1, b"yes".to_vec());
    let mut wire = honest.wire().to_vec();
    *wire.last_mut().expect("a payload") ^= 1;
    let stats = refused(Frame { kind: Kind::Batch, body: wire.into() }).await;
    assert_eq!(stats, StreamStats { forged: 1, ..StreamStats::default() });
}

#[tokio::test]
async fn a_refusal_is_noticed_over_quic_too() {
    let pair = up_by("/ip4/127.0.0.1/udp/0/quic-v1").await;
    let stats = refused_by(pair, Frame { kind: Kind::Batch, body: Bytes::new() }).await;
    assert_eq!(stats, StreamStats { malformed: 1, ..StreamStats::default() });
}

#[tokio::test]
async fn a_writer_that_is_stuck_notices_the_end_of_its_stream() {
    let mut pair = up().await;
    fill(&mut pair).await;
    // One ends the stream, and the connection lives.
    let connection = *pair.one.connections.values().next().expect("a connection");
    let (streams, mut effects) = pair.one.streams();
    streams.unlinked(PeerId::from(id(Side::Two)), connection, &mut effects);
    let is_down = |input: &Input| matches!(input, Input::TreeDown { .. });
    assert_eq!(pair.until(is_down).await.0, Side::One, "one does not know the link any more");
    assert_eq!(pair.until(is_down).await.0, Side::Two);
}

#[tokio::test]
async fn an_unreadable_or_too_large_packet_closes_its_stream_and_is_counted() {
    let malformed = StreamStats { malformed: 1, ..StreamStats::default() };
    let body = Bytes::from_static(b"\xff");
    assert_eq!(refused(Frame { kind: Kind::Batch, body: body.clone() }).await, malformed);
    assert_eq!(refused(Frame { kind: Kind::Message, body }).await, malformed);
    let body = Bytes::from(vec![0; MAX_TREE_MESSAGE + 1]);
    assert_eq!(refused(Frame { kind: Kind::Message, body }).await, malformed);
}

/// The next of these, in whatever order the sides tell it.
async fn on_both(pair: &mut Pair, fits: impl Fn(&Input) -> bool) {
    let (first, _) = pair.until(&fits).await;
    while pair.until(&fits).await.0 == first {}
}

#[tokio::test]
async fn with_the_link_its_streams_end_and_no_task_is_left_and_the_next_link_has_its_own() {
    let mut pair = Pair::new().await;
    let alone = Handle::current().metrics().num_alive_tasks();
    pair.dial();
    both_up(&mut pair).await;
    let link = *pair.two.connections.keys().next().expect("a link");
    pair.two.perform(Output::Close(link));
    on_both(&mut pair, |input| matches!(input, Input::TreeDown { .. })).await;
    while Handle::current().metrics().num_alive_tasks() > alone {
        tokio::task::yield_now().await;
    }

    pair.dial();
    both_up(&mut pair).await;
    send(&mut pair, message(4, 0));
    assert_eq!(number(&received(&mut pair).await).0, 4);
}

#[tokio::test]
async fn streams_follow_the_connection_that_lives() {
    let mut pair = up().await;
    let first = *pair.two.connections.keys().next().expect("a link");
    pair.dial();
    let is_opened = |input: &Input| matches!(input, Input::Opened { .. });
    pair.until(is_opened).await;
    pair.until(is_opened).await;
    pair.two.perform(Output::Close(first));
    let mut told = [Vec::new(), Vec::new()];
    while told.iter().any(|told| told.len() < 2) {
        let (side, input) = pair.until(is_tree).await;
        told[usize::from(side == Side::Two)].push(is_up(&input));
    }
    assert_eq!(told, [[false, true], [false, true]], "down, then up");
    send(&mut pair, message(5, 0));
    assert_eq!(number(&received(&mut pair).await).0, 5);
}
