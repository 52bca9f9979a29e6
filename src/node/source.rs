//! A user's own way to find nodes.

use futures::stream::BoxStream;
use multiaddr::Multiaddr;

use crate::base::id::NodeId;

/// Somebody told where a node may be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sighting {
    /// Who is there, when known. A wrong id costs a failed dial and nothing else.
    pub node: Option<NodeId>,
    /// Where. At least one, or the sighting says nothing.
    pub addresses: Vec<Multiaddr>,
}

/// A source of addresses beside the bootstrap list, mDNS and Kademlia: a file, a cloud's list of
/// machines, a registry …
///
/// Sightings are hints: they are remembered within `discovery.max_sightings`, dialled as links are
/// wanted, and whoever answers still has to pass the hello.
///
/// ```no_run
/// use futures::stream::{self, BoxStream, StreamExt};
/// use gossip_mesh::{AddressSource, Node, Sighting};
///
/// struct Fixed;
/// impl AddressSource for Fixed {
///     fn sightings(self: Box<Self>) -> BoxStream<'static, Sighting> {
///         let address = "/ip4/192.168.1.2/tcp/4001".parse().unwrap();
///         stream::iter([Sighting { node: None, addresses: vec![address] }]).boxed()
///     }
/// }
/// # async fn example() -> Result<(), gossip_mesh::Error> {
/// let node = Node::builder().source(Fixed).spawn().await?;
/// # Ok(()) }
/// ```
pub trait AddressSource: Send + 'static {
    /// The sightings, as they come. The node polls the stream while it runs and drops it when it
    /// stops.
    fn sightings(self: Box<Self>) -> BoxStream<'static, Sighting>;
}
