//! A node without topics and cards, for worlds of thousands: the membership room alone, and a
//! plain way to dial the neighbours of the graph.

use std::collections::BTreeMap;
use std::time::Duration;

use multiaddr::Multiaddr;

use super::cast::{Birth, Breed, Cast, saved};
use super::look::{Driven, Housing};
use super::scenario::{FaultKind, Scenario, Start};
use crate::base::codec::{from_cbor, to_cbor};
use crate::base::id::NodeId;
use crate::base::limits::MAX_CERTIFICATE;
use crate::base::machine::{Machine, Outbox, earliest};
use crate::base::signer::Signer;
use crate::base::time::Time;
use crate::base::token::Token;
use crate::engine::frame::{Message, Room, Ticket};
use crate::engine::{Event, Input, Output};
use crate::protocol::link::{self, LinkMachine, Links, WatchConfig};
use crate::protocol::membership::{self, MembershipMachine};

/// First and longest wait before a neighbour is dialled again.
const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(30);

/// Makes bare nodes.
pub(crate) struct BareNodes<'a>(pub &'a Scenario);

impl Breed for BareNodes<'_> {
    type Node = Bare;

    fn start(&self, cast: &Cast, birth: Birth<'_>) -> Bare {
        let Birth { node, life, disk, .. } = birth;
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
            link: LinkMachine::new(WatchConfig::default(), me),
            membership: MembershipMachine::new(membership::Settings {
                config: self.0.membership.clone(),
                signer: Signer::new(key),
                verifier: cast.verifier.clone(),
                life,
                seed: cast.seed ^ life.0.rotate_left(32) ^ u64::from(node),
                saved: saved(disk),
                alone: self.0.nodes == 1
                    || cast.neighbours.get(node as usize).is_none_or(Vec::is_empty),
                formed: birth.formed.then(|| cast.formed.clone()),
            }),
            link_wishes: Outbox::new(),
            wishes: Outbox::new(),
            reached: BTreeMap::new(),
            tokens: REACHES,
            remembers: self.0.faults.iter().any(|fault| starts_again(fault.kind)),
            targets: targets.collect(),
            due: Some(Time::ZERO),
        }
    }
}

fn starts_again(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::Restart
            | FaultKind::Start
            | FaultKind::Churn
            | FaultKind::Flap
            | FaultKind::StartAll
    )
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

/// Dials of membership have tokens from here on, those of neighbours below.
const REACHES: u64 = 1 << 32;

/// The link and membership rooms and whom to dial.
pub(crate) struct Bare {
    link: LinkMachine,
    membership: MembershipMachine,
    link_wishes: Outbox<link::Output>,
    wishes: Outbox<membership::Output>,
    /// Dials that membership asked for, by their tokens.
    reached: BTreeMap<u64, NodeId>,
    tokens: u64,
    /// Some node of the world starts a second time.
    remembers: bool,
    targets: BTreeMap<NodeId, Target>,
    /// The earliest of the targets'.
    due: Option<Time>,
}

impl Bare {
    fn tell(&mut self, now: Time, input: membership::Input) {
        self.membership.handle(now, input, &mut self.wishes);
    }

    fn tell_link(&mut self, now: Time, input: link::Input) {
        self.link.handle(now, input, &mut self.link_wishes);
    }

    fn link_wants(&mut self, now: Time, output: link::Output, out: &mut Outbox<Output>) {
        match output {
            link::Output::Close(link) => out.push(Output::Close(link)),
            link::Output::Linked { peer, life, .. } => {
                self.tell(now, membership::Input::Linked { peer, life });
            }
            link::Output::Unlinked { peer } => {
                self.retry(now, peer, true);
                self.tell(now, membership::Input::Unlinked { peer });
            }
        }
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
            Input::Tick => {
                self.tell_link(now, link::Input::Tick);
                self.tell(now, membership::Input::Tick);
            }
            Input::Opened { peer, life, link } => {
                if let Some(target) = self.targets.get_mut(&peer) {
                    target.due = NEVER;
                }
                self.tell_link(now, link::Input::Opened { peer, life, link });
            }
            Input::Closed { peer, link } => {
                self.tell_link(now, link::Input::Closed { peer, link });
            }
            Input::Pinged { peer, link, answered } => {
                let answered = answered.is_some();
                self.tell_link(now, link::Input::Pinged { peer, link, answered });
            }
            Input::Dialled { token, .. } => {
                self.reached.remove(&token.0);
            }
            Input::DialFailed { token, .. } if token.0 >= REACHES => {
                if let Some(peer) = self.reached.remove(&token.0) {
                    self.tell(now, membership::Input::Unreached { peer });
                }
            }
            Input::DialFailed { token, .. } => {
                let place = usize::try_from(token.0).unwrap_or(usize::MAX);
                let peer = self.targets.keys().nth(place).copied();
                if let Some(peer) = peer {
                    self.retry(now, peer, false);
                }
            }
            Input::Barred { by, certificate } => {
                if let Ok(certificate) = from_cbor(&certificate, MAX_CERTIFICATE) {
                    self.tell(now, membership::Input::Barred { by, certificate });
                }
            }
            Input::Asked { from, token, message: Message::Membership(message) } => {
                self.tell(now, membership::Input::Asked { from, token, message });
            }
            Input::Told { from, message: Message::Membership(message) } => {
                self.tell(now, membership::Input::Told { from, message });
            }
            Input::Answer { ticket, message: Message::Membership(message), .. } => {
                self.tell(now, membership::Input::Answer { token: ticket.token, message });
            }
            Input::Answer { ticket, .. }
            | Input::Arrived { ticket, .. }
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
            membership::Output::Reach { peer } => {
                self.tokens += 1;
                self.reached.insert(self.tokens, peer);
                let token = Token(self.tokens);
                out.push(Output::Dial { token, peer: Some(peer), addresses: Vec::new() });
            }
            membership::Output::Unlink { peer } => {
                self.tell_link(now, link::Input::Unlink { peer });
            }
            membership::Output::Incarnation(incarnation) => {
                out.push(Output::Incarnation(incarnation));
            }
            membership::Output::Bar { node, incarnation, certificate } => {
                let certificate = to_cbor(&certificate).into();
                out.push(Output::Bar { node, incarnation, certificate });
            }
            membership::Output::Unbar { node } => out.push(Output::Unbar { node }),
            membership::Output::Down { .. } => {}
            membership::Output::Found(finding) => {
                if !finding.is_detail() {
                    out.push(Output::Event(Event::Membership(finding)));
                }
            }
            // Thousands of copies of the membership are kept only where somebody may need them.
            membership::Output::Save(saved) if self.remembers => {
                out.push(Output::Store(vec![saved.op()]));
            }
            membership::Output::Save(_) => {}
            membership::Output::Tell { to, message } => {
                let ticket = Ticket { room: Room::Membership, token: Token::default() };
                out.push(Output::Tell { to, ticket, message: Message::Membership(message) });
            }
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
        }
    }
}

impl Machine for Bare {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Time, input: Input, out: &mut Outbox<Output>) {
        self.enter(now, input);
        loop {
            if let Some(output) = self.link_wishes.pop() {
                self.link_wants(now, output, out);
            } else if let Some(output) = self.wishes.pop() {
                self.obey(now, output, out);
            } else {
                break;
            }
        }
        self.dial_due(now, out);
    }

    fn deadline(&self) -> Option<Time> {
        earliest(earliest(self.due, self.link.deadline()), self.membership.deadline())
    }
}

impl Housing for Bare {
    fn room(&self) -> &MembershipMachine {
        &self.membership
    }

    fn links(&self) -> &Links {
        self.link.links()
    }
}

impl Driven for Bare {}
