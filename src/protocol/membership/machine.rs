//! The machine of the room: what it holds, and who handles what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::agenda::Agenda;
use super::config::MembershipConfig;
use super::desk::Desk;
use super::due::Due;
use super::finding::Finding;
use super::input::Input;
use super::leaving::Leaving;
use super::left::LeftRecords;
use super::member::{Acquaintance, Standing};
use super::observers::Observers;
use super::output::{Output, Saved};
use super::probe::Probes;
use super::roll::{self, Roll, State};
use super::round::Round;
use super::stats::MembershipStats;
use super::sweep::{Purpose, Sweep};
use super::vote::{Check, Hold};
use super::watch::Watch;
use super::wire::{Alive, Certificate, News, Phase};
use crate::base::id::{Incarnation, Life, NodeId};
use crate::base::machine::{Machine, Outbox};
use crate::base::signer::{Signer, Verifier};
use crate::base::time::Time;

/// What the room is made from.
#[derive(Clone, Debug)]
pub struct Settings {
    pub config: MembershipConfig,
    pub signer: Signer,
    pub verifier: Verifier,
    pub life: Life,
    /// Seed of all randomness.
    pub seed: u64,
    /// What was remembered from the last start.
    pub saved: Saved,
    /// There is nobody to join: this node founds.
    pub alone: bool,
    /// A mesh that stands already, with this node in it: pretended ones begin like that.
    pub formed: Option<Roll>,
}

/// Who is alive, by quorum.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct MembershipMachine {
    pub(super) config: MembershipConfig,
    pub(super) me: NodeId,
    #[serde(skip, default = "nobody")]
    pub(super) signer: Signer,
    #[serde(skip)]
    pub(super) verifier: Verifier,
    pub(super) random: ChaCha8Rng,
    pub(super) incarnation: Incarnation,
    pub(super) phase: Phase,
    pub(super) roll: Roll,
    pub(super) acquaintances: BTreeMap<NodeId, Acquaintance>,
    /// Members that this node suspects or cannot reach, and since when.
    pub(super) troubles: BTreeMap<NodeId, (Standing, Time)>,
    pub(super) left: LeftRecords,
    pub(super) leaving: Option<Leaving>,
    pub(super) desk: Desk,
    pub(super) agenda: Agenda<Due>,
    pub(super) probes: Probes,
    pub(super) observers: Observers,
    pub(super) watches: BTreeMap<NodeId, Watch>,
    pub(super) rounds: BTreeMap<NodeId, Round>,
    pub(super) holds: BTreeMap<NodeId, Hold>,
    pub(super) checks: BTreeMap<NodeId, Check>,
    pub(super) sweeps: BTreeMap<Purpose, Sweep>,
    pub(super) guard: super::guard::Guard,
    /// Incarnations that this node testified to be down, and in which round.
    pub(super) condemned: BTreeMap<NodeId, (Incarnation, u64)>,
    /// Who refuses this incarnation with a proof that does not fit its own membership.
    pub(super) refusers: BTreeSet<NodeId>,
    /// When others contradicted, within the flap window.
    pub(super) flaps: BTreeMap<NodeId, Vec<Time>>,
    /// The last digest of A that a peer told.
    pub(super) views: BTreeMap<NodeId, u64>,
    /// The last digests of A and D that a member told.
    #[serde(default)]
    pub(super) beliefs: BTreeMap<NodeId, (u64, u64)>,
    #[serde(default)]
    pub(super) kin: super::catch_up::Kin,
    /// The logical clock of a peer when it was last told.
    pub(super) ticks: BTreeMap<NodeId, (u64, Time)>,
    pub(super) birth: super::birth::Birth,
    pub(super) refuting: super::refute::Refuting,
    pub(super) last_doubt: Option<Time>,
    /// When this node was last late itself.
    #[serde(default)]
    pub(super) last_late: Option<Time>,
    pub(super) told_view: (u32, u32),
    #[serde(default)]
    pub(super) gathered: super::gathered::Gathered,
    #[serde(default)]
    pub(super) settling: super::settling::Settling,
    pub(super) stats: MembershipStats,
}

/// Whoever restores a machine brings a signer along.
fn nobody() -> Signer {
    Signer::recorded(crate::base::key::SecretKey::from_seed([0; 32]).id(), [])
}

impl MembershipMachine {
    pub fn new(settings: Settings) -> Self {
        let Settings { config, mut signer, verifier, life, seed, saved, alone, formed } = settings;
        let me = signer.me();
        let incarnation = Incarnation { life, refutations: 0 };
        let mut roll = Roll::default();
        for news in saved.records.into_iter().take(config.max_members) {
            if let Some((node, state)) = saved_state(news)
                && node != me
            {
                roll.apply(Time::ZERO, node, state);
            }
        }
        let own = Alive::first(&mut signer, life);
        roll.apply(Time::ZERO, me, State::Alive(Arc::new(own)));
        roll.agree_on(&saved.agreed);
        let mut agenda = Agenda::default();
        agenda.set(Due::Found, Time::ZERO);
        let mut machine = Self {
            observers: Observers::new(roll::lot(me), config.monitors),
            config,
            me,
            signer,
            verifier,
            random: ChaCha8Rng::seed_from_u64(seed),
            incarnation,
            phase: Phase::Joining,
            roll,
            acquaintances: BTreeMap::new(),
            troubles: BTreeMap::new(),
            left: LeftRecords::default(),
            leaving: None,
            desk: Desk::default(),
            agenda,
            probes: Probes::default(),
            watches: BTreeMap::new(),
            rounds: BTreeMap::new(),
            holds: BTreeMap::new(),
            checks: BTreeMap::new(),
            sweeps: BTreeMap::new(),
            guard: super::guard::Guard::default(),
            condemned: BTreeMap::new(),
            refusers: BTreeSet::new(),
            flaps: BTreeMap::new(),
            views: BTreeMap::new(),
            beliefs: BTreeMap::new(),
            kin: super::catch_up::Kin::default(),
            ticks: BTreeMap::new(),
            birth: super::birth::Birth::new(alone, saved.agreed),
            refuting: super::refute::Refuting::default(),
            last_doubt: None,
            last_late: None,
            told_view: (0, 0),
            gathered: super::gathered::Gathered::default(),
            settling: super::settling::Settling::default(),
            stats: MembershipStats::default(),
        };
        if let Some(formed) = formed {
            machine.roll = formed;
            machine.phase = Phase::Active;
            machine.agenda = Agenda::default();
            machine.agenda.set(Due::Begin, Time::ZERO);
        }
        machine.begin_observing();
        machine
    }

    /// What the room has counted.
    pub fn stats(&self) -> MembershipStats {
        self.stats
    }

    /// What it signs with: a recorder takes the signatures from it, a replay puts them there.
    pub fn signer(&mut self) -> &mut Signer {
        &mut self.signer
    }

    /// In what condition this node is.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// In which incarnation this node is.
    pub fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// All records: the active view and the agreed membership.
    pub fn roll(&self) -> &Roll {
        &self.roll
    }

    /// The proof that put a node out.
    pub fn certificate(&self, node: NodeId) -> Option<Certificate> {
        match &self.roll.record(node)?.state {
            State::Down(certificate) => Some((**certificate).clone()),
            _ => None,
        }
    }

    /// The rounds of questions that are open: about whom, and since when.
    #[cfg(feature = "sim")]
    pub fn open_rounds(&self) -> impl Iterator<Item = (NodeId, Time)> + '_ {
        self.rounds.iter().map(|(subject, round)| (*subject, round.begun))
    }

    /// When a node was last heard, and its usual round trip.
    pub fn last_heard(&self, node: NodeId) -> (Option<Time>, Option<Duration>) {
        (self.probes.last_heard(node), self.probes.round_trip(node))
    }

    /// 0 is well; 7 means that this node trusts its own probes least.
    pub fn health(&self) -> u8 {
        self.probes.health()
    }

    /// True when `Input::Heard` of this peer would be news: it was not heard for a while.
    pub fn wants_heard(&self, now: Time, peer: NodeId) -> bool {
        self.probes.last_heard(peer).is_none_or(|heard| now.since(heard) >= self.config.timeout / 2)
    }

    pub(super) fn is_active(&self) -> bool {
        self.phase == Phase::Active && self.leaving.is_none()
    }

    pub(super) fn found(&self, finding: Finding, out: &mut Outbox<Output>) {
        out.push(Output::Found(finding));
    }

    /// Our logical clock.
    pub(super) fn tick(&self, now: Time) -> u64 {
        ticks(now.since(Time::ZERO), self.config.timeout)
    }
}

pub(super) fn ticks(span: Duration, timeout: Duration) -> u64 {
    let ticks = span.as_micros() / timeout.as_micros().max(1);
    u64::try_from(ticks).unwrap_or(u64::MAX)
}

fn saved_state(news: News) -> Option<(NodeId, State)> {
    Some(match news {
        News::Alive(alive) => (alive.node, State::Alive(Arc::new(alive))),
        News::Down(certificate) => (certificate.subject, State::Down(Arc::new(certificate))),
        News::Resigned(resigned) => (resigned.node, State::Resigned(Arc::new(resigned))),
        News::Left(_) => return None,
    })
}

impl Machine for MembershipMachine {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Time, input: Input, out: &mut Outbox<Output>) {
        match input {
            Input::Tick => {}
            Input::Linked { peer, life } => self.linked(now, peer, life, out),
            Input::Unlinked { peer } => self.unlinked(now, peer, out),
            Input::Unreached { peer } => self.unreached(now, peer, out),
            Input::Unneeded { peer } => self.unneeded(peer, out),
            Input::Barred { by, certificate } => self.barred(now, by, certificate, out),
            Input::Heard { peer } => self.heard(now, peer, out),
            Input::Known { node, life } => self.known(now, node, life, out),
            Input::Forgotten { node } => self.forgotten(node),
            Input::Leave => self.leave(now, out),
            Input::Asked { from, token, message } => self.asked(now, from, token, message, out),
            Input::Told { from, message } => self.told(now, from, message, out),
            Input::Answer { token, message } => self.answer(now, token, message, out),
            Input::Settled { token } => self.settled(now, token, out),
        }
        self.own_lateness(now);
        while let Some(due) = self.agenda.pop(now) {
            self.due(now, due, out);
        }
    }

    fn deadline(&self) -> Option<Time> {
        self.agenda.deadline()
    }
}
