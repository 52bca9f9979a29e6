//! An input reaches a node, and its wishes are obeyed.

use super::cast::Breed;
use super::happening::Happening;
use super::host::Power;
use super::look::{Driven, News};
use super::scene::Sign;
use super::stage::Stage;
use super::{adversary, mark};
use crate::base::id::NodeId;
use crate::base::machine::Machine;
use crate::base::signer::Signer;
use crate::base::time::Time;
use crate::engine::{Input, Output};

/// More wishes than this after one input is a loop.
const MAX_WISHES: usize = 1_000_000;

impl<B: Breed> Stage<'_, B> {
    /// Something happens to a node now, if it runs.
    pub fn input(&mut self, node: u32, mut input: Input) {
        let now = self.now;
        let (kind, words) = mark::of(&input, &self.cast);
        self.trace.note(now, node, kind, words);
        if !self.allows(node, &mut input) {
            return;
        }
        let mut out = std::mem::take(&mut self.outbox);
        let host = &mut self.hosts[node as usize];
        let Some(running) = &mut host.node else { return };
        running.handle(host.clock.read(now), input, &mut out);
        for _ in 0..MAX_WISHES {
            let Some(output) = out.pop() else { break };
            self.wish(node, output);
        }
        self.outbox = out;
        self.set_alarm(node);
    }

    /// Later, by the node's own machine, so that what is under way comes first.
    pub fn later(&mut self, at: Time, node: u32, input: Input) {
        let generation = self.host(node).generation;
        self.queue.push(at, Happening::Input { node, generation, input });
    }

    fn wish(&mut self, node: u32, output: Output) {
        if let Some(news) = B::Node::news(&output) {
            self.sign(node, news);
        }
        if self.host(node).adversary.is_none() {
            return self.obey(node, output);
        }
        let mut wishes = Vec::new();
        self.with_adversary(node, |adversary, mischief| {
            adversary.says(mischief, output, &mut wishes);
        });
        wishes.into_iter().for_each(|wish| self.obey(node, wish));
    }

    fn allows(&mut self, node: u32, input: &mut Input) -> bool {
        let mut allowed = true;
        if self.host(node).adversary.is_some() {
            let mut wishes = Vec::new();
            self.with_adversary(node, |adversary, mischief| {
                allowed = adversary.hears(mischief, input, &mut wishes);
            });
            wishes.into_iter().for_each(|wish| self.obey(node, wish));
        }
        allowed
    }

    fn with_adversary(
        &mut self,
        node: u32,
        act: impl FnOnce(&mut dyn adversary::Adversary, &adversary::Mischief<'_>),
    ) {
        let Some(mut adversary) = self.host(node).adversary.take() else { return };
        let peers = self.host(node).peers();
        let peers: Vec<NodeId> = peers.into_iter().map(|peer| self.cast.id(peer)).collect();
        let about = self
            .scenario
            .adversaries
            .iter()
            .find(|hostile| hostile.nodes.contains(&(node + 1)) && hostile.about.is_some());
        let about = about.and_then(|hostile| hostile.about).map(|about| self.cast.id(about - 1));
        let (me, life) = (self.cast.id(node), self.host(node).life);
        let signer = Signer::new(self.cast.key(node).clone());
        let mischief = adversary::Mischief { me, life, signer, peers: &peers, about };
        act(adversary.as_mut(), &mischief);
        self.host(node).adversary = Some(adversary);
    }

    /// An adversary's turn, and the time of the next one.
    pub fn scheme(&mut self, node: u32) {
        let mut pace = None;
        let mut wishes = Vec::new();
        let runs = self.host(node).power == Power::On;
        self.with_adversary(node, |adversary, mischief| {
            pace = adversary.pace();
            if runs && pace.is_some() {
                adversary.turn(mischief, &mut wishes);
            }
        });
        wishes.into_iter().for_each(|wish| self.obey(node, wish));
        if let Some(pace) = pace {
            self.queue.push(self.now + pace, Happening::Scheme { node });
        }
    }

    fn sign(&mut self, by: u32, news: News) {
        let about = news.about().and_then(|id| self.cast.number(id));
        self.trace.content(news.name().as_bytes());
        self.trace.note(self.now, by, 0, [about.map_or(0, |node| u64::from(node) + 1), 0]);
        self.signs.push(Sign { at: self.now, by, news, about });
    }

    /// Puts the node's deadline into the queue, unless something earlier is there already.
    pub fn set_alarm(&mut self, node: u32) {
        let now = self.now;
        let host = &mut self.hosts[node as usize];
        let Some(due) = host.node.as_ref().and_then(Machine::deadline) else { return };
        let at = host.clock.when(due, now);
        if host.wake.is_some_and(|wake| wake <= at) {
            return;
        }
        host.wake = Some(at);
        let generation = host.generation;
        self.queue.push(at, Happening::Wake { node, generation });
    }

    /// The deadline may have come; it may also have moved since this was put into the queue.
    pub fn wake(&mut self, node: u32, generation: u32) {
        let now = self.now;
        let host = &mut self.hosts[node as usize];
        if host.generation != generation || host.wake.is_none_or(|wake| wake > now) {
            return;
        }
        host.wake = None;
        // A paused process is ticked when it goes on.
        if host.power != Power::On {
            return;
        }
        let due = host.node.as_ref().and_then(Machine::deadline);
        match due {
            Some(due) if due <= host.clock.read(now) => self.input(node, Input::Tick),
            _ => self.set_alarm(node),
        }
    }
}
