//! Settings of the membership room.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::threshold::Threshold;
use crate::base::time::{duration, optional_duration};

/// What a node does when others reach whom it suspected.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SelfReset {
    /// It probes all others, and goes down and comes back when more than half do not answer.
    #[default]
    Guarded,
    /// It goes down and comes back at once. One broken link then resets healthy nodes again and
    /// again: kept to show exactly that.
    Seed,
}

/// Settings of verdicts and of leaving.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MembershipConfig {
    /// Voters it takes to put a node out: see [`Threshold`]. Also read when it is spelled
    /// `consensus_treshold`. Default 0.5.
    #[serde(alias = "consensus_treshold")]
    pub consensus_threshold: Threshold,
    /// Longest wait for the acknowledgement of a command, and the unit of the times below.
    /// Default 100 ms.
    #[serde(with = "duration")]
    pub timeout: Duration,
    /// Wait longer for peers whose round trips are long or vary, and when this node itself is not
    /// well, up to 20 timeouts. Off: exactly `timeout`. Default on.
    pub adaptive_timeout: bool,
    /// A member that is watched and says nothing is probed this often. Default 10 timeouts.
    #[serde(with = "optional_duration", skip_serializing_if = "Option::is_none")]
    pub probe_interval: Option<Duration>,
    /// How many members watch each. Default 4: the worst wait for the first probe is short, and
    /// two of them may die with the one they watch.
    pub monitors: u32,
    /// Probes in a row that a member may miss before it is suspected, 1 to 10; also suspected for
    /// 4 misses of the last 10. Default 3.
    pub miss_limit: u32,
    /// Witnesses asked at once. 0: as many as are missing for a quorum, and one. Default 0.
    pub fanout: u32,
    /// The earliest verdict after a suspicion began: how long a member may pause. Default 10
    /// timeouts.
    #[serde(with = "optional_duration", skip_serializing_if = "Option::is_none")]
    pub refute_window: Option<Duration>,
    /// Up to this many voters all vote; above, a committee does. Default 32.
    pub full_limit: u32,
    /// Size of the committee, 5 to 63. Default 15.
    pub committee: u32,
    /// A verdict needs more than half of the agreed members besides the threshold, so that the
    /// smaller side of a partition can put nobody out. Default on.
    pub partition_safe: bool,
    /// What a node does when others reach whom it suspected. Default `guarded`.
    pub self_reset: SelfReset,
    /// How long nodes that meet no member wait before the first of them founds a mesh; the next
    /// ones wait half as long again, each. Default 10 timeouts; 200 ms in a lab, where all start at
    /// once.
    #[serde(with = "optional_duration", skip_serializing_if = "Option::is_none")]
    pub found_after: Option<Duration>,
    /// For how long refutations and self-checks count. Default 600 timeouts.
    #[serde(with = "optional_duration", skip_serializing_if = "Option::is_none")]
    pub flap_window: Option<Duration>,
    /// The first wait of a node that was put out before it comes back; doubled with every time in
    /// a row, up to `rejoin_max`. Default 1 s.
    #[serde(with = "duration")]
    pub rejoin_backoff: Duration,
    /// The longest such wait. Default 5 min.
    #[serde(with = "duration")]
    pub rejoin_max: Duration,
    /// Most nodes recorded, members and those put out. Others are not taken in. Default 16,384.
    pub max_members: usize,
    /// How long a leaving node waits for its peers to note it. Default 1 s.
    #[serde(with = "duration")]
    pub leave_patience: Duration,
    /// How long after a good-bye it is remembered and passed on to those who link with us; above
    /// zero, or nobody would be seen to leave. Default 1 h.
    #[serde(with = "duration")]
    pub remember_left: Duration,
    /// Most good-byes kept; the oldest is forgotten first. 1 to 4,096. Default 1,024.
    pub max_left: usize,
}

impl Default for MembershipConfig {
    fn default() -> Self {
        Self {
            consensus_threshold: Threshold::default(),
            timeout: Duration::from_millis(100),
            adaptive_timeout: true,
            probe_interval: None,
            monitors: 4,
            miss_limit: 3,
            fanout: 0,
            refute_window: None,
            full_limit: 32,
            committee: 15,
            partition_safe: true,
            self_reset: SelfReset::Guarded,
            found_after: None,
            flap_window: None,
            rejoin_backoff: Duration::from_secs(1),
            rejoin_max: Duration::from_secs(300),
            max_members: 16_384,
            leave_patience: Duration::from_secs(1),
            remember_left: Duration::from_secs(3_600),
            max_left: 1_024,
        }
    }
}

impl MembershipConfig {
    /// How often a watched member is probed.
    pub fn probe_interval(&self) -> Duration {
        self.probe_interval.unwrap_or(self.timeout * 10)
    }

    /// The earliest verdict after a suspicion began.
    pub fn refute_window(&self) -> Duration {
        self.refute_window.unwrap_or(self.timeout * 10)
    }

    /// How long a node without a member in sight waits before it founds.
    pub fn found_after(&self) -> Duration {
        self.found_after.unwrap_or(self.timeout * 10)
    }

    /// For how long refutations and self-checks count.
    pub fn flap_window(&self) -> Duration {
        self.flap_window.unwrap_or(self.timeout * 600)
    }

    /// What contradicts itself or makes no sense, a sentence each.
    pub fn check(&self) -> Vec<String> {
        let ms = Duration::from_millis;
        let rules = [
            (
                self.timeout >= ms(1) && self.timeout <= ms(60_000),
                "`membership.timeout` must be 1 ms to 1 min",
            ),
            (
                self.probe_interval() >= self.timeout,
                "`membership.probe_interval` must be at least `membership.timeout`",
            ),
            (
                self.refute_window() >= self.timeout,
                "`membership.refute_window` must be at least `membership.timeout`, or nobody can \
                 contradict in time",
            ),
            ((1..=64).contains(&self.monitors), "`membership.monitors` must be 1 to 64"),
            ((1..=10).contains(&self.miss_limit), "`membership.miss_limit` must be 1 to 10"),
            (
                (3..=64).contains(&self.full_limit),
                "`membership.full_limit` must be 3 to 64: a certificate holds 64 votes",
            ),
            ((5..=63).contains(&self.committee), "`membership.committee` must be 5 to 63"),
            (self.max_members >= 2, "`membership.max_members` must be at least 2"),
            (
                self.rejoin_backoff <= self.rejoin_max && !self.rejoin_backoff.is_zero(),
                "`membership.rejoin_backoff` must be above zero and at most `rejoin_max`",
            ),
            (
                !self.remember_left.is_zero(),
                "`membership.remember_left` must be above zero, or nobody is seen to leave",
            ),
            (
                (1..=4_096).contains(&self.max_left),
                "`membership.max_left` must be 1 to 4,096: all good-byes fit in one request then",
            ),
        ];
        rules.iter().filter(|(holds, _)| !holds).map(|(_, rule)| (*rule).to_owned()).collect()
    }
}
