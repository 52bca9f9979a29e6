//! The one task that turns the engine: inputs in, outputs done. It decides nothing and waits for
//! nothing but the next input.

use std::time::Duration;

use futures::stream::{BoxStream, SelectAll};
use futures::{FutureExt, StreamExt};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::command::Command;
use super::follow;
use super::publisher::{Outgoing, Sent};
use super::replies::Replies;
use super::sinks::{Delivered, Sinks};
use super::source::Sighting;
use super::tally::Tally;
use crate::base::machine::{Machine, Outbox};
use crate::base::token::Token;
use crate::config::Config;
use crate::engine::{Engine, Event, Input, Output};
use crate::net::Network;
use crate::net::clock::Clock;
use crate::protocol::discovery::Source;
use crate::protocol::topic;
use crate::store::Store;

/// Commands, or inputs of the network, taken in one go.
const BATCH: usize = 64;

/// Most of what the network says at once to what it was asked, before it is the others' turn.
const MAX_SETTLE: usize = 4_096;

/// How long a driver without a deadline sleeps: it is woken by anything that happens.
const IDLE: Duration = Duration::from_secs(3_600);

/// Turns one node.
pub struct Driver {
    pub config: Config,
    pub engine: Engine,
    pub network: Network,
    /// Held open while the node runs, so that nobody else can use the folder.
    pub store: Option<Store>,
    pub clock: Clock,
    pub mailbox: mpsc::Receiver<Command>,
    pub events: broadcast::Sender<Event>,
    /// Raised when nodes or what they read changed.
    pub changed: watch::Sender<u64>,
    pub sources: SelectAll<BoxStream<'static, Sighting>>,
    /// What publishers send.
    pub outgoing: SelectAll<Outgoing>,
    /// What was sent on topics that take nothing now.
    pub held: Vec<Sent>,
    pub replies: Replies,
    pub sinks: Sinks,
    pub leaving: Vec<oneshot::Sender<()>>,
    pub tally: Tally,
    pub stopped: bool,
}

/// Why the driver woke up.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is not stored")]
enum Woken {
    Due,
    Commands(usize),
    Heard(Input),
    Sent(Sent),
    Sighted(Sighting),
}

impl Driver {
    /// Runs until the node leaves or its last handle is dropped.
    pub async fn run(mut self) {
        let mut out = Outbox::new();
        let mut commands = Vec::with_capacity(BATCH);
        let sleep = tokio::time::sleep(Duration::ZERO);
        tokio::pin!(sleep);
        while !self.stopped {
            if self.engine.deadline().is_some_and(|due| due <= self.clock.now()) {
                // A timer would be up to a millisecond late.
                self.tick(&mut out);
                self.settle(&mut out);
            }
            let wake = self.engine.deadline().unwrap_or_else(|| self.clock.now() + IDLE);
            sleep.as_mut().reset(self.clock.instant(wake).into());
            // In no fixed order: under load each of them gets its turns.
            let woken = tokio::select! {
                () = &mut sleep => Woken::Due,
                count = self.mailbox.recv_many(&mut commands, BATCH) => Woken::Commands(count),
                input = self.network.next() => Woken::Heard(input),
                Some(sent) = self.outgoing.next() => Woken::Sent(sent),
                Some(sighting) = self.sources.next() => Woken::Sighted(sighting),
            };
            let began = self.clock.now();
            match woken {
                Woken::Due => self.tick(&mut out),
                Woken::Commands(count) => {
                    self.stopped |= count == 0;
                    for command in commands.drain(..) {
                        self.obey(command, &mut out);
                    }
                }
                Woken::Heard(input) => self.listen(input, &mut out),
                Woken::Sent(sent) => self.publish(sent, &mut out),
                Woken::Sighted(Sighting { node: peer, addresses }) => {
                    let source = Source::Custom;
                    self.turn(Input::Sighting { source, peer, addresses }, &mut out);
                }
            }
            self.settle(&mut out);
            self.publish_held(&mut out);
            self.tally.turns.turned(self.clock.now().since(began));
        }
        self.stop();
    }

    fn tick(&mut self, out: &mut Outbox<Output>) {
        self.tally.ticks += 1;
        if let Some(due) = self.engine.deadline() {
            self.tally.turns.late_by(self.clock.now().since(due));
        }
        self.turn(Input::Tick, out);
    }

    /// Takes what the network has ready, as many at once as of commands: neither starves.
    fn listen(&mut self, first: Input, out: &mut Outbox<Output>) {
        let mut next = Some(first);
        for _ in 0..BATCH {
            let Some(input) = next else { return };
            self.turn(input, out);
            next = self.network.next().now_or_never();
        }
        if let Some(input) = next {
            self.turn(input, out);
        }
    }

    /// Takes what the network answered at once, so that it does not pile up: the network does
    /// nothing new as long as there is any.
    fn settle(&mut self, out: &mut Outbox<Output>) {
        for _ in 0..MAX_SETTLE {
            let Some(input) = self.network.answered() else { return };
            self.turn(input, out);
        }
    }

    /// Everything the network holds goes before those who wait are told.
    fn stop(self) {
        let Self { network, store, leaving, mailbox, .. } = self;
        drop(network);
        drop(store);
        // From here on every command is told that the node has stopped.
        drop(mailbox);
        for reply in leaving {
            let _ = reply.send(());
        }
    }

    pub(super) fn turn(&mut self, input: Input, out: &mut Outbox<Output>) {
        follow::came(&input);
        self.tally.tree.came(&input);
        self.engine.handle(self.clock.now(), input, out);
        while let Some(output) = out.pop() {
            follow::goes(&output);
            self.tally.tree.goes(&output);
            if let Some(output) = self.network.perform(output) {
                self.reply(output, out);
            }
        }
    }

    /// What is not for the network is for the user.
    fn reply(&mut self, output: Output, out: &mut Outbox<Output>) {
        match output {
            Output::Deliver { subscription, messages } => {
                match self.sinks.deliver(subscription, messages) {
                    Delivered::Yes => {}
                    Delivered::Abandoned => self.unsubscribe(subscription, out),
                    Delivered::Lagged(event) => self.tell(event),
                }
            }
            Output::Published { token, result } => {
                if let Err(error) = &result {
                    self.tally.refused.count(error);
                }
                self.replies.published(token, result);
            }
            Output::Confirmed { token, report } => self.replies.confirmed(token, report),
            Output::Subscribed { subscription, result } => {
                let accepted = result.is_ok();
                if !self.replies.subscribed(subscription, result) && accepted {
                    self.unsubscribe(subscription, out);
                } else if !accepted {
                    self.sinks.remove(subscription);
                }
            }
            Output::Kept { token, messages } => self.replies.kept(token, messages),
            Output::Connected { token, result } => self.replies.connected(token, result),
            Output::Store(ops) => {
                if let Some(store) = &self.store {
                    store.submit(ops, |result| {
                        if let Err(error) = result {
                            tracing::warn!(%error, "not remembered");
                        }
                    });
                }
            }
            Output::Event(event) => self.tell(event),
            Output::Changed => self.changed.send_modify(|version| *version += 1),
            Output::MayStop => self.stopped = true,
            // The network took all others.
            _ => {}
        }
    }

    fn unsubscribe(&mut self, subscription: Token, out: &mut Outbox<Output>) {
        self.sinks.remove(subscription);
        let command = topic::Command::Unsubscribe { subscription };
        self.engine.handle(self.clock.now(), Input::Topic(command), out);
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.tally.undelivered.count(&event);
        tracing::debug!(%event, "event");
        // Nobody has to listen.
        let _ = self.events.send(event);
    }
}
