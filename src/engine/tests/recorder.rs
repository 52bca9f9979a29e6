//! What was recorded decides the same again, without the key; what was changed is found.

use serde::{Deserialize, Serialize};

use super::world::{MS, SECOND, World, id, key};
use crate::base::codec::DecodeError;
use crate::base::id::{Life, NodeId};
use crate::base::machine::{Machine, Outbox};
use crate::base::signer::Signer;
use crate::base::time::{Time, WallTime};
use crate::engine::recorder::{Limits, Recordable, Recorder};
use crate::engine::recording::{RecordingHeader, RecordingOf};
use crate::engine::replay::ReplayStep;
use crate::engine::{Condition, Recording};
use crate::protocol::membership::{Finding, MembershipConfig};

/// Adds up what comes in, signs every third sum, and finds something at every fifth.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Adder {
    sum: u64,
    #[serde(skip, default = "nobody")]
    signer: Signer,
}

fn nobody() -> Signer {
    Signer::recorded(id(0), [])
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
enum Input {
    Add(u64),
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
enum Output {
    Sum(u64),
    Signed(Vec<u8>),
    Found(Finding),
}

impl Machine for Adder {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Time, Input::Add(number): Input, out: &mut Outbox<Output>) {
        self.sum += number + now.as_micros();
        out.push(Output::Sum(self.sum));
        if number % 3 == 0 {
            out.push(Output::Signed(self.signer.sign(&self.sum.to_be_bytes())));
        }
        if number % 5 == 0 {
            out.push(Output::Found(Finding::ProbeAnswered { node: id(1), misses: 1 }));
        }
    }

    fn deadline(&self) -> Option<Time> {
        None
    }
}

impl Recordable for Adder {
    fn signer(&mut self) -> &mut Signer {
        &mut self.signer
    }

    fn finding(output: &Output) -> Option<&Finding> {
        match output {
            Output::Found(finding) => Some(finding),
            _ => None,
        }
    }
}

/// A recording of an adder that took the numbers up to this one.
fn recorded(numbers: u64, limits: Limits) -> (RecordingOf<Adder>, Vec<Output>) {
    let mut adder = Adder { sum: 7, signer: Signer::new(key(0)) };
    let mut recorder = Recorder::new(&mut adder, limits);
    let (mut out, mut wanted) = (Outbox::new(), Vec::new());
    for number in 1..=numbers {
        let now = Time::ZERO + MS * u32::try_from(number).unwrap();
        recorder.turn(&mut adder, now, Input::Add(number), &mut out);
        wanted.extend(out.drain());
    }
    let started = WallTime(1_000_000);
    let config = MembershipConfig::default();
    let header = RecordingHeader::new(id(0), Life(1), started, 42, config);
    (RecordingOf::new(header, recorder.read()), wanted)
}

const ALL: Limits = Limits { max_bytes: 1 << 20, max_inputs: 10_000 };

fn replayed(recording: RecordingOf<Adder>) -> Vec<ReplayStep> {
    recording.replay().map(|step| step.unwrap()).collect()
}

#[test]
fn a_replay_decides_the_same_without_the_key_and_after_a_journey() {
    let (recording, wanted) = recorded(30, ALL);
    let recording = RecordingOf::<Adder>::from_cbor(&recording.to_cbor()).unwrap();
    assert_eq!((recording.header.node, recording.header.seed), (id(0), 42));
    let steps = replayed(recording);
    assert_eq!(steps.len(), 30);
    assert!(steps.iter().all(|step| step.same), "{steps:?}");
    assert_eq!(steps[0].at, WallTime(1_001_000));
    let again: Vec<Output> = steps
        .iter()
        .flat_map(|step| step.outputs.clone())
        .map(|output| serde_json::from_value(output).unwrap())
        .collect();
    assert_eq!(again, wanted, "signatures too");
    let found: usize = steps.iter().map(|step| step.findings.len()).sum();
    assert_eq!(found, 6);
}

#[test]
fn a_node_that_saw_another_die_decides_the_same_in_a_replay() {
    let mut world = World::default();
    for number in 1..=5 {
        world.join(number, if number == 1 { &[] } else { &[1] });
        world.record(number);
    }
    world.run(10 * SECOND);
    world.kill(5);
    world.run(10 * SECOND);
    for number in 1..=4 {
        let story = world.engine(number).story(world.now, id(5));
        assert!(matches!(story.condition, Condition::Down { .. }), "{number}: {story:#?}");
        assert_eq!(story.certificate.unwrap().check(), Ok(()));
        let recording = world.engine(number).recording().unwrap();
        let recording = Recording::from_bytes(&recording.to_bytes()).unwrap();
        let steps: Vec<ReplayStep> = recording.replay().map(|step| step.unwrap()).collect();
        let differs = steps.iter().find(|step| !step.same);
        assert_eq!(differs, None, "of node {number}, {} steps", steps.len());
        let down =
            |finding: &Finding| matches!(finding, Finding::Down { node, .. } if *node == id(5));
        assert!(steps.iter().any(|step| step.findings.iter().any(down)));
    }
}

#[test]
fn no_key_is_in_a_recording() {
    let (recording, _) = recorded(30, ALL);
    let bytes = recording.to_cbor();
    let holds = |secret: &[u8]| bytes.windows(secret.len()).any(|part| part == secret);
    assert!(holds(&id(0).to_bytes()), "what is there is found");
    assert!(!holds(&[0; 32]), "the seed of the key");
    assert!(!holds(&key(0).to_protobuf()[4..]));
}

#[test]
fn a_changed_machine_is_found_at_the_first_step_that_differs() {
    let (mut recording, _) = recorded(10, ALL);
    recording.beginning.sum += 1;
    let steps = replayed(recording);
    assert!(steps.iter().all(|step| !step.same));
    // A signature that is gone is missed where it was needed, and nowhere else.
    let (recording, _) = recorded(10, ALL);
    let bytes = recording.to_cbor();
    let at = bytes.windows(2).position(|part| part == [0x58, 64]).unwrap();
    let mut bent = bytes.clone();
    bent[at + 2] ^= 1;
    let steps = replayed(RecordingOf::from_cbor(&bent).unwrap());
    let differ: Vec<u64> = steps.iter().filter(|step| !step.same).map(|step| step.step).collect();
    assert_eq!(differ, [3]);
}

#[test]
fn two_generations_are_kept_and_no_more() {
    for limits in [
        Limits { max_bytes: 1 << 20, max_inputs: 100 },
        Limits { max_bytes: 3_000, max_inputs: 10_000 },
    ] {
        let (recording, wanted) = recorded(2_000, limits);
        assert!(recording.tape.len() < 20_000, "{} bytes", recording.tape.len());
        let steps = replayed(recording);
        assert!((50..=250).contains(&steps.len()), "{limits:?}: {}", steps.len());
        assert!(steps.iter().all(|step| step.same), "{limits:?}");
        let last = steps.last().unwrap().outputs.last().unwrap().clone();
        assert_eq!(serde_json::from_value::<Output>(last).unwrap(), *wanted.last().unwrap());
    }
}

#[test]
fn garbage_and_other_versions_are_refused() {
    let (recording, _) = recorded(5, ALL);
    let bytes = recording.to_cbor();
    for cut in 0..bytes.len() {
        // Cut off somewhere it is refused, or ends with an error, or with a whole step.
        if let Ok(read) = RecordingOf::<Adder>::from_cbor(&bytes[..cut]) {
            assert!(read.replay().count() <= 5);
        }
    }
    let mut other = recording.clone();
    other.header.version = 2;
    let error = RecordingOf::<Adder>::from_cbor(&other.to_cbor()).unwrap_err();
    assert!(error.to_string().contains("version 2"), "{error}");
    for noise in [&b""[..], b"hello", &[0xff; 100], &[0x9f; 1_000]] {
        let error = RecordingOf::<Adder>::from_cbor(noise).unwrap_err();
        assert!(matches!(error, DecodeError::Malformed(_)), "{error}");
    }
    let mut bent = recording;
    bent.tape.truncate(bent.tape.len() - 3);
    let last = bent.replay().last().unwrap();
    assert!(last.is_err(), "what is cut off is told");
}

#[test]
fn names_travel_with_a_recording() {
    let (mut recording, _) = recorded(1, ALL);
    recording.header.names.insert(id(1), "ada".to_owned());
    let read = RecordingOf::<Adder>::from_cbor(&recording.to_cbor()).unwrap();
    let name: Option<&String> = read.header.names.get::<NodeId>(&id(1));
    assert_eq!(name.map(String::as_str), Some("ada"));
}
