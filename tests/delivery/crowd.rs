//! Many authors at once.

use futures::future::join_all;
use gossip_mesh::Node;

use crate::book::LOAD;
use crate::mesh::{FIRST, Mesh, beside_others};
use crate::nodes::lab;

const EACH: u64 = 2_000;

async fn writes(node: &Node) {
    let publisher = node.publisher(LOAD).await.unwrap();
    for _ in 0..EACH {
        publisher.send(&vec![9; 100]).await.unwrap();
    }
}

/// Drawn once: three neighbours for each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_that_all_write_and_read_as_fast_as_they_can_get_all_in_order_once() {
    let edges = [
        (0, 1),
        (0, 4),
        (0, 7),
        (1, 2),
        (1, 5),
        (2, 3),
        (2, 6),
        (3, 4),
        (3, 7),
        (4, 5),
        (5, 6),
        (6, 7),
    ];
    let _beside = beside_others().await;
    let mesh = Mesh::of(&lab(), 8, &edges).await;
    join_all(mesh.nodes.iter().map(writes)).await;
    for author in 0..8 {
        mesh.reach(&[0, 1, 2, 3, 4, 5, 6, 7], author, FIRST + EACH).await;
    }
    for (reader, book) in mesh.books.iter().enumerate() {
        let page = book.page();
        assert_eq!((page.came, page.missed), (8 * (FIRST + EACH), 0), "reader {reader}");
    }
    mesh.end().await;
}
