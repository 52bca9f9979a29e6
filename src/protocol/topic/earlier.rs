//! Which messages a subscription gets of what was said before it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use bytes::BytesMut;

use super::catch_up::CatchUp;
use super::history::{before, is_again};
use super::machine::TopicMachine;
use super::output::Output;
use super::received::Received;
use super::wire::{Feed, Point};
use crate::base::batch::{Batch, Head, Item};
use crate::base::machine::Outbox;
use crate::base::time::{Time, WallTime};
use crate::base::token::Token;

/// What a history has of one feed, by its first numbers.
type Past = BTreeMap<u64, (Point, Arc<Batch>)>;

/// Where the past of a feed ends.
struct Seam {
    /// From this number on it comes live.
    live: u64,
    /// It has not begun here, and goes on with this number.
    begins: Option<u64>,
    /// When a batch came to the first who has it, and when it was sent.
    anchor: Option<(WallTime, WallTime)>,
}

/// A batch, or the pieces of one message, among those of all authors.
struct Placed {
    /// When it was sent, or the latest of its feed before it, so that the numbers of a feed rise.
    sent: WallTime,
    parts: Vec<Arc<Batch>>,
    /// The numbers that are wanted of a batch, exclusive.
    wanted: Range<u64>,
}

impl TopicMachine {
    /// Hands a subscription what this node has of the time before it. Returns where the feeds go
    /// on behind that which had not begun here.
    pub(super) fn show_earlier(
        &mut self,
        now: Time,
        subscription: Token,
        out: &mut Outbox<Output>,
    ) -> Vec<(Feed, u64)> {
        let first_held = self.catch_ups.first_held(subscription);
        let Some(catch_up) = self.catch_ups.open.get(&subscription) else { return Vec::new() };
        let wall = self.wall(now);
        let mut feeds: BTreeMap<Feed, Past> = BTreeMap::new();
        for (point, batch) in self.history.since(wall, &catch_up.name, None) {
            let past = feeds.entry(Feed::of(batch.head())).or_default();
            past.insert(batch.first(), (point, batch));
        }
        let (mut placed, mut begins) = (Vec::new(), Vec::new());
        for (feed, past) in &feeds {
            let held = first_held.get(feed).copied();
            let seam = self.seam(now, feed, held, past);
            self.place(catch_up, past, &seam, &mut placed);
            begins.extend(seam.begins.map(|next| (feed.clone(), next)));
        }
        let last = catch_up.wish.last;
        placed.sort_by(|one, other| one.order().cmp(&other.order()));
        let messages = self.newest(now, &placed, last);
        if !messages.is_empty() {
            self.stats.delivered += messages.len() as u64;
            self.stats.caught_up += messages.len() as u64;
            if let Some(catch_up) = self.catch_ups.open.get_mut(&subscription) {
                // What follows when it began alone is what is still wanted.
                let last = &mut catch_up.wish.last;
                *last = last.map(|last| last.saturating_sub(messages.len() as u64));
            }
            out.push(Output::Deliver { subscription, messages });
        }
        begins
    }

    /// Where the past of a feed ends and the rest comes live.
    fn seam(&self, now: Time, feed: &Feed, held: Option<u64>, past: &Past) -> Seam {
        let live = held.unwrap_or(u64::MAX);
        if feed.author == self.me {
            return Seam { live, begins: None, anchor: None };
        }
        if let Some(next) = self.order.next(feed) {
            return Seam { live: live.min(next), begins: None, anchor: None };
        }
        // What came since this node reads waits for its order, unless it is older than the rest.
        let reads_since = before(self.wall(now), self.read_for(now, &feed.topic));
        let mut old = past.values().filter(|(point, _)| point.at <= reads_since);
        let Some((point, batch)) = old.next_back() else {
            return Seam { live: 0, begins: None, anchor: None };
        };
        // A message that is not whole yet comes live as a whole.
        let piece = batch.head().piece.filter(|piece| piece.index + 1 < piece.of);
        let next = piece.map_or(batch.end(), |p| batch.first().saturating_sub(p.index.into()));
        let anchor = (point.at, batch.head().sent);
        Seam { live: live.min(next), begins: Some(next), anchor: Some(anchor) }
    }

    /// Puts the messages of a feed below a number to the others, unless they are not wanted.
    fn place(&self, catch_up: &CatchUp, past: &Past, seam: &Seam, placed: &mut Vec<Placed>) {
        let since = catch_up.wish.since;
        let oldest = since.map_or(WallTime(0), |since| before(self.wall(catch_up.began), since));
        let had = catch_up.had.unwrap_or(0);
        let is_had = |(point, _): &&(Point, Arc<Batch>)| point.nth <= had;
        let had_to = past.values().filter(is_had).map(|(_, batch)| batch.end()).max();
        let (mut from, mut sent) = (had_to.unwrap_or(0), WallTime(0));
        for (point, batch) in past.values() {
            let head = batch.head();
            let is_own = head.author == self.me;
            // Who began alone had what was published here live.
            let is_live = catch_up.had.is_some() && is_own && head.life == self.life;
            if seam.at(point, head) < oldest || is_again(head) || is_own && !catch_up.own || is_live
            {
                continue;
            }
            let wanted = from.max(batch.first())..seam.live.min(batch.end());
            if wanted.is_empty() {
                continue;
            }
            from = wanted.end;
            sent = sent.max(head.sent);
            match (head.piece, placed.last_mut()) {
                (Some(piece), Some(last)) if piece.index > 0 => last.add(batch),
                (Some(piece), None) if piece.index > 0 => {}
                _ => placed.push(Placed { sent, parts: vec![Arc::clone(batch)], wanted }),
            }
        }
    }

    /// The newest messages: as many as are wanted, and half of what a subscription can hold. The
    /// other half is for what waited meanwhile. What foreigners said comes once, through whichever
    /// door it came in.
    fn newest(&mut self, now: Time, placed: &[Placed], last: Option<u64>) -> Vec<Arc<Received>> {
        let last = last.and_then(|last| usize::try_from(last).ok()).unwrap_or(usize::MAX);
        let most = last.min(self.config.max_undelivered.div_ceil(2));
        let mut bytes = 0_usize;
        let mut outside = BTreeSet::new();
        let mut messages: Vec<(WallTime, Received)> = Vec::new();
        for placed in placed.iter().rev() {
            if messages.len() >= most || bytes > self.config.max_undelivered_bytes / 2 {
                break;
            }
            let Some(head) = placed.parts.first().map(|batch| batch.head()) else { continue };
            if let Some(origin) = &head.origin {
                let is_new = outside.insert((&head.topic, &origin.name));
                if !is_new || self.is_members(&head.topic, origin) {
                    continue;
                }
                self.records.is_new_origin(now, &head.topic, &origin.name);
            }
            let Some(opened) = self.open_earlier(now, placed) else {
                self.stats.unexpandable += 1;
                continue;
            };
            bytes += opened.iter().map(|message| message.payload.len()).sum::<usize>();
            messages.extend(opened.into_iter().map(|m| (m.sent.max(placed.sent), m)));
        }
        messages.sort_by(|(at, one), (other_at, other)| {
            let order = |at: &WallTime, m: &Received| (*at, m.id.author, m.id.life, m.id.number);
            order(at, one).cmp(&order(other_at, other))
        });
        let over = messages.len().saturating_sub(most);
        messages.into_iter().skip(over).map(|(_, message)| Arc::new(message)).collect()
    }

    /// The messages of a batch, or the one of several pieces; none of a message that is not whole.
    fn open_earlier(&self, now: Time, placed: &Placed) -> Option<Vec<Received>> {
        let max = self.config.max_message_bytes;
        let first = placed.parts.first()?;
        let head = first.head();
        let received = |item: Item| Received {
            id: Feed::of(head).message(item.number),
            foreign_author: head.origin.as_ref().map(|origin| origin.author.clone()),
            sent: item.sent,
            received: self.wall(now),
            payload: item.payload,
            trace_context: item.trace_context,
            first: head.first,
            missed: 0,
            earlier: true,
        };
        let Some(piece) = head.piece else {
            let opened = first.open(max).ok()?;
            let items = opened.items_from(placed.wanted.start);
            let wanted = items.take_while(|item| item.number < placed.wanted.end);
            return Some(wanted.map(received).collect());
        };
        if placed.parts.len() != piece.of as usize {
            return Some(Vec::new());
        }
        let mut payload = BytesMut::new();
        for part in &placed.parts {
            let opened = part.open(max).ok()?;
            payload.extend_from_slice(&opened.items_from(0).next()?.payload);
            if payload.len() > max {
                return None;
            }
        }
        let item = first.open(max).ok()?.items_from(0).next()?;
        Some(vec![received(Item { payload: payload.freeze(), ..item })])
    }
}

impl Seam {
    /// When a batch came to the first who has it. What gossip brought late says nothing of its
    /// age, but the author's clock says how long before another it was sent.
    fn at(&self, point: &Point, head: &Head) -> WallTime {
        let Some((at, sent)) = self.anchor else { return point.at };
        point.at.min(WallTime(at.0.saturating_sub(sent.0.saturating_sub(head.sent.0))))
    }
}

impl Placed {
    fn order(&self) -> impl Ord + '_ {
        let head = self.parts.first().map(|batch| batch.head());
        (self.sent, head.map(|head| (head.author, head.life, &head.topic, head.first)))
    }

    /// Takes the next piece of its message.
    fn add(&mut self, batch: &Arc<Batch>) {
        let Some(first) = self.parts.first().map(|first| first.head()) else { return };
        let (head, count) = (batch.head(), self.parts.len());
        let is_next = head
            .piece
            .zip(first.piece)
            .is_some_and(|(piece, begun)| piece.of == begun.of && piece.index as usize == count);
        let of = |head: &Head| (head.author, head.life);
        let is_next = is_next && of(head) == of(first) && head.topic == first.topic;
        if is_next && first.first.checked_add(count as u64) == Some(head.first) {
            self.parts.push(Arc::clone(batch));
        }
    }
}
