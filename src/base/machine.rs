//! The contract between what decides and what acts.

use std::collections::VecDeque;

use super::time::Time;

/// Decides without clock, socket, task or disk.
///
/// `handle` is total: it takes any input at any time, never fails and never panics. Time only
/// enters as `now`, randomness as a seeded generator given at construction. The same inputs at the
/// same times give the same outputs.
pub trait Machine {
    /// What may happen to it. Every machine has a `Tick` among its inputs.
    type Input;
    /// What it wants done. The driver obeys in order.
    type Output;

    /// Takes one input and writes down what has to be done.
    fn handle(&mut self, now: Time, input: Self::Input, out: &mut Outbox<Self::Output>);

    /// When it wants a `Tick` next. One deadline; asked again after every input.
    fn deadline(&self) -> Option<Time>;
}

/// What a machine wants done, in order.
#[derive(Debug)]
pub struct Outbox<O>(VecDeque<O>);

impl<O> Outbox<O> {
    /// An empty outbox.
    pub const fn new() -> Self {
        Self(VecDeque::new())
    }

    /// Asks for one more thing.
    pub fn push(&mut self, output: O) {
        self.0.push_back(output);
    }

    /// The next thing to do.
    pub fn pop(&mut self) -> Option<O> {
        self.0.pop_front()
    }

    /// Takes all of it, leaving the outbox empty.
    #[cfg(test)]
    pub fn drain(&mut self) -> impl Iterator<Item = O> + '_ {
        self.0.drain(..)
    }
}

impl<O> Default for Outbox<O> {
    fn default() -> Self {
        Self::new()
    }
}

/// The earlier of two deadlines, where `None` means never.
pub fn earliest(a: Option<Time>, b: Option<Time>) -> Option<Time> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}
