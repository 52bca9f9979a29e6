//! How fast a world is, apart from what nodes think: links, and probes as membership has them.
//! `cargo test --release --lib --no-default-features -F sim speed -- --ignored --nocapture`

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::scenario;
use crate::base::id::NodeId;
use crate::base::machine::{Machine, Outbox, earliest};
use crate::base::time::Time;
use crate::base::token::Token;
use crate::engine::frame::{Message, Room, Ticket};
use crate::engine::{Input, Output};
use crate::protocol::link::Links;
use crate::protocol::membership::{MembershipMachine, Message as Membership};
use crate::sim::bare::{Bare, BareNodes};
use crate::sim::cast::{Birth, Breed, Cast};
use crate::sim::look::{Driven, Housing};
use crate::sim::world::World;

/// Each of four monitors probes once per second.
const MONITORS: usize = 4;
const PROBES: Duration = Duration::from_secs(1);

struct Prober {
    bare: Bare,
    monitored: Vec<NodeId>,
    next: Time,
    count: u64,
}

struct Probers<'a>(BareNodes<'a>);

impl Breed for Probers<'_> {
    type Node = Prober;

    fn start(&self, cast: &Cast, birth: Birth<'_>) -> Prober {
        let node = birth.node;
        let others = cast.neighbours[node as usize].iter().take(MONITORS);
        let monitored = others.map(|other| cast.id(*other)).collect();
        let next = Time::from_micros(1_000_000 + u64::from(node) * 997 % 1_000_000);
        Prober { bare: self.0.start(cast, birth), monitored, next, count: 0 }
    }
}

impl Machine for Prober {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Time, input: Input, out: &mut Outbox<Output>) {
        if self.next <= now {
            self.next = now + PROBES;
            for peer in &self.monitored {
                self.count += 1;
                let ticket = Ticket { room: Room::Membership, token: Token(1 << 32 | self.count) };
                let message = Message::Membership(Membership::Noted);
                out.push(Output::Ask { to: *peer, ticket, message });
            }
        }
        self.bare.handle(now, input, out);
    }

    fn deadline(&self) -> Option<Time> {
        earliest(Some(self.next), self.bare.deadline())
    }
}

impl Housing for Prober {
    fn room(&self) -> &MembershipMachine {
        self.bare.room()
    }

    fn links(&self) -> &Links {
        self.bare.links()
    }
}

impl Driven for Prober {}

fn measure(nodes: u32) {
    let text = format!(
        "name = 'speed'\nnodes = {nodes}\nduration = '60s'\nrooms = 'membership'
         start = 'formed'\n[topology]\nkind = 'random'\ndegree = 24"
    );
    let scenario = scenario(&text);
    #[expect(clippy::disallowed_methods, reason = "it measures the simulator itself")]
    let begin = std::time::Instant::now();
    let probers = Probers(BareNodes(&scenario));
    let world = World::new(&scenario, probers, 1, &[], false);
    let outcome = world.run(&AtomicBool::new(false)).unwrap().outcome;
    let memory = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = memory.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    println!(
        "{nodes} nodes: {:.1?}, {} events, {:.2} messages per node and second, {memory}",
        begin.elapsed(),
        outcome.events,
        outcome.messages
    );
    assert!((7.5..8.5).contains(&outcome.messages));
}

#[test]
#[ignore = "a measurement of the simulator, for release builds"]
fn a_thousand_nodes_for_a_minute() {
    measure(1_000);
}

#[test]
#[ignore = "a measurement of the simulator, for release builds"]
fn ten_thousand_nodes_for_a_minute() {
    measure(10_000);
}
