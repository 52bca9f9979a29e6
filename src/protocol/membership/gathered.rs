//! News on its way: the first piece travels at once, what comes shortly after it together. When
//! many nodes join at once, or die, each change would else be a message over every link.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::due::Due;
use super::machine::MembershipMachine;
use super::output::Output;
use super::wire::{Message, News};
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;

/// News of others that is to be passed on, the newest of each node.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Gathered {
    news: BTreeMap<NodeId, (News, BTreeSet<NodeId>)>,
    /// Until when it waits, because news was passed on a moment ago.
    until: Time,
    /// How long the last wait was, in halves of a timeout.
    halves: u32,
}

/// Halves of a timeout that news is gathered for at most.
const LONGEST: u32 = 2;

impl Gathered {
    /// A piece that `holder` has told.
    fn add(&mut self, piece: News, holder: NodeId) {
        self.news.insert(piece.node(), (piece, BTreeSet::from([holder])));
    }

    /// A peer told a piece that is no news here: when it waits, that peer need not be told.
    pub fn is_held_by(&mut self, piece: &News, holder: NodeId) {
        if let Some((waiting, holders)) = self.news.get_mut(&piece.node())
            && waiting == piece
        {
            holders.insert(holder);
        }
    }

    /// What a peer has not told itself.
    fn news_for(&self, peer: NodeId) -> Vec<News> {
        let lacks = |(_, holders): &&(News, BTreeSet<NodeId>)| !holders.contains(&peer);
        self.news.values().filter(lacks).map(|(piece, _)| piece.clone()).collect()
    }

    /// Nothing waits any more.
    pub fn clear(&mut self) {
        self.news.clear();
    }
}

impl MembershipMachine {
    /// Passes on what came from a peer: at once when nothing was passed on for half a timeout,
    /// else together with what comes until then. While it goes on the wait is twice as
    /// long.
    pub(super) fn pass_on(
        &mut self,
        now: Time,
        from: NodeId,
        news: Vec<News>,
        out: &mut Outbox<Output>,
    ) {
        for piece in news {
            self.gathered.add(piece, from);
        }
        if self.gathered.until <= now {
            self.gathered.halves = 0;
            self.pass_on_gathered(now, out);
        } else {
            self.agenda.set_by(Due::PassOn, self.gathered.until);
        }
    }

    /// Passes on what was gathered.
    pub(super) fn pass_on_gathered(&mut self, now: Time, out: &mut Outbox<Output>) {
        self.agenda.cancel(Due::PassOn);
        let halves = (self.gathered.halves * 2).clamp(1, LONGEST);
        self.gathered.halves = halves;
        self.gathered.until = now + self.config.timeout / 2 * halves;
        let all: Vec<NodeId> = self.desk.linked().collect();
        for to in self.relays(all) {
            for chunk in self.gathered.news_for(to).chunks(super::MAX_NEWS) {
                out.push(Output::Tell { to, message: Message::News(chunk.to_vec()) });
            }
        }
        self.gathered.clear();
    }
}
