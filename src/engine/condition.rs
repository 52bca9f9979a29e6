//! From the findings about a node to the reason why it stands as it stands.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::story::{Entry, Thread};
use crate::base::id::{Incarnation, NodeId};
use crate::base::time::{Time, millis};
use crate::protocol::membership::{
    Certificate, Finding, GoingDownReason, Phase, Reprieve, Standing,
};

/// Why a node stands as it stands, and, where it is not down, why not.
///
/// As JSON: one object with the name in `name`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "name", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Condition {
    /// The teller does not know the node.
    Unknown,
    /// Nothing speaks against it.
    Answers {
        /// There is a link with it.
        linked: bool,
        /// How long ago it was last heard; `None` when never, directly.
        heard_ms: Option<u64>,
        /// Its last round trip.
        round_trip_us: Option<u64>,
    },
    /// Probes of it are missed, not yet enough of them for a suspicion.
    Missed {
        /// In a row.
        misses: u32,
    },
    /// The teller suspects it and gathers votes.
    Suspected {
        /// Votes against it so far, the teller's too.
        down: u32,
        /// Witnesses that found it up.
        up: u32,
        /// Witnesses that did not answer.
        silent: u32,
        /// Votes that a verdict needs.
        quorum: u32,
        /// Members that can vote.
        voters: u32,
    },
    /// The last suspicion ended without a verdict: neither side had enough votes.
    Inconclusive {
        /// Votes against it, the teller's too.
        down: u32,
        /// Witnesses that found it up.
        up: u32,
        /// Witnesses that did not answer.
        silent: u32,
        /// Votes that a verdict needs.
        quorum: u32,
    },
    /// Others reach it, the teller does not: it stays a member.
    Vouched {
        /// How much longer the teller will not suspect it again.
        #[serde(rename = "held_ms", with = "millis")]
        held: Duration,
    },
    /// Too few members can vote to put it out, however they vote.
    NoQuorum {
        /// Votes that a verdict needs.
        quorum: u32,
        /// Members that can vote.
        voters: u32,
    },
    /// There is no link with it from here, and nobody has been asked about it yet.
    Unlinked,
    /// A quorum put it out.
    Down {
        /// Which incarnation.
        incarnation: Incarnation,
        /// Who voted.
        voters: Vec<NodeId>,
        /// Votes that the verdict needed.
        quorum: u32,
    },
    /// It put itself out, because most others did not answer it.
    Resigned,
    /// It said good-bye.
    Left,
    /// The teller itself: it takes part.
    Member {
        /// Own health: 0 is well, 7 means that it trusts its own probes least.
        health: u8,
    },
    /// The teller itself: it has found no member to take it in yet.
    Joining,
    /// The teller itself: nobody answers it, it looks for members.
    Isolated,
    /// The teller itself: it was put out or put itself out, and waits before it comes back.
    Waiting {
        /// Why.
        reason: GoingDownReason,
        /// How much longer.
        #[serde(rename = "back_in_ms", with = "millis")]
        back_in: Duration,
    },
}

/// What is known of a node beside the findings.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts {
    pub standing: Option<Standing>,
    pub linked: bool,
    pub heard: Option<Duration>,
    pub round_trip: Option<Duration>,
}

impl Condition {
    /// The condition of another node, with the proof against it where there is one.
    pub fn of_other(now: Time, thread: &Thread, facts: Facts, proof: Option<&Certificate>) -> Self {
        match facts.standing {
            None => Self::Unknown,
            Some(Standing::Left) => Self::Left,
            Some(Standing::Down) => proof.map_or(Self::Resigned, down),
            Some(standing) => open_question(now, thread)
                .filter(|_| standing != Standing::Alive || !is_heard_since(now, thread, facts))
                .unwrap_or_else(|| at_rest(standing, facts)),
        }
    }

    /// The condition of the teller itself.
    pub fn of_itself(now: Time, thread: &Thread, phase: Phase, health: u8) -> Self {
        match phase {
            Phase::Joining => Self::Joining,
            Phase::Active => Self::Member { health },
            Phase::Isolated => Self::Isolated,
            Phase::Downed => {
                let told = thread.entries().rev().find_map(|entry| match &entry.finding {
                    Finding::GoingDown { reason, back_in, .. } => {
                        Some((*reason, (entry.at + *back_in).since(now)))
                    }
                    _ => None,
                });
                let (reason, back_in) = told.unwrap_or((GoingDownReason::Takedown, Duration::ZERO));
                Self::Waiting { reason, back_in }
            }
        }
    }

    /// The condition in plain words, with nodes named by `name`.
    pub fn tell(&self, name: &dyn Fn(NodeId) -> String) -> String {
        match self {
            Self::Unknown => "never heard of here".to_owned(),
            Self::Answers { linked, heard_ms, round_trip_us } => {
                answers(*linked, *heard_ms, *round_trip_us)
            }
            Self::Missed { misses } => {
                format!("missed {misses} probes in a row, not yet enough for a suspicion")
            }
            Self::Suspected { down, up, silent, quorum, voters } => format!(
                "suspected here, {down} of the {quorum} votes needed so far ({up} found it up, \
                 {silent} did not answer, {voters} can vote)"
            ),
            Self::Inconclusive { down, up, silent, quorum } => format!(
                "asked about, and nothing decided: {down} of the {quorum} votes needed, {up} found \
                 it up, {silent} did not answer"
            ),
            Self::Vouched { held } => {
                format!("others reach it, so it is not suspected again for {}", span(*held))
            }
            Self::NoQuorum { quorum, voters } => {
                format!(
                    "no verdict is possible, {} needed, {} there",
                    votes(*quorum),
                    count(*voters, "voter")
                )
            }
            Self::Unlinked => {
                "there is no link with it from here, and no suspicion is open".to_owned()
            }
            Self::Down { voters, quorum, incarnation } => {
                let voters: Vec<String> = voters.iter().map(|voter| name(*voter)).collect();
                format!(
                    "put out by {} ({} needed), in its life {}, refutation {}",
                    voters.join(", "),
                    votes(*quorum),
                    incarnation.life,
                    incarnation.refutations
                )
            }
            Self::Resigned => "it put itself out, because most others did not answer it".to_owned(),
            Self::Left => "it said good-bye".to_owned(),
            Self::Member { health } => format!("it is a member, own health {health} of 7"),
            Self::Joining => "no member has taken it in yet".to_owned(),
            Self::Isolated => "nobody answers it, so it looks for members, one by one".to_owned(),
            Self::Waiting { reason, back_in } => {
                let why = match reason {
                    GoingDownReason::Takedown => "a quorum put it out",
                    // Any later reason is its own decision too.
                    _ => "it put itself out, because most others do not answer it",
                };
                format!("{why}; it tries to come back in {}", span(*back_in))
            }
        }
    }
}

fn answers(linked: bool, heard_ms: Option<u64>, round_trip_us: Option<u64>) -> String {
    let heard = match heard_ms {
        Some(ms) => format!("last heard {} ago", span(Duration::from_millis(ms))),
        None if linked => "linked".to_owned(),
        None => "known through others, nothing speaks against it".to_owned(),
    };
    match round_trip_us {
        Some(us) => format!("answers, {heard}, round trip {}", span(Duration::from_micros(us))),
        None if linked => format!("answers, {heard}"),
        None => heard,
    }
}

fn down(proof: &Certificate) -> Condition {
    Condition::Down {
        incarnation: proof.incarnation,
        voters: proof.voters().collect(),
        quorum: proof.quorum(),
    }
}

/// What speaks against a node and is not settled; `None` when nothing does.
fn open_question(now: Time, thread: &Thread) -> Option<Condition> {
    let (mut down, mut up, mut silent) = (1, 0, 0);
    let mut missed = None;
    for Entry { at, finding } in thread.entries().rev() {
        match finding {
            Finding::WitnessDown { .. } => down += 1,
            Finding::WitnessUp { .. } => up += 1,
            Finding::WitnessSilent { .. } => silent += 1,
            Finding::ProbeMissed { misses, .. } => {
                missed.get_or_insert(Condition::Missed { misses: *misses });
            }
            Finding::Suspected { quorum, voters, .. } => {
                let (quorum, voters) = (*quorum, *voters);
                return Some(Condition::Suspected { down, up, silent, quorum, voters });
            }
            Finding::LinkDown { hold, .. } => {
                let held = (*at + *hold).since(now);
                return if held.is_zero() { missed } else { Some(Condition::Vouched { held }) };
            }
            Finding::QuorumUnavailable { quorum, voters, .. } => {
                return Some(Condition::NoQuorum { quorum: *quorum, voters: *voters });
            }
            // What the others found when they vouched is told by `LinkDown`, beside it.
            Finding::SuspicionEnded { reason: Reprieve::Vouched, .. }
                if link_down_beside(thread, *at) => {}
            Finding::SuspicionEnded {
                reason: Reprieve::Inconclusive,
                down,
                up,
                silent,
                quorum,
                ..
            } => {
                let (down, up, silent, quorum) = (*down, *up, *silent, *quorum);
                return Some(Condition::Inconclusive { down, up, silent, quorum });
            }
            Finding::SuspicionEnded { .. }
            | Finding::ProbeAnswered { .. }
            | Finding::Refuted { .. }
            | Finding::Down { .. } => return missed,
            _ => {}
        }
    }
    missed
}

fn link_down_beside(thread: &Thread, at: Time) -> bool {
    let beside = |entry: &&Entry| entry.at == at;
    thread.entries().filter(beside).any(|entry| matches!(entry.finding, Finding::LinkDown { .. }))
}

/// Whether the node was heard after the last thing that was found against it.
fn is_heard_since(now: Time, thread: &Thread, facts: Facts) -> bool {
    let last = thread.entries().next_back().map(|entry| now.since(entry.at));
    match (facts.heard, last) {
        (Some(heard), Some(last)) => heard < last,
        _ => false,
    }
}

fn at_rest(standing: Standing, facts: Facts) -> Condition {
    let Facts { linked, heard, round_trip, .. } = facts;
    let whole = |number: u128| u64::try_from(number).unwrap_or(u64::MAX);
    match standing {
        Standing::Unreachable => Condition::Unlinked,
        _ => Condition::Answers {
            linked,
            heard_ms: heard.map(|heard| whole(heard.as_millis())),
            round_trip_us: round_trip.map(|took| whole(took.as_micros())),
        },
    }
}

fn votes(number: u32) -> String {
    count(number, "vote")
}

/// `1 vote`, `2 votes`.
fn count(number: u32, what: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {what}{ending}")
}

/// A span of time as people say it: `0.2 ms`, `0.4 s`, `12 s`, `3 min`, `2.5 h`.
pub fn span(span: Duration) -> String {
    let seconds = span.as_secs_f64();
    match seconds {
        s if s < 0.1 => format!("{:.1} ms", s * 1e3),
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 180.0 => format!("{s:.0} s"),
        s if s < 10_800.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3_600.0),
    }
}
