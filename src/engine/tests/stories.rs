//! What is found out becomes events, stories and reasons.

use super::world::{MS, SECOND, id, settings};
use crate::base::id::{Incarnation, Life};
use crate::base::machine::{Machine, Outbox};
use crate::base::time::Time;
use crate::engine::story::StoryBook;
use crate::engine::{Condition, Engine, Event, Input, Output, Story};
use crate::protocol::link::{Link, LinkId};
use crate::protocol::membership::{Finding, GoingDownReason, Phase, Reprieve, Standing};

const INCARNATION: Incarnation = Incarnation { life: Life(1), refutations: 0 };

/// The engine of node 0, linked with node 1.
struct Teller {
    now: Time,
    engine: Engine,
    out: Outbox<Output>,
}

impl Teller {
    fn new() -> Self {
        let engine = Engine::new(settings(0, Life(1), &[]));
        let mut teller = Self { now: Time::ZERO, engine, out: Outbox::new() };
        let link = Link { id: LinkId(1), dialled: None };
        teller.input(Input::Opened { peer: id(1), life: Life(1), link });
        teller.out.drain().count();
        teller.now = Time::ZERO + SECOND;
        teller
    }

    fn input(&mut self, input: Input) {
        self.engine.handle(self.now, input, &mut self.out);
    }

    /// Membership finds this out, and a millisecond passes; gives the events told.
    fn finds(&mut self, finding: Finding) -> Vec<Event> {
        self.engine.found(self.now, finding, &mut self.out);
        self.now = self.now + MS;
        let event = |output| match output {
            Output::Event(event) => Some(event),
            _ => None,
        };
        self.out.drain().filter_map(event).collect()
    }

    fn story(&self, number: u8) -> Story {
        self.engine.story(self.now, id(number))
    }

    fn condition(&self) -> Condition {
        self.story(1).condition
    }

    fn suspects(&mut self) {
        let node = id(1);
        (1..=3).for_each(|misses| drop(self.finds(missed(misses))));
        self.finds(Finding::Suspected {
            node,
            incarnation: INCARNATION,
            quorum: 3,
            voters: 4,
            round: 7,
        });
    }
}

fn missed(misses: u32) -> Finding {
    Finding::ProbeMissed {
        node: id(1),
        waited: 100 * MS,
        misses,
        round_trip_us: Some(200),
        health: 0,
    }
}

fn ended(reason: Reprieve) -> Finding {
    Finding::SuspicionEnded { node: id(1), reason, up: 2, down: 1, silent: 1, quorum: 3 }
}

fn name(node: crate::base::id::NodeId) -> String {
    (0..9).find(|number| id(*number) == node).map_or("?".to_owned(), |number| format!("n{number}"))
}

#[test]
fn what_is_found_is_an_event_and_what_is_a_detail_is_none() {
    let mut teller = Teller::new();
    let asked = Finding::WitnessAsked { node: id(1), witness: id(2) };
    assert_eq!(teller.finds(asked.clone()), [Event::Membership(asked)]);
    assert_eq!(teller.finds(missed(1)), []);
    assert_eq!(teller.story(1).episodes.len(), 2, "the story has both");
}

#[test]
fn an_event_of_membership_is_flat_json_and_comes_back() {
    let down = Finding::Down {
        node: id(1),
        incarnation: INCARNATION,
        voters: vec![id(2), id(3)],
        quorum: 2,
        by_us: true,
    };
    let link_down = Finding::LinkDown { node: id(1), hold: 10 * SECOND };
    for finding in [down, link_down, missed(2), ended(Reprieve::Refuted)] {
        let event = Event::Membership(finding);
        let json = serde_json::to_value(&event).unwrap();
        assert!(json["event"].is_string() && json["node"].is_string(), "{json}");
        assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);
    }
    let online = Event::Online { node: id(1), life: Life(1) };
    let json = serde_json::to_string(&online).unwrap();
    assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), online);
    assert!(serde_json::from_str::<Event>(r#"{"event":"nonsense"}"#).is_err());
}

#[test]
fn a_node_that_nothing_speaks_against_answers() {
    let mut teller = Teller::new();
    let pinged = Input::Pinged { peer: id(1), link: LinkId(1), answered: Some(MS / 5) };
    teller.input(pinged);
    teller.now = teller.now + 400 * MS;
    let story = teller.story(1);
    assert_eq!((story.standing, story.episodes.len()), (Some(Standing::Alive), 0));
    assert_eq!(
        story.headline(&name),
        "n1 is alive, for 1.4 s: answers, last heard 0.4 s ago, round trip 0.2 ms"
    );
    assert_eq!(teller.story(5).headline(&name), "n5: never heard of here");
}

#[test]
fn a_suspicion_counts_its_votes_and_ends_for_a_reason() {
    let mut teller = Teller::new();
    teller.finds(missed(2));
    assert_eq!(teller.condition(), Condition::Missed { misses: 2 });
    teller.finds(Finding::ProbeAnswered { node: id(1), misses: 2 });
    assert!(matches!(teller.condition(), Condition::Answers { .. }));
    teller.suspects();
    teller.finds(Finding::WitnessDown { node: id(1), witness: id(2) });
    teller.finds(Finding::WitnessUp { node: id(1), witness: id(3) });
    teller.finds(Finding::WitnessSilent { node: id(1), witness: id(4) });
    teller.finds(missed(4));
    let suspected = Condition::Suspected { down: 2, up: 1, silent: 1, quorum: 3, voters: 4 };
    assert_eq!(teller.condition(), suspected);
    teller.finds(ended(Reprieve::Inconclusive));
    let inconclusive = Condition::Inconclusive { down: 1, up: 2, silent: 1, quorum: 3 };
    assert_eq!(teller.condition(), inconclusive);
    teller.finds(Finding::Refuted { node: id(1), incarnation: INCARNATION });
    assert!(matches!(teller.condition(), Condition::Answers { .. }));
    teller.suspects();
    let fresh = Condition::Suspected { down: 1, up: 0, silent: 0, quorum: 3, voters: 4 };
    assert_eq!(teller.condition(), fresh, "votes of an earlier round do not count");
}

#[test]
fn who_is_vouched_for_is_held_for_a_while_in_whatever_order_it_is_told() {
    let link_down = Finding::LinkDown { node: id(1), hold: 10 * SECOND };
    let vouched = ended(Reprieve::Vouched);
    for (first, second) in [(link_down.clone(), vouched.clone()), (vouched, link_down)] {
        let mut teller = Teller::new();
        teller.suspects();
        // Both are told at the same moment.
        teller.engine.found(teller.now, first, &mut teller.out);
        teller.engine.found(teller.now, second, &mut teller.out);
        teller.now = teller.now + 4 * SECOND;
        assert_eq!(teller.condition(), Condition::Vouched { held: 6 * SECOND });
        teller.now = teller.now + 6 * SECOND;
        assert!(matches!(teller.condition(), Condition::Answers { .. }));
    }
}

#[test]
fn too_few_voters_are_a_reason_not_to_be_down() {
    let mut teller = Teller::new();
    teller.finds(Finding::QuorumUnavailable { node: id(1), quorum: 2, voters: 1 });
    assert_eq!(teller.condition(), Condition::NoQuorum { quorum: 2, voters: 1 });
    let told = teller.condition().tell(&name);
    assert_eq!(told, "no verdict is possible, 2 votes needed, 1 voter there");
}

#[test]
fn a_node_tells_its_own_story() {
    let mut teller = Teller::new();
    let before = teller.story(0).episodes.len();
    teller.finds(Finding::Refuted { node: id(0), incarnation: INCARNATION });
    teller.finds(Finding::SelfDoubt { node: id(1), probing: 4 });
    let story = teller.story(0);
    assert_eq!((story.standing, story.episodes.len()), (None, before + 2));
    let headline = story.headline(&name);
    assert!(headline.starts_with("n0, of itself, 1.0 s after its start: "), "{headline}");
    assert_eq!(teller.story(1).episodes.len(), 1, "the doubt began with node 1");
}

#[test]
fn a_node_that_is_down_says_why_and_when_it_comes_back() {
    let mut book = StoryBook::new(id(0));
    let reason = GoingDownReason::SelfDoubt;
    let going = Finding::GoingDown { incarnation: INCARNATION, reason, back_in: 2 * SECOND };
    book.add(Time::ZERO + SECOND, &going);
    let itself = |phase| Condition::of_itself(Time::ZERO + 1500 * MS, book.of(id(0)), phase, 2);
    let back_in = 1500 * MS;
    assert_eq!(itself(Phase::Downed), Condition::Waiting { reason, back_in });
    assert_eq!(itself(Phase::Active), Condition::Member { health: 2 });
    let told = itself(Phase::Downed).tell(&name);
    assert!(told.ends_with("; it tries to come back in 1.5 s"), "{told}");
}

#[test]
fn stories_are_bounded_and_say_what_they_lost() {
    let mut teller = Teller::new();
    teller.suspects();
    (4..5_000).for_each(|misses| drop(teller.finds(missed(misses))));
    let story = teller.story(1);
    assert!(story.episodes.len() < 16, "a row of misses does not push out its beginning");
    assert!(story.episodes.last().unwrap().finding == missed(4_999));
    for _ in 0..200 {
        teller.finds(Finding::WitnessAsked { node: id(1), witness: id(2) });
    }
    let story = teller.story(1);
    assert_eq!((story.episodes.len(), story.dropped > 0), (128, true));
    let again: Story = serde_json::from_str(&serde_json::to_string(&story).unwrap()).unwrap();
    assert_eq!(again, story);
    let stranger = |number: u16| {
        let mut seed = [0xaa; 32];
        seed[..2].copy_from_slice(&number.to_be_bytes());
        crate::base::key::SecretKey::from_seed(seed).id()
    };
    for number in 0..600 {
        teller.finds(Finding::WitnessAsked { node: stranger(number), witness: id(2) });
    }
    let told = |number| teller.engine.story(teller.now, stranger(number)).episodes.len();
    assert_eq!((told(0), told(599), teller.story(1).episodes.len()), (0, 1, 0));
}
