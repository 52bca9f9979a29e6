//! Two nodes play ping-pong over two topics: `cargo run --example ping_pong`.

use futures::StreamExt;
use gossip_mesh::{Config, Error, Node, Topic};
use tokio::time::Instant;

const PING: Topic<u32> = Topic::new("ping");
const PONG: Topic<u32> = Topic::new("pong");

#[tokio::main]
async fn main() -> Result<(), Error> {
    let one = Node::builder().config(Config::lab()).spawn().await?;
    let two = Node::builder().config(Config::lab()).spawn().await?;
    let mut pongs = one.subscribe(PONG).await?;
    let paddle = two.clone();
    let _returns = two
        .on(PING, move |ping| {
            let pong = paddle.publish(PONG, &ping.value);
            async move { drop(pong.await) }
        })
        .await?;
    for address in one.addresses().await? {
        two.connect(address).await?;
    }

    for round in 1..=5 {
        let begun = Instant::now();
        one.publish(PING, &round).await?;
        if let Some(pong) = pongs.next().await {
            println!("ping {round}, pong {} after {:?}", pong.value, begun.elapsed());
        }
    }
    two.leave().await?;
    one.leave().await
}
