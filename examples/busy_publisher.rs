//! A hundred thousand messages, as fast as the network takes them; who publishes waits while there
//! is no room, and who reads looks at what was lost: `cargo run --release --example
//! busy_publisher`.

use futures::StreamExt;
use gossip_mesh::{Config, Error, Node, Topic};
use tokio::time::Instant;

const TICKS: Topic<u64> = Topic::new("ticks");
const ALL: u64 = 100_000;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let one = Node::builder().config(Config::lab()).spawn().await?;
    let two = Node::builder().config(Config::lab()).spawn().await?;
    let mut ticks = two.subscribe(TICKS).await?;
    two.connect(one.addresses().await?.remove(0)).await?;
    one.topic(TICKS).wait_for_reader().await?;

    let begun = Instant::now();
    let publisher = one.publisher(TICKS).await?;
    let publish = async {
        for tick in 1..=ALL {
            publisher.send(&tick).await?;
        }
        Ok::<(), Error>(())
    };
    let read = async {
        let (mut came, mut missed) = (0, 0);
        while let Some(tick) = ticks.next().await {
            (came, missed) = (came + 1, missed + tick.missed);
            if tick.value == ALL {
                break;
            }
        }
        println!("{came} came and {missed} were lost, within {:?}", begun.elapsed());
    };
    let (sent, ()) = tokio::join!(publish, read);
    sent?;
    two.leave().await?;
    one.leave().await
}
