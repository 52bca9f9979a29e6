//! What the simulator sees of a node from outside: the only place that knows the looks of the
//! rooms. Expectations see nodes through it.

use crate::base::id::{Incarnation, Life, NodeId};
use crate::base::machine::Machine;
use crate::engine::{Engine, Event, Input, Output};
use crate::protocol::membership::{Finding, GoingDownReason, MembershipMachine, Phase, Standing};

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

impl Look for Engine {
    fn standing_of(&self, node: NodeId) -> Option<Standing> {
        self.membership().member(node).map(|member| member.standing)
    }

    fn active(&self) -> Vec<NodeId> {
        self.membership().roll().alive().map(|(node, _)| node).collect()
    }

    fn sees_exactly(&self, ids: &[NodeId]) -> bool {
        sees_exactly(self.membership(), ids)
    }

    fn denominators(&self) -> Vec<NodeId> {
        self.membership().roll().agreed().map(|(node, _)| node).collect()
    }

    fn phase(&self) -> Phase {
        self.membership().phase()
    }

    fn incarnation(&self) -> Incarnation {
        self.membership().incarnation()
    }

    fn is_linked(&self, peer: NodeId) -> bool {
        self.links().is_linked(peer)
    }
}

pub(crate) fn sees_exactly(membership: &MembershipMachine, ids: &[NodeId]) -> bool {
    let roll = membership.roll();
    roll.sizes().0 as usize == ids.len()
        && roll.alive().map(|(node, _)| node).eq(ids.iter().copied())
}

impl Driven for Engine {}
