//! How much waits for a link, and what is done when it is too much.

use std::collections::BTreeSet;
use std::time::Duration;

use super::config::TreeConfig;
use crate::base::id::NodeId;
use crate::base::time::Time;

/// Blame at which a link is demoted. It grows while others wait for the link, and drains at
/// three fifths of that all the time: so it is reached, in a second and a half or so, by who is
/// waited for much more than half of the time. Who is only somewhat slower is waited for, because
/// nobody could keep for it what it misses. While others are waited for and it is not, it drains as
/// fast as it grew. (With a fifth instead of three, or after half a second, nodes that share two
/// busy cores demoted one another, and lost messages.)
const BLAME: Duration = Duration::from_millis(600);

/// A link farther away than this counts as being so far.
const MAX_FAR: u8 = 8;

/// Where everybody waits for everybody, links seem farther and farther away: one that does not move
/// at all counts as being so far at most.
const FAR_STUCK: u32 = 3;

/// A peer that is behind is waited for so long, whatever it says, and has to be well for as long as
/// it was waited for until all of that is there again. (It says itself when it is well or gives up,
/// after 2 s.)
const PAUSE: Duration = Duration::from_secs(3);

/// So many times `high` is more than what is on its way to a link that is full. (Half of what the
/// stream carries at most.)
const FLOODED: usize = 4;

/// A link is dry, or calm, with less than this share of `low` queued.
const CALM: usize = 4;

/// A link counts as used for so long after a frame was sent over it.
const USED: Duration = Duration::from_secs(5);

/// The penalty is doubled at most so often.
const DOUBLINGS: u32 = 6;

/// Why a link was demoted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fall {
    Slow,
    Stuck,
    Stalled,
}

/// Who makes a frame wait for a link, and so has to wait for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Feeder {
    /// The neighbour that brought it, the newest of its source.
    Neighbour(NodeId),
    /// The neighbour that brought it, after later ones. It does not wait: such frames go all ways,
    /// not only down a tree, and nodes that waited for each other in a circle would stand still.
    Repair(NodeId),
    /// It was written here.
    Here,
    /// It was asked for.
    Nobody,
}

impl Feeder {
    /// Who brought it, if a neighbour did.
    pub(super) fn neighbour(self) -> Option<NodeId> {
        match self {
            Self::Neighbour(peer) | Self::Repair(peer) => Some(peer),
            Self::Here | Self::Nobody => None,
        }
    }
}

/// What waits for one link, and how it stands.
#[derive(Debug, Default)]
pub(super) struct Load {
    queued: usize,
    /// Above `high`, and since then not below `low`.
    full: bool,
    /// Who brought what was queued since it was below `low`; this node itself.
    feeders: BTreeSet<NodeId>,
    fed_here: bool,
    /// For how long it was seen not to move: since bytes were taken, or the first ones queued.
    still: Duration,
    /// Since when it did not move, whoever saw it.
    stands: Time,
    used: Time,
    blame: Duration,
    /// Frames are only announced, as long as others take them; calm since then.
    demoted: Option<Time>,
    demotions: u32,
    /// The peer waits for a link so far away; it takes that many times longer to fall.
    waits_for: u8,
    /// Demoted, but the only one to take some frames.
    relied_on: bool,
    /// Relied on in vain.
    stalled: bool,
    /// Demoted because others are ahead: it is not relied on.
    yielding: bool,
    /// Since when the peer wants no more than what it asks for.
    paused: Option<Time>,
    /// When its last pause ended, and how much it had been waited for then, of `PAUSE`.
    paused_before: (Time, Duration),
}

impl Load {
    /// A frame was queued. True when the link is full now.
    pub(super) fn queue(
        &mut self,
        now: Time,
        bytes: usize,
        by: Feeder,
        config: &TreeConfig,
    ) -> bool {
        if self.queued == 0 {
            self.moved(now);
        }
        self.used = now;
        self.queued = self.queued.saturating_add(bytes);
        if self.queued > config.low || self.paused.is_some() {
            match by {
                Feeder::Neighbour(peer) => {
                    self.feeders.insert(peer);
                }
                Feeder::Here => self.fed_here = true,
                Feeder::Repair(_) | Feeder::Nobody => {}
            }
        }
        self.full |= self.queued > config.high;
        self.full || self.paused.is_some()
    }

    /// The link took bytes. True when that changes how it stands.
    pub(super) fn sent(&mut self, now: Time, bytes: usize, config: &TreeConfig) -> bool {
        let stood = self.full || self.paused.is_some() || self.demoted.is_some();
        self.queued = self.queued.saturating_sub(bytes);
        self.moved(now);
        self.stalled = false;
        if self.queued <= config.low {
            self.full = false;
            self.relied_on = false;
            self.forgive_feeders_if_open();
        }
        stood
    }

    fn moved(&mut self, now: Time) {
        self.still = Duration::ZERO;
        self.stands = now;
    }

    /// The peer is behind. To say so again changes nothing, or it could be waited for for ever.
    pub(super) fn pause(&mut self, now: Time) {
        self.paused.get_or_insert(now);
    }

    /// The peer is behind no more, or was for too long.
    pub(super) fn resume(&mut self, now: Time, config: &TreeConfig) {
        self.paused_before = (now, self.paused_at(now));
        self.paused = None;
        if self.queued <= config.low {
            self.forgive_feeders_if_open();
        }
    }

    /// The peer said that it is behind, and is waited for.
    pub(super) fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    /// For how long it was waited for, less for how long it was well since then.
    fn paused_at(&self, now: Time) -> Duration {
        let (end, before) = self.paused_before;
        let begin = self.paused.unwrap_or(now);
        before.saturating_sub(begin.since(end)) + now.since(begin)
    }

    /// Nobody waits for a link that takes what comes.
    fn forgive_feeders_if_open(&mut self) {
        if !self.full && self.paused.is_none() {
            self.forgive_feeders();
        }
    }

    /// Whether frames may be given to who asks for them.
    pub(super) fn has_room(&self, config: &TreeConfig) -> bool {
        self.queued < config.high
    }

    pub(super) fn is_demoted(&self) -> bool {
        self.demoted.is_some()
    }

    /// Frames may be sent although it is demoted, when nobody else takes them. Own ones also when
    /// it gave way: that was for others.
    pub(super) fn is_reliable(&self, by: Feeder) -> bool {
        !self.stalled && (!self.yielding || by == Feeder::Here)
    }

    /// What waits for it is elsewhere already: it is not waited for.
    pub(super) fn give_way(&mut self, now: Time) {
        self.demote(now);
        self.yielding = true;
        self.relied_on = false;
    }

    pub(super) fn is_stalled(&self) -> bool {
        self.stalled
    }

    fn demote(&mut self, now: Time) {
        if self.demoted.is_none() {
            self.demoted = Some(now);
            self.demotions = self.demotions.saturating_add(1);
        }
    }

    /// Frames are sent although it is demoted, because nobody else takes them.
    pub(super) fn rely(&mut self) {
        self.relied_on = true;
    }

    /// The peer waits for a link itself, so far away; for none with 0.
    pub(super) fn waits_for(&mut self, far: u8) {
        self.waits_for = far.min(MAX_FAR);
    }

    /// How far away the link is that is waited for in the end.
    pub(super) fn far(&self) -> u8 {
        self.waits_for.saturating_add(1)
    }

    /// What was seen of it is no evidence.
    pub(super) fn acquit(&mut self) {
        self.blame = Duration::ZERO;
        self.still = Duration::ZERO;
    }

    /// What fed it does not come here any more; who still does will be known by the next frame.
    pub(super) fn forgive_feeders(&mut self) {
        self.fed_here = false;
        self.feeders.clear();
    }

    /// Those who feed it have to wait.
    pub(super) fn blocks(&self) -> bool {
        (self.full || self.paused.is_some())
            && !self.stalled
            && (self.demoted.is_none() || self.relied_on)
    }

    /// It takes less than it is given, and is not merely behind.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// More waits for it than those who wait for it would have brought.
    pub(super) fn is_flooded(&self, config: &TreeConfig) -> bool {
        self.queued > config.high.saturating_mul(FLOODED)
    }

    pub(super) fn feeders(&self) -> &BTreeSet<NodeId> {
        &self.feeders
    }

    pub(super) fn is_fed_here(&self) -> bool {
        self.fed_here
    }

    /// It takes frames, and has none: it could take more.
    pub(super) fn is_dry(&self, now: Time, config: &TreeConfig) -> bool {
        let takes_all = self.demoted.is_none() && self.paused.is_none();
        self.is_calm(config) && takes_all && now.since(self.used) < USED
    }

    fn is_calm(&self, config: &TreeConfig) -> bool {
        self.queued <= config.low / CALM
    }

    /// Looks at what happened in the last `span`, in which others may have run dry, or were waited
    /// for. Says when it falls.
    pub(super) fn judge(
        &mut self,
        now: Time,
        span: Duration,
        others_dry: bool,
        others_block: bool,
        config: &TreeConfig,
    ) -> Option<Fall> {
        self.rehabilitate(now, config);
        if self.paused.is_some() && self.paused_at(now) >= PAUSE {
            self.resume(now, config);
        }
        let blocks = self.blocks();
        // Who is nearer to the slow link decides sooner, and then the others need not.
        let far = u32::from(self.far());
        let limit = BLAME * far;
        // Who is behind is no slower for it, and says itself for how long it is to be waited for.
        let grown = if blocks && self.full && others_dry { span } else { Duration::ZERO };
        // Links that are waited for in turn are equally busy, as on a machine that has too much to
        // do: none of them is slow.
        let shrunk = if !blocks && others_block { span } else { span * 3 / 5 };
        self.blame = self.blame.saturating_add(grown).saturating_sub(shrunk).min(limit);
        if self.queued > 0 {
            self.still = self.still.saturating_add(span);
        }
        if !blocks {
            return None;
        }
        // Whatever this node saw: after so long nothing is to be expected.
        let overdue = self.queued > 0 && now.since(self.stands) >= config.stall * 2;
        let still = if overdue { config.stall * 2 } else { self.still };
        if still >= config.stall && self.demoted.is_some() {
            self.stalled = true;
            return Some(Fall::Stalled);
        }
        let fall = match (still >= config.stuck_after * far.min(FAR_STUCK), self.blame >= limit) {
            (true, _) => Fall::Stuck,
            (_, true) => Fall::Slow,
            _ => return None,
        };
        if self.demoted.is_some() {
            return None;
        }
        self.demote(now);
        Some(fall)
    }

    /// A demoted link that was calm for long enough is one like others again.
    fn rehabilitate(&mut self, now: Time, config: &TreeConfig) {
        let calm = self.is_calm(config) && self.paused.is_none();
        let Some(since) = self.demoted.as_mut() else { return };
        if !calm {
            *since = now;
        }
        let doublings = self.demotions.saturating_sub(1).min(DOUBLINGS);
        if now.since(*since) >= config.penalty.saturating_mul(1 << doublings) {
            self.demoted = None;
            self.yielding = false;
            self.blame = Duration::ZERO;
        }
    }
}
