//! Why a node stands as it stands, and the record that proves it.

use super::command::Command;
use super::error::Error;
use super::handle::Node;
use crate::base::id::NodeId;
use crate::engine::{Recording, Story};

impl Node {
    /// Why a node stands as it stands: what this node found out about it, in order, and in what
    /// condition it is; also why it is *not* down. Of this node itself it tells its refutations,
    /// self-doubts and take-downs. The story of a node never heard of is empty. Dropping it is
    /// safe.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    ///
    /// ```
    /// # use gossip_mesh::{Condition, Config, Node, SecretKey};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let stranger = SecretKey::generate().id();
    /// let story = node.why(stranger).await?;
    /// assert_eq!(story.condition, Condition::Unknown);
    /// assert_eq!(story.headline(&|_| "eve".to_owned()), "eve: never heard of here");
    /// # node.leave().await }
    /// ```
    pub async fn why(&self, node: NodeId) -> Result<Story, Error> {
        self.ask(|reply| Command::Why { node, reply }).await
    }

    /// What came into this node's membership for the last while, to be looked at again elsewhere:
    /// see [`Recording::replay`]. Some MiB, and no secrets. Dropping it is safe.
    ///
    /// # Errors
    /// [`Error::NotRecorded`] when the settings say so, [`Error::Stopped`].
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Recording};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let saved = node.recording().await?.to_bytes();
    /// let recording = Recording::from_bytes(&saved).unwrap();
    /// assert_eq!(recording.header().node, node.id());
    /// assert!(recording.replay().all(|step| step.unwrap().same));
    /// # node.leave().await }
    /// ```
    pub async fn recording(&self) -> Result<Recording, Error> {
        self.ask(Command::Recording).await?.ok_or(Error::NotRecorded)
    }
}
