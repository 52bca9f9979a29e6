//! Watching members: probes, misses, and what was heard.

use super::desk::Errand;
use super::due::Due;
use super::finding::Finding;
use super::machine::MembershipMachine;
use super::member::Standing;
use super::output::Output;
use super::probe::Stage;
use super::wire::Message;
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;
use crate::base::token::Token;

impl MembershipMachine {
    /// Probes a peer now, unless a probe of it is under way.
    pub(super) fn probe(&mut self, now: Time, peer: NodeId, out: &mut Outbox<Output>) {
        if self.probes.of(peer).is_some() || peer == self.me {
            return;
        }
        self.stats.probes += 1;
        let pulse = self.pulse(now);
        let stage = self.ask(peer, Message::Ping(pulse), Errand::Probe, out);
        let wait = match stage {
            Stage::Link => self.probes.link_wait(peer, &self.config),
            Stage::Answer(_) if self.checks.contains_key(&peer) => {
                self.probes.usual_wait(peer, &self.config)
            }
            Stage::Answer(_) => self.probes.wait(peer, &self.config),
        };
        let until = self.probes.begin(peer, stage, now, wait);
        self.agenda.set(Due::Missed(peer), until);
    }

    /// The time for the next probe of a watched member came.
    pub(super) fn probe_if_watched(&mut self, now: Time, peer: NodeId, out: &mut Outbox<Output>) {
        if !self.is_active() || !self.observers.watches(peer) || !self.roll.is_alive(peer) {
            return;
        }
        let next = self.next_probe(now);
        self.agenda.set(Due::Probe(peer), next);
        self.watches.entry(peer).or_default();
        self.probe(now, peer, out);
    }

    /// On average one interval later. By chance, because whatever all observers of a member hear of
    /// it at once would make them probe it at once for ever after, and then only one of them counts
    /// when it dies: 1.9 s instead of 1.5 s for a machine without power (`power-cut`, 40 seeds).
    fn next_probe(&mut self, now: Time) -> Time {
        let interval = self.config.probe_interval();
        now + interval.mul_f64(0.5 + self.chance())
    }

    pub(super) fn probe_answered(
        &mut self,
        now: Time,
        peer: NodeId,
        token: Token,
        out: &mut Outbox<Output>,
    ) {
        if !self.probes.answered(now, peer, token, &self.config) {
            return;
        }
        self.agenda.cancel(Due::Missed(peer));
        self.probes.is_well();
        let misses = self.watches.get_mut(&peer).map_or(0, super::watch::Watch::answered);
        self.answers_again(peer, misses, out);
        if !self.observers.watches(peer) {
            self.watches.remove(&peer);
        }
    }

    fn answers_again(&self, node: NodeId, misses: u32, out: &mut Outbox<Output>) {
        if misses > 0 {
            self.found(Finding::ProbeAnswered { node, misses }, out);
        }
    }

    /// Something came from a peer: it lives.
    pub(super) fn heard(&mut self, now: Time, peer: NodeId, out: &mut Outbox<Output>) {
        self.probes.heard(now, peer);
        let misses = self.watches.get_mut(&peer).map_or(0, super::watch::Watch::heard);
        self.answers_again(peer, misses, out);
        if self.observers.watches(peer) && self.is_active() {
            let next = self.next_probe(now);
            self.agenda.set(Due::Probe(peer), next);
        }
        self.agenda.cancel(Due::Suspect(peer));
        self.subject_spoke(now, peer, out);
        self.sweeps_hear(now, peer, out);
        if self.desk.is_linked(peer) {
            self.is_reachable(now, peer, out);
        }
    }

    /// A probe had its time.
    pub(super) fn missed(&mut self, now: Time, peer: NodeId, out: &mut Outbox<Output>) {
        let Some(probe) = self.probes.end(peer) else { return };
        if self.probes.last_heard(peer).is_some_and(|heard| heard > probe.since) {
            // It said something else meanwhile, as somebody does who has much to say.
            return;
        }
        self.stats.misses += 1;
        if probe.stage == Stage::Link {
            self.probes.is_cold(peer);
            // The question must not go out long after it was given up.
            for (_, errand) in self.desk.give_up(peer) {
                if let Errand::Query(subject) = errand {
                    self.voter_silent(now, subject, peer, out);
                }
            }
        }
        if self.roll.record(peer).is_none() && !self.desk.is_linked(peer) {
            // Known by its card, and never a member: nobody watches it, and no verdict comes.
            self.is_unreachable(now, peer, out);
        }
        let waited = now.since(probe.since);
        let more = self.watch_missed(now, peer, waited, out)
            | self.check_missed(now, peer, out)
            | self.sweeps_miss(now, peer, out);
        if more {
            self.probe(now, peer, out);
        }
    }

    /// True when the next probe follows at once.
    fn watch_missed(
        &mut self,
        now: Time,
        peer: NodeId,
        waited: std::time::Duration,
        out: &mut Outbox<Output>,
    ) -> bool {
        let limit = self.config.miss_limit;
        let Some(watch) = self.watches.get_mut(&peer) else { return false };
        watch.missed();
        let (misses, suspect) = (watch.misses, watch.is_suspect(limit));
        let round_trip = self.probes.round_trip(peer).map(|trip| trip.as_micros());
        let finding = Finding::ProbeMissed {
            node: peer,
            waited,
            misses,
            round_trip_us: round_trip.and_then(|us| u64::try_from(us).ok()),
            health: self.probes.health(),
        };
        // What is long known to be missing is no news with every probe.
        if !self.troubles.contains_key(&peer) || misses <= limit {
            self.found(finding, out);
        }
        if !suspect {
            return true;
        }
        if !self.desk.is_linked(peer) {
            self.is_unreachable(now, peer, out);
        }
        if self.observers.watches(peer) {
            self.suspect_soon(now, peer, out);
        } else {
            self.watches.remove(&peer);
        }
        false
    }

    /// Of the observers of a failed member one asks; the others wait a little for its question.
    fn suspect_soon(&mut self, now: Time, peer: NodeId, out: &mut Outbox<Output>) {
        let rank = self.observers.rank(peer);
        let at = now + self.config.timeout / 4 * rank;
        if at <= now {
            self.suspect(now, peer, out);
        } else {
            self.agenda.set_by(Due::Suspect(peer), at);
        }
    }

    pub(super) fn is_unreachable(&mut self, now: Time, node: NodeId, out: &mut Outbox<Output>) {
        if self.member(node).is_some_and(|member| member.standing == Standing::Alive) {
            self.troubles.insert(node, (Standing::Unreachable, now));
            out.push(Output::Unreachable { node });
        }
    }

    /// It is linked and was heard: whatever was feared is over.
    fn is_reachable(&mut self, _now: Time, node: NodeId, out: &mut Outbox<Output>) {
        if self.rounds.contains_key(&node) {
            return;
        }
        if let Some((Standing::Unreachable, _)) = self.troubles.remove(&node)
            && let Some(member) = self.member(node)
            && member.standing == Standing::Alive
        {
            out.push(Output::Online { node, life: member.incarnation.life });
        }
    }

    /// Whom to watch may have changed, because somebody `came` or is gone: begins with the new
    /// ones, forgets the others.
    pub(super) fn watch_anew(&mut self, now: Time, came: bool) {
        let watched: Vec<NodeId> = self.observers.watched().collect();
        self.watches.retain(|node, _| watched.contains(node));
        if !self.is_active() {
            return;
        }
        let old = |node: &NodeId| self.watches.contains_key(node);
        let new: Vec<NodeId> = watched.into_iter().filter(|node| !old(node)).collect();
        for node in new {
            self.watches.insert(node, super::watch::Watch::default());
            // Spread over the interval, so that not all are probed at once for ever. A link that
            // has to be made for it can wait: who watches whom changes with everyone that comes.
            let interval = self.config.probe_interval();
            let late = if came && !self.desk.is_linked(node) { 1.0 } else { 0.0 };
            let at = now + interval.mul_f64(late + self.chance());
            self.agenda.set(Due::Probe(node), at);
        }
    }

    pub(super) fn is_watched_by(&self, peer: NodeId) -> bool {
        let Some(record) = self.roll.record(peer).filter(|record| record.is_alive()) else {
            return false;
        };
        let lots = self.roll.alive().map(|(_, record)| record.lot);
        self.observers.is_watched_by(record.lot, lots)
    }

    /// A number from 0 to 1.
    pub(super) fn chance(&mut self) -> f64 {
        use rand::RngExt;
        self.random.random::<f64>()
    }

    pub(super) fn begin_observing(&mut self) {
        let count = self.roll.sizes().0;
        let me = self.me;
        let roll = &self.roll;
        let lot = roll.record(me).map_or(0, |record| record.lot);
        let all = || roll.alive().map(|(node, record)| (node, record.lot)).collect();
        self.observers.joined(me, lot, count, all);
    }

    /// A member came or went: the observers are chosen anew, and watched.
    pub(super) fn view_changed(&mut self, now: Time, node: NodeId, came: bool) {
        let (count, _) = self.roll.sizes();
        let roll = &self.roll;
        let lot = roll.record(node).map_or_else(|| super::roll::lot(node), |record| record.lot);
        let all = || roll.alive().map(|(node, record)| (node, record.lot)).collect();
        if came {
            self.observers.joined(node, lot, count, all);
        } else {
            self.observers.gone(node, lot, count, all);
            self.agenda.cancel(Due::Probe(node));
            self.agenda.cancel(Due::Suspect(node));
            self.watches.remove(&node);
        }
        self.watch_anew(now, came);
        self.view_moved(now);
        self.agenda.set_by(Due::Save, now + self.config.timeout * 10);
    }
}
