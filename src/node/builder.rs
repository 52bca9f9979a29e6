//! What a node is to be: its settings, from code. `start.rs` makes it.

use std::path::PathBuf;

use multiaddr::Multiaddr;

use super::source::AddressSource;
use crate::base::key::{NetworkKey, SecretKey};
use crate::config::{Config, ConfigError};

/// Settings on their way to a running node. Everything has a default that works at once on a LAN.
///
/// ```no_run
/// # async fn example() -> Result<(), gossip_mesh::Error> {
/// use gossip_mesh::{Config, NetworkKey, Node};
///
/// let node = Node::builder()
///     .config(Config::lan())
///     .name("kitchen")
///     .network("home")
///     .network_key("5a".repeat(32).parse().unwrap())
///     .bootstrap("/ip4/192.168.1.2/tcp/4001")
///     .data("kitchen-node")
///     .spawn()
///     .await?;
/// # Ok(()) }
/// ```
#[must_use = "a node runs after `spawn().await`"]
pub struct Builder {
    pub(super) config: Config,
    pub(super) key: Option<SecretKey>,
    pub(super) network_key: Option<NetworkKey>,
    pub(super) sources: Vec<Box<dyn AddressSource>>,
    /// What `config.listen` has was given by `listen`; nothing there is the preset's.
    listens: bool,
    wrong: Vec<String>,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            config: Config::lan(),
            key: None,
            network_key: None,
            sources: Vec::new(),
            listens: false,
            wrong: Vec::new(),
        }
    }

    /// Replaces all settings made so far, keys aside.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self.listens = false;
        self
    }

    /// What people call the node. Names may repeat.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.config.name = Some(name.into());
        self
    }

    /// The network's name. Nodes of different networks refuse each other.
    pub fn network(mut self, name: impl Into<String>) -> Self {
        self.config.network = name.into();
        self
    }

    /// The secret all members share. Without one the network is open: whoever knows its name may
    /// join.
    ///
    /// ```
    /// # use gossip_mesh::{Config, NetworkKey, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// // The same 64 digits on every member.
    /// let key: NetworkKey = "5a".repeat(32).parse().unwrap();
    /// let node = Node::builder().config(Config::lab()).network_key(key).spawn().await?;
    /// # node.leave().await }
    /// ```
    pub fn network_key(mut self, key: NetworkKey) -> Self {
        self.network_key = Some(key);
        self
    }

    /// The node's own key. Without one, and without a data folder or key file, every start is a
    /// new node.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, SecretKey};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// // Kept where the program keeps its secrets: the same key is the same node.
    /// let key = SecretKey::generate();
    /// let node = Node::builder().config(Config::lab()).key(key.clone()).spawn().await?;
    /// assert_eq!(node.id(), key.id());
    /// # node.leave().await }
    /// ```
    pub fn key(mut self, key: SecretKey) -> Self {
        self.key = Some(key);
        self
    }

    /// The data folder: the node's key, store and the socket of its local API. Made when missing.
    pub fn data(mut self, folder: impl Into<PathBuf>) -> Self {
        self.config.data = Some(folder.into());
        self
    }

    /// Listens here, and nowhere the presets say. May be called again for more addresses.
    /// An address that cannot be parsed is reported by `spawn`.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let lab = Node::builder().config(Config::lab());
    /// let both = lab.listen("/ip4/127.0.0.1/tcp/0").listen("/ip4/127.0.0.1/tcp/0/ws");
    /// let node = both.spawn().await?;
    /// assert_eq!(node.addresses().await?.len(), 2);
    /// # node.leave().await }
    /// ```
    pub fn listen(mut self, address: impl AsRef<str>) -> Self {
        let is_first = !std::mem::replace(&mut self.listens, true);
        if is_first && self.config.listen == Config::preset(self.config.preset).listen {
            self.config.listen.clear();
        }
        if let Some(address) = self.parse("listen", address.as_ref()) {
            self.config.listen.push(address);
        }
        self
    }

    /// Tells others this address instead of those listened on. May be called again.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let lab = Node::builder().config(Config::lab());
    /// let node = lab.announce("/dns4/node.example/tcp/4001").spawn().await?;
    /// let told = node.addresses().await?.remove(0);
    /// assert!(told.to_string().starts_with("/dns4/node.example/tcp/4001/p2p/"));
    /// # node.leave().await }
    /// ```
    pub fn announce(mut self, address: impl AsRef<str>) -> Self {
        if let Some(address) = self.parse("announce", address.as_ref()) {
            self.config.announce.push(address);
        }
        self
    }

    /// A place where a member may be; any member will do, and it need not be up yet. May be called
    /// again. `/p2p/…` at its end pins the member's id.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Event, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// use futures::StreamExt;
    /// let one = Node::builder().config(Config::lab()).spawn().await?;
    /// let mut events = one.events();
    /// let place = one.addresses().await?.remove(0).to_string();
    /// let node = Node::builder().config(Config::lab()).bootstrap(place).spawn().await?;
    /// let online = Event::Online { node: node.id(), life: node.overview().await?.life };
    /// while events.next().await != Some(online.clone()) {}
    /// # one.leave().await?;
    /// # node.leave().await }
    /// ```
    pub fn bootstrap(mut self, address: impl AsRef<str>) -> Self {
        if let Some(address) = self.parse("bootstrap", address.as_ref()) {
            self.config.bootstrap.push(address);
        }
        self
    }

    /// Whether links may be disturbed on purpose, for tests: see [`Fault`](crate::Fault). Off
    /// without this. Such a node has no QUIC.
    pub fn faults(mut self, allowed: bool) -> Self {
        self.config.faults = allowed;
        self
    }

    /// A way of your own to find nodes.
    pub fn source(mut self, source: impl AddressSource) -> Self {
        self.sources.push(Box::new(source));
        self
    }

    fn parse(&mut self, what: &str, text: &str) -> Option<Multiaddr> {
        text.parse()
            .map_err(|error| {
                self.wrong.push(format!(
                    "`{what}`: `{text}` is not an address ({error}): write it like \
                     `/ip4/192.168.1.2/tcp/4001`"
                ));
            })
            .ok()
    }

    /// Checks the settings without starting anything.
    ///
    /// # Errors
    /// Names all contradictions at once.
    ///
    /// ```
    /// # use gossip_mesh::Node;
    /// let settings = Node::builder().bootstrap("the kitchen").network("");
    /// assert_eq!(settings.check().unwrap_err().0.len(), 2);
    /// ```
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut wrong = self.wrong.clone();
        if self.key.is_some() && self.config.key_file.is_some() {
            wrong.push("the key is given as a value and as `key_file`: give one".to_owned());
        }
        if self.network_key.is_some() && self.config.network_key_file.is_some() {
            wrong.push(
                "the network key is given as a value and as `network_key_file`: give one"
                    .to_owned(),
            );
        }
        if let Err(ConfigError(more)) = self.config.check() {
            wrong.extend(more);
        }
        if wrong.is_empty() { Ok(()) } else { Err(ConfigError(wrong)) }
    }
}
