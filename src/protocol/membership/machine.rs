//! What may happen to membership, and what it wants done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::agenda::Agenda;
use super::config::MembershipConfig;
use super::desk::Desk;
use super::finding::Finding;
use super::left::LeftRecords;
use super::observers::Observers;
use super::probe::Probes;
use super::roll::{self, Roll, State};
use super::round::Round;
use super::sweep::{Purpose, Sweep};
use super::vote::{Check, Hold};
use super::watch::Watch;
use super::wire::{Alive, Certificate, Left, Message, News, Phase};
use crate::base::id::{Incarnation, Life, NodeId};
use crate::base::machine::{Machine, Outbox};
use crate::base::signer::{Signer, Verifier};
use crate::base::time::Time;
use crate::base::token::Token;

/// How a node stands, as seen from here.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Standing {
    /// A member, or known by its card, and not known to be gone.
    Alive,
    /// This node suspects that it failed and asks others.
    Suspected,
    /// This node cannot reach it. Only this node's view.
    Unreachable,
    /// Put out by a quorum, or by itself.
    Down,
    /// Said good-bye.
    Left,
}

/// Everything that can happen to the room.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum Input {
    /// The deadline came.
    Tick,
    /// A peer is linked.
    Linked {
        /// Who.
        peer: NodeId,
        /// In which life.
        life: Life,
    },
    /// A peer is not linked any more.
    Unlinked {
        /// Who.
        peer: NodeId,
    },
    /// The link wanted by `Output::Reach` cannot be had now.
    Unreached {
        /// With whom.
        peer: NodeId,
    },
    /// No other room has a use for the link with this peer.
    Unneeded {
        /// With whom.
        peer: NodeId,
    },
    /// A peer refused us at the hello, with the proof that we were put out.
    Barred {
        /// Who, if known.
        by: Option<NodeId>,
        /// The proof.
        certificate: Certificate,
    },
    /// Something else came from a linked peer; see [`MembershipMachine::wants_heard`].
    Heard {
        /// From whom.
        peer: NodeId,
    },
    /// A node is known by its card.
    Known {
        /// Who.
        node: NodeId,
        /// In which life.
        life: Life,
    },
    /// A node is not known by a card any more.
    Forgotten {
        /// Who.
        node: NodeId,
    },
    /// This node wants to leave. Ends with `Output::MayStop`.
    Leave,
    /// A peer asks; answer with `Output::Answer`.
    Asked {
        /// Who.
        from: NodeId,
        /// Names the question.
        token: Token,
        /// The question.
        message: Message,
    },
    /// A peer tells something.
    Told {
        /// Who.
        from: NodeId,
        /// What.
        message: Message,
    },
    /// The answer to an `Output::Ask`.
    Answer {
        /// To which.
        token: Token,
        /// The answer.
        message: Message,
    },
    /// An `Output::Ask` was heard without an answer, or will have none.
    Settled {
        /// Which.
        token: Token,
    },
}

/// Everything the room can want.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum Output {
    /// Have a link with this peer; `Input::Linked` or `Input::Unreached` follows.
    Reach {
        /// With whom.
        peer: NodeId,
    },
    /// End the link with this peer.
    Unlink {
        /// With whom.
        peer: NodeId,
    },
    /// This is our incarnation from now on; say so in every hello.
    Incarnation(Incarnation),
    /// Refuse this incarnation and those before it at the hello, with the proof.
    Bar {
        /// Of whom.
        node: NodeId,
        /// Up to which.
        incarnation: Incarnation,
        /// Why.
        certificate: Certificate,
    },
    /// Refuse it no more.
    Unbar {
        /// Whom.
        node: NodeId,
    },
    /// A node left in this life.
    Left {
        /// Who.
        node: NodeId,
        /// The life that ended.
        life: Life,
    },
    /// A node is there (again).
    Online {
        /// Who.
        node: NodeId,
        /// In which life.
        life: Life,
    },
    /// A node cannot be reached from here.
    Unreachable {
        /// Who.
        node: NodeId,
    },
    /// An incarnation of a node was put out.
    Down {
        /// Of whom.
        node: NodeId,
        /// In which life.
        life: Life,
    },
    /// Something was found out or done.
    Found(Finding),
    /// Ask a linked peer.
    Ask {
        /// Whom.
        to: NodeId,
        /// Names the question.
        token: Token,
        /// The question.
        message: Message,
    },
    /// Tell a linked peer something.
    Tell {
        /// Whom.
        to: NodeId,
        /// What.
        message: Message,
    },
    /// Answer an `Input::Asked`.
    Answer {
        /// Which.
        token: Token,
        /// The answer.
        message: Message,
    },
    /// Remember this for the next start.
    Save(Saved),
    /// All peers know that we leave, or had time enough to hear it.
    MayStop,
}

/// What a node remembers of membership from one start to the next.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Saved {
    /// The records of other nodes, at most `max_members`.
    pub records: Vec<News>,
    /// Whose votes counted.
    pub agreed: BTreeSet<NodeId>,
}

/// What is known of another node.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Member {
    /// Its newest incarnation known. The refutations are known of members only.
    pub incarnation: Incarnation,
    /// How it stands.
    pub standing: Standing,
    /// Since when.
    pub since: Time,
}

/// Counters since the start.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct MembershipStats {
    /// Good-byes, refutations, statements and certificates refused: forged, foreign, stale.
    pub forged: u64,
    /// Probes sent.
    pub probes: u64,
    /// Probes without an answer in time.
    pub misses: u64,
    /// Suspicions that this node began.
    pub suspicions: u64,
    /// Questions about others that this node answered as a witness.
    pub testimonies: u64,
    /// Verdicts recorded, of this node's rounds and of others'.
    pub verdicts: u64,
    /// Suspicions of itself that this node contradicted.
    pub refutations: u64,
    /// How often this node went down: by itself or by a verdict.
    pub resets: u64,
}

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

/// A node known by its card or link, a member or not.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) struct Acquaintance {
    pub life: Life,
    pub since: Time,
    pub carded: bool,
}

/// What is due when.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(super) enum Due {
    /// Probe a watched member.
    Probe(NodeId),
    /// A probe had its time.
    Missed(NodeId),
    /// Begin a suspicion, unless another observer did.
    Suspect(NodeId),
    /// Look at a round again.
    Round(NodeId),
    /// A voter had its time.
    Silent { subject: NodeId, voter: NodeId },
    /// Tell all linked members what this node believes.
    Push,
    /// Compare records with a peer.
    Sync(NodeId),
    /// Look again at a node that this one testified to be down.
    LookAgain(NodeId),
    /// Watch the members of a mesh that stands already.
    Begin,
    /// Found a mesh, if nobody else did.
    Found,
    /// Look for a member that takes this node in.
    Seek,
    /// Who should take this node in had its time.
    Join,
    /// Come back after going down.
    Back,
    /// Save what shall be remembered.
    Save,
    /// Leave without having been noted by all.
    Leave,
    /// Drop what is history.
    Expire,
    /// Meet nodes that have cards and are no members.
    Meet,
    /// Contradict a suspicion that came too soon after the last one.
    Refute { round: u64 },
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
    /// Members that refuse this incarnation with a proof that does not fit its own membership.
    pub(super) refusers: BTreeSet<NodeId>,
    /// When others contradicted, within the flap window.
    pub(super) flaps: BTreeMap<NodeId, Vec<Time>>,
    /// The last digest of A that a peer told.
    pub(super) views: BTreeMap<NodeId, u64>,
    /// The last digest of D that a member told.
    pub(super) agreements: BTreeMap<NodeId, u64>,
    /// The logical clock of a peer when it was last told.
    pub(super) ticks: BTreeMap<NodeId, (u64, Time)>,
    pub(super) birth: super::birth::Birth,
    pub(super) refuting: super::refute::Refuting,
    pub(super) last_doubt: Option<Time>,
    /// When this node was last late itself.
    #[serde(default)]
    pub(super) last_late: Option<Time>,
    pub(super) told_view: (u32, u32),
    pub(super) stats: MembershipStats,
}

/// Our good-bye, and who has yet to note it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Leaving {
    pub record: Left,
    pub open: BTreeSet<Token>,
    /// `None` once `MayStop` was said.
    pub until: Option<Time>,
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
            agreements: BTreeMap::new(),
            ticks: BTreeMap::new(),
            birth: super::birth::Birth::new(alone, saved.agreed),
            refuting: super::refute::Refuting::default(),
            last_doubt: None,
            last_late: None,
            told_view: (0, 0),
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

    /// All other nodes known.
    pub fn members(&self) -> impl Iterator<Item = (NodeId, Member)> + '_ {
        let recorded = self.roll.records().map(|(node, _)| node);
        let met = self.acquaintances.keys().copied();
        let met = met.filter(|node| self.roll.record(*node).is_none());
        recorded
            .chain(met)
            .filter(|node| *node != self.me)
            .filter_map(|node| Some((node, self.member(node)?)))
    }

    /// What is known of a node.
    pub fn member(&self, node: NodeId) -> Option<Member> {
        let met = self.acquaintances.get(&node);
        let Some(record) = self.roll.record(node) else {
            let met = met?;
            let (standing, since) =
                self.troubles.get(&node).copied().unwrap_or((Standing::Alive, met.since));
            let incarnation = Incarnation { life: met.life, refutations: 0 };
            return Some(Member { incarnation, standing, since });
        };
        let incarnation = record.incarnation();
        // Its newer life was met before it said so.
        if let Some(met) = met.filter(|met| met.life > incarnation.life) {
            let incarnation = Incarnation { life: met.life, refutations: 0 };
            return Some(Member { incarnation, standing: Standing::Alive, since: met.since });
        }
        let (standing, since) = match record.state {
            State::Left(_) => (Standing::Left, record.since),
            State::Down(_) | State::Resigned(_) => (Standing::Down, record.since),
            State::Alive(_) => {
                let fine = (Standing::Alive, record.since);
                self.troubles.get(&node).copied().unwrap_or(fine)
            }
        };
        let refutations = if record.is_left() { 0 } else { incarnation.refutations };
        let incarnation = Incarnation { refutations, ..incarnation };
        Some(Member { incarnation, standing, since })
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

    fn due(&mut self, now: Time, due: Due, out: &mut Outbox<Output>) {
        match due {
            Due::Probe(node) => self.probe_if_watched(now, node, out),
            Due::Missed(node) => self.missed(now, node, out),
            Due::Suspect(node) => self.suspect(now, node, out),
            Due::Round(subject) => self.drive(now, subject, out),
            Due::Silent { subject, voter } => self.voter_silent(now, subject, voter, out),
            Due::Push => self.push(now, out),
            Due::Sync(peer) => self.sync(now, peer, out),
            Due::LookAgain(node) => self.look_again(now, node, out),
            Due::Begin => self.begin_formed(now),
            Due::Found => self.maybe_found(now, out),
            Due::Seek => self.seek(now, out),
            Due::Join => self.join_failed(now, out),
            Due::Back => self.come_back(now, out),
            Due::Save => self.save(now, out),
            Due::Leave => self.stop_if_done(now, out),
            Due::Expire => self.expire(now, out),
            Due::Meet => self.meet_strangers(now, out),
            Due::Refute { round } => self.refute_late(now, round, out),
        }
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
