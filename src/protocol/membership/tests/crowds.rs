//! Spec, "Verdict", "Agreeing" and "Watching": many that come at once cost little, and a machine
//! that has too much to do blames nobody.

use super::mesh::Mesh;
use super::room::{LIFE, MS, Room, SECOND, id, key};
use crate::base::id::{Incarnation, NodeId};
use crate::base::signer::Signer;
use crate::protocol::membership::wire::{Alive, News};
use crate::protocol::membership::{Finding, Input, MembershipConfig, Message, Output};

fn alive(number: u8) -> News {
    let incarnation = Incarnation { life: LIFE, refutations: 0 };
    News::Alive(Alive::first(&mut Signer::new(key(number)), incarnation.life))
}

/// Of whom news is told, to whom.
fn told(outputs: &[Output]) -> Vec<(NodeId, Vec<NodeId>)> {
    let tell = |output: &Output| match output {
        Output::Tell { to, message: Message::News(news) } => {
            Some((*to, news.iter().map(News::node).collect()))
        }
        _ => None,
    };
    outputs.iter().filter_map(tell).collect()
}

fn hear(room: &mut Room, from: u8, numbers: &[u8]) -> Vec<(NodeId, Vec<NodeId>)> {
    let news = numbers.iter().copied().map(alive).collect();
    told(&room.input(Input::Told { from: id(from), message: Message::News(news) }))
}

#[test]
fn the_first_news_travels_at_once_and_what_follows_travels_together() {
    let mut room = Room::new();
    [1, 2].into_iter().for_each(|number| drop(room.links(id(number), LIFE)));
    assert_eq!(hear(&mut room, 1, &[3]), [(id(2), vec![id(3)])]);
    assert!(hear(&mut room, 1, &[4]).is_empty());
    assert!(hear(&mut room, 2, &[5]).is_empty());
    // Both know of this one.
    assert!(hear(&mut room, 1, &[6]).is_empty());
    assert!(hear(&mut room, 2, &[6]).is_empty());
    let mut together = told(&room.wait(50 * MS));
    together.sort_unstable();
    let mut expected = [(id(1), vec![id(5)]), (id(2), vec![id(4)])];
    expected.sort_unstable();
    assert_eq!(together, expected);
    // It goes on: the next wait is twice as long.
    assert!(hear(&mut room, 1, &[7]).is_empty());
    assert!(told(&room.wait(90 * MS)).is_empty());
    assert_eq!(told(&room.wait(10 * MS)), [(id(2), vec![id(7)])]);
    // After a rest the first travels at once again.
    room.wait(SECOND);
    assert_eq!(hear(&mut room, 1, &[8]), [(id(2), vec![id(8)])]);
}

#[test]
fn sixty_four_that_start_at_once_are_one_mesh_soon_and_for_few_messages() {
    const NODES: u8 = 64;
    let config = MembershipConfig { found_after: Some(200 * MS), ..MembershipConfig::default() };
    let mut mesh = Mesh::empty(config);
    (0..NODES).for_each(|number| mesh.start(number, false));
    mesh.run(4 * SECOND);
    mesh.expect_whole(NODES);
    let each = mesh.messages / u64::from(NODES);
    assert!(each <= 150, "{each} messages each, probes left out");
    let suspected = |finding: &Finding| matches!(finding, Finding::Suspected { .. });
    assert_eq!(mesh.count_all(suspected), 0, "{:#?}", mesh.tail());
}

#[test]
fn a_node_that_is_always_late_waits_longer_and_blames_nobody() {
    let mut mesh = Mesh::new(5);
    for _ in 0..60 {
        mesh.pause(0, 180 * MS);
        mesh.run(179 * MS);
        // Its clock has its turn before it reads what was sent to it.
        mesh.input(0, Input::Tick);
        mesh.run(20 * MS);
    }
    let suspected = |finding: &Finding| matches!(finding, Finding::Suspected { .. });
    assert_eq!(mesh.count(0, suspected), 0, "{:#?}", mesh.tail());
    mesh.kill(4);
    mesh.run(5 * SECOND);
    assert_eq!(mesh.put_out().into_iter().collect::<Vec<_>>(), [4]);
}
