//! Speaking with peers: over the link there is, or over one that is wanted.

use rand::seq::SliceRandom;

use super::desk::Errand;
use super::due::Due;
use super::machine::MembershipMachine;
use super::output::Output;
use super::probe::Stage;
use super::round::Asked;
use super::wire::{Message, News, Phase};
use crate::base::id::{Life, NodeId};
use crate::base::machine::Outbox;
use crate::base::time::Time;
use crate::base::token::Token;

/// Peers that news is passed on to. A node misses what 12 peers each pass on to 12 others with a
/// probability of 6e-6, and the comparison of views finds it then.
const RELAYS: usize = 12;

impl MembershipMachine {
    /// Asks a peer, over a link that is there or is wanted now. Gives the stage it is in.
    pub(super) fn ask(
        &mut self,
        peer: NodeId,
        message: Message,
        errand: Errand,
        out: &mut Outbox<Output>,
    ) -> Stage {
        if self.desk.is_linked(peer) {
            return Stage::Answer(self.ask_linked(peer, message, errand, out));
        }
        if self.desk.wait(peer, message, errand) {
            out.push(Output::Reach { peer });
        }
        Stage::Link
    }

    pub(super) fn ask_linked(
        &mut self,
        peer: NodeId,
        message: Message,
        errand: Errand,
        out: &mut Outbox<Output>,
    ) -> Token {
        let token = self.desk.ask(peer, errand);
        out.push(Output::Ask { to: peer, token, message });
        token
    }

    /// Tells own news to all linked peers, at once.
    pub(super) fn tell_all(&mut self, news: &News, out: &mut Outbox<Output>) {
        for to in self.desk.linked() {
            out.push(Output::Tell { to, message: Message::News(vec![news.clone()]) });
        }
    }

    /// Some of these peers, to pass news on to: every piece would else travel over every link of a
    /// complete graph.
    pub(super) fn relays(&mut self, mut peers: Vec<NodeId>) -> Vec<NodeId> {
        if peers.len() > RELAYS {
            peers.shuffle(&mut self.random);
            peers.truncate(RELAYS);
        }
        peers
    }

    pub(super) fn linked(&mut self, now: Time, peer: NodeId, life: Life, out: &mut Outbox<Output>) {
        if self.is_over(peer, life) {
            return out.push(Output::Unlink { peer });
        }
        let waiting = self.desk.link(peer);
        self.meets(now, peer, life, true, out);
        self.tell_left(now, peer, out);
        let mut probed = false;
        for (message, errand) in waiting {
            probed |= errand == Errand::Probe;
            let token = self.ask_linked(peer, message, errand, out);
            self.asks_now(now, peer, errand, token);
        }
        if !probed {
            // Its pulse says what it believes; ours tells it the same.
            self.probe(now, peer, out);
        }
    }

    /// What waited for a link is under way: its time begins.
    fn asks_now(&mut self, now: Time, peer: NodeId, errand: Errand, token: Token) {
        let wait = self.probes.wait(peer, &self.config);
        match errand {
            Errand::Probe => {
                let until = self.probes.begin(peer, Stage::Answer(token), now, wait);
                self.agenda.set(Due::Missed(peer), until);
            }
            Errand::Query(subject) => {
                if let Some(round) = self.rounds.get_mut(&subject) {
                    round.ask(peer, Stage::Answer(token));
                    self.agenda.set(Due::Silent { subject, voter: peer }, now + wait);
                }
            }
            _ => {}
        }
    }

    pub(super) fn unlinked(&mut self, now: Time, peer: NodeId, out: &mut Outbox<Output>) {
        if !self.desk.is_linked(peer) {
            // The link was one of a life that is over: its end means nothing.
            return self.forget_unknown(peer);
        }
        self.desk.unlink(peer);
        self.views.remove(&peer);
        if self.is_active() && self.roll.is_alive(peer) {
            // A lost link is a reason to look, and no verdict.
            self.watches.entry(peer).or_default();
            self.probe(now, peer, out);
        } else if self.acquaintances.contains_key(&peer) {
            self.is_unreachable(now, peer, out);
        }
        self.forget_unknown(peer);
    }

    /// A link of which only this room may have a use stays while one end watches the other: the
    /// watching one would dial again at once.
    pub(super) fn unneeded(&mut self, peer: NodeId, out: &mut Outbox<Output>) {
        let watched = self.observers.watches(peer) || self.is_watched_by(peer);
        if self.desk.is_linked(peer) && !watched {
            out.push(Output::Unlink { peer });
        }
    }

    pub(super) fn unreached(&mut self, now: Time, peer: NodeId, out: &mut Outbox<Output>) {
        for (_, errand) in self.desk.give_up(peer) {
            self.unanswered(now, peer, errand, Stage::Link, out);
        }
    }

    /// No answer will come. It only says sooner what the deadline would.
    fn unanswered(
        &mut self,
        now: Time,
        peer: NodeId,
        errand: Errand,
        stage: Stage,
        out: &mut Outbox<Output>,
    ) {
        match errand {
            Errand::Probe => {
                // Three refusals within a millisecond are one: a miss takes its timeout at least.
                if let Some(probe) = self.probes.of(peer).filter(|probe| probe.stage == stage) {
                    let at = now.max(probe.since + self.config.timeout);
                    self.agenda.set_by(Due::Missed(peer), at);
                }
            }
            Errand::Query(subject) => {
                let asked = self.rounds.get(&subject).and_then(|round| round.asked(peer));
                if asked == Some(Asked::Question(stage)) {
                    self.voter_silent(now, subject, peer, out);
                }
            }
            Errand::Join => self.join_failed(now, out),
            Errand::Fetch => self.fetch_failed(peer),
            Errand::Notice | Errand::Vouch | Errand::GoodBye => {}
        }
    }

    pub(super) fn settled(&mut self, now: Time, token: Token, out: &mut Outbox<Output>) {
        if let Some((peer, errand)) = self.desk.settle(token) {
            self.noted_good_bye(now, token, out);
            self.unanswered(now, peer, errand, Stage::Answer(token), out);
        }
    }

    pub(super) fn answer(
        &mut self,
        now: Time,
        token: Token,
        message: Message,
        out: &mut Outbox<Output>,
    ) {
        let Some((peer, errand)) = self.desk.settle(token) else { return };
        self.noted_good_bye(now, token, out);
        self.heard(now, peer, out);
        match (errand, message) {
            (Errand::Probe, Message::Ack(pulse)) => {
                self.probe_answered(now, peer, token, out);
                let phase = pulse.phase;
                self.meet(now, peer, pulse, out);
                self.meets_fellow(now, peer, phase, out);
            }
            (Errand::Query(subject), Message::Noted) => {
                self.voter_acknowledged(now, subject, peer);
            }
            (Errand::Query(subject), Message::News(news)) => {
                self.hear_news(now, peer, news, out);
                self.voter_silent(now, subject, peer, out);
            }
            (Errand::Query(subject), _) => self.voter_silent(now, subject, peer, out),
            (Errand::Join, Message::Page { records, agreed, more }) => {
                self.taken_in(now, peer, records, agreed, more, out);
            }
            (Errand::Fetch, Message::Page { records, agreed, more }) => {
                self.fetched(now, peer, records, agreed, more, out);
            }
            (Errand::Join, message) => {
                if let Message::News(news) = message {
                    self.hear_news(now, peer, news, out);
                }
                self.join_failed(now, out);
            }
            (Errand::Fetch, message) => {
                if let Message::News(news) = message {
                    self.hear_news(now, peer, news, out);
                }
                self.fetch_failed(peer);
            }
            (Errand::Vouch, Message::Report(statement)) => {
                self.vouched(now, statement, out);
            }
            // The proof that we, or it, were put out.
            (_, Message::News(news)) => drop(self.hear_news(now, peer, news, out)),
            _ => {}
        }
    }

    pub(super) fn asked(
        &mut self,
        now: Time,
        from: NodeId,
        token: Token,
        message: Message,
        out: &mut Outbox<Output>,
    ) {
        // Whoever was put out learns it from any member it speaks to.
        if let Some(proof) = self.stale(from, &message) {
            return out.push(Output::Answer { token, message: Message::News(vec![proof]) });
        }
        self.heard(now, from, out);
        let message = match message {
            Message::Ping(pulse) => {
                self.meet(now, from, pulse, out);
                Message::Ack(self.pulse(now))
            }
            Message::Query(statement) => self.queried(now, from, statement, out),
            Message::Join(alive) => self.admit(now, from, alive, out),
            Message::Fetch { after } => self.page(after),
            Message::Vouch { incarnation, round } => self.vouch(now, from, incarnation, round),
            told => {
                self.told(now, from, told, out);
                Message::Noted
            }
        };
        out.push(Output::Answer { token, message });
    }

    pub(super) fn told(
        &mut self,
        now: Time,
        from: NodeId,
        message: Message,
        out: &mut Outbox<Output>,
    ) {
        self.heard(now, from, out);
        match message {
            Message::News(news) => drop(self.hear_news(now, from, news, out)),
            Message::Report(statement) => self.reported(now, from, statement, out),
            Message::Suspected { incarnation, round } => {
                self.is_suspected(now, incarnation, round, out);
            }
            _ => {}
        }
    }

    /// The proof that the sender's incarnation was put out, when it is one that says so itself.
    fn stale(&self, from: NodeId, message: &Message) -> Option<News> {
        let record = self.roll.record(from).filter(|record| !record.is_alive())?;
        let incarnation = match message {
            Message::Ping(pulse) => pulse.incarnation,
            Message::Query(_) => record.incarnation(),
            _ => return None,
        };
        let speaks_as_member =
            !matches!(message, Message::Ping(pulse) if pulse.phase != Phase::Active);
        (incarnation <= record.incarnation() && speaks_as_member && !record.is_left())
            .then(|| record.news())
    }
}
