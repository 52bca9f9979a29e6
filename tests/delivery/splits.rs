//! Networks in two pieces: what either side wrote meanwhile comes to the other after the heal.

use std::time::Duration;

use gossip_mesh::{FaultEffect, Node, NodeId, Standing};

use crate::book::LOAD;
use crate::mesh::{Edge, FIRST, Mesh, beside_others, fragile};
use crate::nodes::{eventually, is_linked};

/// How long the sides write while they are apart. Repair reaches back 10 s.
const APART: u64 = 150;
const BREATH: Duration = Duration::from_millis(20);

/// Cuts all links between the first `size` nodes and the rest, and waits until the sides know it.
async fn split(mesh: &Mesh, size: usize) {
    let sides = (0..size).flat_map(|a| (size..mesh.nodes.len()).map(move |b| (a, b)));
    for pair in sides.clone() {
        mesh.between(pair, FaultEffect::Cut).await;
    }
    for (a, b) in sides {
        eventually("the end of the links between the sides", || async {
            !is_linked(&mesh.nodes[a], mesh.nodes[b].id()).await
                && !is_linked(&mesh.nodes[b], mesh.nodes[a].id()).await
        })
        .await;
    }
}

/// Whether the first node takes one of the other side for dead.
async fn has_put_out(mesh: &Mesh, size: usize) -> bool {
    let members = mesh.nodes[0].members().await.unwrap();
    let others: Vec<NodeId> = mesh.nodes[size..].iter().map(Node::id).collect();
    members.iter().any(|it| it.standing == Standing::Down && others.contains(&it.id))
}

/// Messages, in bursts of ten now and then.
async fn write(mesh: &Mesh, author: usize, amount: u64) -> u64 {
    let publisher = mesh.nodes[author].publisher(LOAD).await.unwrap();
    let mut sent = 0;
    for number in 0..amount {
        for _ in 0..if number % 10 == 0 { 30 } else { 1 } {
            publisher.send(&vec![3; 100]).await.unwrap();
            sent += 1;
        }
        tokio::time::sleep(BREATH).await;
    }
    publisher.flush().await.unwrap();
    sent
}

async fn meets_again(size: usize) {
    let _beside = beside_others().await;
    let ring: Vec<Edge> = (0..8).map(|n| (n, (n + 1) % 8)).collect();
    let mesh = Mesh::of(&fragile(), 8, &ring).await;
    let (all, authors) = ([0, 1, 2, 3, 4, 5, 6, 7], [0, 1, 6, 7]);
    let mut sent = [FIRST; 4];
    // Before, apart, and together again.
    for (amount, apart) in [(20, false), (APART, true), (20, false)] {
        if apart {
            split(&mesh, size).await;
        }
        let writing = authors.map(|author| write(&mesh, author, amount));
        for (sum, more) in sent.iter_mut().zip(futures::future::join_all(writing).await) {
            *sum += more;
        }
        if apart {
            let decides = 2 * size > mesh.nodes.len();
            assert_eq!(has_put_out(&mesh, size).await, decides, "only a majority decides");
            mesh.heal().await;
        }
        for (author, sent) in authors.into_iter().zip(sent) {
            mesh.reach(&all, author, sent).await;
        }
    }
    for (reader, book) in mesh.books.iter().enumerate() {
        let page = book.page();
        assert_eq!(
            (page.came, page.missed),
            (sent.iter().sum::<u64>() + 4 * FIRST, 0),
            "reader {reader}"
        );
    }
    mesh.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_halves_that_part_and_meet_lack_nothing_of_each_other() {
    meets_again(4).await;
}

/// The smaller side is put out meanwhile, and comes back as a newer incarnation of the same life.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_minority_that_was_put_out_and_comes_back_lacks_nothing_and_nothing_of_it_is_lost() {
    meets_again(5).await;
}
