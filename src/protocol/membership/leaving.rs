//! Good-byes and who is known at all.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::desk::Errand;
use super::due::Due;
use super::machine::MembershipMachine;
use super::member::{Acquaintance, Standing};
use super::output::{Output, Saved};
use super::roll::State;
use super::wire::{Left, Message, News};
use crate::base::id::{Life, NodeId};
use crate::base::machine::Outbox;
use crate::base::time::Time;
use crate::base::token::Token;

/// How long it is remembered who was put out.
const REMEMBER_DOWN: Duration = Duration::from_secs(24 * 3_600);

/// Our good-bye, and who has yet to note it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Leaving {
    pub record: Left,
    pub open: BTreeSet<Token>,
    /// `None` once `MayStop` was said.
    pub until: Option<Time>,
}

impl MembershipMachine {
    /// A sign of life of a node in a life. A card proves less than a link: it revives nobody in
    /// the same life, because old cards still travel while a node is being missed.
    pub(super) fn meets(
        &mut self,
        now: Time,
        node: NodeId,
        life: Life,
        linked: bool,
        out: &mut Outbox<Output>,
    ) {
        if node == self.me || self.is_over(node, life) {
            return;
        }
        let before = self.member(node);
        let met = Acquaintance { life, since: now, carded: false };
        let met = self.acquaintances.entry(node).or_insert(met);
        if life > met.life {
            met.life = life;
            met.since = now;
        }
        if before.is_none_or(|before| before.incarnation.life < life) {
            self.left.drop_of(node);
            self.troubles.remove(&node);
            out.push(Output::Online { node, life });
        } else if linked && let Some((Standing::Unreachable, _)) = self.troubles.get(&node) {
            self.troubles.remove(&node);
            out.push(Output::Online { node, life });
        }
    }

    /// Newer news ended this life of a node, or its own good-bye did.
    pub(super) fn is_over(&self, node: NodeId, life: Life) -> bool {
        let met = self.acquaintances.get(&node).is_some_and(|met| life < met.life);
        let recorded = self.roll.record(node).is_some_and(|record| {
            let newest = record.incarnation().life;
            life < newest || (life == newest && record.is_left())
        });
        met || recorded
    }

    pub(super) fn forgotten(&mut self, node: NodeId) {
        if let Some(met) = self.acquaintances.get_mut(&node) {
            met.carded = false;
        }
        self.forget_unknown(node);
    }

    /// Whoever has neither link nor card nor good-bye and is no member is not kept, so that those
    /// known are bounded.
    pub(super) fn forget_unknown(&mut self, node: NodeId) {
        let carded = self.acquaintances.get(&node).is_some_and(|met| met.carded);
        if self.desk.is_linked(node) || carded || self.left.holds(node) {
            return;
        }
        self.acquaintances.remove(&node);
        if self.roll.record(node).is_none_or(super::roll::Record::is_left) {
            self.roll.drop_history(node);
            self.troubles.remove(&node);
            self.probes.forget(node);
            self.agenda.cancel(Due::Missed(node));
            self.ticks.remove(&node);
        }
    }

    /// Good-byes for a new peer: those kept, and our own when we are on the way out.
    pub(super) fn tell_left(&mut self, now: Time, peer: NodeId, out: &mut Outbox<Output>) {
        self.expire_left(now);
        let own = self.leaving.as_ref().map(|leaving| leaving.record.clone());
        let kept = self.left.tell(now, self.config.remember_left);
        let records: Vec<News> = own.into_iter().chain(kept).map(News::Left).collect();
        let mut open = Vec::new();
        for chunk in records.chunks(super::MAX_NEWS) {
            let message = Message::News(chunk.to_vec());
            open.push(self.ask_linked(peer, message, Errand::GoodBye, out));
        }
        if let Some(leaving) = &mut self.leaving {
            leaving.open.extend(open);
        }
    }

    fn expire_left(&mut self, now: Time) {
        for node in self.left.expire(now) {
            self.forget_unknown(node);
        }
    }

    pub(super) fn leave(&mut self, now: Time, out: &mut Outbox<Output>) {
        if self.leaving.is_some() {
            return;
        }
        self.pass_on_gathered(now, out);
        let record = Left::sign(&mut self.signer, self.incarnation.life);
        let peers: Vec<NodeId> = self.desk.linked().collect();
        let open = peers
            .into_iter()
            .map(|peer| {
                let message = Message::News(vec![News::Left(record.clone())]);
                self.ask_linked(peer, message, Errand::GoodBye, out)
            })
            .collect();
        // It watches and suspects nobody any more, and founds no mesh on its way out.
        self.agenda.retain(|_| false);
        self.probes.stop();
        let until = now + self.config.leave_patience;
        self.leaving = Some(Leaving { record, open, until: Some(until) });
        self.agenda.set(Due::Leave, until);
        self.stop_if_done(now, out);
    }

    pub(super) fn stop_if_done(&mut self, now: Time, out: &mut Outbox<Output>) {
        if let Some(leaving) = &mut self.leaving
            && leaving.until.is_some_and(|until| leaving.open.is_empty() || until <= now)
        {
            leaving.until = None;
            self.agenda.cancel(Due::Leave);
            out.push(Output::MayStop);
        }
    }

    /// Somebody noted our good-bye, or never will.
    pub(super) fn noted_good_bye(&mut self, now: Time, token: Token, out: &mut Outbox<Output>) {
        if let Some(leaving) = &mut self.leaving
            && leaving.open.remove(&token)
        {
            self.stop_if_done(now, out);
        }
    }

    pub(super) fn note_left(
        &mut self,
        now: Time,
        from: NodeId,
        records: Vec<Left>,
        out: &mut Outbox<Output>,
    ) {
        let mut news = Vec::new();
        for record in records.into_iter().take(self.config.max_left) {
            if !self.is_left_news(&record) {
                continue;
            }
            if !record.is_genuine(&self.verifier) {
                // Checking costs more than forging, so the rest of the message is not read.
                self.reject(from, record.node, super::Flaw::Forged, out);
                break;
            }
            let Left { node, life, .. } = record;
            let was_alive = self.roll.is_alive(node);
            self.roll.apply(now, node, State::Left(Arc::new(record.clone())));
            let (age, most) = (self.config.remember_left, self.config.max_left);
            if let Some(oldest) = self.left.keep(now, record.clone(), age, most) {
                self.forget_unknown(oldest);
            }
            self.agenda.set_by(Due::Expire, now + Duration::from_secs(60));
            self.is_gone_left(now, node, was_alive, out);
            out.push(Output::Left { node, life });
            news.push(News::Left(record));
        }
        if !news.is_empty() {
            let has_left =
                |peer: &NodeId| self.roll.record(*peer).is_some_and(super::roll::Record::is_left);
            let others: Vec<NodeId> =
                self.desk.linked().filter(|peer| *peer != from && !has_left(peer)).collect();
            for to in others {
                for chunk in news.chunks(super::MAX_NEWS) {
                    out.push(Output::Tell { to, message: Message::News(chunk.to_vec()) });
                }
            }
        }
    }

    /// Its link stays: it is its own business to end it, when all have noted that it leaves.
    fn is_gone_left(&mut self, now: Time, node: NodeId, was_alive: bool, out: &mut Outbox<Output>) {
        let linked = self.desk.is_linked(node);
        self.desk.unlink(node);
        self.is_gone(now, node, was_alive, out);
        if linked {
            self.desk.link(node);
        }
    }

    /// Of a node that was never known it is none: keys cost nothing, and each could say good-bye.
    fn is_left_news(&self, record: &Left) -> bool {
        record.node != self.me
            && record.age() < self.config.remember_left
            && self.member(record.node).is_some_and(|member| record.life >= member.incarnation.life)
            && !self.is_over(record.node, record.life)
    }

    /// Drops what is history.
    pub(super) fn expire(&mut self, now: Time, out: &mut Outbox<Output>) {
        self.agenda.set(Due::Expire, now + Duration::from_secs(60));
        self.expire_left(now);
        let window = self.config.flap_window();
        self.flaps.retain(|_, times| {
            times.retain(|at| now.since(*at) < window);
            !times.is_empty()
        });
        self.holds.retain(|_, hold| now.since(hold.until) < window);
        let down: Vec<NodeId> = self
            .roll
            .records()
            .filter(|(_, record)| {
                !record.is_alive() && !record.is_left() && now.since(record.since) > REMEMBER_DOWN
            })
            .map(|(node, _)| node)
            .collect();
        for node in down {
            self.roll.drop_history(node);
            out.push(Output::Unbar { node });
        }
    }

    /// What shall be remembered at the next start.
    pub(super) fn save(&mut self, _now: Time, out: &mut Outbox<Output>) {
        if !self.is_active() {
            return;
        }
        let records = self
            .roll
            .records()
            .filter(|(node, record)| *node != self.me && !record.is_left())
            .map(|(_, record)| record.news())
            .collect();
        let agreed = self.roll.agreed().map(|(node, _)| node).collect();
        out.push(Output::Save(Saved { records, agreed }));
    }
}
