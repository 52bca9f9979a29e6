//! Whatever happens, in whatever order: seeded.

use std::collections::BTreeSet;
use std::num::NonZeroU8;
use std::time::Duration;

use bytes::Bytes;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_bytes::ByteBuf;

use super::world::{START, World, at, id, key, room, topics, turn};
use crate::base::batch::{Batch, Head, Origin};
use crate::base::group::{Chosen, Group, Interests};
use crate::base::id::Life;
use crate::base::machine::Machine;
use crate::base::signer::Signer;
use crate::base::time::WallTime;
use crate::base::token::Token;
use crate::protocol::topic::wire::{Aged, Point};
use crate::protocol::topic::{
    Bucket, Carried, Command, Earlier, Envelope, Hop, Input, Message, MessageId, Output, Paths,
    Query, Strategy, TopicConfig, Which,
};

struct Dice(ChaCha8Rng);

impl Dice {
    fn below(&mut self, end: u32) -> u32 {
        self.0.next_u32() % end
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(u32::try_from(of.len()).unwrap()) as usize].clone()
    }

    fn node(&mut self, ids: &[crate::base::id::NodeId]) -> crate::base::id::NodeId {
        self.one(ids)
    }

    fn topic(&mut self) -> String {
        self.one(&["chat", "door", "other", "", "*", ">", ">/a"]).to_owned()
    }

    fn group(&mut self) -> Group {
        Group { name: self.one(&["a", "b", ""]).to_owned(), host: None }
    }

    fn chosen(&mut self) -> Chosen {
        let members = (0..self.below(3)).map(|_| (self.group(), id(self.below(6) as usize)));
        let members = members.collect();
        let again = (self.below(2) == 0).then(|| u64::from(self.below(50)));
        Chosen { all: self.below(4) == 0, members, again }
    }

    fn earlier(&mut self) -> Earlier {
        Earlier {
            last: (self.below(3) == 0).then(|| u64::from(self.below(20))),
            since: (self.below(4) == 0).then(|| Duration::from_millis(self.below(90_000).into())),
        }
    }

    fn aged(&mut self, author: usize) -> Aged {
        let age = Duration::from_millis(self.below(90_000).into());
        Aged { age, batch: ByteBuf::from(self.frame(author).to_vec()) }
    }

    /// What a card may say, and more.
    fn interests(&mut self) -> Interests {
        let mut interests = topics(&[&self.topic()]);
        if self.below(2) == 0 {
            interests.groups.insert(self.topic(), [self.group()].into());
        }
        interests
    }

    fn frame(&mut self, author: usize) -> Bytes {
        if self.below(10) == 0 {
            return Bytes::from_static(b"garbage");
        }
        let name = vec![self.below(5) as u8];
        let origin = (self.below(4) == 0).then(|| Origin { author: "foreign".into(), name });
        let mut signer = Signer::new(key(author));
        let head = Head {
            receipts: self.below(2) == 0,
            origin,
            chosen: (self.below(3) == 0).then(|| self.chosen()),
            ..Head::new(signer.me(), Life(1), &self.topic(), u64::from(self.below(50)))
        };
        let count = if head.receipts { 1 } else { 1 + self.below(3) as usize };
        let messages = vec![(WallTime(1), Bytes::from("payload ".repeat(20))); count];
        match self.below(4) {
            0 => {
                let expanded = Some(self.below(300));
                let noise: Vec<u8> = (0..self.below(30)).map(|_| self.below(256) as u8).collect();
                Batch::signed_as(&Head { expanded, ..head }, &noise, &mut signer)
            }
            1 => Batch::seal_compressed(head, &messages, &mut signer).wire().clone(),
            _ => Batch::seal(head, &messages, &mut signer).wire().clone(),
        }
    }
}

fn any_publish(dice: &mut Dice, token: Token) -> Command {
    Command::Publish {
        token,
        topic: dice.topic(),
        payload: Bytes::from(vec![0; dice.below(130) as usize]),
        relays: NonZeroU8::new(1 + dice.below(3) as u8).unwrap(),
        receipts: (dice.below(2) == 0).then_some(Duration::from_secs(1)),
        foreign: false,
        strategy: dice.one(&[Strategy::RoundRobin, Strategy::LeastRecent, Strategy::All]),
        if_read: dice.below(4) == 0,
        envelope: Envelope { compressed: dice.below(2) == 0, trace_context: None },
    }
}

fn any_query(dice: &mut Dice) -> Query {
    Query {
        topic: None,
        which: dice.one(&[Which::All, Which::Read, Which::Unread]),
        paths: dice.one(&[Paths::All, Paths::None]),
        ..Query::default()
    }
}

fn any_input(dice: &mut Dice, ids: &[crate::base::id::NodeId]) -> Input {
    let token = Token(u64::from(dice.below(400)));
    let writer = dice.below(6) as usize;
    let (node, author) = (dice.node(ids), id(writer));
    let sequence = u64::from(dice.below(200));
    let name =
        MessageId { author, life: Life(1), topic: dice.topic(), number: u64::from(dice.below(50)) };
    match dice.below(18) {
        0 => Input::Tick,
        1 | 2 => Input::Command(any_publish(dice, token)),
        3 => Input::Command(Command::Subscribe {
            subscription: Token(1 + sequence % 8),
            topic: dice.topic(),
            own: true,
            group: (dice.below(2) == 0).then(|| dice.group()),
            earlier: dice.earlier(),
        }),
        4 => Input::Command(Command::Unsubscribe { subscription: Token(1 + sequence % 8) }),
        5 => Input::Command(Command::Read { token, query: any_query(dice) }),
        6 | 7 => Input::Heard { from: node, author, sequence, frame: dice.frame(writer) },
        8 => Input::Copy { from: node, author, sequence },
        9 => {
            use Carried::{NoPeers, Out, QueuesFull, Refused};
            Input::Carried { token, outcome: dice.one(&[Out, NoPeers, QueuesFull, Refused]) }
        }
        10 => Input::Joined { peer: node, bucket: Bucket(dice.below(40) as u16) },
        11 => dice.one(&[
            Input::Linked { peer: node },
            Input::Neighbour { peer: node, joined: true },
            Input::Neighbour { peer: node, joined: false },
        ]),
        12 => Input::Unlinked { peer: node },
        13 => Input::Reads { node, topics: dice.interests() },
        14 => Input::Gone { node },
        15 => Input::Door {
            topic: dice.topic(),
            author: dice.one(&["foreign", "", "a\n"]).into(),
            origin: Bytes::from(vec![dice.below(9) as u8; dice.below(300) as usize]),
            payload: Bytes::from_static(b"x"),
        },
        16 => {
            let (topic, wish) = (dice.topic(), dice.earlier());
            let message = dice.one(&[
                Message::Trace { ids: vec![name.clone(); 3], budget: 5 },
                Message::Receipt { id: name, readers: vec![node] },
                Message::Earlier {
                    name: topic,
                    wish,
                    except: Some(node),
                    before: Some(Point { at: WallTime(u64::MAX), nth: sequence }),
                },
            ]);
            dice.one(&[
                Input::Asked { token, message: message.clone() },
                Input::Told { from: node, message },
            ])
        }
        _ => {
            let ways = vec![[author, node].map(|node| Hop { node, at: START }).to_vec()];
            let traced = Input::Answer { token, message: Message::Traced { ways } };
            let batches = (0..dice.below(4)).map(|_| dice.aged(writer)).collect();
            let older = (dice.below(2) == 0).then_some(Point { at: START, nth: sequence });
            let kept = Input::Answer { token, message: Message::Kept { batches, older } };
            dice.one(&[traced, kept, Input::NoAnswer { token }])
        }
    }
}

#[test]
fn any_inputs_in_any_order_keep_the_invariants() {
    let ids: Vec<_> = (0..6).map(id).collect();
    let config = TopicConfig {
        max_message_bytes: 128,
        max_waiting: 20,
        max_kept: 10,
        max_copies: 3,
        max_subscriptions: 5,
        door: vec!["door".into()],
        ..TopicConfig::default()
    };
    for seed in 0..20 {
        let mut dice = Dice(ChaCha8Rng::seed_from_u64(seed));
        let mut room = room(0, config.clone());
        let mut delivered = BTreeSet::new();
        let mut published = BTreeSet::new();
        for step in 0..3_000 {
            // Short of `seen_for`, within which nothing is delivered twice.
            let now = at(step * 30);
            let input = any_input(&mut dice, &ids);
            if let Input::Command(Command::Subscribe { subscription, .. }) = &input {
                delivered.retain(|(old, _)| old != subscription);
            }
            for output in turn(&mut room, now, input) {
                match output {
                    Output::Deliver { subscription, messages } => {
                        for message in messages {
                            let new = delivered.insert((subscription, message.id.clone()));
                            assert!(new, "seed {seed}: twice {message:?}");
                        }
                    }
                    Output::Published { result: Ok(id), .. } => {
                        assert!(published.insert(id), "seed {seed}: a number given twice");
                    }
                    Output::Kept { messages, .. } => {
                        for way in messages.iter().flat_map(|kept| &kept.ways) {
                            let nodes: BTreeSet<_> = way.hops.iter().map(|hop| hop.node).collect();
                            assert_eq!(nodes.len(), way.hops.len());
                            assert_eq!(way.hops.last().unwrap().node, id(0));
                        }
                    }
                    _ => {}
                }
            }
            let stats = room.stats();
            assert!(stats.waiting <= 20 && stats.kept <= 10 && stats.kept_bytes <= 1_280);
            turn(&mut room, now, Input::Tick);
            assert!(room.deadline().is_none_or(|due| due > now), "seed {seed}");
        }
        let (far, numbers) = (room.stats().delivered, published.len());
        assert!(far > 50 && numbers > 30, "seed {seed} reaches {far} and {numbers}");
    }
}

#[test]
fn in_any_connected_graph_all_get_it_once_confirm_it_and_know_its_ways() {
    for seed in 0..30 {
        let mut dice = Dice(ChaCha8Rng::seed_from_u64(seed));
        let nodes = 3 + dice.below(12) as usize;
        let mut links = BTreeSet::new();
        for node in 1..nodes {
            links.insert((dice.below(node as u32) as usize, node));
        }
        for _ in 0..nodes {
            let (a, b) = (dice.below(nodes as u32) as usize, dice.below(nodes as u32) as usize);
            if a != b {
                links.insert((a.min(b), a.max(b)));
            }
        }
        let links: Vec<_> = links.into_iter().collect();
        let config = TopicConfig { relay_all: true, ..TopicConfig::default() };
        let mut world = World::new(nodes, &links, &config).all_read("chat");
        let author = dice.below(nodes as u32) as usize;
        world.command(
            author,
            Command::Publish {
                token: Token(1),
                topic: "chat".into(),
                payload: Bytes::from_static(b"apple"),
                relays: NonZeroU8::MIN,
                receipts: Some(Duration::from_secs(5)),
                foreign: false,
                strategy: Strategy::RoundRobin,
                if_read: false,
                envelope: Envelope::default(),
            },
        );
        world.run(Duration::from_secs(1));
        let (_, report) = world.report(author).expect("all have confirmed");
        assert_eq!((report.holders.len(), report.missing.len()), (nodes, 0), "seed {seed}");
        for node in (0..nodes).filter(|node| *node != author) {
            assert_eq!(world.delivered(node), ["apple"], "seed {seed}");
            let query = Query { paths: Paths::All, ..Query::default() };
            let kept = world.read(node, query);
            let ways = world.numbers(&kept);
            assert!(!ways.is_empty());
            for (way, complete) in ways {
                assert!(complete && way.first() == Some(&author), "seed {seed}: {way:?}");
                for pair in way.windows(2) {
                    let link = (pair[0].min(pair[1]), pair[0].max(pair[1]));
                    assert!(links.contains(&link), "seed {seed}: {way:?} is no walk");
                }
            }
        }
    }
}
