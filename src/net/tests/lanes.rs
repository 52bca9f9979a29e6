//! Questions and answers by the two lanes.

use libp2p::PeerId;

use super::pair::{Pair, Side, id};
use crate::base::limits::MAX_PROBE;
use crate::base::token::Token;
use crate::engine::frame::{Lane, Message, Request, Room, Ticket};
use crate::engine::{Input, Output};
use crate::net::network::Open;
use crate::protocol::{discovery, membership, topic};

const LANES: [Lane; 2] = [Lane::Control, Lane::Probe];

fn ticket(number: u64) -> Ticket {
    Ticket { room: Room::Membership, token: Token(number) }
}

fn noted() -> Message {
    Message::Membership(membership::Message::Noted)
}

/// A message of about this size.
fn large(bytes: usize) -> Message {
    let nodes = vec![id(Side::One); bytes / id(Side::One).to_bytes().len() + 1];
    Message::Discovery(discovery::Message::Fetch { nodes })
}

/// Two asks one by this lane.
fn ask(pair: &mut Pair, lane: Lane, number: u64, message: Message) {
    let request = Request::Ask(message);
    let open = Open { ticket: ticket(number), again: Some(request.clone()) };
    pair.two.put(PeerId::from(id(Side::One)), lane, request, open);
}

fn is_end(input: &Input) -> bool {
    matches!(input, Input::Answer { .. } | Input::NoAnswer { .. } | Input::Asked { .. })
}

#[tokio::test]
async fn a_question_is_answered_by_the_lane_it_came_by_though_both_number_alike() {
    let mut pair = Pair::linked().await;
    for (number, lane) in LANES.into_iter().enumerate() {
        ask(&mut pair, lane, number as u64, noted());
    }
    let mut answered = Vec::new();
    while answered.len() < LANES.len() {
        match pair.until(is_end).await {
            (Side::One, Input::Asked { from, token, message }) => {
                assert_eq!((from, &message), (id(Side::Two), &noted()));
                pair.one.perform(Output::Answer { token, message });
            }
            (Side::Two, input @ Input::Answer { ticket, .. }) => {
                assert_eq!(input.sign_of_life(), Some(id(Side::One)));
                answered.push(ticket);
            }
            other => panic!("{other:?}"),
        }
    }
    answered.sort();
    assert_eq!(answered, [ticket(0), ticket(1)], "each answer settles its own question");
}

#[tokio::test]
async fn what_is_too_large_for_a_probe_goes_by_the_control_lane_only() {
    let mut pair = Pair::linked().await;
    ask(&mut pair, Lane::Probe, 1, large(MAX_PROBE));
    let (side, input) = pair.until(is_end).await;
    let lost = matches!(input, Input::NoAnswer { ticket: lost } if lost == ticket(1));
    assert!(side == Side::Two && lost, "{input:?}");
    ask(&mut pair, Lane::Control, 2, large(MAX_PROBE));
    let (side, input) = pair.until(is_end).await;
    assert!(side == Side::One && matches!(input, Input::Asked { .. }), "{input:?}");
}

#[tokio::test]
async fn a_full_control_lane_leaves_room_for_probes() {
    let mut pair = Pair::linked().await;
    // One answers none of them, so they stay open.
    (0..200).for_each(|number| ask(&mut pair, Lane::Control, number, noted()));
    ask(&mut pair, Lane::Probe, 1_000, topic_message());
    let is_probe = |input: &Input| matches!(input, Input::Asked { message, .. } if *message == topic_message());
    let (side, _) = pair.until(is_probe).await;
    assert_eq!(side, Side::One);
}

fn topic_message() -> Message {
    Message::Topic(topic::Message::Traced { ways: Vec::new() })
}

#[tokio::test]
async fn without_a_link_there_is_no_answer_by_either_lane() {
    let mut pair = Pair::new().await;
    for lane in LANES {
        ask(&mut pair, lane, 7, noted());
        let (side, input) = pair.until(is_end).await;
        let lost = matches!(input, Input::NoAnswer { ticket: lost } if lost == ticket(7));
        assert!(side == Side::Two && lost, "{input:?}");
    }
}

#[tokio::test]
async fn what_is_told_is_a_sign_of_life_of_either_side_and_its_loss_of_none() {
    let mut pair = Pair::linked().await;
    let tell = |ticket| Output::Tell { to: id(Side::One), ticket, message: noted() };
    pair.two.perform(tell(ticket(1)));
    let mut ends = Vec::new();
    while ends.len() < 2 {
        let is_end = |input: &Input| matches!(input, Input::Told { .. } | Input::Arrived { .. });
        let (side, input) = pair.until(is_end).await;
        ends.push((side, input.sign_of_life()));
    }
    ends.sort_by_key(|(side, _)| *side == Side::Two);
    assert_eq!(ends, [(Side::One, Some(id(Side::Two))), (Side::Two, Some(id(Side::One)))]);

    let mut alone = Pair::new().await;
    alone.two.perform(tell(ticket(2)));
    let (_, lost) = alone.until(|input| matches!(input, Input::NoAnswer { .. })).await;
    assert_eq!(lost.sign_of_life(), None);
}

#[test]
fn good_byes_cards_and_ways_go_by_the_control_lane() {
    let messages = [noted(), large(1), topic_message()];
    assert!(messages.iter().all(|message| message.lane() == Lane::Control));
}
