//! The accuser: suspects all that live, all the time, and keeps its rounds open, so that whoever
//! once fails to reach somebody adds a vote to a certificate in the making.

use std::collections::BTreeMap;
use std::time::Duration;

use super::kinds::{Adversary, Mischief};
use crate::base::id::{Incarnation, NodeId};
use crate::engine::frame::Message as Framed;
use crate::engine::{Input, Output};
use crate::protocol::membership::{Certificate, Message, News, Statement, Verdict, Vote};

/// Asks everybody about everybody, in one round for ever, and publishes what it has at every turn.
pub(crate) struct Accuser {
    pace: Duration,
    count: usize,
    /// What is known of others: their incarnation and logical clock.
    known: BTreeMap<NodeId, (Incarnation, u64)>,
    collected: BTreeMap<(NodeId, Incarnation), BTreeMap<NodeId, Vote>>,
}

/// The one round that never ends.
const ROUND: u64 = 4_711;

impl Accuser {
    pub fn new(pace: Duration) -> Self {
        Self { pace, count: 0, known: BTreeMap::new(), collected: BTreeMap::new() }
    }

    fn accuse(&self, mischief: &Mischief<'_>, subject: NodeId) -> Option<Statement> {
        let (incarnation, tick) = *self.known.get(&subject)?;
        let vote = Vote { voter: mischief.me, tick, agreed: 0, quorum: 1, signature: Vec::new() };
        let statement =
            Statement { round: ROUND, subject, incarnation, verdict: Verdict::Down, vote };
        Some(statement.sign(&mut mischief.signer.clone()))
    }

    fn learn(&mut self, from: NodeId, message: &Message) {
        match message {
            // The clock it saw first is what it asks with for ever.
            Message::Ping(pulse) | Message::Ack(pulse) => {
                let known = self.known.entry(from).or_insert((pulse.incarnation, pulse.tick));
                if known.0 != pulse.incarnation {
                    *known = (pulse.incarnation, pulse.tick);
                }
            }
            Message::Report(statement)
                if statement.verdict == Verdict::Down && statement.round == ROUND =>
            {
                let votes = self.collected.entry((statement.subject, statement.incarnation));
                votes.or_default().insert(from, statement.vote.clone());
            }
            _ => {}
        }
    }

    fn publish(&self, mischief: &Mischief<'_>, own: &Statement, out: &mut Vec<Output>) {
        let (subject, incarnation) = (own.subject, own.incarnation);
        let Some(votes) = self.collected.get(&(subject, incarnation)) else { return };
        let votes = votes.values().chain([&own.vote]).cloned().collect();
        let certificate = Certificate { subject, incarnation, round: ROUND, votes };
        for peer in mischief.peers {
            let news = vec![News::Down(certificate.clone())];
            out.push(mischief.ask(*peer, Message::News(news)));
        }
    }
}

impl Adversary for Accuser {
    fn hears(&mut self, _: &Mischief<'_>, input: &mut Input, _: &mut Vec<Output>) -> bool {
        if let Input::Asked { from, message: Framed::Membership(message), .. }
        | Input::Told { from, message: Framed::Membership(message) } = input
        {
            self.learn(*from, message);
        }
        true
    }

    fn pace(&self) -> Option<Duration> {
        Some(self.pace)
    }

    fn turn(&mut self, mischief: &Mischief<'_>, out: &mut Vec<Output>) {
        self.count += 1;
        let subject = self.known.keys().nth(self.count % self.known.len().max(1)).copied();
        let subject = mischief.about.or(subject);
        let Some(own) = subject.and_then(|subject| self.accuse(mischief, subject)) else { return };
        for peer in mischief.peers.iter().filter(|peer| **peer != own.subject) {
            out.push(mischief.ask(*peer, Message::Query(own.clone())));
        }
        self.publish(mischief, &own, out);
    }
}
