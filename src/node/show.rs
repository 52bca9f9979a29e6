//! What the driver shows of the node: for handles that look and change nothing in the engine.

use std::collections::BTreeMap;

use super::command::Command;
use super::driver::Driver;
use super::members::{Member, Peer, own_standing};
use super::overview::{Overview, Stats};
use super::pace::TurnStats;
use super::tally::Undelivered;
use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::protocol::membership;

impl Driver {
    /// Commands that change nothing in the engine.
    pub(super) fn show(&mut self, command: Command) {
        match command {
            Command::Peers(reply) => drop(reply.send(self.peers())),
            Command::Members(reply) => drop(reply.send(self.members())),
            Command::Why { node, reply } => {
                drop(reply.send(self.engine.story(self.clock.now(), node)));
            }
            Command::Recording(reply) => {
                let cards = self.engine.discovery().known().chain([self.engine.discovery().own()]);
                let names = cards.map(|card| (card.node, card.name.clone())).collect();
                let recording = self.engine.recording();
                drop(reply.send(recording.map(|recording| recording.with_names(names))));
            }
            Command::Readers { topic, reply } => drop(reply.send(self.engine.readers(&topic))),
            Command::Overview(reply) => drop(reply.send(self.overview())),
            Command::Disturb { faults, reply } => drop(reply.send(self.network.disturb(&faults))),
            Command::Faults(reply) => drop(reply.send(self.network.faults())),
            Command::Report(event) => self.tell(event),
            // `obey` took all others.
            _ => {}
        }
    }

    fn peers(&self) -> Vec<Peer> {
        let now = self.clock.now();
        let members = self.engine.membership().members();
        members.map(|(id, member)| self.peer(now, id, member)).collect()
    }

    fn members(&self) -> Vec<Member> {
        let now = self.clock.now();
        let name_of = |id| self.engine.discovery().card(id).map(|card| card.name.clone());
        let others = self.engine.membership().members().map(|(id, known)| Member {
            id,
            name: name_of(id).unwrap_or_default(),
            standing: known.standing,
            since: now.since(known.since),
            incarnation: known.incarnation,
            is_this_node: false,
        });
        let (me, room) = (self.engine.me(), self.engine.membership());
        let itself = Member {
            id: me,
            name: self.engine.discovery().own().name.clone(),
            standing: own_standing(room.phase()),
            since: now.since(room.member(me).map_or(Time::ZERO, |known| known.since)),
            incarnation: room.incarnation(),
            is_this_node: true,
        };
        let mut members: Vec<Member> = others.chain([itself]).collect();
        members.sort_by_key(|member| member.id);
        members
    }

    fn peer(&self, now: Time, id: NodeId, member: membership::Member) -> Peer {
        let card = self.engine.discovery().card(id).cloned();
        let linked = self.engine.links().is_linked(id);
        let neighbour = match self.config.topology.is_open() {
            true => linked,
            false => self.engine.discovery().is_neighbour(id),
        };
        let (name, addresses, topics, groups, labels) = card
            .map(|card| (card.name, card.addresses, card.topics, card.groups, card.labels))
            .unwrap_or_default();
        Peer {
            id,
            name,
            life: member.incarnation.life,
            standing: member.standing,
            since: now.since(member.since),
            addresses,
            topics,
            groups,
            labels,
            linked,
            neighbour,
            round_trip: self.engine.round_trip(id),
        }
    }

    fn overview(&self) -> Overview {
        let own = self.engine.discovery().own();
        let hello = self.network.hello_stats();
        let membership = self.engine.membership();
        let (active, agreed) = membership.roll().sizes();
        let named = |counts: BTreeMap<&'static str, u64>| {
            counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
        };
        Overview {
            id: self.engine.me(),
            name: own.name.clone(),
            network: self.config.network.clone(),
            life: self.engine.life(),
            incarnation: membership.incarnation(),
            phase: membership.phase(),
            health: membership.health(),
            active,
            agreed,
            uptime: self.clock.now().since(Time::ZERO),
            addresses: self.network.addresses(),
            door: self.network.door_addresses(),
            topics: own.topics.clone(),
            groups: own.groups.clone(),
            links: self.engine.links().peers().count(),
            max_message_bytes: self.config.topic.max_message_bytes,
            stats: Stats {
                topic: self.engine.topic().stats(),
                discovery: self.engine.discovery().stats(),
                membership: membership.stats(),
                link: self.engine.link_stats(),
                carrier: self.network.carrier_stats(),
                tree: self.tally.tree,
                branches: self.engine.tree().stats(),
                stream: self.network.stream_stats(),
                readers: self.sinks.stats(),
                undelivered: Undelivered { missed: self.sinks.missed(), ..self.tally.undelivered },
                publish_refused: self.tally.refused,
                door: self.network.door_stats(),
                refused: named(hello.refused_by_us),
                refused_by_peers: named(hello.refused_by_peer),
                silent: hello.silent,
                broken: hello.broken,
                ticks: self.tally.ticks,
                turns: TurnStats {
                    commands_waiting: self.mailbox.len() as u64,
                    ..self.tally.turns
                },
            },
        }
    }
}
