//! Spec, "Agreeing" and "Verdict": who was taken in and then missed what the others agreed on.

use super::room::{LIFE, MS, Room, SECOND, found, id, key, questions, rejected};
use crate::base::id::{Incarnation, NodeId};
use crate::base::signer::Signer;
use crate::base::token::Token;
use crate::protocol::membership::roll::{agreement, view_of};
use crate::protocol::membership::wire::{Alive, News, Pulse};
use crate::protocol::membership::{
    Certificate, Finding, Flaw, Input, Message, Output, Phase, Standing, Statement, Verdict, Vote,
};

const BORN: Incarnation = Incarnation { life: LIFE, refutations: 0 };

/// Node 1 founded; 2 took node 0 in before the vote of anybody else counted. All eight live.
struct Late {
    room: Room,
}

fn ids(numbers: impl IntoIterator<Item = u8>) -> Vec<NodeId> {
    let mut ids: Vec<NodeId> = numbers.into_iter().map(id).collect();
    ids.sort_unstable();
    ids
}

fn alive(number: u8) -> News {
    News::Alive(Alive::first(&mut Signer::new(key(number)), LIFE))
}

fn votes(subject: u8, voters: impl IntoIterator<Item = u8>, quorum: u32) -> Certificate {
    let (round, subject, verdict) = (7, id(subject), Verdict::Down);
    let vote = |voter: u8| {
        let vote = Vote { voter: id(voter), tick: 100, agreed: 0, quorum, signature: Vec::new() };
        let made = Statement { round, subject, incarnation: BORN, verdict, vote };
        made.sign(&mut Signer::new(key(voter))).vote
    };
    let votes = voters.into_iter().map(vote).collect();
    Certificate { subject, incarnation: BORN, round, votes }
}

impl Late {
    fn new() -> Self {
        let mut room = Room::seeking();
        let asked = questions(&room.links(id(2), LIFE));
        let mut late = Self { room };
        let ack = Message::Ack(late.pulse(0, 0));
        let asked = questions(&late.answer(asked[0], ack));
        let page = late.page((0..8).map(alive).collect(), [1]);
        late.answer(asked[0], page);
        assert_eq!(late.sizes(), (8, 1));
        late.room.wait(SECOND);
        late
    }

    fn sizes(&self) -> (u32, u32) {
        self.room.machine.roll().sizes()
    }

    fn pulse(&self, active: u64, agreed: u64) -> Pulse {
        let (incarnation, phase) = (BORN, Phase::Active);
        Pulse { incarnation, tick: 100, phase, active, agreed, holders: None }
    }

    fn page(&self, mut records: Vec<News>, agreed: impl IntoIterator<Item = u8>) -> Message {
        records.sort_by_key(News::node);
        Message::Page { records, agreed: ids(agreed), more: false }
    }

    fn answer(&mut self, token: Token, message: Message) -> Vec<Output> {
        self.room.input(Input::Answer { token, message })
    }

    /// These say that they hold this.
    fn told(&mut self, numbers: impl IntoIterator<Item = u8>, view: u64, agreed: u64) {
        for number in numbers {
            let message = Message::Ping(self.pulse(view, agreed));
            let token = Token(u64::from(number));
            self.room.input(Input::Asked { from: id(number), token, message });
        }
    }

    /// Node 2 tells all that it holds when it is asked; true when it was.
    fn fetches(&mut self, records: &[News], agreed: impl IntoIterator<Item = u8>) -> bool {
        let is_fetch = |output: &Output| match output {
            Output::Ask { token, message: Message::Fetch { .. }, .. } => Some(*token),
            _ => None,
        };
        let asked = self.room.wait(300 * MS).iter().find_map(is_fetch);
        let page = self.page(records.to_vec(), agreed);
        asked.is_some_and(|token| {
            self.answer(token, page);
            true
        })
    }
}

/// The others put 7 out, with five votes of eight, and agreed on the rest.
fn after_a_verdict() -> (Certificate, Vec<News>, u64, u64) {
    let proof = votes(7, 2..7, 5);
    let mut records: Vec<News> = (0..7).map(alive).collect();
    records.push(News::Down(proof.clone()));
    let view = view_of(&records);
    (proof, records, view, agreement(&ids(0..7).into_iter().collect()))
}

#[test]
fn who_is_no_voter_yet_follows_a_member_of_the_same_d_to_what_it_believes_itself() {
    let mut late = Late::new();
    let view = late.room.machine.roll().digests().0;
    let others = agreement(&ids([1, 2, 3, 90, 91]).into_iter().collect());
    let (born, all) = (agreement(&[id(1)].into()), agreement(&ids(0..8).into_iter().collect()));
    late.told([5, 90], view, born);
    late.told([5], view, others);
    assert_eq!(late.sizes(), (8, 1), "voters that were made up");
    late.told([90], view, all);
    assert_eq!(late.sizes(), (8, 1), "the word of a stranger");
    late.told([6], view, all);
    assert_eq!(late.sizes(), (8, 1), "it may be of another mesh");
    late.told([5], view, all);
    assert_eq!(late.sizes(), (8, 8));
}

#[test]
fn who_is_no_voter_yet_and_hears_no_voter_for_long_follows_any_member() {
    let mut late = Late::new();
    let view = late.room.machine.roll().digests().0;
    let all = agreement(&ids(0..8).into_iter().collect());
    late.room.wait(2 * SECOND);
    late.told([6], view, all);
    assert_eq!(late.sizes(), (8, 1));
    late.room.knows(1);
    late.told([1], 4, 5);
    late.room.wait(4 * SECOND);
    late.told([6], view, all);
    assert_eq!(late.sizes(), (8, 1), "the voter was heard four seconds ago");
    late.room.wait(SECOND);
    late.told([6], view, all);
    assert_eq!(late.sizes(), (8, 8));
}

#[test]
fn a_refused_verdict_and_the_d_behind_it_are_taken_from_more_than_half_and_from_no_fewer() {
    let (proof, records, view, agreed) = after_a_verdict();
    let mut late = Late::new();
    let heard = Message::News(vec![News::Down(proof.clone())]);
    let outputs = late.room.input(Input::Told { from: id(2), message: heard });
    assert_eq!(rejected(&outputs), [(id(2), Flaw::ForeignVoter)]);
    late.told(2..6, view, agreed);
    assert!(late.fetches(&records, 0..7));
    assert_eq!(late.sizes(), (8, 1), "four of eight are not more than half");
    late.told([6, 2], view, agreed);
    assert!(late.fetches(&records, 0..7));
    assert_eq!(late.sizes(), (7, 7));
    assert_eq!(late.room.machine.certificate(id(7)), Some(proof));
}

#[test]
fn most_members_agree_on_another_d_and_not_on_that_verdict() {
    let (_, records, _, agreed) = after_a_verdict();
    let mut late = Late::new();
    // They hold the D of the one that tells it, and another A.
    late.told(2..7, 4, agreed);
    let made_up: Vec<News> =
        records[..7].iter().cloned().chain([News::Down(votes(7, 90..95, 5))]).collect();
    assert!(late.fetches(&made_up, 0..7));
    assert_eq!(late.sizes(), (8, 7));
    assert_ne!(late.room.standing(id(7)), Some(Standing::Down));
}

#[test]
fn the_word_of_the_only_voter_is_enough() {
    let (proof, records, view, agreed) = after_a_verdict();
    let mut late = Late::new();
    late.told([1, 2], view, agreed);
    assert!(late.fetches(&records, 0..7));
    assert_eq!(late.sizes(), (7, 7));
    assert_eq!(late.room.machine.certificate(id(7)), Some(proof));
}

#[test]
fn who_is_refused_goes_down_when_most_refuse_it_and_contradicts_when_only_some_do() {
    let proof = votes(0, 2..7, 5);
    for (refusing, phase, contradicts) in
        [(3..4, Phase::Active, 0), (3..5, Phase::Active, 1), (2..7, Phase::Downed, 0)]
    {
        let mut late = Late::new();
        let mut outputs = Vec::new();
        for by in refusing.clone().map(id) {
            let certificate = proof.clone();
            outputs.extend(late.room.input(Input::Barred { by: Some(by), certificate }));
        }
        assert_eq!(late.room.machine.phase(), phase, "{refusing:?}");
        outputs.extend(late.room.wait(900 * MS));
        assert!(found(&outputs).iter().all(|finding| !matches!(finding, Finding::Refuted { .. })));
        let later = found(&late.room.wait(200 * MS));
        let refuted = later.iter().filter(|finding| matches!(finding, Finding::Refuted { .. }));
        assert_eq!(refuted.count(), contradicts, "{refusing:?}: {later:#?}");
    }
}

#[test]
fn a_proof_by_voters_that_nobody_knows_takes_nobody_down() {
    let proof = votes(0, 90..95, 5);
    let mut late = Late::new();
    for _ in 0..20 {
        let certificate = proof.clone();
        late.room.input(Input::Barred { by: Some(id(3)), certificate });
        late.room.wait(100 * MS);
    }
    assert_eq!(late.room.machine.phase(), Phase::Active);
    assert_eq!(late.room.machine.incarnation(), BORN);
}
