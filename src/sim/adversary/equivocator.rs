//! The equivocator: says one thing to some and the opposite to others.

use serde_bytes::ByteBuf;

use super::kinds::{Adversary, Mischief};
use super::lying_witness::testimony;
use crate::base::id::NodeId;
use crate::engine::frame::Message;
use crate::engine::{Input, Output};
use crate::protocol::membership::{self, Pulse, Verdict};

/// Testifies `Up` to half of its peers and `Down` to the others, and tells each of them that it
/// believes what they believe, or that all hold what nobody holds.
#[derive(Default)]
pub(crate) struct Equivocator {
    /// What the peer that was heard last believes.
    heard: Option<Pulse>,
}

/// The peers it treats one way; the others it treats the other way.
fn is_favoured(peer: NodeId) -> bool {
    peer.to_bytes().last().is_some_and(|last| last % 2 == 0)
}

impl Equivocator {
    fn distort(&self, to: NodeId, pulse: &mut Pulse) {
        let Some(heard) = &self.heard else { return };
        if is_favoured(to) {
            pulse.active = heard.active;
            pulse.agreed = heard.agreed;
            // Everybody is claimed to have had this view.
            pulse.holders = heard.holders.as_ref().map(|bits| ByteBuf::from(vec![255; bits.len()]));
        } else {
            pulse.active = pulse.active.wrapping_add(1);
            pulse.agreed = pulse.agreed.rotate_left(7);
            pulse.incarnation.refutations = pulse.incarnation.refutations.wrapping_add(3);
        }
    }
}

impl Adversary for Equivocator {
    fn hears(&mut self, mischief: &Mischief<'_>, input: &mut Input, out: &mut Vec<Output>) -> bool {
        let Input::Asked { from, token, message: Message::Membership(message) } = input else {
            return true;
        };
        match message {
            membership::Message::Query(query) => {
                let noted = Message::Membership(membership::Message::Noted);
                out.push(Output::Answer { token: *token, message: noted });
                let says = if is_favoured(*from) { Verdict::Up } else { Verdict::Down };
                // The opposite, too, and signed as well.
                for says in [says, opposite(says)] {
                    let lie = testimony(mischief, query, says);
                    out.push(mischief.ask(*from, membership::Message::Report(lie)));
                }
                false
            }
            membership::Message::Ping(pulse) => {
                self.heard = Some(pulse.clone());
                true
            }
            _ => true,
        }
    }

    fn says(&mut self, _: &Mischief<'_>, mut output: Output, out: &mut Vec<Output>) {
        if let Output::Ask { to, message: Message::Membership(message), .. } = &mut output
            && let membership::Message::Ping(pulse) = message
        {
            self.distort(*to, pulse);
        }
        out.push(output);
    }
}

fn opposite(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Up => Verdict::Down,
        Verdict::Down => Verdict::Up,
    }
}
