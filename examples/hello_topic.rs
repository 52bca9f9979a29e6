//! One node says hello on a topic, another hears it: `cargo run --example hello_topic`.
//! With the address of a running node it joins that node and prints what it hears, for ever:
//! `cargo run --example hello_topic /ip4/192.168.1.2/tcp/4001`.

use futures::StreamExt;
use gossip_mesh::{Config, Error, Node, Topic};

const HELLO: Topic<String> = Topic::new("hello");

#[tokio::main]
async fn main() -> Result<(), Error> {
    if let Some(address) = std::env::args().nth(1) {
        return listen(&address).await;
    }
    let one = Node::builder().config(Config::lab()).name("one").spawn().await?;
    let two = Node::builder().config(Config::lab()).name("two").spawn().await?;
    let mut lines = two.subscribe(HELLO).await?;
    for address in one.addresses().await? {
        two.connect(address).await?;
    }

    one.publish(HELLO, &"hello".to_string()).await?;
    if let Some(line) = lines.next().await {
        println!("{} heard `{}`", two.name(), line.value);
    }
    two.leave().await?;
    one.leave().await
}

async fn listen(address: &str) -> Result<(), Error> {
    let node = Node::builder().bootstrap(address).spawn().await?;
    let mut lines = node.subscribe(HELLO).await?;
    while let Some(line) = lines.next().await {
        println!("{}: {}", line.author, line.value);
    }
    Ok(())
}
