//! Three workers share jobs, each job goes to one of them: `cargo run --example queue_group`.

use futures::StreamExt;
use gossip_mesh::{Config, Error, Node, Strategy, Topic};

const JOBS: Topic<u32> = Topic::new("jobs");

#[tokio::main]
async fn main() -> Result<(), Error> {
    let author = Node::builder().config(Config::lab()).spawn().await?;
    let mut workers = Vec::new();
    for name in ["ada", "bob", "eve"] {
        let node = Node::builder().config(Config::lab()).name(name).spawn().await?;
        let jobs = node.subscribe(JOBS).group("workers").await?;
        node.connect(author.addresses().await?.remove(0)).await?;
        workers.push((node, jobs));
    }
    // The author chooses a worker for each job, so it has to know all of them.
    let topic = author.topic(JOBS).strategy(Strategy::RoundRobin);
    while topic.readers().await?.len() < workers.len() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }

    for job in 1..=6 {
        topic.publish(&job).await?;
    }
    for (node, jobs) in &mut workers {
        let done: Vec<u32> = jobs.take(2).map(|job| job.value).collect().await;
        println!("{} did {done:?}", node.name());
        node.leave().await?;
    }
    author.leave().await
}
