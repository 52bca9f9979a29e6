//! A node without topics and cards, for worlds of thousands: the membership room alone, and a
//! plain way to dial the neighbours of the graph.

use std::collections::BTreeMap;
use std::time::Duration;

use multiaddr::Multiaddr;

use super::cast::{Birth, Breed, Cast};
use super::look::{Driven, Look, Phase};
use super::scenario::{Scenario, Start};
use crate::base::id::{Incarnation, Life, NodeId};
use crate::base::machine::{Machine, Outbox, earliest};
use crate::base::time::Time;
use crate::base::token::Token;
use crate::engine::frame::{Message, Room, Ticket};
use crate::engine::{Event, Input, Output};
use crate::protocol::membership::{self, MembershipMachine, Standing};

/// First and longest wait before a neighbour is dialled again.
const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(30);

/// Makes bare nodes.
pub(crate) struct BareNodes<'a>(pub &'a Scenario);

impl Breed for BareNodes<'_> {
    type Node = Bare;

    fn start(&self, cast: &Cast, birth: Birth<'_>) -> Bare {
        let Birth { node, life, .. } = birth;
        let key = cast.key(node).clone();
        let me = key.id();
        // Of two neighbours the one with the smaller number dials; in a new life both do, because
        // the other may not have noticed that the link is gone.
        let again = birth.started > crate::sim::befall::WALL;
        let formed = birth.formed && self.0.start == Start::Formed;
        let neighbours = cast.neighbours.get(node as usize).into_iter().flatten();
        let wanted = neighbours.filter(|other| !formed && (again || node < **other));
        let targets = wanted.map(|other| {
            (cast.id(*other), Target { address: Cast::address(*other), due: Time::ZERO, tries: 0 })
        });
        Bare {
            me,
            life,
            membership: MembershipMachine::new(self.0.membership.clone(), key, life),
            wishes: Outbox::new(),
            targets: targets.collect(),
            due: Some(Time::ZERO),
        }
    }
}

#[derive(Debug)]
struct Target {
    address: Multiaddr,
    /// When it is dialled; `NEVER` while it is linked or a dial is under way.
    due: Time,
    tries: u32,
}

/// Never, as a moment.
const NEVER: Time = Time::from_micros(u64::MAX);

/// The membership room and whom to dial.
pub(crate) struct Bare {
    me: NodeId,
    life: Life,
    membership: MembershipMachine,
    wishes: Outbox<membership::Output>,
    targets: BTreeMap<NodeId, Target>,
    /// The earliest of the targets'.
    due: Option<Time>,
}

impl Bare {
    fn tell(&mut self, now: Time, input: membership::Input) {
        self.membership.handle(now, input, &mut self.wishes);
    }

    fn dial_due(&mut self, now: Time, out: &mut Outbox<Output>) {
        if self.due.is_none_or(|due| due > now) {
            return;
        }
        for (token, (peer, target)) in (0..).zip(&mut self.targets) {
            if target.due <= now {
                target.due = NEVER;
                let (peer, addresses) = (Some(*peer), vec![target.address.clone()]);
                out.push(Output::Dial { token: Token(token), peer, addresses });
            }
        }
        self.plan();
    }

    fn plan(&mut self) {
        let dues = self.targets.values().map(|target| target.due);
        self.due = dues.min().filter(|due| *due < NEVER);
    }

    fn retry(&mut self, now: Time, peer: NodeId, anew: bool) {
        let Some(target) = self.targets.get_mut(&peer) else { return };
        target.tries = if anew { 0 } else { target.tries.saturating_add(1) };
        target.due = now + (FIRST * 2_u32.saturating_pow(target.tries.min(16))).min(LONGEST);
        self.plan();
    }

    fn enter(&mut self, now: Time, input: Input) {
        match input {
            Input::Tick => self.tell(now, membership::Input::Tick),
            Input::Opened { peer, life, link } => {
                if let Some(target) = self.targets.get_mut(&peer) {
                    target.due = NEVER;
                }
                self.tell(now, membership::Input::Opened { peer, life, link });
            }
            Input::Closed { peer, link } => {
                self.tell(now, membership::Input::Closed { peer, link });
            }
            Input::Pinged { peer, link, answered } => {
                let answered = answered.is_some();
                self.tell(now, membership::Input::Pinged { peer, link, answered });
            }
            Input::DialFailed { token, .. } => {
                let place = usize::try_from(token.0).unwrap_or(usize::MAX);
                let peer = self.targets.keys().nth(place).copied();
                if let Some(peer) = peer {
                    self.retry(now, peer, false);
                }
            }
            Input::Asked { from, token, message: Message::Membership(message) } => {
                self.tell(now, membership::Input::Asked { from, token, message });
            }
            Input::Answer { ticket, .. }
            | Input::Arrived { ticket }
            | Input::NoAnswer { ticket } => {
                self.tell(now, membership::Input::Settled { token: ticket.token });
            }
            Input::Leave => self.tell(now, membership::Input::Leave),
            // What belongs to rooms that are not here.
            _ => {}
        }
    }

    fn obey(&mut self, now: Time, output: membership::Output, out: &mut Outbox<Output>) {
        match output {
            membership::Output::Close(link) => out.push(Output::Close(link)),
            membership::Output::Unlinked { peer } => self.retry(now, peer, true),
            membership::Output::Left { node, life } => {
                out.push(Output::Event(Event::Left { node, life }));
            }
            membership::Output::Online { node, life } => {
                out.push(Output::Event(Event::Online { node, life }));
            }
            membership::Output::Unreachable { node } => {
                out.push(Output::Event(Event::Unreachable { node }));
            }
            membership::Output::Ask { to, token, message } => {
                let ticket = Ticket { room: Room::Membership, token };
                out.push(Output::Ask { to, ticket, message: Message::Membership(message) });
            }
            membership::Output::Answer { token, message } => {
                out.push(Output::Answer { token, message: Message::Membership(message) });
            }
            membership::Output::MayStop => out.push(Output::MayStop),
            membership::Output::Linked { .. } => {}
        }
    }
}

impl Machine for Bare {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Time, input: Input, out: &mut Outbox<Output>) {
        self.enter(now, input);
        while let Some(output) = self.wishes.pop() {
            self.obey(now, output, out);
        }
        self.dial_due(now, out);
    }

    fn deadline(&self) -> Option<Time> {
        earliest(self.due, self.membership.deadline())
    }
}

impl Look for Bare {
    fn standing_of(&self, node: NodeId) -> Option<Standing> {
        let mut members = self.membership.members();
        members.find(|(id, _)| *id == node).map(|(_, member)| member.standing)
    }

    fn active(&self) -> Vec<NodeId> {
        let alive = self.membership.members();
        let alive = alive.filter(|(_, member)| member.standing == Standing::Alive);
        let mut active: Vec<NodeId> = alive.map(|(id, _)| id).chain([self.me]).collect();
        active.sort_unstable();
        active
    }

    fn denominators(&self) -> Vec<NodeId> {
        self.active()
    }

    fn phase(&self) -> Phase {
        Phase::Active
    }

    fn incarnation(&self) -> Incarnation {
        Incarnation { life: self.life, refutations: 0 }
    }

    fn is_linked(&self, peer: NodeId) -> bool {
        self.membership.links().is_linked(peer)
    }
}

impl Driven for Bare {}
