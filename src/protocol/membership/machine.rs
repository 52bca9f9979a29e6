//! What may happen to membership, and what it wants done.

use std::collections::{BTreeMap, BTreeSet};

use multiaddr::Multiaddr;
use serde::{Deserialize, Serialize};

use super::config::MembershipConfig;
use super::finding::Finding;
use super::left::LeftRecords;
use super::link::{Link, LinkId, Links, Opened};
use super::wire::{Left, Message, News};
use crate::base::id::{Life, NodeId};
use crate::base::key::SecretKey;
use crate::base::machine::{Machine, Outbox, earliest};
use crate::base::time::Time;
use crate::base::token::{Token, Tokens};

/// How a node stands, as seen from here.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Standing {
    /// Linked, or known by its card and not known to be gone.
    Alive,
    /// Somebody suspects that it failed.
    Suspected,
    /// This node had a link to it and lost it. Only this node's view.
    Unreachable,
    /// Put out by a quorum.
    Down,
    /// Said good-bye.
    Left,
}

/// Everything that can happen to the room.
#[derive(Clone, Debug)]
pub enum Input {
    /// The deadline came.
    Tick,
    /// A connection is up and its hello done.
    Opened {
        /// With whom.
        peer: NodeId,
        /// In which of its lives.
        life: Life,
        /// The connection.
        link: Link,
    },
    /// A connection is gone.
    Closed {
        /// With whom.
        peer: NodeId,
        /// Which.
        link: LinkId,
    },
    /// A ping on a connection ended.
    Pinged {
        /// With whom.
        peer: NodeId,
        /// Which.
        link: LinkId,
        /// Whether the answer came in time.
        answered: bool,
    },
    /// The carrier dropped messages because this peer takes them too slowly.
    Slow {
        /// Who.
        peer: NodeId,
    },
    /// A node is known by its card.
    Known {
        /// Who.
        node: NodeId,
        /// In which life.
        life: Life,
    },
    /// A node is not known any more.
    Forgotten {
        /// Who.
        node: NodeId,
    },
    /// This node wants to leave. Ends with `Output::MayStop`.
    Leave,
    /// A peer asks; answer with `Output::Answer`.
    Asked {
        /// Who.
        from: NodeId,
        /// Names the question.
        token: Token,
        /// The question.
        message: Message,
    },
    /// The question of an `Output::Ask` is settled: answered, or lost.
    Settled {
        /// Which.
        token: Token,
    },
}

/// Everything the room can want.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Output {
    /// Close this connection.
    Close(LinkId),
    /// A peer is linked.
    Linked {
        /// Who.
        peer: NodeId,
        /// In which life.
        life: Life,
        /// Where we dialled it; `None` when it dialled us.
        address: Option<Multiaddr>,
    },
    /// A peer is not linked any more.
    Unlinked {
        /// Who.
        peer: NodeId,
    },
    /// A node left in this life.
    Left {
        /// Who.
        node: NodeId,
        /// The life that ended.
        life: Life,
    },
    /// A node is there (again).
    Online {
        /// Who.
        node: NodeId,
        /// In which life.
        life: Life,
    },
    /// A node cannot be reached from here.
    Unreachable {
        /// Who.
        node: NodeId,
    },
    /// Ask a linked peer.
    Ask {
        /// Whom.
        to: NodeId,
        /// Names the question.
        token: Token,
        /// The question.
        message: Message,
    },
    /// Answer an `Input::Asked`.
    Answer {
        /// Which.
        token: Token,
        /// The answer.
        message: Message,
    },
    /// Something was found out or done.
    Found(Finding),
    /// All peers know that we leave, or had time enough to hear it.
    MayStop,
}

/// What is known of another node.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Member {
    /// Its newest life.
    pub life: Life,
    /// How it stands.
    pub standing: Standing,
    /// Since when.
    pub since: Time,
}

/// Counters since the start.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct MembershipStats {
    /// Good-byes that were not signed by the node they speak of.
    pub forged: u64,
}

/// Who is linked, in which life, and who left.
#[derive(Debug)]
pub struct MembershipMachine {
    config: MembershipConfig,
    key: SecretKey,
    life: Life,
    links: Links,
    members: BTreeMap<NodeId, Member>,
    /// Those of the members whose card discovery holds.
    carded: BTreeSet<NodeId>,
    left: LeftRecords,
    tokens: Tokens,
    leaving: Option<Leaving>,
    forged: u64,
}

/// Our good-bye, and who has yet to note it.
#[derive(Debug)]
struct Leaving {
    record: Left,
    open: BTreeSet<Token>,
    /// `None` once `MayStop` was said.
    until: Option<Time>,
}

impl MembershipMachine {
    pub fn new(config: MembershipConfig, key: SecretKey, life: Life) -> Self {
        let links = Links::new(key.id());
        Self {
            config,
            key,
            life,
            links,
            members: BTreeMap::new(),
            carded: BTreeSet::new(),
            left: LeftRecords::default(),
            tokens: Tokens::default(),
            leaving: None,
            forged: 0,
        }
    }

    /// All other nodes known.
    pub fn members(&self) -> impl Iterator<Item = (NodeId, Member)> + '_ {
        self.members.iter().map(|(id, member)| (*id, *member))
    }

    /// What is known of another node.
    pub fn member(&self, node: NodeId) -> Option<Member> {
        self.members.get(&node).copied()
    }

    /// Who is linked.
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// What the room has counted.
    pub fn stats(&self) -> MembershipStats {
        MembershipStats { forged: self.forged }
    }

    fn opened(
        &mut self,
        now: Time,
        peer: NodeId,
        life: Life,
        link: Link,
        out: &mut Outbox<Output>,
    ) {
        let id = link.id;
        let address = link.dialled.clone();
        if self.is_over(peer, life) {
            return out.push(Output::Close(id));
        }
        match self.links.opened(now, peer, life, link, &self.config) {
            Opened::First => {
                self.seen(now, peer, life, true, out);
                out.push(Output::Linked { peer, life, address });
                self.tell_left(now, peer, out);
            }
            Opened::Second => {}
            Opened::CleanSlate { close } => out_close(close, out),
            Opened::Leftover => out.push(Output::Close(id)),
        }
    }

    fn closed(&mut self, now: Time, peer: NodeId, link: LinkId, out: &mut Outbox<Output>) {
        if !self.links.closed(peer, link) {
            return;
        }
        out.push(Output::Unlinked { peer });
        if let Some(member) = self.members.get_mut(&peer)
            && member.standing == Standing::Alive
        {
            *member = Member { standing: Standing::Unreachable, since: now, ..*member };
            out.push(Output::Unreachable { node: peer });
        }
        self.forget_unknown(peer);
    }

    /// Newer news ended this life of a node, or its own good-bye did.
    fn is_over(&self, node: NodeId, life: Life) -> bool {
        self.members.get(&node).is_some_and(|member| {
            life < member.life || (life == member.life && member.standing == Standing::Left)
        })
    }

    /// Whoever has neither link nor card nor good-bye is not kept, so that members are bounded.
    fn forget_unknown(&mut self, node: NodeId) {
        let known =
            self.links.is_linked(node) || self.carded.contains(&node) || self.left.holds(node);
        if !known {
            self.members.remove(&node);
        }
    }

    /// Good-byes for a new peer: those kept, and our own when we are on the way out.
    fn tell_left(&mut self, now: Time, peer: NodeId, out: &mut Outbox<Output>) {
        for node in self.left.expire(now) {
            self.forget_unknown(node);
        }
        let own = self.leaving.as_ref().map(|leaving| leaving.record.clone());
        let kept = self.left.tell(now, self.config.remember_left);
        let records: Vec<Left> = own.into_iter().chain(kept).collect();
        if records.is_empty() {
            return;
        }
        let token = self.ask(peer, left_news(records), out);
        if let Some(leaving) = &mut self.leaving {
            leaving.open.insert(token);
        }
    }

    /// A sign of life of `node` in `life`. A card proves less than a link: it revives only a
    /// newer life, because old cards still travel while a node is being missed.
    fn seen(
        &mut self,
        now: Time,
        node: NodeId,
        life: Life,
        linked: bool,
        out: &mut Outbox<Output>,
    ) {
        if node == self.key.id() {
            return;
        }
        let alive = Member { life, standing: Standing::Alive, since: now };
        match self.members.get(&node) {
            Some(_) if self.is_over(node, life) => return,
            Some(known) if life > known.life => self.left.drop_of(node),
            // In the same life only a link revives.
            Some(known) if !linked || known.standing == Standing::Alive => return,
            _ => {}
        }
        self.members.insert(node, alive);
        out.push(Output::Online { node, life });
    }

    fn leave(&mut self, now: Time, out: &mut Outbox<Output>) {
        if self.leaving.is_some() {
            return;
        }
        let record = Left::sign(&self.key, self.life);
        let peers: Vec<NodeId> = self.links.peers().collect();
        let open = peers
            .into_iter()
            .map(|peer| self.ask(peer, left_news(vec![record.clone()]), out))
            .collect();
        let until = Some(now + self.config.leave_patience);
        self.leaving = Some(Leaving { record, open, until });
        self.stop_if_done(now, out);
    }

    fn stop_if_done(&mut self, now: Time, out: &mut Outbox<Output>) {
        if let Some(leaving) = &mut self.leaving
            && leaving.until.is_some_and(|until| leaving.open.is_empty() || until <= now)
        {
            leaving.until = None;
            out.push(Output::MayStop);
        }
    }

    fn note_left(&mut self, now: Time, from: NodeId, records: Vec<Left>, out: &mut Outbox<Output>) {
        let MembershipConfig { remember_left, max_left, .. } = self.config;
        let mut news = Vec::new();
        for record in records.into_iter().take(max_left) {
            if !self.is_news(&record) {
                continue;
            }
            if !record.is_genuine() {
                // Checking costs more than forging, so the rest of the message is not read.
                self.forged = self.forged.saturating_add(1);
                break;
            }
            let Left { node, life, .. } = record;
            self.members.insert(node, Member { life, standing: Standing::Left, since: now });
            if let Some(oldest) = self.left.keep(now, record.clone(), remember_left, max_left) {
                self.forget_unknown(oldest);
            }
            out.push(Output::Left { node, life });
            news.push(record);
        }
        if !news.is_empty() {
            self.pass_on(from, &news, out);
        }
    }

    /// To all linked peers but the one who told, and those who left.
    fn pass_on(&mut self, from: NodeId, news: &[Left], out: &mut Outbox<Output>) {
        let has_left = |peer: &NodeId| {
            self.members.get(peer).is_some_and(|member| member.standing == Standing::Left)
        };
        let others: Vec<NodeId> =
            self.links.peers().filter(|peer| *peer != from && !has_left(peer)).collect();
        for peer in others {
            self.ask(peer, left_news(news.to_vec()), out);
        }
    }

    /// Of a node that was never known it is none: keys cost nothing, and each could say good-bye.
    fn is_news(&self, record: &Left) -> bool {
        record.node != self.key.id()
            && record.age() < self.config.remember_left
            && self.members.get(&record.node).is_some_and(|member| record.life >= member.life)
            && !self.is_over(record.node, record.life)
    }

    fn ask(&mut self, to: NodeId, message: Message, out: &mut Outbox<Output>) -> Token {
        let token = self.tokens.next();
        out.push(Output::Ask { to, token, message });
        token
    }

    fn give_up(&mut self, peer: NodeId, out: &mut Outbox<Output>) {
        out_close(self.links.end(peer), out);
    }
}

fn out_close(links: impl IntoIterator<Item = LinkId>, out: &mut Outbox<Output>) {
    for link in links {
        out.push(Output::Close(link));
    }
}

impl Machine for MembershipMachine {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Time, input: Input, out: &mut Outbox<Output>) {
        match input {
            Input::Tick => {
                out_close(self.links.overdue(now), out);
                self.stop_if_done(now, out);
            }
            Input::Opened { peer, life, link } => self.opened(now, peer, life, link, out),
            Input::Closed { peer, link } => self.closed(now, peer, link, out),
            Input::Pinged { peer, link, answered } => {
                if self.links.pinged(peer, link, answered, self.config.misses) {
                    self.give_up(peer, out);
                }
            }
            Input::Slow { peer } => {
                let MembershipConfig { slow_window, slow_limit, .. } = self.config;
                if self.links.slow(now, peer, slow_window, slow_limit) {
                    self.give_up(peer, out);
                }
            }
            Input::Known { node, life } => {
                self.carded.insert(node);
                self.seen(now, node, life, false, out);
            }
            Input::Forgotten { node } => {
                self.carded.remove(&node);
                self.forget_unknown(node);
            }
            Input::Leave => self.leave(now, out),
            Input::Asked { from, token, message } => {
                if let Message::News(news) = message {
                    let records = news.into_iter().filter_map(|news| match news {
                        News::Left(left) => Some(left),
                        _ => None,
                    });
                    self.note_left(now, from, records.collect(), out);
                }
                out.push(Output::Answer { token, message: Message::Noted });
            }
            Input::Settled { token } => {
                if let Some(leaving) = &mut self.leaving {
                    leaving.open.remove(&token);
                    self.stop_if_done(now, out);
                }
            }
        }
    }

    fn deadline(&self) -> Option<Time> {
        let leaving = self.leaving.as_ref().and_then(|leaving| leaving.until);
        earliest(leaving, self.links.deadline())
    }
}

fn left_news(records: Vec<Left>) -> Message {
    Message::News(records.into_iter().map(News::Left).collect())
}
