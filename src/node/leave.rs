//! The end of a node.

use super::command::Command;
use super::error::Error;
use super::handle::Node;

impl Node {
    /// Says good-bye to all (they see *left*, not *failed*), stops, and returns when sockets and
    /// files are closed. All other verbs give [`Error::Stopped`] from then on. Dropped before it
    /// is ready, the node leaves all the same.
    ///
    /// # Errors
    /// None today; a node that has stopped already is no error.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Error, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// node.leave().await?;
    /// assert_eq!(node.peers().await, Err(Error::Stopped));
    /// # Ok(()) }
    /// ```
    pub async fn leave(&self) -> Result<(), Error> {
        match self.ask(Command::Leave).await {
            Ok(()) | Err(Error::Stopped) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Waits until the node has stopped, whoever made it stop, and its local API has given its last
    /// answers. Dropping it is safe.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let leaving = node.clone();
    /// tokio::spawn(async move { leaving.leave().await });
    /// node.stopped().await;
    /// # Ok(()) }
    /// ```
    pub async fn stopped(&self) {
        self.shared.commands.closed().await;
        #[cfg(feature = "api")]
        if let Some(mut served) = self.shared.served.get().cloned() {
            while served.changed().await.is_ok() {}
        }
    }
}
