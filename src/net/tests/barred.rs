//! A node that was put out meets those who know of it.

use bytes::Bytes;

use super::pair::{Pair, Side, id};
use crate::base::id::{Incarnation, Life};
use crate::engine::{Input, Output};
use crate::protocol::discovery::DialFailure;

fn incarnation(refutations: u32) -> Incarnation {
    Incarnation { life: Life(5), refutations }
}

/// What the next dial of two, to one, comes to at two.
async fn dial(pair: &mut Pair) -> Vec<Input> {
    pair.dial();
    let mut told = Vec::new();
    loop {
        let (side, input) = pair.until(|_| true).await;
        if side == Side::Two {
            let over = matches!(input, Input::Dialled { .. } | Input::DialFailed { .. });
            told.push(input);
            if over {
                return told;
            }
        }
    }
}

#[tokio::test]
async fn it_gets_the_certificate_a_dial_to_be_tried_again_and_comes_back_as_the_next() {
    let mut pair = Pair::new().await;
    let certificate = Bytes::from_static(b"signed by a quorum");
    pair.one.perform(Output::Bar {
        node: id(Side::Two),
        incarnation: incarnation(0),
        certificate: certificate.clone(),
    });
    let told = dial(&mut pair).await;
    let refused = |input: &Input| match input {
        Input::Refused { peer, by_us: false, reason } => {
            *peer == Some(id(Side::One)) && reason.contains("was put out by a quorum")
        }
        _ => false,
    };
    assert!(told.iter().any(refused), "{told:?}");
    let heard = |input: &Input| match input {
        Input::Barred { by, certificate: heard } => {
            *by == Some(id(Side::One)) && *heard == certificate
        }
        _ => false,
    };
    assert!(told.iter().any(heard), "{told:?}");
    // A stranger of another network would be left alone for long.
    let failure = told.iter().find_map(|input| match input {
        Input::DialFailed { failure, .. } => Some(failure),
        _ => None,
    });
    assert!(matches!(failure, Some(DialFailure::Unreachable(_))), "{told:?}");

    pair.two.perform(Output::Incarnation(incarnation(1)));
    let told = dial(&mut pair).await;
    assert!(told.iter().any(|input| matches!(input, Input::Opened { .. })), "{told:?}");
}

#[tokio::test]
async fn who_is_not_barred_any_more_comes_in_as_it_is() {
    let mut pair = Pair::new().await;
    let (node, certificate) = (id(Side::Two), Bytes::new());
    pair.one.perform(Output::Bar { node, incarnation: incarnation(0), certificate });
    let told = dial(&mut pair).await;
    assert!(told.iter().any(|input| matches!(input, Input::Barred { .. })), "{told:?}");
    pair.one.perform(Output::Unbar { node });
    let told = dial(&mut pair).await;
    assert!(told.iter().any(|input| matches!(input, Input::Opened { .. })), "{told:?}");
}
