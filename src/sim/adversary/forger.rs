//! The forger: makes proofs against others, in every way that is wrong.

use std::time::Duration;

use super::kinds::{Adversary, Mischief};
use crate::base::id::{Incarnation, Life, NodeId};
use crate::base::key::SecretKey;
use crate::base::signer::Signer;
use crate::engine::Output;
use crate::protocol::membership::{
    Alive, Certificate, Left, Message, News, Resigned, Statement, Verdict, Vote,
};

/// Votes on each forged certificate.
const VOTES: usize = 12;

/// Sends certificates, refutations and good-byes that nobody signed who should have.
pub(crate) struct Forger {
    pace: Duration,
    count: u64,
}

impl Forger {
    pub fn new(pace: Duration) -> Self {
        Self { pace, count: 0 }
    }
}

fn statement(signer: &mut Signer, round: u64, subject: NodeId, life: Life) -> Statement {
    let incarnation = Incarnation { life, refutations: 0 };
    let voter = signer.me();
    let vote = Vote { voter, tick: 100, agreed: 0, quorum: 9, signature: Vec::new() };
    Statement { round, subject, incarnation, verdict: Verdict::Down, vote }.sign(signer)
}

/// Somebody who does not exist.
fn made_up(number: u64) -> Signer {
    let mut seed = [0xfe; 32];
    seed.iter_mut().zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
    Signer::new(SecretKey::from_seed(seed))
}

/// A certificate with one of five flaws.
fn certificate(mischief: &Mischief<'_>, subject: NodeId, kind: u64, round: u64) -> Certificate {
    let mut signer = mischief.signer.clone();
    let own = statement(&mut signer, round, subject, mischief.life).vote;
    let others = mischief.peers.iter().filter(|peer| **peer != subject);
    let votes = match kind {
        // Members who never said it, with this node's signature below.
        0 => others.map(|peer| Vote { voter: *peer, ..own.clone() }).take(VOTES).collect(),
        // Voters that there are not.
        1 => (0..VOTES as u64)
            .map(|number| statement(&mut made_up(number), round, subject, mischief.life).vote)
            .collect(),
        // One voter many times.
        2 => vec![own; VOTES],
        // Its own vote, with a signature flipped.
        3 => {
            let flip = |mut vote: Vote| {
                vote.signature.iter_mut().take(1).for_each(|byte| *byte ^= 1);
                vote
            };
            others.map(|peer| flip(Vote { voter: *peer, ..own.clone() })).take(VOTES).collect()
        }
        // Votes of another round, and too few that say so themselves.
        _ => {
            let mut other = statement(&mut signer, round ^ 1, subject, mischief.life).vote;
            other.quorum = 1;
            vec![other]
        }
    };
    let incarnation = Incarnation { life: mischief.life, refutations: 0 };
    Certificate { subject, incarnation, round, votes }
}

impl Adversary for Forger {
    fn pace(&self) -> Option<Duration> {
        Some(self.pace)
    }

    fn turn(&mut self, mischief: &Mischief<'_>, out: &mut Vec<Output>) {
        self.count += 1;
        let number = usize::try_from(self.count).unwrap_or(0);
        let pick = |step: usize| {
            mischief.peers.get((number * step + step) % mischief.peers.len().max(1)).copied()
        };
        let (Some(to), Some(subject)) = (pick(3), mischief.about.or(pick(5))) else { return };
        let mut signer = mischief.signer.clone();
        // Above what is recorded, so that only the signature can be wrong.
        let next = Incarnation { life: mischief.life, refutations: 40 };
        let news = match self.count % 8 {
            kind @ 0..5 => News::Down(certificate(mischief, subject, kind, self.count)),
            5 => {
                let mut alive = Alive::first(&mut signer, mischief.life);
                (alive.node, alive.incarnation) = (subject, next);
                News::Alive(alive)
            }
            6 => {
                let left = Left::sign(&mut signer, mischief.life);
                News::Left(Left { node: subject, ..left })
            }
            _ => {
                let resigned = Resigned { node: subject, incarnation: next, signature: Vec::new() };
                News::Resigned(resigned.sign(&mut signer))
            }
        };
        out.push(mischief.ask(to, Message::News(vec![news])));
    }
}
