//! What membership has to do when, by itself.

use serde::{Deserialize, Serialize};

use super::machine::MembershipMachine;
use super::output::Output;
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;

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
    /// Pass on what was gathered.
    PassOn,
}

impl MembershipMachine {
    /// Does what is due.
    pub(super) fn due(&mut self, now: Time, due: Due, out: &mut Outbox<Output>) {
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
            Due::PassOn => self.pass_on_gathered(now, out),
        }
    }
}
