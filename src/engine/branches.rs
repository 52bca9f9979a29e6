//! The tree carrier among the rooms: which links it may use, and who hears what of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::frame::Packet;
use super::machines::Engine;
use super::output::Output;
use crate::base::batch::Batch;
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;
use crate::protocol::topic;
use crate::protocol::tree::{self, Frame, Name, Source};

impl Frame for Arc<Batch> {
    fn name(&self) -> Name {
        let head = self.head();
        // One without a place is never given to the tree: sequence 0 is no frame's.
        let (bucket, sequence) = head.place.map_or((0, 0), |place| (place.bucket, place.sequence));
        let source = Source { author: head.author, life: head.life, bucket };
        Name { source, sequence }
    }

    fn bytes(&self) -> usize {
        self.wire().len()
    }

    fn messages(&self) -> usize {
        self.begins()
    }
}

/// The links that the tree carrier may use: those with a stream, to neighbours.
#[derive(Debug)]
pub struct Branches {
    /// All that are linked are neighbours.
    open: bool,
    neighbours: BTreeSet<NodeId>,
    /// Peers with a stream, and whether the tree was told.
    streams: BTreeMap<NodeId, bool>,
}

impl Branches {
    pub fn new(open: bool) -> Self {
        Self { open, neighbours: BTreeSet::new(), streams: BTreeMap::new() }
    }

    /// A peer became a neighbour, or is one no more.
    pub fn neighbour(&mut self, peer: NodeId, joined: bool) {
        match joined {
            true => self.neighbours.insert(peer),
            false => self.neighbours.remove(&peer),
        };
    }

    /// What the tree is to be told of a peer now: whether it can be reached.
    fn news(&mut self, peer: NodeId) -> Option<bool> {
        let may = self.open || self.neighbours.contains(&peer);
        let told = self.streams.get_mut(&peer)?;
        (*told != may).then(|| {
            *told = may;
            may
        })
    }
}

impl Engine {
    /// Our stream to a peer is open.
    pub(super) fn stream_up(&mut self, now: Time, peer: NodeId, out: &mut Outbox<Output>) {
        self.branches.streams.entry(peer).or_insert(false);
        // The topic room asks only whether all who take part speak this carrier's language.
        self.tell_topic(now, topic::Input::Branch { peer, up: true });
        self.tell_branch(now, peer, out);
    }

    /// Our stream to a peer ended.
    pub(super) fn stream_down(&mut self, now: Time, peer: NodeId) {
        if self.branches.streams.remove(&peer) == Some(true) {
            self.tell_tree(now, tree::Input::Down { peer });
        }
        self.tell_topic(now, topic::Input::Branch { peer, up: false });
    }

    /// Tells the tree whether a peer can be reached, when that changed.
    pub(super) fn tell_branch(&mut self, now: Time, peer: NodeId, out: &mut Outbox<Output>) {
        match self.branches.news(peer) {
            Some(true) => {
                let round_trip = self.round_trip(peer);
                self.tell_tree(now, tree::Input::Up { peer, round_trip });
            }
            Some(false) => {
                self.tell_tree(now, tree::Input::Down { peer });
                // The stream lives on, and a hold ends with its neighbour.
                out.push(Output::TreeHold { peer, held: false });
            }
            None => {}
        }
    }

    /// A round trip with a peer was measured.
    pub(super) fn branch_measured(&mut self, now: Time, peer: NodeId, round_trip: Duration) {
        if self.branches.streams.get(&peer) == Some(&true) {
            self.tell_tree(now, tree::Input::Up { peer, round_trip: Some(round_trip) });
        }
    }

    /// A packet came by a peer's stream.
    pub(super) fn packet(&mut self, now: Time, from: NodeId, packet: Packet) {
        match packet {
            Packet::Batch(frame) if frame.head().place.is_some() => {
                self.tell_tree(now, tree::Input::Heard { from, frame });
            }
            // It has no place on a tree.
            Packet::Batch(_) => {}
            Packet::Message(message) => {
                self.tell_tree(now, tree::Input::Told { from, message });
            }
        }
    }

    pub(super) fn tree_wants(
        &mut self,
        now: Time,
        output: tree::Output<Arc<Batch>>,
        out: &mut Outbox<Output>,
    ) {
        match output {
            tree::Output::Send { to, frame } => {
                out.push(Output::TreeSend { to, packet: Packet::Batch(frame) });
            }
            tree::Output::Tell { to, message } => {
                out.push(Output::TreeSend { to, packet: Packet::Message(message) });
            }
            tree::Output::Deliver { from, frame } => {
                self.tell_topic(now, topic::Input::Grown { from, batch: frame });
            }
            // Ways are told by first copies.
            tree::Output::Copy { .. } => {}
            tree::Output::Room(room) => self.tell_topic(now, topic::Input::Room(room)),
            tree::Output::Hold { from, held } => out.push(Output::TreeHold { peer: from, held }),
        }
    }
}
