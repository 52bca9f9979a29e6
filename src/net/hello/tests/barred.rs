//! Spec, *Heard*: who was put out learns why, and comes back as the next incarnation.

use bytes::Bytes;
use futures::future::join;

use crate::base::id::{Incarnation, Life};
use crate::base::limits::MAX_CERTIFICATE;
use crate::net::hello::bars::{Bars, MAX_BARS};
use crate::net::hello::wire::{self, Message, Reason};
use crate::net::refusal::HelloError::{RefusedByPeer, RefusedByUs};
use crate::net::refusal::Refusal;

use super::world::*;

const CERTIFICATE: &[u8] = b"signed by a quorum";

/// The incarnation of node 2 of the tests after so many refutations.
fn incarnation(refutations: u32) -> Incarnation {
    Incarnation { life: Life(2), refutations }
}

fn down(certificate: &[u8]) -> Refusal {
    Refusal::Down { certificate: certificate.to_vec() }
}

#[tokio::test]
async fn whoever_dials_a_barred_incarnation_gets_the_certificate_and_the_next_comes_in() {
    for kind in KINDS {
        for dials in [true, false] {
            let (mut one, mut two) = (node(1), node(2));
            one.hello.bar(settings(2).me, incarnation(3), Bytes::from_static(CERTIFICATE));
            two.hello.rise(incarnation(3));
            let (listener, dialer) =
                if dials { (&mut one, &mut two) } else { (&mut two, &mut one) };
            let address = soon(listener.listen(kind)).await;
            dialer.swarm.dial(address.clone()).expect("a dial");
            let ends = soon(join(listener.hello_failure(), dialer.hello_failure())).await;
            let (at_one, at_two) = if dials { ends } else { (ends.1, ends.0) };
            assert_eq!(at_one.error, RefusedByUs(down(CERTIFICATE)), "{kind} {dials}");
            assert_eq!(at_two.error, RefusedByPeer(down(CERTIFICATE)), "{kind} {dials}");
            assert_eq!(at_two.peer, settings(1).me);

            two.hello.rise(incarnation(4));
            let (listener, dialer) =
                if dials { (&mut one, &mut two) } else { (&mut two, &mut one) };
            dialer.swarm.dial(address).expect("a dial");
            let (begin, other) = soon(join(listener.begin(), dialer.begin())).await;
            let begin = if dials { begin } else { other };
            let Begin::Met(introduced) = begin else { panic!("{kind} {dials}: {begin:?}") };
            assert_eq!(introduced.incarnation, incarnation(4), "{kind} {dials}");
        }
    }
}

#[tokio::test]
async fn the_largest_certificate_arrives_and_a_larger_one_is_left_out() {
    for (size, arrives) in [(MAX_CERTIFICATE, MAX_CERTIFICATE), (MAX_CERTIFICATE + 1, 0)] {
        let (mut one, mut two) = (node(1), node(2));
        one.hello.bar(settings(2).me, incarnation(0), vec![9; size].into());
        let address = soon(one.listen("/ip4/127.0.0.1/tcp/0")).await;
        two.swarm.dial(address).expect("a dial");
        let (_, at_two) = soon(join(one.hello_failure(), two.hello_failure())).await;
        assert_eq!(at_two.error, RefusedByPeer(down(&vec![9; arrives])));
    }
}

#[tokio::test]
async fn a_stranger_is_not_told_who_was_put_out() {
    let mut one = node(1);
    let mut two = node_with(2, ALL, |two| two.key = None);
    one.hello.bar(settings(2).me, incarnation(0), Bytes::from_static(CERTIFICATE));
    let address = soon(one.listen("/memory/0")).await;
    two.swarm.dial(address).expect("a dial");
    let (_, at_two) = soon(join(one.hello_failure(), two.hello_failure())).await;
    assert_eq!(at_two.error, RefusedByPeer(Refusal::WrongProof));
}

#[test]
fn a_bar_holds_for_its_incarnation_and_those_before_until_it_is_taken_away() {
    let bars = Bars::default();
    let node = settings(2).me;
    bars.put(node, incarnation(3), Bytes::from_static(CERTIFICATE));
    let next_life = Incarnation { life: Life(3), refutations: 0 };
    assert!(bars.against(node, incarnation(3)).is_some());
    assert!(bars.against(node, incarnation(2)).is_some());
    assert!(bars.against(node, incarnation(4)).is_none());
    assert!(bars.against(node, next_life).is_none());
    assert!(bars.against(settings(3).me, incarnation(0)).is_none());
    bars.put(node, next_life, Bytes::from_static(b"a newer one"));
    assert_eq!(bars.against(node, incarnation(4)), Some(Bytes::from_static(b"a newer one")));
    bars.remove(node);
    assert!(bars.against(node, incarnation(3)).is_none());
}

#[test]
fn of_too_many_bars_the_oldest_leaves() {
    let bars = Bars::default();
    let id = |number: usize| {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_be_bytes());
        crate::base::key::SecretKey::from_seed(seed).id()
    };
    for number in 0..MAX_BARS {
        bars.put(id(number), incarnation(0), Bytes::new());
    }
    // Said again it is the newest.
    bars.put(id(0), incarnation(1), Bytes::new());
    bars.put(id(MAX_BARS), incarnation(0), Bytes::new());
    assert!(bars.against(id(0), incarnation(1)).is_some());
    assert!(bars.against(id(1), incarnation(0)).is_none());
    assert!(bars.against(id(2), incarnation(0)).is_some());
}

#[test]
fn a_certificate_beyond_its_bound_is_not_read_whatever_a_peer_sends() {
    let told = |size: usize| {
        let reason = Reason::of_bytes(10, vec![1; size]);
        let frame = wire::encode(&Message::Refusal(reason));
        match wire::decode(&frame) {
            Ok(Message::Refusal(reason)) => Ok(Refusal::from(reason)),
            other => Err(other),
        }
    };
    assert_eq!(told(MAX_CERTIFICATE), Ok(down(&[1; MAX_CERTIFICATE])));
    assert_eq!(told(MAX_CERTIFICATE + 1), Ok(Refusal::Unknown(10)));
    assert_eq!(told(MAX_CERTIFICATE + 4_096), Err(Err(Refusal::Garbage)));
}
