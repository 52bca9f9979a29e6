//! Sixteen nodes in one process hear one message: `cargo run --example sixteen_nodes`.

use std::time::Duration;

use gossip_mesh::{Config, Error, Node, Topic};

const NEWS: Topic<String> = Topic::new("news");

#[tokio::main]
async fn main() -> Result<(), Error> {
    let first = Node::builder().config(Config::lab()).name("node 0").spawn().await?;
    let (mut nodes, mut lines) = (vec![first.clone()], vec![first.subscribe(NEWS).await?]);
    for number in 1..16 {
        let mut builder = Node::builder().config(Config::lab()).name(format!("node {number}"));
        for address in first.addresses().await? {
            builder = builder.bootstrap(address.to_string());
        }
        let node = builder.spawn().await?;
        lines.push(node.subscribe(NEWS).await?);
        nodes.push(node);
    }
    // Who reads what travels from node to node; soon the first one knows of all.
    while first.topic(NEWS).readers().await?.len() < 15 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    let news = "apple".to_string();
    let sent = first.publish(NEWS, &news).confirmed(Duration::from_secs(20)).await?;
    for node in nodes.iter().filter(|node| sent.report.holders.contains(&node.id())) {
        println!("{} has it", node.name());
    }
    println!("{} of 16 after {:?}", sent.report.holders.len(), sent.report.elapsed);
    futures::future::try_join_all(nodes.iter().map(Node::leave)).await.map(drop)
}
