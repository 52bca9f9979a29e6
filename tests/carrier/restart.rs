//! A node that starts again, and again, while the connection of its last life still looks alive.

use std::time::Duration;

use gossip_mesh::{Config, Node, SecretKey};

use crate::lab::{self, LOAD, load, take};
use crate::proxy::Proxy;

/// Restarts, one after the other.
const LIVES: u32 = 10;

/// Nobody is pinged, so nothing but the new life can tell that the old connection is dead.
fn without_pings() -> Config {
    let mut config = lab::lab();
    config.link.ping_interval = Duration::from_secs(600);
    config
}

async fn start(key: &SecretKey) -> Node {
    Node::builder().config(without_pings()).key(key.clone()).spawn().await.expect("it starts")
}

/// gossipsub sends its subscriptions on the first of several connections only: without the life in
/// the hello the dead connection is the first one, and the new node hears nothing for ever.
#[tokio::test]
async fn a_node_that_restarts_while_its_old_connection_is_stalled_hears_and_is_heard() {
    let stayed = lab::spawn(without_pings()).await;
    let mut at_stayed = stayed.subscribe(LOAD).await.unwrap();
    let address = lab::address(&stayed).await;
    let key = SecretKey::generate();
    // The old lines stay open for as long as they are held.
    let mut lines = Vec::new();
    for life in 0..=LIVES {
        let node = start(&key).await;
        let mut at_node = node.subscribe(LOAD).await.unwrap();
        let line = Proxy::to(&address).await;
        let heard = async {
            // May have been cut while the old life's link was closed; then it is dialled again.
            let _ = node.connect(line.address()).await;
            node.publish(LOAD, &load(life, 4)).await.unwrap();
            assert_eq!(take(&mut at_stayed, 1).await, [life]);
            stayed.publish(LOAD, &load(100 + life, 4)).await.unwrap();
            assert_eq!(take(&mut at_node, 1).await, [100 + life]);
        };
        tokio::time::timeout(Duration::from_secs(5), heard).await.expect("within seconds");
        line.stall();
        lines.push(line);
        // It is gone without a good-bye.
    }
    lab::leave([stayed]).await;
}
