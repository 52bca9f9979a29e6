//! Why a node stands as it stands: what its story, its standing and its link say together.

use super::condition::{Condition, Facts};
use super::machines::Engine;
use super::story::{Entry, Episode, Story};
use crate::base::id::NodeId;
use crate::base::time::Time;

impl Engine {
    /// The story of a node, this one or another, as it is known here.
    pub fn story(&self, now: Time, node: NodeId) -> Story {
        let thread = self.stories.of(node);
        let member = self.membership.member(node);
        let (heard, round_trip) = self.membership.last_heard(node);
        let certificate = self.membership.certificate(node);
        let facts = Facts {
            standing: member.map(|member| member.standing),
            linked: self.links().is_linked(node),
            heard: heard.map(|at| now.since(at)),
            round_trip: round_trip.or_else(|| self.round_trip(node)),
        };
        let (since, condition) = match node == self.me {
            true => {
                let (phase, health) = (self.membership.phase(), self.membership.health());
                (Time::ZERO, Condition::of_itself(now, thread, phase, health))
            }
            false => {
                let since = member.map_or(Time::ZERO, |member| member.since);
                (since, Condition::of_other(now, thread, facts, certificate.as_ref()))
            }
        };
        let episode = |entry: &Entry| Episode {
            at: self.started.at(entry.at),
            finding: entry.finding.clone(),
        };
        Story {
            node,
            seen_by: self.me,
            standing: facts.standing.filter(|_| node != self.me),
            since: now.since(since),
            condition,
            episodes: thread.entries().map(episode).collect(),
            dropped: thread.dropped(),
            certificate,
        }
    }
}
