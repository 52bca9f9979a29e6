//! What adversaries can do, and which there are.

use std::time::Duration;

use super::accuser::Accuser;
use super::equivocator::Equivocator;
use super::flooder::Flooder;
use super::forger::Forger;
use super::lying_witness::LyingWitness;
use super::replayer::Replayer;
use crate::base::id::{Life, NodeId};
use crate::base::signer::Signer;
use crate::base::token::Token;
use crate::engine::frame::{Message, Room, Ticket};
use crate::engine::{Input, Output};
use crate::protocol::membership::{self, Verdict};
use crate::sim::scenario::Hostile;

/// What an adversary has to work with.
pub(crate) struct Mischief<'a> {
    /// Its node.
    pub me: NodeId,
    /// The life of its node.
    pub life: Life,
    /// Signs in the name of its node, and of no other.
    pub signer: Signer,
    /// Who is connected with its node.
    pub peers: &'a [NodeId],
    /// Whom it is about, if about one.
    pub about: Option<NodeId>,
}

impl Mischief<'_> {
    /// A question whose answer means nothing to its node.
    pub fn ask(&self, to: NodeId, message: membership::Message) -> Output {
        // A token its node never gave.
        let ticket = Ticket { room: Room::Membership, token: Token(u64::MAX) };
        Output::Ask { to, ticket, message: Message::Membership(message) }
    }
}

/// A node that cheats.
pub(crate) trait Adversary: Send {
    /// Its node is about to hear this; false keeps it back. What is put into `out` is done.
    fn hears(&mut self, mischief: &Mischief<'_>, input: &mut Input, out: &mut Vec<Output>) -> bool {
        let _ = (mischief, input, out);
        true
    }

    /// Its node wants this; what is put into `out` is done instead. Default: what the node wants.
    fn says(&mut self, mischief: &Mischief<'_>, output: Output, out: &mut Vec<Output>) {
        let _ = mischief;
        out.push(output);
    }

    /// Time between two turns; `None` for who only reacts.
    fn pace(&self) -> Option<Duration> {
        None
    }

    /// Its turn: whatever it puts into `out` is done as if its node wanted it.
    fn turn(&mut self, mischief: &Mischief<'_>, out: &mut Vec<Output>) {
        let _ = (mischief, out);
    }
}

/// The names of all adversaries.
pub(crate) const KINDS: &[&str] =
    &["accuser", "equivocator", "flooder", "forger", "lying_witness", "replayer"];

/// The adversary of this name.
pub(crate) fn hire(hostile: &Hostile) -> Option<Box<dyn Adversary>> {
    let pace = Duration::try_from_secs_f64(1.0 / hostile.rate).unwrap_or_default();
    let pace = pace.max(Duration::from_micros(10));
    Some(match hostile.kind.as_str() {
        "accuser" => Box::new(Accuser::new(pace)),
        "equivocator" => Box::<Equivocator>::default(),
        "flooder" => Box::new(Flooder::new(pace)),
        "forger" => Box::new(Forger::new(pace)),
        "lying_witness" => Box::new(LyingWitness::new(hostile.says.unwrap_or(Verdict::Down))),
        "replayer" => Box::new(Replayer::new(pace)),
        _ => return None,
    })
}
