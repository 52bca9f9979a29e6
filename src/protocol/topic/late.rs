//! Late joiners: a subscription gets what was said before it began from whoever keeps it.

use std::sync::Arc;

use bytes::Bytes;
use serde_bytes::ByteBuf;

use super::catch_up::{CatchUp, MAX_ASKED, MAX_GIVERS, Question};
use super::command::Earlier;
use super::history::{Excerpt, MAX_PAGE, before, told};
use super::machine::TopicMachine;
use super::output::Output;
use super::record::Copy;
use super::wire::{Aged, Feed, Message, Point};
use crate::base::batch::Batch;
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::pattern::{check_readable, is_pattern, matches};
use crate::base::time::Time;
use crate::base::token::Token;

impl TopicMachine {
    /// A subscription wants what was said before it.
    pub(super) fn begin_catch_up(
        &mut self,
        now: Time,
        subscription: Token,
        (name, own): (&str, bool),
        wish: Earlier,
        fresh: bool,
        out: &mut Outbox<Output>,
    ) {
        self.catch_ups.begin(now, subscription, (name, own), wish, fresh);
        if self.neighbours().is_empty() {
            // What is here it gets at once. Should somebody be linked soon, the rest follows.
            let had = self.history.count();
            self.show_earlier(now, subscription, out);
            if let Some(catch_up) = self.catch_ups.open.get_mut(&subscription) {
                catch_up.had = Some(had);
            }
        }
        self.catch_up(now, out);
    }

    /// Goes on with all that catch up: somebody answered or did not, or may be asked now.
    pub(super) fn catch_up(&mut self, now: Time, out: &mut Outbox<Output>) {
        if self.catch_ups.is_empty() {
            return;
        }
        self.catch_ups.pass_over(now);
        let open: Vec<Token> = self.catch_ups.open.keys().copied().collect();
        for subscription in open {
            self.ask_for_earlier(now, subscription, out);
            let is_enough = self.has_enough(now, subscription);
            if self.catch_ups.is_over(now, subscription, is_enough) {
                self.caught_up(now, subscription, out);
            }
        }
    }

    /// A subscription ends, whether it has caught up or not.
    pub(super) fn stop_catching_up(
        &mut self,
        now: Time,
        subscription: Token,
        out: &mut Outbox<Output>,
    ) {
        if self.catch_ups.end(subscription).is_some() {
            self.release(now, out);
        }
    }

    /// Asks as many as may be asked at once: neighbours that read it first, then the others.
    fn ask_for_earlier(&mut self, now: Time, subscription: Token, out: &mut Outbox<Output>) {
        let asks = |c: &&CatchUp| c.asks() && c.wish.last != Some(0);
        let Some(catch_up) = self.catch_ups.open.get(&subscription).filter(asks) else { return };
        let (name, wish) = (catch_up.name.clone(), catch_up.wish);
        let reads = |peer: &&NodeId| self.reads_any_of(peer, &name);
        let (readers, others): (Vec<_>, Vec<_>) = self.neighbours().iter().partition(reads);
        let is_reached = self.config.relay_all || catch_up.reaches || !readers.is_empty();
        let under_way = self.catch_ups.under_way(subscription);
        let more = MAX_GIVERS.saturating_sub(catch_up.givers + under_way);
        let left = MAX_ASKED.saturating_sub(catch_up.asked.len());
        let candidates = readers.into_iter().chain(others).copied();
        let candidates = candidates.filter(|peer| !catch_up.asked.contains(peer));
        let candidates: Vec<NodeId> = candidates.take(more.min(left)).collect();
        for peer in candidates {
            self.ask_one(now, &name, wish, Question::new(subscription, peer, wish.last), None, out);
        }
        if !is_reached {
            self.reach_readers(subscription, &name, out);
        }
    }

    /// No reader of it is a neighbour: asks for links with some who do.
    fn reach_readers(&mut self, subscription: Token, name: &str, out: &mut Outbox<Output>) {
        let readers: Vec<_> = self.readers.everyone(name).into_iter().take(MAX_GIVERS).collect();
        let Some(catch_up) = self.catch_ups.open.get_mut(&subscription) else { return };
        catch_up.reaches = !readers.is_empty();
        for peer in readers {
            out.push(Output::Reach { peer });
        }
    }

    fn ask_one(
        &mut self,
        now: Time,
        name: &str,
        wish: Earlier,
        question: Question,
        before: Option<Point>,
        out: &mut Outbox<Output>,
    ) {
        let (to, subscription) = (question.to, question.subscription);
        let Some(catch_up) = self.catch_ups.open.get_mut(&subscription) else { return };
        catch_up.asked.insert(to);
        let except = (!catch_up.own).then_some(self.me);
        let wish = Earlier { last: question.left, ..wish };
        let token = self.tokens.next();
        self.catch_ups.asks(now, token, question);
        let message = Message::Earlier { name: name.to_owned(), wish, except, before };
        out.push(Output::Ask { to, token, message });
    }

    /// Whether a node reads a topic, or anything of a pattern, by its card.
    fn reads_any_of(&self, node: &NodeId, name: &str) -> bool {
        if is_pattern(name) {
            return self.readers.names(node).any(|read| is_pattern(read) || matches(name, read));
        }
        self.readers.reads(node, name)
    }

    /// Whether as many have given as are asked, or as many messages are here as are wanted: nobody
    /// new need be waited for.
    fn has_enough(&self, now: Time, subscription: Token) -> bool {
        let Some(catch_up) = self.catch_ups.open.get(&subscription) else { return true };
        if catch_up.givers >= MAX_GIVERS {
            return true;
        }
        let known = catch_up.wish.last.filter(|last| catch_up.givers > 0 || *last == 0);
        let Some(last) = known else { return false };
        let here = self.history.since(self.wall(now), &catch_up.name, catch_up.wish.since);
        let wanted = |batch: &Batch| catch_up.own || batch.author() != self.me;
        here.iter().filter(|(_, batch)| wanted(batch)).map(|(_, b)| told(b.head())).sum::<u64>()
            >= last
    }

    /// Somebody wants what was said before.
    pub(super) fn give_earlier(&mut self, now: Time, excerpt: &Excerpt<'_>) -> Message {
        if check_readable(excerpt.name).is_err() {
            self.stats.malformed += 1;
            return Message::Kept { batches: Vec::new(), older: None };
        }
        let page = self.history.page(self.wall(now), excerpt);
        self.stats.history_given += page.batches.len() as u64;
        let aged = |(age, batch): (_, Arc<Batch>)| Aged {
            age,
            batch: ByteBuf::from(batch.wire().to_vec()),
        };
        Message::Kept { batches: page.batches.into_iter().map(aged).collect(), older: page.older }
    }

    /// Takes a page of somebody's history, and asks for the next one. Late ones are dropped.
    pub(super) fn take_earlier(
        &mut self,
        now: Time,
        token: Token,
        (batches, older): (Vec<Aged>, Option<Point>),
        out: &mut Outbox<Output>,
    ) {
        let Some(question) = self.catch_ups.answered(token) else { return };
        let Some(catch_up) = self.catch_ups.open.get(&question.subscription) else { return };
        let (name, wish) = (catch_up.name.clone(), catch_up.wish);
        let mut came = 0;
        let mut any = false;
        for aged in batches.into_iter().take(MAX_PAGE) {
            if let Some(count) = self.take_aged(now, &question, &name, aged, out) {
                any = true;
                came += count;
            }
        }
        let (subscription, paged) = (question.subscription, question.pages > 0);
        let question = question.next(came);
        if older.is_some() && any && question.goes_on() {
            self.ask_one(now, &name, wish, question, older, out);
        } else if let Some(catch_up) = self.catch_ups.open.get_mut(&subscription) {
            catch_up.givers += usize::from(any || paged);
        }
        self.catch_up(now, out);
    }

    /// Nobody answers this question. True when it was one of these.
    pub(super) fn nothing_earlier(
        &mut self,
        now: Time,
        token: Token,
        out: &mut Outbox<Output>,
    ) -> bool {
        let is_ours = self.catch_ups.answered(token).is_some();
        if is_ours {
            self.catch_up(now, out);
        }
        is_ours
    }

    /// Takes a batch of somebody's history. How many messages of the past it has; `None` when it
    /// is wrong.
    fn take_aged(
        &mut self,
        now: Time,
        question: &Question,
        name: &str,
        aged: Aged,
        out: &mut Outbox<Output>,
    ) -> Option<u64> {
        let Aged { age, batch } = aged;
        let wire = Bytes::from(batch.into_vec());
        // What is here need not be proved again. What came live while others were asked counts as
        // that.
        if let Ok(batch) = Batch::read(&wire, self.config.max_message_bytes)
            && let Some(at) = self.history.at(batch.head())
        {
            let head = batch.head();
            let is_past = at <= before(self.wall(now), self.read_for(now, &head.topic))
                || self.order.next(&Feed::of(head)).is_some_and(|next| head.first < next);
            return Some(if is_past { told(head) } else { 0 });
        }
        let batch = self.prove(&wire)?;
        let topic = &batch.head().topic;
        if !(topic == name || is_pattern(name) && matches(name, topic)) {
            self.stats.malformed += 1;
            return None;
        }
        // What they had when they were asked is past, however long the answer took.
        let reading = self.read_for(question.asked_at, topic);
        let copy = Copy { from: question.to, sequence: None, at: now };
        let next = self.order.next(&Feed::of(batch.head()));
        let is_past = age >= reading && next.is_none_or(|next| batch.end() <= next);
        // What came to them while this node was reading was missed here: it comes live.
        if is_past || !self.take(now, copy, Arc::clone(&batch), out) {
            let at = before(self.wall(now), age.max(self.read_for(now, topic)));
            self.history.keep(now, at, &batch);
        }
        Some(if age >= reading { told(batch.head()) } else { 0 })
    }

    /// A subscription has got all it will get of the past: it gets that, and goes on live.
    fn caught_up(&mut self, now: Time, subscription: Token, out: &mut Outbox<Output>) {
        let begins = self.show_earlier(now, subscription, out);
        let Some((_, held)) = self.catch_ups.end(subscription) else { return };
        if !held.is_empty() {
            out.push(Output::Deliver { subscription, messages: held });
        }
        for (feed, next) in begins {
            let mut ready = Vec::new();
            self.order.begin(now, &feed, next, &mut ready);
            self.hand_over(now, &feed, ready, out);
        }
        self.release(now, out);
    }

    /// What waited for the past goes on in its order.
    fn release(&mut self, now: Time, out: &mut Outbox<Output>) {
        for (from, batch) in self.catch_ups.released() {
            if self.follows(&batch.head().topic) {
                self.arrange(now, from, batch, out);
            }
        }
    }
}
