//! What the simulator sees of a node from outside: the only place that knows the looks of the
//! rooms. Expectations see nodes through it.

use crate::base::id::{Incarnation, Life, NodeId};
use crate::base::machine::Machine;
use crate::base::time::Time;
use crate::engine::{Engine, Event, Input, Output};
use crate::protocol::link::Links;
use crate::protocol::membership::{
    Finding, GoingDownReason, MembershipMachine, News as Proof, Phase, Standing,
};

/// What a node has recorded of another.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// The incarnation it speaks of; of a good-bye the last one of the life.
    pub incarnation: Incarnation,
    /// Why.
    pub proof: Proof,
}

/// A look at one node.
pub(crate) trait Look {
    /// How another node stands, as seen from here; `None` when it is not known.
    fn standing_of(&self, node: NodeId) -> Option<Standing>;

    /// The active view, this node included, in the order of ids.
    fn active(&self) -> Vec<NodeId>;

    /// The active view is exactly these, in the order of ids. Worth a quicker way in large worlds.
    fn sees_exactly(&self, ids: &[NodeId]) -> bool {
        self.active() == ids
    }

    /// The members counted for quorums, this node included, in the order of ids.
    fn denominators(&self) -> Vec<NodeId>;

    /// Where this node is in its own life.
    fn phase(&self) -> Phase;

    /// Which incarnation this node is in.
    fn incarnation(&self) -> Incarnation;

    /// There is a link with this node.
    fn is_linked(&self, peer: NodeId) -> bool;

    /// What is recorded of a node, this one included, as it would be told to others.
    fn record(&self, node: NodeId) -> Option<Record>;

    /// The rounds of questions that are open: about whom, and since when by this node's clock.
    fn rounds(&self) -> Vec<(NodeId, Time)>;

    /// Forged, foreign and stale proofs that this node refused.
    fn refused(&self) -> u64;
}

/// What has a membership room and links.
pub(crate) trait Housing {
    /// The room.
    fn room(&self) -> &MembershipMachine;

    /// The links.
    fn links(&self) -> &Links;
}

/// What a node found out or did, as far as expectations care. Nodes are named by id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum News {
    /// Another node is there, or there again.
    Online(NodeId),
    /// Its link is lost.
    Unreachable(NodeId),
    /// It said good-bye.
    Left(NodeId),
    /// This node begins a suspicion.
    Suspected(NodeId),
    /// The suspicion was in vain: only the link is broken.
    LinkDown(NodeId),
    /// This life of it was put out by a quorum.
    Down(NodeId, Life),
    /// No quorum is possible.
    QuorumUnavailable(NodeId),
    /// This node doubts itself.
    SelfDoubt,
    /// This node thinks it is cut off.
    Isolated,
    /// This node takes itself out.
    Reset,
    /// This node was told that it was put out.
    TakenDown,
    /// This node contradicted a suspicion.
    Refuted,
    /// This node is back.
    Rejoined,
}

impl News {
    /// Whom it is about, when not about the node itself.
    pub fn about(self) -> Option<NodeId> {
        match self {
            Self::Online(node)
            | Self::Unreachable(node)
            | Self::Left(node)
            | Self::Suspected(node)
            | Self::LinkDown(node)
            | Self::Down(node, _)
            | Self::QuorumUnavailable(node) => Some(node),
            _ => None,
        }
    }

    /// Its name in traces, tables and pictures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Online(_) => "online",
            Self::Unreachable(_) => "unreachable",
            Self::Left(_) => "left",
            Self::Suspected(_) => "suspected",
            Self::LinkDown(_) => "link down",
            Self::Down(..) => "down",
            Self::QuorumUnavailable(_) => "no quorum",
            Self::SelfDoubt => "self-doubt",
            Self::Isolated => "isolated",
            Self::Reset => "reset",
            Self::TakenDown => "taken down",
            Self::Refuted => "refuted",
            Self::Rejoined => "rejoined",
        }
    }
}

/// What can be put into a world.
pub(crate) trait Driven: Machine<Input = Input, Output = Output> + Look {
    /// What an output tells of membership.
    fn news(output: &Output) -> Option<News> {
        match output {
            Output::Event(Event::Online { node, .. }) => Some(News::Online(*node)),
            Output::Event(Event::Unreachable { node }) => Some(News::Unreachable(*node)),
            Output::Event(Event::Left { node, .. }) => Some(News::Left(*node)),
            Output::Event(Event::Membership(finding)) => told_by(finding),
            _ => None,
        }
    }
}

fn told_by(finding: &Finding) -> Option<News> {
    Some(match finding {
        Finding::Suspected { node, .. } => News::Suspected(*node),
        Finding::LinkDown { node, .. } => News::LinkDown(*node),
        Finding::Down { node, incarnation, .. } => News::Down(*node, incarnation.life),
        Finding::QuorumUnavailable { node, .. } => News::QuorumUnavailable(*node),
        Finding::SelfDoubt { .. } => News::SelfDoubt,
        Finding::ConsideredSelfDown { .. } => News::Isolated,
        Finding::GoingDown { reason: GoingDownReason::SelfDoubt, .. } => News::Reset,
        Finding::TakedownReceived { .. } => News::TakenDown,
        Finding::Refuted { .. } => News::Refuted,
        Finding::Rejoined { .. } => News::Rejoined,
        _ => return None,
    })
}

impl<T: Housing> Look for T {
    fn standing_of(&self, node: NodeId) -> Option<Standing> {
        self.room().member(node).map(|member| member.standing)
    }

    fn active(&self) -> Vec<NodeId> {
        self.room().roll().alive().map(|(node, _)| node).collect()
    }

    fn sees_exactly(&self, ids: &[NodeId]) -> bool {
        let roll = self.room().roll();
        let alive = || roll.alive().map(|(node, _)| node);
        roll.sizes().0 as usize == ids.len() && alive().eq(ids.iter().copied())
    }

    fn denominators(&self) -> Vec<NodeId> {
        self.room().roll().agreed().map(|(node, _)| node).collect()
    }

    fn phase(&self) -> Phase {
        self.room().phase()
    }

    fn incarnation(&self) -> Incarnation {
        self.room().incarnation()
    }

    fn is_linked(&self, peer: NodeId) -> bool {
        self.links().is_linked(peer)
    }

    fn record(&self, node: NodeId) -> Option<Record> {
        let record = self.room().roll().record(node)?;
        Some(Record { incarnation: record.incarnation(), proof: record.news() })
    }

    fn rounds(&self) -> Vec<(NodeId, Time)> {
        self.room().open_rounds().collect()
    }

    fn refused(&self) -> u64 {
        self.room().stats().forged
    }
}

impl Housing for Engine {
    fn room(&self) -> &MembershipMachine {
        self.membership()
    }

    fn links(&self) -> &Links {
        Engine::links(self)
    }
}

impl Driven for Engine {}
