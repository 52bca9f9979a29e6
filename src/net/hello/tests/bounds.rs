//! A hello costs the node little time and little memory, whoever is at the other end.

use std::time::Duration;

use futures::AsyncWriteExt;
use futures::future::join;

use crate::net::hello::line::MAX_EARLY;
use crate::net::hello::proof::Role;
use crate::net::hello::wire::Message;
use crate::net::refusal::HelloError::{RefusedByUs, Silence};
use crate::net::refusal::Refusal;
use crate::net::transport::Transports;

use super::rogue::{Rogue, opening};
use super::strangers::{TCP, visited};
use super::world::*;

#[tokio::test]
async fn a_stranger_that_opens_streams_without_end_is_refused_early() {
    for kind in KINDS {
        let (mut node, wire) = soon(visited(kind, Duration::from_secs(5))).await;
        let flood = async {
            let mut wire = wire.open(Role::Dialer).await;
            wire.write(b"\0\0\0\x40half a hello").await;
            let mut streams = Vec::new();
            for _ in 0..=MAX_EARLY {
                let mut stream = wire.line.first_stream(Role::Dialer).await.expect("a stream");
                let write = async { Ok(stream.write_all(&[0; 1024]).await?) };
                wire.line.drive(write).await.expect("written");
                streams.push(stream);
            }
            wire.hear_refusal().await
        };
        let (failure, told) = soon(join(node.hello_failure(), flood)).await;
        assert_eq!(failure.error, RefusedByUs(Refusal::Garbage), "{kind}");
        assert_eq!(told, Refusal::Garbage, "{kind}");
    }
}

#[tokio::test]
async fn half_a_hello_and_then_silence_ends_in_time() {
    for kind in KINDS {
        let (mut node, wire) = soon(visited(kind, SHORT)).await;
        let rogue = async {
            let mut wire = wire.open(Role::Dialer).await;
            wire.write(b"\0\0\0\x40half a hello").await;
            wire.until_closed().await;
        };
        let (failure, ()) = soon(join(node.hello_failure(), rogue)).await;
        assert_eq!(failure.error, Silence, "{kind}");
        assert_eq!(node.hello.stats().silent, 1, "{kind}");
        assert_eq!(node.hello.stats().under_way, 0, "{kind}");
    }
}

#[tokio::test]
async fn a_connection_without_a_word_ends_in_time() {
    for kind in KINDS {
        let (mut node, mut wire) = soon(visited(kind, SHORT)).await;
        let (failure, ()) = soon(join(node.hello_failure(), wire.until_closed())).await;
        assert_eq!(failure.error, Silence, "{kind}");
    }
}

#[tokio::test]
async fn a_listener_without_a_word_is_left_in_time() {
    let mut node = node_with(1, ALL, |settings| settings.timeout = SHORT);
    let mut rogue = Rogue::new(&key(9));
    let address = soon(rogue.listen(TCP)).await;
    node.swarm.dial(address).expect("a dial");
    let rogue = async { rogue.accept().await.open(Role::Listener).await.until_closed().await };
    let (failure, ()) = soon(join(node.hello_failure(), rogue)).await;
    assert_eq!(failure.error, Silence);
}

#[tokio::test]
async fn a_socket_without_a_byte_ends_in_time() {
    let on = Transports { handshake_timeout: SHORT, ..ALL };
    let mut node = node_with(1, on, |_| {});
    let address = soon(node.listen(TCP)).await.to_string();
    let port = address.split('/').nth(4).expect("a port");
    let socket = tokio::net::TcpStream::connect(format!("127.0.0.1:{port}"));
    let (failure, socket) = soon(join(node.failure(), socket)).await;
    assert_eq!(failure, None, "it did not come as far as the hello");
    drop(socket);
}

#[tokio::test]
async fn when_busy_one_more_is_told_so_and_the_next_is_not() {
    let mut node = node_with(1, ALL, |settings| settings.max_under_way = 1);
    let address = soon(node.listen(TCP)).await;
    let mut rogue = Rogue::new(&key(9));
    let visitors = async {
        let mut silent = rogue.dial(address.clone()).await.open(Role::Dialer).await;
        silent.say(&Message::Hello(opening())).await;
        silent.hear_bytes().await;
        let mut told = rogue.dial(address.clone()).await.open(Role::Dialer).await;
        told.say(&Message::Hello(opening())).await;
        let why = told.hear_refusal().await;
        // The node now waits for `told` to go, so a third is one too many even to be told.
        rogue.dial(address.clone()).await.until_closed().await;
        why
    };
    let turned = async {
        for _ in 0..3 {
            node.hello_failure().await;
        }
    };
    let ((), why) = soon(join(turned, visitors)).await;
    assert_eq!(why, Refusal::Busy);
    assert_eq!(node.hello.stats().refused_by_us["busy"], 2);
    assert_eq!(node.hello.stats().under_way, 0);
}
