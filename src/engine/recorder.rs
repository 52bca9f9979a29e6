//! The flight recorder of a machine: what it was a while ago, and all that came in since, so that
//! its decisions can be looked at again, step by step, on another computer.

use std::io::Write;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_bytes::ByteBuf;

use super::recording::Step;
use crate::base::machine::{Machine, Outbox};
use crate::base::signer::Signer;
use crate::base::time::Time;
use crate::protocol::membership::{self, Finding, MembershipMachine};

/// A machine that can be written down, read back and turned again. What it writes down of itself
/// holds no key.
pub trait Recordable: Clone + DeserializeOwned + Machine + Serialize
where
    Self::Input: DeserializeOwned + Serialize,
    Self::Output: Serialize,
{
    /// What it signs with: a replay puts the recorded signatures there.
    fn signer(&mut self) -> &mut Signer;

    /// What an output tells that it found.
    fn finding(output: &Self::Output) -> Option<&Finding>;
}

/// How much is kept: of two generations each, the older of which goes when the newer is full.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of inputs.
    pub max_bytes: usize,
    /// Inputs.
    pub max_inputs: usize,
}

/// The machine at a moment, and what came in from then on.
#[derive(Debug)]
struct Generation<M> {
    beginning: M,
    /// Steps as they stand in a recording: CBOR, one after the other.
    tape: Vec<u8>,
    steps: usize,
}

impl<M> Generation<M> {
    const fn new(beginning: M) -> Self {
        Self { beginning, tape: Vec::new(), steps: 0 }
    }
}

/// Writes down what comes into a machine, and what the machine makes of it.
#[derive(Debug)]
pub struct Recorder<M> {
    limits: Limits,
    older: Option<Generation<M>>,
    newer: Generation<M>,
}

impl<M: Recordable> Recorder<M>
where
    M::Input: DeserializeOwned + Serialize,
    M::Output: Serialize,
{
    /// Begins with the machine as it is.
    pub fn new(machine: &mut M, limits: Limits) -> Self {
        // From here on the signatures are taken after every step.
        machine.signer().take_made();
        Self { limits, older: None, newer: Generation::new(machine.clone()) }
    }

    /// Turns the machine by one input, and writes it down.
    pub fn turn(
        &mut self,
        machine: &mut M,
        now: Time,
        input: M::Input,
        out: &mut Outbox<M::Output>,
    ) {
        if self.newer.tape.len() >= self.limits.max_bytes
            || self.newer.steps >= self.limits.max_inputs
        {
            let newer = Generation::new(machine.clone());
            self.older = Some(std::mem::replace(&mut self.newer, newer));
        }
        write(&mut self.newer.tape, &(now, &input));
        let (digest, wanted) = step(machine, now, input);
        for output in wanted {
            out.push(output);
        }
        let signatures = machine.signer().take_made().into_iter().map(ByteBuf::from).collect();
        write(&mut self.newer.tape, &Step { digest, signatures });
        self.newer.steps += 1;
    }

    /// The oldest machine still known, and the steps from it to now as CBOR.
    pub fn read(&self) -> (M, Vec<u8>) {
        match &self.older {
            None => (self.newer.beginning.clone(), self.newer.tape.clone()),
            Some(older) => {
                let tape = [older.tape.as_slice(), &self.newer.tape].concat();
                (older.beginning.clone(), tape)
            }
        }
    }
}

/// Turns a machine by one input: the digest of what it wants, and what it wants.
pub fn step<M: Machine<Output: Serialize>>(
    machine: &mut M,
    now: Time,
    input: M::Input,
) -> (u64, Vec<M::Output>) {
    let mut out = Outbox::new();
    machine.handle(now, input, &mut out);
    let mut hasher = blake3::Hasher::new();
    let mut wanted = Vec::new();
    while let Some(output) = out.pop() {
        write(&mut hasher, &output);
        wanted.push(output);
    }
    let digest = hasher.finalize();
    let first = digest.as_bytes().first_chunk().copied().unwrap_or_default();
    (u64::from_be_bytes(first), wanted)
}

fn write(into: impl Write, value: &impl Serialize) {
    let written = ciborium::into_writer(value, into);
    debug_assert!(written.is_ok(), "inputs and outputs are plain data: {written:?}");
}

impl Recordable for MembershipMachine {
    fn signer(&mut self) -> &mut Signer {
        self.signer()
    }

    fn finding(output: &membership::Output) -> Option<&Finding> {
        match output {
            membership::Output::Found(finding) => Some(finding),
            _ => None,
        }
    }
}
