//! What the room finds out, in the past tense: for events, for the story of a node, for replays.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::wire::{Certificate, Verdict};
use crate::base::id::{Incarnation, NodeId};
use crate::base::time::duration;

/// Why a node goes down by itself.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GoingDownReason {
    /// More than half of the others do not answer it, though they answer others.
    SelfDoubt,
    /// A quorum put it out and proved it.
    Takedown,
}

/// Why a suspicion ended without a verdict.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reprieve {
    /// Others reach the node: only the link from here is broken.
    Vouched,
    /// The node answered after all.
    Answered,
    /// The node contradicted in a newer incarnation.
    Refuted,
    /// Nobody was left to ask, and neither side had enough votes.
    Inconclusive,
    /// It left, or was put out by a verdict from elsewhere.
    Settled,
}

/// One thing that membership found out or did, as seen by one node. The events of
/// [`Node::events`](crate::Event) and the story that `gossip why` tells are made of these.
///
/// As JSON: one object with the name in `event`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Finding {
    /// A probe of a node was not answered in time.
    ProbeMissed {
        /// Whom.
        node: NodeId,
        /// How long the answer was waited for.
        #[serde(with = "duration")]
        waited: Duration,
        /// Misses in a row, this one too.
        misses: u32,
        /// The usual round trip, when one was ever measured.
        round_trip_us: Option<u64>,
        /// Own health: 0 is well, 7 means that our own probes are trusted least.
        health: u8,
    },
    /// A node that had missed probes answered again.
    ProbeAnswered {
        /// Who.
        node: NodeId,
        /// After how many misses in a row.
        misses: u32,
    },
    /// This node suspects another one and asks witnesses.
    Suspected {
        /// Whom.
        node: NodeId,
        /// Which incarnation.
        incarnation: Incarnation,
        /// Votes that a verdict needs.
        quorum: u32,
        /// Members that can vote.
        voters: u32,
        /// Names the round.
        round: u64,
    },
    /// A witness was asked.
    WitnessAsked {
        /// About whom.
        node: NodeId,
        /// Whom.
        witness: NodeId,
    },
    /// A witness did not acknowledge the question, or did not report.
    WitnessSilent {
        /// About whom.
        node: NodeId,
        /// Who.
        witness: NodeId,
    },
    /// A witness found the node up.
    WitnessUp {
        /// About whom.
        node: NodeId,
        /// Who.
        witness: NodeId,
    },
    /// A witness found the node down.
    WitnessDown {
        /// About whom.
        node: NodeId,
        /// Who.
        witness: NodeId,
    },
    /// This node was asked as a witness and said what it found.
    Testified {
        /// About whom.
        node: NodeId,
        /// Who asked.
        asker: NodeId,
        /// What was found.
        verdict: Verdict,
    },
    /// A suspicion ended, and the node stays a member.
    SuspicionEnded {
        /// Of whom.
        node: NodeId,
        /// Why.
        reason: Reprieve,
        /// Witnesses that found it up.
        up: u32,
        /// Voters that found it down, this node too.
        down: u32,
        /// Voters that did not answer.
        silent: u32,
        /// Votes that a verdict needs.
        quorum: u32,
    },
    /// Others reach a node that this one does not: it stays a member, reached through others.
    LinkDown {
        /// Whom.
        node: NodeId,
        /// How long this node will not suspect it again.
        #[serde(with = "duration")]
        hold: Duration,
    },
    /// There are not enough members for any verdict about a node, however they vote.
    QuorumUnavailable {
        /// About whom.
        node: NodeId,
        /// Votes that a verdict needs.
        quorum: u32,
        /// Members that can vote.
        voters: u32,
    },
    /// This node doubts itself and probes all others.
    SelfDoubt {
        /// Whom it had suspected in vain.
        node: NodeId,
        /// How many it probes.
        probing: u32,
    },
    /// The probing of all others ended.
    SelfChecked {
        /// How many answered.
        answered: u32,
        /// How many did not.
        silent: u32,
    },
    /// Nobody answers this node: it considers itself down and looks for members, one by one.
    ConsideredSelfDown {
        /// Whom it had suspected when it found out.
        node: NodeId,
    },
    /// This node puts itself out and comes back later.
    GoingDown {
        /// Its incarnation that ends.
        incarnation: Incarnation,
        /// Why.
        reason: GoingDownReason,
        /// When it will try to come back.
        #[serde(with = "duration")]
        back_in: Duration,
    },
    /// A quorum put a node out.
    Down {
        /// Whom.
        node: NodeId,
        /// Which incarnation.
        incarnation: Incarnation,
        /// Who voted.
        voters: Vec<NodeId>,
        /// Votes that the verdict needed, by the voters' own count.
        quorum: u32,
        /// True when this node gathered the votes.
        by_us: bool,
    },
    /// This node was told that a quorum put it out, and the proof holds.
    TakedownReceived {
        /// The proof.
        certificate: Box<Certificate>,
        /// Who told it.
        from: Option<NodeId>,
    },
    /// A node contradicted a suspicion in a newer incarnation; this node, when it is us.
    Refuted {
        /// Who.
        node: NodeId,
        /// Its incarnation now.
        incarnation: Incarnation,
    },
    /// This node is a member: after its start, or again.
    Rejoined {
        /// Its incarnation.
        incarnation: Incarnation,
        /// Who took it in; `None` for a founder.
        through: Option<NodeId>,
    },
    /// Who is a member changed.
    ViewChanged {
        /// Members that live.
        active: u32,
        /// Members whose votes count.
        agreed: u32,
    },
    /// A statement, certificate or refutation was refused.
    Rejected {
        /// Who sent it.
        from: NodeId,
        /// Of whom it speaks.
        node: NodeId,
        /// What is wrong with it.
        reason: super::Flaw,
    },
}

impl Finding {
    /// Of whom it speaks; `None` when it is of this node alone.
    pub const fn subject(&self) -> Option<NodeId> {
        match self {
            Self::ProbeMissed { node, .. }
            | Self::ProbeAnswered { node, .. }
            | Self::Suspected { node, .. }
            | Self::WitnessAsked { node, .. }
            | Self::WitnessSilent { node, .. }
            | Self::WitnessUp { node, .. }
            | Self::WitnessDown { node, .. }
            | Self::Testified { node, .. }
            | Self::SuspicionEnded { node, .. }
            | Self::LinkDown { node, .. }
            | Self::QuorumUnavailable { node, .. }
            | Self::Down { node, .. }
            | Self::Refuted { node, .. }
            | Self::Rejected { node, .. } => Some(*node),
            Self::SelfDoubt { .. }
            | Self::SelfChecked { .. }
            | Self::ConsideredSelfDown { .. }
            | Self::GoingDown { .. }
            | Self::TakedownReceived { .. }
            | Self::Rejoined { .. }
            | Self::ViewChanged { .. } => None,
        }
    }

    /// True for what belongs to the story of a node and is too much for a stream of events.
    pub const fn is_detail(&self) -> bool {
        matches!(
            self,
            Self::ProbeMissed { .. } | Self::ProbeAnswered { .. } | Self::Testified { .. }
        )
    }

    /// The sentence for people, with nodes named by `name`.
    pub fn tell(&self, name: &dyn Fn(NodeId) -> String) -> String {
        match self {
            Self::ProbeMissed { node, waited, misses, round_trip_us, health } => {
                let usual = round_trip_us.map_or_else(
                    || "no round trip was ever measured".to_owned(),
                    |us| format!("its usual round trip is {}", micros(us)),
                );
                format!(
                    "{} did not answer a probe within {} ms ({misses} in a row; {usual}; own \
                     health {health} of 7)",
                    name(*node),
                    waited.as_millis()
                )
            }
            Self::ProbeAnswered { node, misses } => {
                format!("{} answered again after {misses} missed probes", name(*node))
            }
            Self::Suspected { node, quorum, voters, .. } => {
                format!("{} is suspected: a verdict needs {quorum} of {voters} votes", name(*node))
            }
            Self::WitnessAsked { node, witness } => {
                format!("{} was asked what it finds of {}", name(*witness), name(*node))
            }
            Self::WitnessSilent { node, witness } => {
                format!("{}, asked about {}, stayed silent", name(*witness), name(*node))
            }
            Self::WitnessUp { node, witness } => {
                format!("{} says that {} is up", name(*witness), name(*node))
            }
            Self::WitnessDown { node, witness } => {
                format!("{} says that {} is down", name(*witness), name(*node))
            }
            Self::Testified { node, asker, verdict } => {
                let found = match verdict {
                    Verdict::Up => "up",
                    Verdict::Down => "down",
                };
                format!("{} asked about {}: found {found}", name(*asker), name(*node))
            }
            Self::SuspicionEnded { node, reason, up, down, silent, quorum } => {
                let why = match reason {
                    Reprieve::Vouched => "others reach it",
                    Reprieve::Answered => "it answered after all",
                    Reprieve::Refuted => "it contradicted",
                    Reprieve::Inconclusive => "nobody was left to ask",
                    Reprieve::Settled => "its fate was decided elsewhere",
                };
                format!(
                    "the suspicion of {} ended, {why}: {up} up, {down} down, {silent} silent, \
                     {quorum} needed to put it out",
                    name(*node)
                )
            }
            Self::LinkDown { node, hold } => format!(
                "{} is reached by others and not from here: not suspected again for {} s",
                name(*node),
                hold.as_secs()
            ),
            Self::QuorumUnavailable { node, quorum, voters } => format!(
                "{} cannot be put out: {quorum} votes are needed and there are only {voters}",
                name(*node)
            ),
            Self::SelfDoubt { probing, .. } => {
                format!("this node doubts itself and probes {probing} others")
            }
            Self::SelfChecked { answered, silent } => {
                format!("of those probed in self-doubt {answered} answered, {silent} did not")
            }
            Self::ConsideredSelfDown { .. } => {
                "nobody answers this node: it considers itself down and looks for members"
                    .to_owned()
            }
            Self::GoingDown { reason, back_in, .. } => {
                let why = match reason {
                    GoingDownReason::SelfDoubt => "most others do not answer it",
                    GoingDownReason::Takedown => "a quorum put it out",
                };
                format!("this node goes down, {why}; back in {:.1} s", back_in.as_secs_f64())
            }
            Self::Down { node, voters, quorum, by_us, .. } => {
                let voters: Vec<String> = voters.iter().map(|voter| name(*voter)).collect();
                let teller = if *by_us { "gathered here" } else { "told by others" };
                format!(
                    "{} is down by verdict of {} ({quorum} votes needed, {teller})",
                    name(*node),
                    voters.join(", ")
                )
            }
            Self::TakedownReceived { certificate, .. } => {
                let voters: Vec<String> =
                    certificate.votes.iter().map(|vote| name(vote.voter)).collect();
                format!("this node was put out by {}", voters.join(", "))
            }
            Self::Refuted { node, incarnation } => format!(
                "{} contradicted: it lives, refutation {}",
                name(*node),
                incarnation.refutations
            ),
            Self::Rejoined { through, .. } => match through {
                Some(through) => format!("this node is a member, taken in by {}", name(*through)),
                None => "this node is a member, the first".to_owned(),
            },
            Self::ViewChanged { active, agreed } => {
                format!("{active} members live, the votes of {agreed} count")
            }
            Self::Rejected { from, node, reason } => {
                format!(
                    "{} sent something about {} that was refused: {reason}",
                    name(*from),
                    name(*node)
                )
            }
        }
    }
}

fn micros(us: u64) -> String {
    let millis = Duration::from_micros(us).as_secs_f64() * 1_000.0;
    format!("{millis:.1} ms")
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.tell(&|node| node.to_string()))
    }
}
