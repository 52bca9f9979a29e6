//! Nodes that die, and come back.

use std::time::Duration;

use gossip_mesh::{Config, Finding, Standing};
use tokio::time::Instant;

use crate::mesh::{Member, Mesh, fragile};

/// The verdict needs 1 s for the suspect to contradict, and some probes before; the rest is for a
/// busy machine. The measured times are those of `.ci/measure-membership`.
const SOON: Duration = Duration::from_secs(6);

#[tokio::test]
async fn a_node_that_dies_is_down_at_all_others_by_a_quorum_with_a_proof() {
    let mut mesh = Mesh::of(5, fragile()).await;
    let dead = mesh.id(4);
    let start = Instant::now();
    mesh.kill(4);
    for member in &mesh.members {
        let (at, down) = member.sees_down(dead, 0).await;
        assert!(at - start < SOON, "{:?}", at - start);
        let Finding::Down { voters, quorum, .. } = down else { unreachable!() };
        assert_eq!(quorum, 3, "more than half of 5");
        assert!(voters.len() >= 3 && !voters.contains(&dead), "{voters:?}");
    }
    mesh.agrees().await;
    for member in &mesh.members {
        let story = member.node.why(dead).await.unwrap();
        assert_eq!(story.standing, Some(Standing::Down));
        let proof = story.certificate.unwrap();
        assert_eq!((proof.check(), proof.subject), (Ok(()), dead));
    }
    mesh.nobody_found("another one down", |it| {
        matches!(it, Finding::Down { node, .. } if *node != dead)
            || matches!(it, Finding::GoingDown { .. })
    });
    mesh.end().await;
}

#[tokio::test]
async fn a_dead_node_comes_back_with_its_key_at_once_and_as_a_new_life() {
    let mut mesh = Mesh::of(4, fragile()).await;
    let dead = mesh.id(3);
    let before = mesh.members[3].overview().await.incarnation;
    mesh.kill(3);
    for member in &mesh.members {
        member.sees_down(dead, 0).await;
    }
    let start = Instant::now();
    let again = Member::spawn(3, mesh.joining().await).await;
    mesh.members.push(again);
    mesh.agrees().await;
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    let after = mesh.members[3].overview().await.incarnation;
    assert!(after.life > before.life, "{before:?} {after:?}");
    for member in &mesh.members[..3] {
        let members = member.node.members().await.unwrap();
        let seen = members.iter().find(|it| it.id == dead).unwrap();
        assert_eq!((seen.standing, seen.incarnation.life), (Standing::Alive, after.life));
    }
    mesh.members[3].found().iter().for_each(|it| {
        assert!(!matches!(it, Finding::TakedownReceived { .. }), "that was another life");
    });
    mesh.end().await;
}

#[tokio::test]
async fn two_that_die_at_once_are_both_put_out_by_the_three_that_live() {
    let mut mesh = Mesh::of(5, fragile()).await;
    let dead = [mesh.id(3), mesh.id(4)];
    mesh.kill(4);
    mesh.kill(3);
    for member in &mesh.members {
        for subject in dead {
            member.sees_down(subject, 0).await;
        }
    }
    mesh.agrees().await;
    mesh.end().await;
}

#[tokio::test]
async fn of_two_none_can_put_out_the_other_and_it_is_told_once() {
    let mut mesh = Mesh::of(2, fragile()).await;
    let dead = mesh.id(1);
    mesh.kill(1);
    let unavailable = |it: &Finding| match it {
        Finding::QuorumUnavailable { node, quorum, voters } if *node == dead => {
            Some((*quorum, *voters))
        }
        _ => None,
    };
    let (_, needs) = mesh.members[0].finds("no quorum", 0, unavailable).await;
    assert_eq!(needs, (2, 1), "two votes and one voter");
    let again = Member::spawn(1, mesh.joining().await).await;
    mesh.members.push(again);
    mesh.agrees().await;
    let found = mesh.members[0].found();
    assert_eq!(found.iter().filter_map(unavailable).count(), 1, "{found:#?}");
    mesh.nobody_went_down();
    mesh.end().await;
}

#[tokio::test]
async fn all_that_start_at_once_are_one_mesh() {
    let mesh = Mesh::of(12, fragile()).await;
    let founders = mesh.members.iter().flat_map(Member::found);
    let founders =
        founders.filter(|it| matches!(it, Finding::Rejoined { through: None, .. })).count();
    assert_eq!(founders, 1);
    mesh.nobody_went_down();
    mesh.end().await;
}

#[tokio::test]
async fn a_mesh_that_stopped_as_a_whole_goes_on_as_the_same() {
    let folders: Vec<_> = (0..5).map(|_| tempfile::tempdir().unwrap()).collect();
    let with_folder = |number: usize, config: Config| {
        let mut config = Config { data: Some(folders[number].path().to_owned()), ..config };
        config.api.unix = false;
        config
    };
    let mut members: Vec<Member> = Vec::new();
    let mut addresses = Vec::new();
    for number in 0..5 {
        let config = Config { bootstrap: addresses.clone(), ..with_folder(number, fragile()) };
        let member = Member::spawn(number, config).await;
        addresses.push(crate::nodes::address(&member.node).await);
        members.push(member);
    }
    let mesh = Mesh::with(members, fragile());
    mesh.agrees().await;
    // What is agreed on is saved a second later.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let lives: Vec<_> = mesh.members.iter().map(Member::id).collect();
    mesh.stop().await;

    let mut members = Vec::new();
    for (number, address) in addresses.iter().enumerate() {
        let mut config = Config { bootstrap: addresses.clone(), ..with_folder(number, fragile()) };
        config.listen = vec![crate::nodes::place(address)];
        members.push(Member::spawn(number, config).await);
    }
    let mesh = Mesh::with(members, fragile());
    mesh.agrees().await;
    assert_eq!(mesh.members.iter().map(Member::id).collect::<Vec<_>>(), lives);
    mesh.nobody_found("a founding", |it| matches!(it, Finding::Rejoined { through: None, .. }));
    mesh.nobody_went_down();
    mesh.end().await;
}
