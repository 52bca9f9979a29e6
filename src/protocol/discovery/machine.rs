//! The room's machine: takes each input to whom it concerns.

use std::collections::BTreeMap;
use std::time::Duration;

use multiaddr::Multiaddr;

use super::book::Book;
use super::card::Card;
use super::config::DiscoveryConfig;
use super::dialer::Dialer;
use super::exchange::{self, Exchange, Step};
use super::input::{Command, DialFailure, Input, Source};
use super::output::Output;
use super::own::OwnCard;
use super::stats::DiscoveryStats;
use super::topology::Topology;
use super::wire::Message;
use crate::base::id::{Life, NodeId};
use crate::base::key::SecretKey;
use crate::base::machine::{Machine, Outbox, earliest};
use crate::base::time::Time;
use crate::base::token::{Token, Tokens};

/// What the room starts with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Limits and times.
    pub config: DiscoveryConfig,
    /// Signs the node's card, and is who the node is.
    pub key: SecretKey,
    /// This start of the node.
    pub life: Life,
    /// The name in its card.
    pub name: String,
    /// The labels in its card.
    pub labels: BTreeMap<String, String>,
    /// Where to join: dialled until linked with whoever lives there, for ever.
    pub bootstrap: Vec<Multiaddr>,
    /// Whom to be linked with.
    pub topology: Topology,
}

/// The discovery room.
#[derive(Debug)]
pub(crate) struct DiscoveryMachine {
    pub(super) own: OwnCard,
    pub(super) book: Book,
    pub(super) dialer: Dialer,
    pub(super) exchange: Exchange,
    tokens: Tokens,
    pub(super) cards_refused: u64,
    /// The highest life of ourselves seen elsewhere and told about.
    pub(super) newer_self: Option<Life>,
    /// `CardsFull` was told and there was no room since.
    pub(super) told_full: bool,
    sweep_due: Time,
    sweep_every: Duration,
}

impl DiscoveryMachine {
    /// A room that knows nobody yet. Its first deadline is the start of time when there is
    /// somebody to dial.
    pub fn new(settings: Settings, seed: u64) -> Self {
        let Settings { config, key, life, name, labels, bootstrap, topology } = settings;
        let keep = config.forget_after.max(MIN_KEEP);
        let node = key.id();
        let own = OwnCard::new(key, life, name, labels, keep / 4);
        let mut book = Book::new(config.max_cards, config.max_card_bytes, keep);
        book.put_own(Time::ZERO, own.card().clone(), own.signed());
        let exchange = Exchange::new(config.exchange_interval, seed.wrapping_add(1));
        let mut dialer = Dialer::new(node, config, seed);
        dialer.rewire(Time::ZERO, topology, |_| false, &mut Outbox::new());
        bootstrap.into_iter().for_each(|address| dialer.entry_point(Time::ZERO, address));
        Self {
            own,
            book,
            dialer,
            exchange,
            tokens: Tokens::default(),
            cards_refused: 0,
            newer_self: None,
            told_full: false,
            sweep_due: Time::ZERO + keep / 16,
            sweep_every: keep / 16,
        }
    }

    /// The newest card of every other node known.
    pub fn known(&self) -> impl Iterator<Item = &Card> {
        let own = self.own.card().node;
        self.book.cards().filter(move |card| card.node != own)
    }

    /// The newest card of a node.
    pub fn card(&self, node: NodeId) -> Option<&Card> {
        self.book.card(node)
    }

    /// True when topics travel directly to this peer, in a fixed topology.
    pub fn is_neighbour(&self, peer: NodeId) -> bool {
        self.dialer.is_neighbour(peer)
    }

    /// This node's own card.
    pub fn own(&self) -> &Card {
        self.own.card()
    }

    /// What the room has counted.
    pub fn stats(&self) -> DiscoveryStats {
        DiscoveryStats {
            dials: self.dialer.begun,
            dials_failed: self.dialer.failed,
            cards: u64::try_from(self.book.len()).unwrap_or(u64::MAX),
            cards_refused: self.cards_refused,
        }
    }

    fn command(&mut self, now: Time, command: Command, out: &mut Outbox<Output>) {
        match command {
            Command::Connect { token, address } => self.dialer.connect(now, token, address, out),
            Command::Disconnect { peer } => self.dialer.disconnect(peer, out),
            Command::Forget { peer } => self.forget(now, peer, out),
            Command::Rewire(topology) => {
                let book = &self.book;
                let has_left = |peer| book.ended(peer).is_some();
                self.dialer.rewire(now, topology, has_left, out);
            }
        }
    }

    /// The last life of a node we know of.
    fn last_life(&self, node: NodeId) -> Option<Life> {
        let link = self.dialer.links.get(&node).map(|link| link.life);
        link.max(self.book.card(node).map(|card| card.life))
    }

    fn forget(&mut self, now: Time, peer: NodeId, out: &mut Outbox<Output>) {
        if peer == self.own.card().node {
            return;
        }
        let life = self.last_life(peer).unwrap_or_default();
        if self.book.end(now, peer, life) {
            out.push(Output::Gone { node: peer });
        }
        self.dialer.forget(peer, out);
    }

    fn left(&mut self, now: Time, peer: NodeId, life: Life, out: &mut Outbox<Output>) {
        let is_old = self.last_life(peer).is_some_and(|known| known > life);
        if is_old || peer == self.own.card().node {
            return;
        }
        if self.book.end(now, peer, life) {
            out.push(Output::Gone { node: peer });
        }
        self.dialer.left(now, peer, out);
    }

    fn linked(
        &mut self,
        now: Time,
        (peer, life): (NodeId, Life),
        address: Option<Multiaddr>,
        out: &mut Outbox<Output>,
    ) {
        if peer == self.own.card().node {
            return;
        }
        if self.book.revive(peer, life) {
            self.dialer.revived(now, peer, out);
        }
        self.dialer.linked(now, (peer, life), address, out);
        self.exchange.compare(now, peer, &self.book, &mut self.tokens, out);
    }

    fn unlinked(&mut self, now: Time, peer: NodeId) {
        self.exchange.unlinked(peer);
        self.dialer.unlink(now, peer, self.book.ended(peer).is_some());
    }

    fn answered(&mut self, now: Time, token: Token, message: Message, out: &mut Outbox<Output>) {
        let Some(question) = self.exchange.close(token) else {
            let adopted = matches!(message, Message::Adopted);
            return self.dialer.adoption_answered(now, token, adopted, out);
        };
        match (&question.step, message) {
            (Step::Compare { .. }, Message::Holds { held, more }) => {
                let page = (held, more);
                self.exchange.held(now, question, page, &self.book, &mut self.tokens, out);
            }
            (Step::Fetch { .. }, Message::Cards { cards }) => {
                let nodes = self.take_all(now, question.peer, cards, out);
                self.exchange.fetched(now, question, &nodes, &self.book, &mut self.tokens, out);
            }
            _ => {}
        }
    }

    /// Does what time brings.
    fn run(&mut self, now: Time, out: &mut Outbox<Output>) {
        if self.own.renew(now) {
            self.book.put_own(now, self.own.card().clone(), self.own.signed());
            self.exchange.push(now, self.own.card().node, None);
        }
        if self.sweep_due <= now {
            self.sweep(now, out);
        }
        for token in self.dialer.overdue(now) {
            let failure = DialFailure::Unreachable("no answer in time".to_owned());
            self.dialer.failed(now, token, failure, out);
        }
        self.dialer.mend(now, &self.book, &mut self.tokens, out);
        self.own.set_neighbours(now, self.dialer.living_neighbours(now));
        let links: Vec<NodeId> = self.dialer.links.keys().copied().collect();
        self.exchange.run(now, &links, &self.book, &mut self.tokens, out);
        self.dialer.dial(now, &mut self.tokens, out);
    }

    fn sweep(&mut self, now: Time, out: &mut Outbox<Output>) {
        self.sweep_due = now + self.sweep_every;
        let (own, dialer) = (self.own.card().node, &self.dialer);
        let alive = |node| node == own || dialer.is_linked(node);
        for node in self.book.sweep(now, alive) {
            self.gone(node, out);
        }
        self.told_full &= !self.book.has_room();
    }
}

impl Machine for DiscoveryMachine {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Time, input: Input, out: &mut Outbox<Output>) {
        match input {
            Input::Tick => {}
            Input::Command(command) => self.command(now, command, out),
            Input::Listening { addresses } => {
                self.dialer.listening(&addresses);
                self.own.set_addresses(now, addresses);
            }
            Input::Reads { topics } => self.own.set_interests(now, topics),
            Input::Sighting { source, peer, addresses } => {
                // mDNS goes on naming who left for a while.
                let has_left =
                    |peer| source != Source::Bootstrap && self.book.ended(peer).is_some();
                self.dialer.sighting(now, source, peer, addresses, has_left);
            }
            Input::Linked { peer, life, address } => self.linked(now, (peer, life), address, out),
            Input::Unlinked { peer } => self.unlinked(now, peer),
            Input::Dialled { token, peer } => self.dialer.dialled(now, token, peer, out),
            Input::Wanted { peer } => self.dialer.want_now(now, peer, out),
            Input::DialFailed { token, failure } => self.dialer.failed(now, token, failure, out),
            Input::Left { peer, life } => self.left(now, peer, life, out),
            Input::Down { peer } => self.dialer.found_down(peer),
            Input::Asked { from, token, message: Message::Adopt { cut_off } } => {
                let adopted = self.dialer.asked_to_adopt(now, from, cut_off, out);
                let message = if adopted { Message::Adopted } else { Message::Full };
                out.push(Output::Answer { token, message });
            }
            Input::Asked { token, message, .. } => {
                let message = exchange::answer(now, message, &self.book);
                out.push(Output::Answer { token, message });
            }
            Input::Told { from, message: Message::Cards { cards } } => {
                self.take_all(now, from, cards, out);
            }
            Input::Told { from, message: Message::Dropped } => {
                self.dialer.dropped_by(from, out);
            }
            Input::Told { .. } => {}
            Input::Answer { token, message } => self.answered(now, token, message, out),
            Input::NoAnswer { token } => {
                self.exchange.close(token);
                self.dialer.adoption_answered(now, token, false, out);
            }
        }
        self.run(now, out);
    }

    fn deadline(&self) -> Option<Time> {
        let cards = earliest(self.own.deadline(), Some(self.sweep_due));
        let links = earliest(self.dialer.deadline(), self.dialer.mend_deadline());
        earliest(earliest(cards, links), self.exchange.deadline())
    }
}

/// A card must at least outlive its own journey.
const MIN_KEEP: Duration = Duration::from_secs(1);
