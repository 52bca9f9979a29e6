#![cfg(feature = "net")]
//! Promises about topics, kept by real nodes on loopback.

use futures::StreamExt;
use gossip_mesh::{Config, Node, Topic};

const CHAT: Topic<String> = Topic::new("chat");

#[tokio::test]
async fn two_nodes_that_know_one_address_say_hello() {
    let one = Node::builder().config(Config::lab()).spawn().await.unwrap();
    let two = Node::builder()
        .config(Config::lab())
        .bootstrap(one.addresses().await.unwrap().remove(0).to_string())
        .spawn()
        .await
        .unwrap();
    let mut lines = two.subscribe(CHAT).await.unwrap();
    one.publish(CHAT, &"hello".to_string()).await.unwrap();
    let line = lines.next().await.unwrap();
    assert_eq!((line.author, line.value.as_str()), (one.id(), "hello"));
    one.leave().await.unwrap();
    two.leave().await.unwrap();
}
