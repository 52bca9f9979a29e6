//! Statements, refutations and certificates: made, and checked.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::wire::{Alive, Certificate, Resigned, Statement, Verdict, Vote};
use crate::base::codec::{DecodeError, from_cbor};
use crate::base::id::{Incarnation, Life, NodeId};
use crate::base::signer::{Signer, Verifier};

/// Most votes of a certificate: majorities of at most 126 members, and of every committee.
pub const MAX_VOTES: usize = 64;

/// Largest certificate that is read from a file, in bytes: as JSON 64 votes take some 30 KiB.
const MAX_SAVED: usize = 64 * 1024;

/// Keep a signature over one thing from being taken for one over another.
const STATEMENT: &[u8] = b"gossip-mesh statement 1";
const ALIVE: &[u8] = b"gossip-mesh alive 1";
const RESIGNED: &[u8] = b"gossip-mesh resigned 1";

/// What is wrong with something that should be a proof.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Flaw {
    /// A signature is not of the one who should have signed.
    Forged,
    /// One voter votes twice.
    DuplicateVoter,
    /// A voter is the one it votes on.
    OwnCause,
    /// A voter is no member whose vote counts.
    ForeignVoter,
    /// Fewer votes than a verdict needs.
    TooFewVotes,
    /// More votes than a certificate may have.
    TooManyVotes,
    /// The votes were given at times too far apart.
    TooOld,
    /// It speaks of a node that is no member.
    UnknownSubject,
    /// It belongs to another round, subject or incarnation.
    OutOfPlace,
    /// Nobody vouches for a node that contradicts too often.
    Unvouched,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forged => "a signature is forged",
            Self::DuplicateVoter => "one voter votes twice",
            Self::OwnCause => "a voter votes on itself",
            Self::ForeignVoter => "a voter is no member whose vote counts",
            Self::TooFewVotes => "there are fewer votes than a verdict needs",
            Self::TooManyVotes => "there are more votes than a certificate may have",
            Self::TooOld => "the votes were given at times too far apart",
            Self::UnknownSubject => "it speaks of a node that is no member",
            Self::OutOfPlace => "it belongs to another round or incarnation",
            Self::Unvouched => "nobody vouches for a node that contradicts too often",
        })
    }
}

impl std::error::Error for Flaw {}

/// Bytes that are signed: the same on every platform, without a second reading.
struct Signed(Vec<u8>);

impl Signed {
    fn new(domain: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(192);
        bytes.extend_from_slice(domain);
        Self(bytes)
    }

    fn node(mut self, node: NodeId) -> Self {
        let bytes = node.to_bytes();
        // An id has at most 66 bytes.
        self.0.push(u8::try_from(bytes.len()).unwrap_or(u8::MAX));
        self.0.extend_from_slice(&bytes);
        self
    }

    fn number(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    fn incarnation(self, incarnation: Incarnation) -> Self {
        self.number(incarnation.life.0).number(u64::from(incarnation.refutations))
    }
}

impl Statement {
    /// The bytes that its voter signs.
    fn signed(&self) -> Vec<u8> {
        vote_bytes(self.round, self.subject, self.incarnation, self.verdict, &self.vote)
    }

    /// The same with the signature of its voter.
    pub(crate) fn sign(mut self, signer: &mut Signer) -> Self {
        self.vote.signature = signer.sign(&self.signed());
        self
    }

    /// True when its voter said it.
    pub(crate) fn is_genuine(&self, verifier: &Verifier) -> bool {
        verifier.verify(self.vote.voter, &self.signed(), &self.vote.signature)
    }
}

fn vote_bytes(
    round: u64,
    subject: NodeId,
    incarnation: Incarnation,
    verdict: Verdict,
    vote: &Vote,
) -> Vec<u8> {
    let verdict = match verdict {
        Verdict::Up => 1,
        Verdict::Down => 2,
    };
    Signed::new(STATEMENT)
        .number(round)
        .node(subject)
        .incarnation(incarnation)
        .number(verdict)
        .node(vote.voter)
        .number(vote.tick)
        .number(vote.agreed)
        .number(u64::from(vote.quorum))
        .0
}

impl Alive {
    /// What the owner of the key says first in a life.
    pub(crate) fn first(signer: &mut Signer, life: Life) -> Self {
        let incarnation = Incarnation { life, refutations: 0 };
        let (node, tick) = (signer.me(), 0);
        Self { node, incarnation, tick, signature: vec![], vouchers: vec![] }.sign(signer)
    }

    fn signed(&self) -> Vec<u8> {
        Signed::new(ALIVE).node(self.node).incarnation(self.incarnation).number(self.tick).0
    }

    pub(crate) fn sign(mut self, signer: &mut Signer) -> Self {
        self.signature = signer.sign(&self.signed());
        self
    }

    /// True when the node itself said it. Vouchers are statements of their own.
    pub(crate) fn is_genuine(&self, verifier: &Verifier) -> bool {
        verifier.verify(self.node, &self.signed(), &self.signature)
    }
}

impl Resigned {
    fn signed(&self) -> Vec<u8> {
        Signed::new(RESIGNED).node(self.node).incarnation(self.incarnation).0
    }

    pub(crate) fn sign(mut self, signer: &mut Signer) -> Self {
        self.signature = signer.sign(&self.signed());
        self
    }

    /// True when the node itself said it.
    pub(crate) fn is_genuine(&self, verifier: &Verifier) -> bool {
        verifier.verify(self.node, &self.signed(), &self.signature)
    }
}

impl Certificate {
    /// Checks what can be checked without knowing the membership: at least as many distinct voters
    /// as each of them held necessary, not the subject among them, and every signature.
    ///
    /// That the voters are members, and that their clocks agree, is for members to judge.
    ///
    /// # Errors
    /// The first [`Flaw`] found.
    pub fn check(&self) -> Result<(), Flaw> {
        self.check_shape()?;
        self.check_signatures(&Verifier::default())
    }

    /// Reads what was saved as JSON or as CBOR, at most 64 KiB. It may prove nothing: see
    /// [`Certificate::check`].
    ///
    /// # Errors
    /// When the bytes are too many, or no certificate in either form.
    pub fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_SAVED {
            return Err(DecodeError::TooLarge { got: bytes.len(), max: MAX_SAVED });
        }
        // CBOR of a map begins with a byte that is no JSON.
        match bytes.trim_ascii_start().first() {
            Some(b'{') => serde_json::from_slice(bytes)
                .map_err(|error| DecodeError::Malformed(error.to_string())),
            _ => from_cbor(bytes, MAX_SAVED),
        }
    }

    /// Everything but the signatures, which cost most.
    pub(crate) fn check_shape(&self) -> Result<(), Flaw> {
        if self.votes.len() > MAX_VOTES {
            return Err(Flaw::TooManyVotes);
        }
        let voters: BTreeSet<NodeId> = self.voters().collect();
        if voters.len() < self.votes.len() {
            return Err(Flaw::DuplicateVoter);
        }
        if voters.contains(&self.subject) {
            return Err(Flaw::OwnCause);
        }
        if voters.is_empty() || voters.len() < self.quorum() as usize {
            return Err(Flaw::TooFewVotes);
        }
        Ok(())
    }

    pub(crate) fn check_signatures(&self, verifier: &Verifier) -> Result<(), Flaw> {
        let genuine = |vote: &Vote| {
            let Self { round, subject, incarnation, .. } = *self;
            let bytes = vote_bytes(round, subject, incarnation, Verdict::Down, vote);
            verifier.verify(vote.voter, &bytes, &vote.signature)
        };
        if self.votes.iter().all(genuine) { Ok(()) } else { Err(Flaw::Forged) }
    }

    /// Who voted.
    pub fn voters(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.votes.iter().map(|vote| vote.voter)
    }

    /// Votes that the verdict needed: the most that any of its voters held necessary.
    pub fn quorum(&self) -> u32 {
        self.votes.iter().map(|vote| vote.quorum).max().unwrap_or(u32::MAX)
    }

    /// Between the first and the last vote, on the subject's logical clock.
    pub fn span(&self) -> u64 {
        let ticks = || self.votes.iter().map(|vote| vote.tick);
        ticks().max().unwrap_or(0).abs_diff(ticks().min().unwrap_or(0))
    }
}
