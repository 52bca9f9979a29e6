//! How a member takes a node in.

use super::desk::Errand;
use super::due::Due;
use super::machine::MembershipMachine;
use super::output::Output;
use super::wire::{Alive, Message, News, Phase};
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;

/// Timeouts until another member is asked to take this node in.
pub const PATIENCE: u32 = 10;

impl MembershipMachine {
    /// Asks an active member to take this node in.
    pub(super) fn join(&mut self, now: Time, through: NodeId, out: &mut Outbox<Output>) {
        if self.birth.through.is_some() || !self.desk.is_linked(through) {
            return;
        }
        if self.phase == Phase::Isolated {
            // It may have been given up while it was away.
            self.renew(now, out);
        }
        let Some(News::Alive(alive)) = self.own_record() else { return };
        // There is a mesh: should it not take this node in, others of it are tried before one more
        // is founded.
        self.birth.since = now;
        self.birth.through = Some(through);
        self.birth.agreed.clear();
        self.birth.present.clear();
        self.agenda.set(Due::Join, now + self.config.timeout * PATIENCE);
        self.ask_linked(through, Message::Join(alive), Errand::Join, out);
    }

    pub(super) fn join_failed(&mut self, now: Time, out: &mut Outbox<Output>) {
        self.agenda.cancel(Due::Join);
        if self.birth.through.take().is_some() && self.phase != Phase::Active {
            self.agenda.set_by(Due::Seek, now + self.config.timeout);
            let _ = out;
        }
    }

    /// A node asks to be taken in.
    pub(super) fn admit(
        &mut self,
        now: Time,
        from: NodeId,
        alive: Alive,
        out: &mut Outbox<Output>,
    ) -> Message {
        if !self.is_active() || alive.node != from {
            return Message::NotActive;
        }
        let news = News::Alive(alive.clone());
        match self.note_alive(now, alive.clone(), out) {
            Ok(true) => self.pass_on(now, from, vec![news], out),
            Ok(false) => {
                if let Some(record) = self.roll.record(from).filter(|record| !record.is_alive()) {
                    return Message::News(vec![record.news()]);
                }
            }
            Err(flaw) => {
                self.reject(from, from, flaw, out);
                return Message::NotActive;
            }
        }
        self.page(None)
    }

    /// A member took this node in and tells what it holds.
    pub(super) fn taken_in(
        &mut self,
        now: Time,
        peer: NodeId,
        records: Vec<News>,
        agreed: Vec<NodeId>,
        more: bool,
        out: &mut Outbox<Output>,
    ) {
        if self.birth.through != Some(peer) {
            return;
        }
        let last = records.last().map(News::node);
        self.birth.present.extend(records.iter().map(News::node));
        self.hear_news(now, peer, records, out);
        if self.birth.through != Some(peer) {
            return;
        }
        self.birth.agreed.extend(agreed);
        if self.birth.present.len().max(self.birth.agreed.len()) > self.config.max_members {
            return self.join_failed(now, out);
        }
        if let Some(after) = last.filter(|_| more) {
            self.agenda.set(Due::Join, now + self.config.timeout * PATIENCE);
            let rest = Message::Fetch { after: Some(after) };
            self.ask_linked(peer, rest, Errand::Join, out);
            return;
        }
        let present = std::mem::take(&mut self.birth.present);
        self.drop_absent(now, &present);
        let agreed = std::mem::take(&mut self.birth.agreed);
        self.roll.agree_on(&agreed);
        self.begin(now, Some(peer), out);
    }
}
