//! Cards that peers tell: taken, refused, passed on.

use std::collections::BTreeSet;

use super::book::Taken;
use super::card::{self, Card};
use super::machine::DiscoveryMachine;
use super::output::{Notice, Output};
use super::wire::SignedCard;
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;

impl DiscoveryMachine {
    /// Takes cards a peer told; whose they were.
    pub(super) fn take_all(
        &mut self,
        now: Time,
        from: NodeId,
        cards: Vec<SignedCard>,
        out: &mut Outbox<Output>,
    ) -> BTreeSet<NodeId> {
        cards.into_iter().filter_map(|signed| self.take(now, from, signed, out)).collect()
    }

    fn take(
        &mut self,
        now: Time,
        from: NodeId,
        signed: SignedCard,
        out: &mut Outbox<Output>,
    ) -> Option<NodeId> {
        let own = self.own.card();
        if let Some(card) = card::read(&signed).filter(|card| card.node == own.node) {
            self.met_own_card(now, &card, &signed, out);
            return Some(card.node);
        }
        let (own, dialer) = (own.node, &self.dialer);
        match self.book.take(now, signed, |node| node == own || dialer.is_linked(node)) {
            Taken::New { node, new_life, gone } => {
                gone.into_iter().for_each(|node| self.gone(node, out));
                self.news(now, from, node, new_life, out);
                Some(node)
            }
            Taken::Stale(node) => Some(node),
            Taken::Full(node) => {
                if !self.told_full {
                    out.push(Output::Notice(Notice::CardsFull { node }));
                }
                self.told_full = true;
                Some(node)
            }
            Taken::Refused => {
                self.cards_refused += 1;
                None
            }
        }
    }

    fn news(
        &mut self,
        now: Time,
        from: NodeId,
        node: NodeId,
        new_life: bool,
        out: &mut Outbox<Output>,
    ) {
        let Some(card) = self.book.card(node) else { return };
        if new_life {
            self.dialer.revived(now, node, out);
        }
        self.dialer.carded(now, card, new_life);
        self.exchange.push(now, node, Some(from));
        out.push(Output::Card(card.clone()));
    }

    /// Somebody holds a card of ourselves.
    fn met_own_card(
        &mut self,
        now: Time,
        card: &Card,
        signed: &SignedCard,
        out: &mut Outbox<Output>,
    ) {
        let own = self.own.card();
        if card.rank() < own.rank() || card == own {
            return;
        }
        if !card::is_genuine(card, signed) {
            self.cards_refused += 1;
        } else if card.life == own.life {
            self.own.outrank(now, card.version);
        } else if self.newer_self < Some(card.life) {
            self.newer_self = Some(card.life);
            out.push(Output::Notice(Notice::OurselvesNewer { life: card.life }));
        }
    }

    /// A card left the book, because of its age or for another one.
    pub(super) fn gone(&mut self, node: NodeId, out: &mut Outbox<Output>) {
        self.dialer.gone(node);
        out.push(Output::Gone { node });
    }
}
