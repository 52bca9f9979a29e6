//! A node that starts again while the connection of its last life still looks alive.

use std::time::Duration;

use gossip_mesh::{Config, Node, SecretKey};

use crate::lab::{self, LOAD, load, take};
use crate::proxy::Proxy;

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
    let proxy = Proxy::to(&address).await;

    let key = SecretKey::generate();
    let first = start(&key).await;
    first.connect(proxy.address()).await.unwrap();
    first.publish(LOAD, &load(1, 4)).await.unwrap();
    assert_eq!(take(&mut at_stayed, 1).await, [1]);
    proxy.stall();
    // Gone without a good-bye.
    drop(first);

    let second = start(&key).await;
    let mut at_second = second.subscribe(LOAD).await.unwrap();
    let heard = async {
        // May have been cut while the old life's link was closed; then it is dialled again.
        let _ = second.connect(address).await;
        second.publish(LOAD, &load(2, 4)).await.unwrap();
        assert_eq!(take(&mut at_stayed, 1).await, [2]);
        stayed.publish(LOAD, &load(3, 4)).await.unwrap();
        assert_eq!(take(&mut at_second, 1).await, [3]);
    };
    tokio::time::timeout(Duration::from_secs(5), heard).await.expect("within seconds");
    lab::leave([stayed, second]).await;
}
