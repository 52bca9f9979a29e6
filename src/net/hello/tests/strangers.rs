//! Whoever is not a member ends in the transport: no behaviour ever hears of it.

use std::time::Duration;

use futures::future::join;
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::core::muxing::SubstreamBox;
use libp2p::{Swarm, ping, swarm};
use serde_bytes::ByteArray;

use crate::base::id::Incarnation;
use crate::base::key::SecretKey;
use crate::net::hello::bars::Bars;
use crate::net::hello::dialogue::{Credentials, converse, introduce};
use crate::net::hello::proof::{ProofKey, Role};
use crate::net::hello::wire::{self, FORMAT_VERSION, Introduction, Message, Opening};
use crate::net::refusal::HelloError::{self, RefusedByPeer, RefusedByUs};
use crate::net::refusal::{Limits, Refusal};
use crate::net::transport::build_plain;

use super::rogue::{Rogue, Tap, Wire, opening};
use super::world::*;

pub const TCP: &str = "/ip4/127.0.0.1/tcp/0";

/// A node that listens, and a rogue that has dialed it, over one kind of transport.
pub async fn visited(kind: &str, timeout: Duration) -> (Node, Wire) {
    let mut node = node_with(1, ALL, |settings| settings.timeout = timeout);
    let address = node.listen(kind).await;
    // The node has to be turned while the rogue comes in; nothing is reported on the way.
    let mut rogue = Rogue::new(&key(9));
    let wire = tokio::select! {
        wire = rogue.dial(address) => wire,
        begin = node.begin() => panic!("too early: {begin:?}"),
    };
    (node, wire)
}

/// A rogue that dials, says what the script says, and is refused for this reason.
async fn refused_dialer(why: Refusal, script: impl AsyncFn(&mut Wire)) {
    for kind in KINDS {
        let (mut node, wire) = soon(visited(kind, Duration::from_secs(5))).await;
        let rogue = async {
            let mut wire = wire.open(Role::Dialer).await;
            script(&mut wire).await;
            let told = wire.hear_refusal().await;
            drop(wire);
            told
        };
        let (failure, told) = soon(join(node.hello_failure(), rogue)).await;
        assert_eq!((&failure.error, told), (&RefusedByUs(why.clone()), why.clone()), "{kind}");
        assert_eq!(failure.peer, key(9).id(), "{kind}");
    }
}

/// A node dials a rogue that plays the listener's part by the script.
async fn dialed<T>(script: impl AsyncFnOnce(&mut Wire) -> T) -> (HelloError, T) {
    let mut node = node(1);
    let mut rogue = Rogue::new(&key(9));
    let address = soon(rogue.listen(TCP)).await;
    node.swarm.dial(address).expect("a dial");
    let rogue = async {
        let mut wire = rogue.accept().await.open(Role::Listener).await;
        let end = script(&mut wire).await;
        wire.until_closed().await;
        end
    };
    let (failure, end) = soon(join(node.hello_failure(), rogue)).await;
    (failure.error, end)
}

#[tokio::test]
async fn an_unknown_format_version_is_refused_and_both_know_why() {
    let refused = FORMAT_VERSION + 1;
    let why = Refusal::UnknownVersion { refuser: FORMAT_VERSION, refused };
    let hello = Message::Hello(Opening { version: refused, ..opening() });
    refused_dialer(why, async |wire| wire.say(&hello).await).await;
}

#[tokio::test]
async fn the_hello_of_another_program_is_refused() {
    let hello = Message::Hello(Opening { magic: ByteArray::new(*b"bitswarm"), ..opening() });
    refused_dialer(Refusal::NotAHello, async |wire| wire.say(&hello).await).await;
}

#[tokio::test]
async fn a_hundred_megabytes_are_refused_at_their_length() {
    let length = 100_000_000_u32.to_be_bytes();
    refused_dialer(Refusal::Garbage, async |wire| wire.write(&length).await).await;
}

#[tokio::test]
async fn garbage_is_refused() {
    let garbage = b"\0\0\0\x08\xff\xff\xff\xff\xff\xff\xff\xff";
    refused_dialer(Refusal::Garbage, async |wire| wire.write(garbage).await).await;
}

#[tokio::test]
async fn a_network_name_that_is_no_name_is_refused_and_not_repeated() {
    let hello = Message::Hello(Opening { network: "a\nb".into(), ..opening() });
    refused_dialer(Refusal::Garbage, async |wire| wire.say(&hello).await).await;
}

#[tokio::test]
async fn the_certificate_of_a_dialer_without_proof_is_not_taken() {
    let down = Message::Refusal((&Refusal::Down { certificate: vec![1; 100] }).into());
    refused_dialer(Refusal::Garbage, async |wire| wire.say(&down).await).await;
    refused_dialer(Refusal::Garbage, async |wire| {
        wire.say(&Message::Hello(opening())).await;
        wire.hear_bytes().await;
        wire.say(&down).await;
    })
    .await;
}

#[tokio::test]
async fn a_welcome_before_any_proof_is_refused() {
    refused_dialer(Refusal::Garbage, async |wire| {
        wire.say(&Message::Hello(opening())).await;
        wire.hear_bytes().await;
        wire.say(&Message::Welcome).await;
    })
    .await;
}

#[tokio::test]
async fn a_dialer_that_echoes_is_refused() {
    refused_dialer(Refusal::Garbage, async |wire| {
        wire.say(&Message::Hello(opening())).await;
        let heard = wire.hear_bytes().await;
        wire.play(async |stream| wire::write(stream, &heard).await).await.expect("said");
    })
    .await;
}

#[tokio::test]
async fn a_listener_that_echoes_our_hello_is_refused() {
    let (error, told) = dialed(async |wire| {
        let heard = wire.hear_bytes().await;
        wire.play(async |stream| wire::write(stream, &heard).await).await.expect("said");
        wire.hear_refusal().await
    })
    .await;
    assert_eq!((error, told), (RefusedByUs(Refusal::Echo), Refusal::Echo));
}

#[tokio::test]
async fn a_listener_that_echoes_our_proof_is_refused() {
    let (error, told) = dialed(async |wire| {
        wire.hear_bytes().await;
        wire.say(&Message::Hello(opening())).await;
        let proof = wire.hear_bytes().await;
        wire.play(async |stream| wire::write(stream, &proof).await).await.expect("said");
        wire.hear_refusal().await
    })
    .await;
    assert_eq!((error, told), (RefusedByUs(Refusal::WrongProof), Refusal::WrongProof));
}

/// What the node with this seed would say: a rogue with it knows the network key.
fn credentials(seed: u8) -> Credentials {
    let settings = settings(seed);
    let limits =
        Limits { max_message_bytes: settings.max_message_bytes, buckets: settings.buckets };
    let introduction = Introduction {
        incarnation: Incarnation { life: settings.life, refutations: 0 },
        limits,
        features: settings.features,
        agent: settings.agent,
    };
    Credentials {
        me: settings.me.into(),
        key: ProofKey::new(&settings.network, settings.key.as_ref()),
        network: settings.network,
        limits,
        introduction: introduce(&introduction),
    }
}

#[tokio::test]
async fn a_replayed_hello_is_refused_even_from_the_same_node() {
    let mut node = node(1);
    let address = soon(node.listen("/memory/0")).await;
    let mut member = Rogue::new(&key(2));
    let mut recorded = Vec::new();
    let recording = async {
        let mut wire = member.dial(address.clone()).await.open(Role::Dialer).await;
        let peer = key(1).id().into();
        wire.play(async |stream: &mut SubstreamBox| {
            let mut tap = Tap::new(stream);
            converse(&mut tap, &credentials(2), &Bars::default(), &peer, Role::Dialer).await?;
            recorded = tap.written;
            Ok(())
        })
        .await
        .expect("a member is welcome");
        // What was written last leaves only while the connection is driven.
        wire.until_closed().await;
    };
    let begin = soon(async {
        tokio::select! { begin = node.begin() => begin, () = recording => unreachable!() }
    })
    .await;
    assert!(matches!(begin, Begin::Met(_)), "{begin:?}");

    let again = async {
        let mut wire = member.dial(address).await.open(Role::Dialer).await;
        wire.write(&recorded).await;
        wire.hear_bytes().await;
        wire.hear_refusal().await
    };
    let (begin, told) = soon(join(node.begin(), again)).await;
    let Begin::Failed(Some(failure)) = begin else { panic!("refused, not {begin:?}") };
    assert_eq!((failure.error, told), (RefusedByUs(Refusal::WrongProof), Refusal::WrongProof));
    assert_eq!(node.swarm.behaviour().met.len(), 1, "only the first time");
}

#[tokio::test]
async fn a_proof_handed_on_to_a_third_node_is_refused() {
    let (mut listener, mut dialer) = (node(1), node(2));
    let mut rogue = Rogue::new(&key(9));
    let behind = soon(listener.listen(TCP)).await;
    let before = soon(rogue.listen(TCP)).await;
    dialer.swarm.dial(before).expect("a dial");

    let between = async {
        let mut left = rogue.accept().await.open(Role::Listener).await;
        let mut right = rogue.dial(behind).await.open(Role::Dialer).await;
        for _ in 0..2 {
            let asked = left.hear_bytes().await;
            right.play(async |stream| wire::write(stream, &asked).await).await.expect("passed on");
            let answered = right.hear_bytes().await;
            left.play(async |stream| wire::write(stream, &answered).await).await.expect("back");
        }
        left.until_closed().await;
    };
    let ends = join(listener.hello_failure(), dialer.hello_failure());
    let ((at_listener, at_dialer), ()) = soon(join(ends, between)).await;
    assert_eq!(at_listener.error, RefusedByUs(Refusal::WrongProof));
    assert_eq!(at_dialer.error, RefusedByPeer(Refusal::WrongProof));
}

#[tokio::test]
async fn a_stream_that_a_member_opens_too_early_reaches_the_swarm() {
    const MULTISTREAM: &[u8] = b"\x13/multistream/1.0.0\n";
    for kind in KINDS {
        let (mut node, wire) = soon(visited(kind, Duration::from_secs(5))).await;
        let member = async {
            let mut wire = wire.open(Role::Dialer).await;
            // The node takes the first stream it hears of, so that one has to speak first. Each
            // transport keeps this order.
            let peer = key(1).id().into();
            let (mut own, bars) = (credentials(2), Bars::default());
            own.me = key(9).id().into();
            let mut early = wire.line.first_stream(Role::Dialer).await.expect("a stream");
            wire.play(async |stream: &mut SubstreamBox| {
                let hello = converse(stream, &own, &bars, &peer, Role::Dialer);
                let ask = async {
                    early.write_all(MULTISTREAM).await?;
                    Ok(early.flush().await?)
                };
                futures::future::try_join(hello, ask).await
            })
            .await
            .expect("a member is welcome");
            let mut answer = [0; MULTISTREAM.len()];
            let read = async { Ok(early.read_exact(&mut answer).await?) };
            wire.line.drive(read).await.expect("an answer from the swarm");
            assert_eq!(answer, MULTISTREAM, "{kind}");
        };
        soon(async {
            tokio::select! {
                () = member => {}
                () = async { loop {
                    if let Begin::Failed(failure) = node.begin().await {
                        panic!("{kind}: {failure:?}");
                    }
                } } => unreachable!(),
            }
        })
        .await;
    }
}

/// What any libp2p program is: no hello, and ping.
fn plain(key: &SecretKey) -> Swarm<ping::Behaviour> {
    let transport = build_plain(key, ALL).expect("transports");
    let config = swarm::Config::with_tokio_executor();
    Swarm::new(transport, ping::Behaviour::default(), key.id().into(), config)
}

#[tokio::test]
async fn a_plain_libp2p_peer_that_dials_is_refused_at_its_first_bytes() {
    for kind in KINDS {
        let mut node = node(1);
        let mut plain = plain(&key(9));
        let address = soon(node.listen(kind)).await;
        plain.dial(address).expect("a dial");
        let failure = soon(async {
            tokio::select! {
                failure = node.hello_failure() => failure,
                () = async { loop { plain.select_next_some().await; } } => unreachable!(),
            }
        })
        .await;
        assert_eq!(failure.error, RefusedByUs(Refusal::Garbage), "{kind}");
    }
}

#[tokio::test]
async fn a_plain_libp2p_peer_that_was_dialed_is_left() {
    for kind in KINDS {
        let mut node = node(1);
        let mut plain = plain(&key(9));
        plain.listen_on(kind.parse().expect("an address")).expect("a listener");
        let address = loop {
            if let swarm::SwarmEvent::NewListenAddr { address, .. } = plain.select_next_some().await
            {
                break address;
            }
        };
        node.swarm.dial(address).expect("a dial");
        let failure = soon(async {
            tokio::select! {
                failure = node.hello_failure() => failure,
                () = async { loop { plain.select_next_some().await; } } => unreachable!(),
            }
        })
        .await;
        // What it says first depends on who speaks first on that stream.
        assert!(
            matches!(failure.error, RefusedByUs(Refusal::Garbage) | HelloError::Broken(_)),
            "{kind}: {failure}"
        );
    }
}
