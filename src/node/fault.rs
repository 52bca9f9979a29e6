//! Links that are disturbed on purpose.

use super::command::Command;
use super::error::Error;
use super::handle::Node;
use crate::net::Fault;

impl Node {
    /// Disturbs links of this node on purpose, or ends that: for tests. Dropped before it is ready,
    /// it may or may not have been done.
    ///
    /// # Errors
    /// [`Error::Fault`] where this is not allowed, or cannot be: nothing was changed.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// use gossip_mesh::{Error, Fault, FaultEffect, FaultError};
    /// let cut_off = Fault::with_all(FaultEffect::Cut);
    /// let node = Node::builder().config(Config::lab()).faults(true).spawn().await?;
    /// node.fault(cut_off).await?;
    /// assert_eq!(node.faults().await?, [cut_off]);
    /// let other = Node::builder().config(Config::lab()).spawn().await?;
    /// assert_eq!(other.fault(cut_off).await, Err(Error::Fault(FaultError::Off)));
    /// # node.leave().await?; other.leave().await }
    /// ```
    pub async fn fault(&self, fault: Fault) -> Result<(), Error> {
        self.disturb(vec![fault]).await
    }

    /// The same for several, in this order: all or none.
    pub(super) async fn disturb(&self, faults: Vec<Fault>) -> Result<(), Error> {
        Ok(self.ask(|reply| Command::Disturb { faults, reply }).await??)
    }

    /// The faults in force.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// assert!(node.faults().await?.is_empty());
    /// # node.leave().await }
    /// ```
    pub async fn faults(&self) -> Result<Vec<Fault>, Error> {
        self.ask(Command::Faults).await
    }
}
