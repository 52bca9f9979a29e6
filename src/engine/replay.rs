//! Turns a recorded machine again.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_bytes::ByteBuf;
use serde_json::Value;

use super::recorder::{Recordable, step};
use super::recording::{RecordingOf, Step, next};
use crate::base::codec::DecodeError;
use crate::base::signer::Signer;
use crate::base::time::{Time, WallTime};
use crate::protocol::membership::{Finding, MembershipMachine};

/// One step of a replay: what came in, what the machine wanted, and whether it wanted the same when
/// it was recorded.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ReplayStep {
    /// Its number, from 1.
    pub step: u64,
    /// When, on the node's clock.
    #[serde(rename = "at_us")]
    pub at: WallTime,
    /// What came in.
    pub input: Value,
    /// What the machine wants, in order.
    pub outputs: Vec<Value>,
    /// What it found out; also among the outputs.
    #[serde(skip)]
    pub findings: Vec<Finding>,
    /// The recorded machine wanted the same.
    pub same: bool,
}

/// A step as it was recorded.
struct Taken<I> {
    at: Time,
    input: I,
    recorded: Step,
}

/// Turns the machine of a recording again, a step with every call of `next`.
#[derive(Debug)]
pub struct ReplayOf<M> {
    recording: RecordingOf<M>,
    read: usize,
    steps: u64,
}

impl<M: Recordable> ReplayOf<M>
where
    M::Input: DeserializeOwned + Serialize,
    M::Output: Serialize,
{
    pub const fn new(recording: RecordingOf<M>) -> Self {
        Self { recording, read: 0, steps: 0 }
    }

    /// Reads the next step of the tape; `None` at its end.
    fn read(&mut self) -> Option<Result<Taken<M::Input>, DecodeError>> {
        let mut rest = self.recording.tape.get(self.read..).unwrap_or_default();
        if rest.is_empty() {
            return None;
        }
        let read = next(&mut rest)
            .and_then(|(at, input)| Ok(Taken { at, input, recorded: next(&mut rest)? }));
        // After bytes that are no step nothing can be read any more.
        let left = if read.is_ok() { rest.len() } else { 0 };
        self.read = self.recording.tape.len() - left;
        Some(read)
    }

    fn turn(&mut self, Taken { at, input, recorded }: Taken<M::Input>) -> ReplayStep {
        let signatures = recorded.signatures.into_iter().map(ByteBuf::into_vec);
        let machine = &mut self.recording.beginning;
        *machine.signer() = Signer::recorded(self.recording.header.node, signatures);
        let shown = plain(&input);
        let (digest, wanted) = step(machine, at, input);
        self.steps += 1;
        ReplayStep {
            step: self.steps,
            at: self.recording.header.started.at(at),
            input: shown,
            outputs: wanted.iter().map(plain).collect(),
            findings: wanted.iter().filter_map(M::finding).cloned().collect(),
            same: digest == recorded.digest,
        }
    }
}

impl<M: Recordable> Iterator for ReplayOf<M>
where
    M::Input: DeserializeOwned + Serialize,
    M::Output: Serialize,
{
    type Item = Result<ReplayStep, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.read()?;
        Some(read.map(|taken| self.turn(taken)))
    }
}

/// Turns the membership of a recorded node again: an iterator over the steps. It ends early, with
/// an error, where the recording is damaged.
#[derive(Debug)]
pub struct Replay(ReplayOf<MembershipMachine>);

impl Replay {
    pub(super) const fn new(replay: ReplayOf<MembershipMachine>) -> Self {
        Self(replay)
    }
}

impl Iterator for Replay {
    type Item = Result<ReplayStep, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

/// As a value of JSON, to be looked at.
fn plain(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}
