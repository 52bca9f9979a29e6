//! Anything at any time: the machine neither panics, nor grows without bound, nor stands still.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_bytes::ByteBuf;

use super::room::{MS, Room, id, key};
use crate::base::codec::{from_cbor, to_cbor};
use crate::base::id::{Incarnation, Life, NodeId};
use crate::base::limits::MAX_FRAME;
use crate::base::machine::Machine;
use crate::base::signer::Signer;
use crate::base::token::Token;
use crate::protocol::membership::wire::{Left, News, Pulse, Resigned};
use crate::protocol::membership::{
    Alive, Certificate, Input, MembershipConfig, Message, Output, Phase, Statement, Verdict, Vote,
};

const NODES: u8 = 9;

struct Storm {
    rng: ChaCha8Rng,
    room: Room,
    ids: Vec<NodeId>,
    signers: Vec<Signer>,
    open: Vec<Token>,
}

impl Storm {
    fn new(seed: u64) -> Self {
        let mut config = MembershipConfig { max_left: 8, ..MembershipConfig::default() };
        if seed % 2 == 1 {
            (config.full_limit, config.committee) = (3, 5);
        }
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            room: Room::with(config),
            ids: (0..NODES).map(id).collect(),
            signers: (0..NODES).map(|number| Signer::new(key(number))).collect(),
            open: Vec::new(),
        }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.rng.random_range(0..limit)
    }

    fn any(&mut self) -> usize {
        self.below(usize::from(NODES))
    }

    fn node(&mut self) -> NodeId {
        let number = self.any();
        self.ids[number]
    }

    fn number(&mut self) -> u64 {
        match self.below(400) {
            0 => u64::MAX,
            1..4 => self.rng.random(),
            _ => self.rng.random_range(0..12),
        }
    }

    fn incarnation(&mut self) -> Incarnation {
        if self.rng.random_bool(0.3) {
            return self.room.machine.incarnation();
        }
        let refutations = u32::try_from(self.number()).unwrap_or(u32::MAX);
        Incarnation { life: Life(self.number()), refutations }
    }

    /// Of a node whose present incarnation is known, mostly that one.
    fn incarnation_of(&mut self, node: NodeId) -> Incarnation {
        let known = self.room.machine.member(node).map(|member| member.incarnation);
        let any = self.incarnation();
        known.filter(|_| self.rng.random_bool(0.7)).unwrap_or(any)
    }

    fn pulse(&mut self) -> Pulse {
        let phases = [Phase::Joining, Phase::Active, Phase::Active, Phase::Isolated, Phase::Downed];
        let phase = phases[self.below(5)];
        let (active, agreed) = self.room.machine.roll().digests();
        let same = self.rng.random_bool(0.5);
        let holders = self.rng.random_bool(0.5).then(|| {
            let length = self.below(4);
            ByteBuf::from(vec![self.rng.random(); length])
        });
        Pulse {
            incarnation: self.incarnation(),
            tick: self.number(),
            phase,
            active: if same { active } else { self.number() },
            agreed: if same { agreed } else { self.number() },
            holders,
        }
    }

    fn statement(&mut self, subject: NodeId, verdict: Verdict) -> Statement {
        let voter = self.any();
        let incarnation = self.incarnation_of(subject);
        let vote = Vote {
            voter: self.ids[voter],
            tick: self.number(),
            agreed: self.number(),
            quorum: u32::try_from(self.number()).unwrap_or(u32::MAX),
            signature: Vec::new(),
        };
        let round = self.number();
        Statement { round, subject, incarnation, verdict, vote }.sign(&mut self.signers[voter])
    }

    fn certificate(&mut self) -> Certificate {
        let subject = if self.rng.random_bool(0.3) { self.ids[0] } else { self.node() };
        let mine = self.room.machine.incarnation();
        let known = self.incarnation_of(subject);
        let incarnation = if subject == self.ids[0] { mine } else { known };
        let round = self.number();
        let roll = self.room.machine.roll();
        let (own, others): (Vec<usize>, Vec<usize>) = (0..usize::from(NODES))
            .filter(|voter| self.ids[*voter] != subject)
            .partition(|voter| roll.is_agreed(self.ids[*voter]));
        let voters = if self.rng.random_bool(0.8) { own } else { others };
        let votes = voters.into_iter().map(|voter| {
            let vote = Vote {
                voter: self.ids[voter],
                tick: 5,
                agreed: 0,
                quorum: 2,
                signature: Vec::new(),
            };
            let verdict = Verdict::Down;
            let made = Statement { round, subject, incarnation, verdict, vote };
            made.sign(&mut self.signers[voter]).vote
        });
        let votes = votes.collect();
        Certificate { subject, incarnation, round, votes }
    }

    fn alive(&mut self) -> Alive {
        let number = self.any();
        let node = self.ids[number];
        let mut incarnation = self.incarnation_of(node);
        incarnation.refutations = incarnation.refutations.saturating_add(1);
        let vouchers = (0..self.below(3)).map(|_| self.statement(node, Verdict::Up)).collect();
        let alive = Alive { node, incarnation, tick: self.number(), signature: vec![], vouchers };
        alive.sign(&mut self.signers[number])
    }

    fn news(&mut self) -> News {
        match self.below(5) {
            0 | 1 => News::Alive(self.alive()),
            2 => News::Down(self.certificate()),
            3 => {
                let number = self.any();
                let node = self.ids[number];
                let incarnation = self.incarnation_of(node);
                let resigned = Resigned { node, incarnation, signature: Vec::new() };
                News::Resigned(resigned.sign(&mut self.signers[number]))
            }
            _ => {
                let (number, life) = (self.any(), Life(self.number()));
                News::Left(Left::sign(&mut self.signers[number], life))
            }
        }
    }

    fn message(&mut self) -> Message {
        let subject = self.node();
        match self.below(12) {
            0 | 1 => Message::Ping(self.pulse()),
            2 | 3 => Message::Ack(self.pulse()),
            4 => {
                let incarnation = self.incarnation();
                Message::Suspected { incarnation, round: self.number() }
            }
            5 => Message::Query(self.statement(subject, Verdict::Down)),
            6 => Message::Report(self.statement(subject, Verdict::Up)),
            7 => {
                let news = (0..self.below(4)).map(|_| self.news()).collect();
                Message::News(news)
            }
            8 => Message::Join(self.alive()),
            9 => {
                let records = (0..self.below(4)).map(|_| self.news()).collect();
                let agreed = (0..self.below(4)).map(|_| self.node()).collect();
                Message::Page { records, agreed, more: self.rng.random_bool(0.3) }
            }
            10 => {
                let incarnation = self.incarnation_of(subject);
                Message::Vouch { incarnation, round: self.number() }
            }
            _ if self.rng.random_bool(0.5) => Message::NotActive,
            _ => Message::Fetch { after: Some(subject) },
        }
    }

    /// As it comes, or with a few bytes changed on the way when it can be read then.
    fn travelled(&mut self) -> Message {
        let message = self.message();
        if self.rng.random_bool(0.8) {
            return message;
        }
        let mut bytes = to_cbor(&message);
        let at = self.below(bytes.len());
        bytes[at] = self.rng.random();
        from_cbor(&bytes, MAX_FRAME).unwrap_or(message)
    }

    fn input(&mut self) -> Input {
        let node = self.node();
        let token = Token(self.number());
        match self.below(14) {
            0 | 1 => Input::Linked { peer: node, life: Life(self.number()) },
            2 => Input::Unlinked { peer: node },
            3 => Input::Unreached { peer: node },
            4 => Input::Known { node, life: Life(self.number()) },
            5 => Input::Forgotten { node },
            6 => Input::Heard { peer: node },
            7 => {
                let message = self.travelled();
                let from = match &message {
                    Message::Query(asked) if self.rng.random_bool(0.8) => asked.vote.voter,
                    Message::Join(alive) => alive.node,
                    _ => node,
                };
                Input::Asked { from, token, message }
            }
            8 => Input::Told { from: node, message: self.travelled() },
            9 => Input::Barred { by: Some(node), certificate: self.certificate() },
            10 if self.rng.random_bool(0.01) => Input::Leave,
            _ if self.open.is_empty() => Input::Tick,
            10 | 11 => {
                let at = self.below(self.open.len());
                Input::Settled { token: self.open.swap_remove(at) }
            }
            _ => {
                let at = self.below(self.open.len());
                let token = self.open.swap_remove(at);
                Input::Answer { token, message: self.travelled() }
            }
        }
    }

    fn note(&mut self, wanted: Vec<Output>) {
        for output in wanted {
            if let Output::Ask { token, .. } = output {
                self.open.push(token);
            }
        }
        // The network gives every question up at last.
        while self.open.len() > 64 {
            let token = self.open.remove(0);
            let wanted = self.room.input(Input::Settled { token });
            self.note(wanted);
        }
    }
}

#[test]
fn no_input_panics_grows_it_without_bound_or_stops_its_clock() {
    let mut reached = [0; 6];
    for seed in 0..40 {
        let mut storm = Storm::new(seed);
        let mut largest = [0, 0];
        for step in 0..1_200 {
            let input = storm.input();
            let before = storm.room.machine.incarnation();
            let wanted = storm.room.input(input);
            assert!(wanted.len() < 500, "seed {seed}: {} wishes", wanted.len());
            storm.note(wanted);
            assert!(storm.room.machine.incarnation() >= before, "seed {seed}");
            let due = storm.room.machine.deadline();
            assert!(due.is_none_or(|due| due > storm.room.now), "seed {seed}: due and not done");
            let span = MS * u32::try_from(storm.below(200)).unwrap();
            let wanted = storm.room.wait(span);
            storm.note(wanted);
            if step % 50 == 0 {
                let size = to_cbor(&storm.room.machine).len();
                let half = usize::from(step >= 600);
                largest[half] = largest[half].max(size);
            }
        }
        assert!(largest[1] < largest[0] * 2 + 20_000, "seed {seed}: {largest:?} bytes");
        assert!(storm.room.machine.members().count() < usize::from(NODES));
        let stats = storm.room.machine.stats();
        let counts = [
            stats.suspicions,
            stats.verdicts,
            stats.testimonies,
            stats.refutations,
            stats.resets,
            stats.forged,
        ];
        reached.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    assert!(reached.iter().all(|sum| *sum >= 5), "it reaches everything: {reached:?}");
}
