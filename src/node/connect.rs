//! Whom to be linked with: from now on, no more, and for good.

use multiaddr::Multiaddr;

use super::command::Command;
use super::error::Error;
use super::handle::Node;
use crate::base::id::NodeId;
use crate::config::ConfigError;
use crate::protocol::discovery::Topology;

impl Node {
    /// Links with whoever lives at this address; `/p2p/…` at its end pins the id. Where nobody
    /// answers, the address is remembered and tried again in the background. Dropped before it is
    /// ready, the dial goes on.
    ///
    /// # Errors
    /// Linked already, nobody there, not of this network, ourselves.
    ///
    /// ```
    /// # use gossip_mesh::{Config, ConnectError, Error, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let one = Node::builder().config(Config::lab()).spawn().await?;
    /// let two = Node::builder().config(Config::lab()).spawn().await?;
    /// let address = one.addresses().await?.remove(0);
    /// assert_eq!(two.connect(address.clone()).await?, one.id());
    /// let again = two.connect(address).await;
    /// assert_eq!(again, Err(Error::Connect(ConnectError::AlreadyLinked(one.id()))));
    /// # one.leave().await?; two.leave().await }
    /// ```
    pub async fn connect(&self, address: Multiaddr) -> Result<NodeId, Error> {
        Ok(self.ask(|reply| Command::Connect { address, reply }).await??)
    }

    /// Closes the link with a node: it is not dialled, and a link it dials is closed at once, until
    /// told to connect. Whoever is not linked yet is kept off likewise. The other node knows
    /// nothing of this; it tries again, less and less often.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let one = Node::builder().config(Config::lab()).spawn().await?;
    /// let two = Node::builder().config(Config::lab()).spawn().await?;
    /// let id = two.connect(one.addresses().await?.remove(0)).await?;
    /// two.disconnect(id).await?;
    /// # one.leave().await?; two.leave().await }
    /// ```
    pub async fn disconnect(&self, node: NodeId) -> Result<(), Error> {
        self.tell(Command::Disconnect(node)).await
    }

    /// Forgets a node that is gone for good: its card, its addresses, its place among the
    /// neighbours. It is welcome if it comes back in a new life.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, SecretKey};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let long_gone = SecretKey::generate().id();
    /// node.forget(long_gone).await?;
    /// # node.leave().await }
    /// ```
    pub async fn forget(&self, node: NodeId) -> Result<(), Error> {
        self.tell(Command::Forget(node)).await
    }

    /// Changes whom this node wants to be linked with. A node that began with neighbours stays
    /// with them: they change, and whether it mends its neighbourhood.
    ///
    /// # Errors
    /// [`Error::Stopped`]. A change between open and either of the others is refused as a
    /// contradiction of settings, because gossipsub's mesh is set up once; so are degrees that
    /// contradict each other.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, SecretKey, Topology};
    /// # use std::collections::BTreeMap;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let mut config = Config::lab();
    /// config.topology = Topology::Fixed(BTreeMap::new());
    /// let node = Node::builder().config(config).spawn().await?;
    /// let neighbour = SecretKey::generate().id();
    /// let place = "/ip4/127.0.0.1/tcp/7002".parse().unwrap();
    /// node.rewire(Topology::Fixed(BTreeMap::from([(neighbour, vec![place])]))).await?;
    /// # node.leave().await }
    /// ```
    pub async fn rewire(&self, topology: Topology) -> Result<(), Error> {
        if topology.is_open() != self.config().topology.is_open() {
            return Err(Error::Config(ConfigError::one(
                "a running node cannot change between an open and a fixed topology: start it \
                 anew with the other one"
                    .to_owned(),
            )));
        }
        if let Some(wrong) = topology.contradiction() {
            return Err(Error::Config(ConfigError::one(wrong.to_owned())));
        }
        self.tell(Command::Rewire(topology)).await
    }
}
