//! Always checked: what nodes believe is proved, and the proofs agree with each other.

use std::collections::{BTreeMap, BTreeSet};

use super::expectation::{Expectation, Holds};
use crate::base::codec::to_cbor;
use crate::base::id::{Incarnation, NodeId};
use crate::base::signer::Verifier;
use crate::protocol::membership::{Certificate, News as Proof, Phase};
use crate::sim::look::{Look, News};
use crate::sim::report::Outcome;
use crate::sim::scene::{Fortune, Scene, Sign, Truth};

/// Up to so many nodes every record of every node is checked at the end.
const ALL_RECORDS: u32 = 64;

/// Every verdict an honest node holds has a certificate that verifies, and every other record is
/// signed by its owner (S1). Two certificates from one agreed membership share a voter, and no two
/// active nodes hold certificates against each other (S2).
#[derive(Default)]
pub(super) struct VerdictsAreProved {
    /// The whole membership votes, so that any two majorities meet.
    all_vote: bool,
    /// What has been checked, by hash.
    genuine: BTreeSet<[u8; 32]>,
    issued: Vec<Certificate>,
}

impl VerdictsAreProved {
    pub fn new(all_vote: bool) -> Self {
        Self { all_vote, ..Self::default() }
    }

    fn check(&mut self, by: u32, about: NodeId, proof: &Proof) -> Holds {
        if !self.genuine.insert(*blake3::hash(&to_cbor(proof)).as_bytes()) {
            return Ok(());
        }
        let verifier = Verifier::default();
        let holds = match proof {
            Proof::Alive(alive) => alive.node == about && alive.is_genuine(&verifier),
            Proof::Resigned(resigned) => resigned.node == about && resigned.is_genuine(&verifier),
            Proof::Left(left) => left.node == about && left.is_genuine(&verifier),
            Proof::Down(certificate) => certificate.subject == about && certificate.check().is_ok(),
        };
        if !holds {
            return Err(format!("node {} holds a record of {about} without a proof", by + 1));
        }
        match proof {
            Proof::Down(certificate) if self.all_vote => self.compare(certificate),
            _ => Ok(()),
        }
    }

    /// A majority of one membership meets every other majority of it.
    fn compare(&mut self, new: &Certificate) -> Holds {
        let voters: BTreeSet<NodeId> = new.voters().collect();
        let apart = |old: &&Certificate| {
            is_of_one_membership(old, new) && !old.voters().any(|voter| voters.contains(&voter))
        };
        if let Some(old) = self.issued.iter().find(apart) {
            let (one, other) = (old.subject, new.subject);
            return Err(format!("the verdicts on {one} and {other} have no voter in common"));
        }
        self.issued.push(new.clone());
        Ok(())
    }
}

/// All votes of both are from one agreed membership.
fn is_of_one_membership(one: &Certificate, other: &Certificate) -> bool {
    let mut agreed = one.votes.iter().chain(&other.votes).map(|vote| vote.agreed);
    let first = agreed.next();
    agreed.all(|next| Some(next) == first)
}

/// The incarnation it holds a verdict on, if it does.
fn condemned(look: &dyn Look, node: NodeId) -> Option<Incarnation> {
    let record = look.record(node)?;
    matches!(record.proof, Proof::Down(_)).then_some(record.incarnation)
}

impl Expectation for VerdictsAreProved {
    fn sign(&mut self, sign: &Sign, scene: &dyn Scene) -> Holds {
        let (News::Down(about, _), Some(number)) = (sign.news, sign.about) else { return Ok(()) };
        let Some(look) = scene.look(sign.by).filter(|_| !scene.is_hostile(sign.by)) else {
            return Ok(());
        };
        let Some(record) = look.record(about) else { return Ok(()) };
        self.check(sign.by, about, &record.proof)?;
        let Some(other) = scene.look(number).filter(|_| !scene.is_hostile(number)) else {
            return Ok(());
        };
        let me = scene.id(sign.by);
        let mutual = self.all_vote
            && look.phase() == Phase::Active
            && other.phase() == Phase::Active
            && condemned(look, about).is_some_and(|down| down >= other.incarnation())
            && condemned(other, me).is_some_and(|down| down >= look.incarnation());
        let (one, two) = (sign.by + 1, number + 1);
        if mutual { Err(format!("nodes {one} and {two} put each other out")) } else { Ok(()) }
    }

    fn end(&mut self, _: &Outcome, scene: &dyn Scene) -> Holds {
        if scene.nodes() > ALL_RECORDS {
            return Ok(());
        }
        for by in scene.living().into_iter().filter(|by| !scene.is_hostile(*by)) {
            let Some(look) = scene.look(by) else { continue };
            for about in (0..scene.nodes()).map(|node| scene.id(node)) {
                if let Some(record) = look.record(about) {
                    self.check(by, about, &record.proof)?;
                }
            }
        }
        Ok(())
    }
}

/// What a node has recorded of another never falls while it runs (S4).
#[derive(Default)]
pub(super) struct RecordsRise(BTreeMap<(u32, NodeId), Incarnation>);

impl Expectation for RecordsRise {
    fn sign(&mut self, sign: &Sign, scene: &dyn Scene) -> Holds {
        let (Some(about), Some(look)) = (sign.news.about(), scene.look(sign.by)) else {
            return Ok(());
        };
        let Some(record) = look.record(about) else { return Ok(()) };
        match self.0.insert((sign.by, about), record.incarnation) {
            Some(before) if before > record.incarnation => Err(format!(
                "node {} took its record of {about} back from {before:?} to {:?}",
                sign.by + 1,
                record.incarnation
            )),
            _ => Ok(()),
        }
    }

    fn truth(&mut self, truth: &Truth, _: &dyn Scene) -> Holds {
        if truth.fortune == Fortune::Started {
            self.0.retain(|(by, _), _| *by != truth.node);
        }
        Ok(())
    }
}
