//! Who comes late gets what was said before, of an author that is gone, and then what is new:
//! `cargo run --example late_joiner`.

use futures::StreamExt;
use gossip_mesh::{Config, Error, Node, Topic};

const CHAT: Topic<String> = Topic::new("chat");

#[tokio::main]
async fn main() -> Result<(), Error> {
    let author = Node::builder().config(Config::lab()).spawn().await?;
    let reader = Node::builder().config(Config::lab()).spawn().await?;
    let mut lines = reader.subscribe(CHAT).await?;
    reader.connect(author.addresses().await?.remove(0)).await?;
    for line in ["one", "two", "three"] {
        author.publish(CHAT, &line.to_string()).await?;
        lines.next().await;
    }
    author.leave().await?;

    let late = Node::builder().config(Config::lab()).spawn().await?;
    late.connect(reader.addresses().await?.remove(0)).await?;
    let mut lines = late.subscribe(CHAT).last(2).await?;
    for _ in 0..2 {
        if let Some(line) = lines.next().await.filter(|line| line.earlier) {
            println!("{} was said before", line.value);
        }
    }
    reader.publish(CHAT, &"four".to_string()).await?;
    if let Some(line) = lines.next().await.filter(|line| !line.earlier) {
        println!("{} is new", line.value);
    }
    late.leave().await?;
    reader.leave().await
}
