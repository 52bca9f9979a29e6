//! One machine, and what it wants.

use std::time::Duration;

use crate::base::id::{Life, NodeId};
use crate::base::key::SecretKey;
use crate::base::machine::{Machine, Outbox};
use crate::base::signer::{Signer, Verifier};
use crate::base::time::Time;
use crate::base::token::Token;
use crate::protocol::membership::wire::{Left, News};
use crate::protocol::membership::{
    Finding, Flaw, Input, MembershipConfig, MembershipMachine, Message, Output, Saved, Settings,
    Standing,
};

pub const MS: Duration = Duration::from_millis(1);
pub const SECOND: Duration = Duration::from_secs(1);
pub const LIFE: Life = Life(5);

pub fn key(number: u8) -> SecretKey {
    SecretKey::from_seed([number; 32])
}

pub fn id(number: u8) -> NodeId {
    key(number).id()
}

pub fn left(number: u8, life: Life) -> Left {
    Left::sign(&mut Signer::new(key(number)), life)
}

/// The room of node 0.
pub struct Room {
    pub now: Time,
    pub machine: MembershipMachine,
}

impl Room {
    pub fn new() -> Self {
        Self::with(MembershipConfig::default())
    }

    pub fn with(config: MembershipConfig) -> Self {
        Self::made(config, true)
    }

    /// One that looks for members.
    pub fn seeking() -> Self {
        Self::made(MembershipConfig::default(), false)
    }

    fn made(config: MembershipConfig, alone: bool) -> Self {
        let settings = Settings {
            config,
            signer: Signer::new(key(0)),
            verifier: Verifier::default(),
            life: LIFE,
            seed: 1,
            saved: Saved::default(),
            alone,
            formed: None,
        };
        let mut room = Self { now: Time::ZERO, machine: MembershipMachine::new(settings) };
        room.input(Input::Tick);
        room
    }

    pub fn input(&mut self, input: Input) -> Vec<Output> {
        let mut out = Outbox::new();
        self.machine.handle(self.now, input, &mut out);
        out.drain().collect()
    }

    pub fn links(&mut self, peer: NodeId, life: Life) -> Vec<Output> {
        self.input(Input::Linked { peer, life })
    }

    /// Learns a node by its card.
    pub fn knows(&mut self, number: u8) {
        self.input(Input::Known { node: id(number), life: LIFE });
    }

    pub fn unlinks(&mut self, peer: NodeId) -> Vec<Output> {
        self.input(Input::Unlinked { peer })
    }

    pub fn hears(&mut self, from: NodeId, records: Vec<Left>) -> Vec<Output> {
        let news = records.into_iter().map(News::Left).collect();
        self.input(Input::Asked { from, token: Token(77), message: Message::News(news) })
    }

    /// Lets time pass, with a tick at every deadline on the way.
    pub fn wait(&mut self, span: Duration) -> Vec<Output> {
        let end = self.now + span;
        let mut wanted = Vec::new();
        while let Some(due) = self.machine.deadline().filter(|due| *due <= end) {
            assert!(due >= self.now, "a deadline in the past");
            self.now = due;
            wanted.extend(self.input(Input::Tick));
            let next = self.machine.deadline();
            assert!(next.is_none_or(|next| next > due), "a tick must move the deadline");
        }
        self.now = end;
        wanted
    }

    pub fn standing(&self, node: NodeId) -> Option<Standing> {
        self.machine.members().find(|(id, _)| *id == node).map(|(_, member)| member.standing)
    }
}

/// What was wanted without what was found out and without probes.
pub fn wants(outputs: Vec<Output>) -> Vec<Output> {
    let matters = |output: &Output| match output {
        Output::Ask { message, .. } => !message.is_probe(),
        Output::Found(_) => false,
        _ => true,
    };
    outputs.into_iter().filter(matters).collect()
}

/// What was found out.
pub fn found(outputs: &[Output]) -> Vec<Finding> {
    let finding = |output: &Output| match output {
        Output::Found(finding) => Some(finding.clone()),
        _ => None,
    };
    outputs.iter().filter_map(finding).collect()
}

/// What was refused, and of whom.
pub fn rejected(outputs: &[Output]) -> Vec<(NodeId, Flaw)> {
    let refused = |finding| match finding {
        Finding::Rejected { from, reason, .. } => Some((from, reason)),
        _ => None,
    };
    found(outputs).into_iter().filter_map(refused).collect()
}

fn asked(outputs: &[Output], which: impl Fn(&Message) -> bool) -> Vec<Token> {
    let ask = |output: &Output| match output {
        Output::Ask { token, message, .. } if which(message) => Some(*token),
        _ => None,
    };
    outputs.iter().filter_map(ask).collect()
}

/// All questions.
pub fn questions(outputs: &[Output]) -> Vec<Token> {
    asked(outputs, |_| true)
}

/// Questions with good-byes in them.
pub fn good_byes(outputs: &[Output]) -> Vec<Token> {
    asked(outputs, |message| matches!(message, Message::News(_)))
}

/// The good-byes told, and to whom.
pub fn told(outputs: &[Output]) -> Vec<(NodeId, Vec<Left>)> {
    let asked = |output: &Output| match output {
        Output::Ask { to, message: Message::News(news), .. }
        | Output::Tell { to, message: Message::News(news) } => Some((*to, left_in(news))),
        _ => None,
    };
    outputs.iter().filter_map(asked).filter(|(_, left)| !left.is_empty()).collect()
}

fn left_in(news: &[News]) -> Vec<Left> {
    let left = |news: &News| match news {
        News::Left(left) => Some(left.clone()),
        _ => None,
    };
    news.iter().filter_map(left).collect()
}
