//! Links that are late, stall and break while two authors storm and one is calm: everybody gets
//! all of it, in order, once.

use std::time::Duration;

use crate::book::LOAD;
use crate::mesh::{Edge, FIRST, Mesh, beside_others, fragile};
use crate::script::Script;

/// Messages of each author that storms, in bursts.
const STORM: u64 = 5_000;
const BURST: u64 = 250;

/// Messages of the calm one.
const CALM: u64 = 200;

/// From one burst, or calm message, to the next.
const BREATH: Duration = Duration::from_millis(40);

async fn storms(mesh: &Mesh, author: usize) {
    let publisher = mesh.nodes[author].publisher(LOAD).await.unwrap();
    for number in 1..=STORM {
        publisher.send(&vec![1; 100]).await.unwrap();
        if number % BURST == 0 {
            tokio::time::sleep(8 * BREATH).await;
        }
    }
}

async fn is_calm(mesh: &Mesh, author: usize) {
    for _ in 0..CALM {
        mesh.nodes[author].publish(LOAD, &vec![2; 100]).await.unwrap();
        tokio::time::sleep(BREATH).await;
    }
}

/// Eight nodes along these edges, each of which is disturbed now and then.
async fn holds(seed: u64, edges: &[Edge]) {
    let _beside = beside_others().await;
    let mesh = Mesh::of(&fragile(), 8, edges).await;
    let publishing = async {
        tokio::join!(storms(&mesh, 0), storms(&mesh, 5), is_calm(&mesh, 3));
    };
    let scenes = Script::new(seed, edges).play(&mesh, publishing).await;
    assert!(scenes >= 4, "{scenes} are hardly a test");
    for (author, amount) in [(0, STORM), (5, STORM), (3, CALM)] {
        mesh.reach(&[0, 1, 2, 3, 4, 5, 6, 7], author, FIRST + amount).await;
    }
    for (reader, book) in mesh.books.iter().enumerate() {
        let page = book.page();
        let stats = mesh.nodes[reader].overview().await.unwrap().stats;
        let (repair, links, members) = (stats.topic, stats.link, stats.membership);
        let how = format!("reader {reader}: {repair:?} {links:?} {members:?}");
        assert_eq!((page.came, page.missed), (2 * STORM + CALM + 8 * FIRST, 0), "{how}");
    }
    let mut reopened = 0;
    for node in &mesh.nodes {
        reopened += node.overview().await.unwrap().stats.link.reopened;
    }
    assert!(reopened > 0, "no link broke");
    mesh.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ring_of_faulty_links_delivers_all_in_order_once() {
    let edges: Vec<Edge> = (0..8).map(|n| (n, (n + 1) % 8)).collect();
    holds(1, &edges).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_of_faulty_links_delivers_all_in_order_once() {
    let edges: Vec<Edge> = (0..7).map(|n| (n, n + 1)).collect();
    holds(2, &edges).await;
}

/// Two diamonds, one behind the other, and an end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn diamonds_of_faulty_links_deliver_all_in_order_once() {
    let edges = [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (3, 5), (4, 6), (5, 6), (6, 7)];
    holds(3, &edges).await;
}

/// Drawn once: three neighbours for each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_random_graph_of_faulty_links_delivers_all_in_order_once() {
    let edges = [
        (0, 3),
        (0, 5),
        (0, 6),
        (1, 2),
        (1, 4),
        (1, 6),
        (2, 5),
        (2, 7),
        (3, 4),
        (3, 7),
        (4, 5),
        (6, 7),
    ];
    holds(4, &edges).await;
}
