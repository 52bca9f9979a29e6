//! Nodes of our own kind: those that belong together, and those that do not.

use std::collections::BTreeSet;

use futures::StreamExt;
use futures::future::join;
use libp2p::Multiaddr;
use libp2p::core::ConnectedPoint;
use libp2p::swarm::SwarmEvent;

use crate::base::id::Incarnation;
use crate::base::key::NetworkKey;
use crate::net::hello::HelloSettings;
use crate::net::hello::acquaintances::Introduced;
use crate::net::hello::acquaintances::{Acquaintances, MAX_WAITING};
use crate::net::refusal::HelloError::{RefusedByPeer, RefusedByUs};
use crate::net::refusal::{HelloError, HelloFailure, Limits, Refusal};
use crate::net::transport::{Transports, build_plain};

use super::world::*;

#[tokio::test]
async fn members_introduce_themselves_over_every_transport() {
    for kind in KINDS {
        let (mut one, mut two) = (node(1), node(2));
        let (Begin::Met(at_one), Begin::Met(at_two)) = meet(kind, &mut one, &mut two).await else {
            panic!("members meet over {kind}")
        };
        let (expected_one, expected_two) = (settings(1), settings(2));
        assert_eq!((at_one.peer, at_two.peer), (expected_two.me, expected_one.me), "{kind}");
        assert_eq!(
            (at_one.incarnation.life, at_two.incarnation.life),
            (expected_two.life, expected_one.life),
            "{kind}"
        );
        assert_eq!(at_one.features, expected_two.features, "{kind}");
        assert_eq!(at_two.agent, expected_one.agent, "{kind}");
        assert_eq!(one.hello.stats().welcomed, 1, "{kind}");
        assert_eq!(one.hello.stats().under_way, 0, "{kind}");
        assert_eq!(one.swarm.behaviour().met, [*two.swarm.local_peer_id()], "{kind}");
    }
}

#[tokio::test]
async fn a_name_of_the_dns_is_dialed_and_remembered_as_it_was_written() {
    let on = Transports { dns: true, ..ALL };
    if let Err(error) = build_plain(&key(2), on) {
        eprintln!("SKIPPED: this machine has no resolver configuration: {error}");
        return;
    }
    for (kind, suffix) in [("/ip4/127.0.0.1/tcp/0", ""), ("/ip4/127.0.0.1/tcp/0/ws", "/ws")] {
        let (mut one, mut two) = (node(1), node_with(2, on, |_| {}));
        let address = soon(one.listen(kind)).await.to_string();
        let port = address.split('/').nth(4).expect("a port");
        let named = format!("/dns4/localhost/tcp/{port}{suffix}/p2p/{}", settings(1).me);
        let address: Multiaddr = named.parse().expect("an address");
        two.swarm.dial(address).expect("a dial");
        let begins = soon(join(one.begin(), two.begin())).await;
        assert!(matches!(begins, (Begin::Met(_), Begin::Met(_))), "{kind}: {begins:?}");
    }
}

#[tokio::test]
async fn two_dials_at_once_are_both_introduced() {
    let (mut one, mut two) = (node(1), node(2));
    let address = soon(one.listen("/ip4/127.0.0.1/tcp/0")).await;
    two.swarm.dial(address.clone()).expect("a dial");
    two.swarm.dial(address).expect("a second dial");
    let at_two = async {
        // Both may be established before the first is asked for, so `begin` is too strict here.
        let mut endpoints = Vec::new();
        while endpoints.len() < 2 {
            let event = two.swarm.select_next_some().await;
            if let SwarmEvent::ConnectionEstablished { endpoint, .. } = event {
                endpoints.push(endpoint);
            }
        }
        endpoints
    };
    let at_one = async { (one.begin().await, one.begin().await) };
    let (at_one, endpoints) = soon(join(at_one, at_two)).await;
    assert!(matches!(at_one, (Begin::Met(_), Begin::Met(_))), "{at_one:?}");
    for endpoint in &endpoints {
        assert!(two.hello.take(&settings(1).me.into(), endpoint).is_some());
    }
    assert_eq!(two.hello.take(&settings(1).me.into(), &endpoints[0]), None);
}

/// Over every transport: the listener refuses the dialer, and both know why.
async fn refused(change: fn(&mut HelloSettings), why: Refusal) {
    for kind in KINDS {
        let (mut one, mut two) = (node(1), node_with(2, ALL, change));
        let address = soon(one.listen(kind)).await;
        two.swarm.dial(address).expect("a dial");
        let (at_one, at_two) = soon(join(one.hello_failure(), two.hello_failure())).await;
        let by_us = HelloFailure { peer: settings(2).me, error: RefusedByUs(why.clone()) };
        let by_peer = HelloFailure { peer: settings(1).me, error: RefusedByPeer(why.clone()) };
        assert_eq!((at_one, at_two), (by_us, by_peer), "{kind}");
        assert_eq!(one.hello.stats().refused_by_us[why.name()], 1, "{kind}");
        assert_eq!(two.hello.stats().refused_by_peer[why.name()], 1, "{kind}");
    }
}

#[tokio::test]
async fn another_network_key_is_refused_and_both_know_why() {
    refused(|two| two.key = Some(NetworkKey::new([8; 32])), Refusal::WrongProof).await;
}

#[tokio::test]
async fn no_network_key_is_refused_and_both_know_why() {
    refused(|two| two.key = None, Refusal::WrongProof).await;
}

#[tokio::test]
async fn another_network_is_refused_and_both_know_why() {
    let why = Refusal::OtherNetwork { refuser: "orchard".into(), refused: "meadow".into() };
    refused(|two| two.network = "meadow".into(), why).await;
}

#[tokio::test]
async fn other_limits_are_refused_and_both_know_why() {
    let why = Refusal::IncompatibleLimits {
        refuser: Limits { max_message_bytes: 1_000_000, buckets: 32 },
        refused: Limits { max_message_bytes: 1_000_000, buckets: 16 },
    };
    refused(|two| two.buckets = 16, why).await;
}

#[tokio::test]
async fn an_open_network_is_told_apart_by_its_name() {
    let open = |settings: &mut HelloSettings| settings.key = None;
    let (mut one, mut two) = (node_with(1, ALL, open), node_with(2, ALL, open));
    let begins = meet("/memory/0", &mut one, &mut two).await;
    assert!(matches!(begins, (Begin::Met(_), Begin::Met(_))), "{begins:?}");
}

#[tokio::test]
async fn a_node_does_not_meet_itself() {
    for kind in KINDS {
        // The swarm itself does not dial its own addresses, but it does not know all of them.
        let (mut one, mut again) = (node(1), node(1));
        let address = soon(one.listen(kind)).await;
        again.swarm.dial(address).expect("a dial");
        let (at_listener, at_dialer) = soon(join(one.failure(), again.hello_failure())).await;
        assert_eq!(at_dialer.error, RefusedByUs(Refusal::Ourselves), "{kind}");
        // The dialer may be gone before the listener has come as far as the hello.
        if let Some(failure) = at_listener {
            assert_eq!(failure.error, RefusedByUs(Refusal::Ourselves), "{kind}");
        }
    }
}

#[test]
fn of_those_who_wait_for_the_driver_the_oldest_leaves() {
    let acquaintances = Acquaintances::default();
    let peer = settings(1).me;
    let introduced = Introduced {
        peer,
        incarnation: Incarnation::default(),
        features: BTreeSet::new(),
        agent: "test".into(),
    };
    let point = |port: usize| ConnectedPoint::Listener {
        local_addr: Multiaddr::empty(),
        send_back_addr: format!("/memory/{port}").parse().expect("an address"),
    };
    for port in 0..=MAX_WAITING {
        acquaintances.note(&peer.into(), &point(port), introduced.clone());
    }
    assert_eq!(acquaintances.take(&peer.into(), &point(0)), None);
    assert_eq!(acquaintances.take(&peer.into(), &point(1)), Some(introduced));
}

#[test]
fn every_failure_is_one_sentence_that_says_who_refused() {
    let other = Refusal::OtherNetwork { refuser: "a".into(), refused: "b\u{1b}[2J\n".into() };
    assert_eq!(
        HelloError::RefusedByPeer(other.clone()).to_string(),
        "the peer refused this node: the peer is in network \"a\", this node in network \
         \"b\\u{1b}[2J\\n\""
    );
    assert_eq!(
        HelloError::RefusedByUs(Refusal::WrongProof).to_string(),
        "this node refused the peer: the peer cannot prove the network key: it has another one, \
         or none"
    );
    assert!(other.to_string().starts_with("the refusing node is in network \"a\""));
}
