//! The lying witness: asked about anybody, it says at once what it always says, without a look.

use super::kinds::{Adversary, Mischief};
use crate::engine::frame::Message;
use crate::engine::{Input, Output};
use crate::protocol::membership::{self, Statement, Verdict};

/// Testifies the same of everybody, in its own name and well signed.
pub(crate) struct LyingWitness {
    says: Verdict,
}

impl LyingWitness {
    pub fn new(says: Verdict) -> Self {
        Self { says }
    }
}

/// What a witness says to this question, in its own name.
pub(super) fn testimony(mischief: &Mischief<'_>, query: &Statement, says: Verdict) -> Statement {
    let mut lie = query.clone();
    lie.verdict = says;
    lie.vote.voter = mischief.me;
    lie.sign(&mut mischief.signer.clone())
}

impl Adversary for LyingWitness {
    fn hears(&mut self, mischief: &Mischief<'_>, input: &mut Input, out: &mut Vec<Output>) -> bool {
        let Input::Asked { from, token, message } = input else { return true };
        let Message::Membership(membership::Message::Query(query)) = message else { return true };
        let noted = Message::Membership(membership::Message::Noted);
        out.push(Output::Answer { token: *token, message: noted });
        let lie = testimony(mischief, query, self.says);
        out.push(mischief.ask(*from, membership::Message::Report(lie)));
        false
    }
}
