//! Who votes about a node, and how many of them it takes.

use super::config::MembershipConfig;
use super::roll::{Roll, mix};
use super::threshold::majority;
use crate::base::id::{Incarnation, NodeId};

/// Attempts of a committee; each has other members.
pub const ATTEMPTS: u32 = 3;

/// Those whose votes count in a round.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Electorate {
    /// Without the subject, in the order of their ids. The node that asks is among them.
    pub voters: Vec<NodeId>,
    /// Votes that any voter holds necessary; see [`needed`].
    pub quorum: u32,
}

/// Above `full_limit` voters only a committee votes.
pub fn is_by_committee(roll: &Roll, config: &MembershipConfig) -> bool {
    roll.electorate_size() > config.full_limit.saturating_add(1)
}

/// Votes that a verdict needs, whoever answers: more than half of the members, and never fewer
/// than a threshold that is a count.
pub fn needed(roll: &Roll, config: &MembershipConfig) -> u32 {
    let part = if !config.partition_safe {
        1
    } else if is_by_committee(roll, config) {
        majority(config.committee)
    } else {
        majority(roll.electorate_size())
    };
    part.max(config.consensus_threshold.fixed_count().unwrap_or(1))
}

/// Who votes on an incarnation of `subject` when `me` asks.
pub fn electorate(
    roll: &Roll,
    config: &MembershipConfig,
    me: NodeId,
    subject: NodeId,
    incarnation: Incarnation,
    attempt: u32,
) -> Electorate {
    let quorum = needed(roll, config);
    if !is_by_committee(roll, config) {
        let voters = roll.agreed().map(|(node, _)| node).filter(|node| *node != subject).collect();
        return Electorate { voters, quorum };
    }
    let mut voters = committee(roll, subject, incarnation, attempt, config.committee);
    if !voters.contains(&me) {
        voters.push(me);
    }
    voters.sort_unstable();
    Electorate { voters, quorum }
}

/// True when these may be the voters of one committee on `subject`. D may differ a little between
/// nodes, so the border is drawn a third wider than when asking.
pub fn may_vote(
    roll: &Roll,
    config: &MembershipConfig,
    voters: &[NodeId],
    subject: NodeId,
    incarnation: Incarnation,
) -> bool {
    let size = config.committee + config.committee / 3;
    (0..ATTEMPTS).any(|attempt| {
        let seats = committee(roll, subject, incarnation, attempt, size);
        // One more may vote: the node that asked.
        voters.iter().filter(|voter| !seats.contains(voter)).count() <= 1
    })
}

fn committee(
    roll: &Roll,
    subject: NodeId,
    incarnation: Incarnation,
    attempt: u32,
    size: u32,
) -> Vec<NodeId> {
    let about = roll.record(subject).map_or(0, |record| record.lot);
    let round = mix(
        mix(about, incarnation.life.0),
        mix(u64::from(incarnation.refutations), u64::from(attempt)),
    );
    let mut draws: Vec<(u64, NodeId)> = roll
        .agreed()
        .filter(|(node, _)| *node != subject)
        .map(|(node, record)| (mix(record.lot, round), node))
        .collect();
    let size = usize::try_from(size).unwrap_or(usize::MAX).min(draws.len());
    if size > 0 && size < draws.len() {
        draws.select_nth_unstable(size - 1);
    }
    draws.truncate(size);
    draws.into_iter().map(|(_, node)| node).collect()
}
