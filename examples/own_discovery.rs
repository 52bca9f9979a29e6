//! Nodes find each other in a way of your own, here a list in memory that could be a file or a
//! registry: `cargo run --example own_discovery`.

use futures::channel::mpsc;
use futures::stream::BoxStream;
use futures::{SinkExt, StreamExt};
use gossip_mesh::{AddressSource, Config, Error, Event, Node, Sighting};

struct Registry(mpsc::Receiver<Sighting>);

impl AddressSource for Registry {
    fn sightings(self: Box<Self>) -> BoxStream<'static, Sighting> {
        self.0.boxed()
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let (mut registry, sightings) = mpsc::channel(16);
    let one = Node::builder().config(Config::lab()).spawn().await?;
    let two = Node::builder().config(Config::lab()).source(Registry(sightings)).spawn().await?;
    let mut events = two.events();

    let sighting = Sighting { node: Some(one.id()), addresses: one.addresses().await? };
    // The node holds the other end while it runs.
    let _ = registry.send(sighting).await;
    while let Some(event) = events.next().await {
        if matches!(event, Event::Online { node, .. } if node == one.id()) {
            println!("found through the registry");
            break;
        }
    }
    two.leave().await?;
    one.leave().await
}
