//! What expectations, measurements and adversaries see of a world.

use super::host::Power;
use super::look::{Look, News};
use crate::base::id::{Life, NodeId};
use crate::base::time::Time;

/// Something a node found out or did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sign {
    /// When, in the time of the world.
    pub at: Time,
    /// Who.
    pub by: u32,
    /// What.
    pub news: News,
    /// Whom it is about.
    pub about: Option<u32>,
}

/// What became of a process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fortune {
    /// It started.
    Started,
    /// It ended without a word.
    Crashed,
    /// It said good-bye and ended.
    Left,
}

/// Something that is so, whether anybody knows it or not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Truth {
    /// When.
    pub at: Time,
    /// Whose process.
    pub node: u32,
    /// Which life of it.
    pub life: Life,
    /// What became of it.
    pub fortune: Fortune,
}

/// The truth of a world at one moment. Nodes count from 0.
pub(crate) trait Scene {
    /// The time of the world.
    fn now(&self) -> Time;

    /// How many nodes there are.
    fn nodes(&self) -> u32;

    /// Who a node is.
    fn id(&self, node: u32) -> NodeId;

    /// Where its process is.
    fn power(&self, node: u32) -> Power;

    /// The life of its process, or of the last one.
    fn life(&self, node: u32) -> Life;

    /// It cheats.
    fn is_hostile(&self, node: u32) -> bool;

    /// What it looks like, while its process is there.
    fn look(&self, node: u32) -> Option<&dyn Look>;

    /// Packets pass from one to the other.
    fn passes(&self, from: u32, to: u32) -> bool;

    /// Packets pass from one to the other, and most of them arrive.
    fn flows(&self, from: u32, to: u32) -> bool {
        self.passes(from, to)
    }

    /// When the network or a process was disturbed last, or a disturbance ended.
    fn disturbed(&self) -> Time;

    /// More disturbances are to come.
    fn is_over(&self) -> bool;

    /// The nodes whose processes are there.
    fn living(&self) -> Vec<u32> {
        (0..self.nodes()).filter(|node| self.is_up(*node)).collect()
    }

    /// Its process is there, running or paused.
    fn is_up(&self, node: u32) -> bool {
        matches!(self.power(node), Power::On | Power::Paused)
    }
}
