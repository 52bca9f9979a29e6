//! How a node is made.

use std::path::PathBuf;

use futures::stream::{BoxStream, SelectAll};
use multiaddr::Multiaddr;
use tokio::sync::{broadcast, mpsc, watch};
use tracing::Instrument;

use super::command::MAILBOX;
use super::driver::Driver;
use super::error::Error;
use super::folder;
use super::handle::Node;
use super::replies::Replies;
use super::sinks::Sinks;
use super::source::{AddressSource, Sighting};
use super::tally::Tally;
use crate::base::id::Life;
use crate::base::key::{NetworkKey, SecretKey};
use crate::base::signer::Verifier;
use crate::config::{Config, ConfigError, RecorderConfig};
use crate::engine::{Engine, EngineSettings, Limits};
use crate::net::Network;
use crate::net::clock::{Clock, wall_time};
use crate::protocol::discovery::Settings;
use crate::protocol::membership::{MEMBERS, Saved};
use crate::store::{Op, Space, Store};

/// Events a reader may fall behind before it misses some.
const EVENTS: usize = 1_024;

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
    config: Config,
    key: Option<SecretKey>,
    network_key: Option<NetworkKey>,
    sources: Vec<Box<dyn AddressSource>>,
    wrong: Vec<String>,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            config: Config::lan(),
            key: None,
            network_key: None,
            sources: Vec::new(),
            wrong: Vec::new(),
        }
    }

    /// Replaces all settings made so far, keys aside.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
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
    pub fn network_key(mut self, key: NetworkKey) -> Self {
        self.network_key = Some(key);
        self
    }

    /// The node's own key. Without one, and without a data folder or key file, every start is a
    /// new node.
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
    pub fn listen(mut self, address: impl AsRef<str>) -> Self {
        if self.config.listen == Config::preset(self.config.preset).listen {
            self.config.listen.clear();
        }
        if let Some(address) = self.parse("listen", address.as_ref()) {
            self.config.listen.push(address);
        }
        self
    }

    /// Tells others this address instead of those listened on. May be called again.
    pub fn announce(mut self, address: impl AsRef<str>) -> Self {
        if let Some(address) = self.parse("announce", address.as_ref()) {
            self.config.announce.push(address);
        }
        self
    }

    /// A place where a member may be; any member will do, and it need not be up yet. May be called
    /// again. `/p2p/…` at its end pins the member's id.
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

    /// Starts the node. It listens when this returns, and runs until [`Node::leave`] or until the
    /// last clone of the handle is dropped. Needs a tokio runtime. Dropping the future before it
    /// is ready starts nothing.
    ///
    /// # Errors
    /// Settings that contradict each other, a key file others can read, a store in use, an address
    /// that is taken. Nothing is left running.
    pub async fn spawn(self) -> Result<Node, Error> {
        self.check()?;
        let Self { mut config, key, network_key, sources, .. } = self;
        if let Some(folder) = &config.data {
            folder::make(folder)?;
        }
        let key = match (key, &config.key_file, &config.data) {
            (Some(key), ..) => key,
            (None, Some(file), _) => folder::key(file)?,
            (None, None, Some(data)) => folder::key(&data.join("key"))?,
            (None, None, None) => SecretKey::generate(),
        };
        let network_key = match (network_key, &config.network_key_file) {
            (Some(key), _) => Some(key),
            (None, Some(file)) => Some(folder::network_key(file)?),
            (None, None) => {
                tracing::warn!(
                    network = config.network,
                    "the network has no key: whoever reaches this node may join"
                );
                None
            }
        };
        let store = config.data.as_deref().map(Store::open).transpose()?;
        let life = begin_life(store.as_ref()).await?;
        let name = config.name.get_or_insert_with(|| format!("node-{}", key.id().short())).clone();
        config.topic.door = config.door.topics.iter().cloned().collect();
        config.topic.relay_all = !config.topology.is_open();

        // Read together: the second is the moment the first counts from.
        let (clock, started) = (Clock::start(), wall_time());
        let mut network = Network::start(&key, network_key, life, &config, clock)?;
        network.listen_everywhere().await?;
        let mut engine = Engine::new(EngineSettings {
            life,
            started,
            seed: seed_of(&key, life),
            watch: config.link.watch.clone(),
            membership: config.membership.clone(),
            saved: remembered(store.as_ref())?,
            verifier: Verifier::default(),
            formed: None,
            discovery: Settings {
                config: config.discovery.clone(),
                key: key.clone(),
                life,
                name,
                labels: config.labels.clone(),
                bootstrap: config.bootstrap.clone(),
                topology: config.topology.clone(),
            },
            topic: config.topic.clone(),
            tree: config.tree.clone(),
            key: key.clone(),
        });
        if config.recorder.max_bytes > 0 {
            let RecorderConfig { max_bytes, max_inputs } = config.recorder;
            engine.record(Limits { max_bytes, max_inputs });
        }
        let (commands, mailbox) = mpsc::channel(MAILBOX);
        let (events, _) = broadcast::channel(EVENTS);
        let (changed, changes) = watch::channel(0);
        let streams = sources.into_iter().map(AddressSource::sightings);
        let driver = Driver {
            config: config.clone(),
            engine,
            network,
            store,
            clock,
            mailbox,
            events: events.clone(),
            changed,
            sources: streams.collect::<SelectAll<BoxStream<'static, Sighting>>>(),
            outgoing: SelectAll::new(),
            held: Vec::new(),
            replies: Replies::default(),
            sinks: Sinks::default(),
            leaving: Vec::new(),
            tally: Tally::default(),
            stopped: false,
        };
        // Whose words they are, where several nodes write one log.
        let (name, id) = (config.name.as_deref().unwrap_or_default(), key.id().short());
        tokio::spawn(driver.run().instrument(tracing::info_span!("node", name, id)));
        let node = Node::new(key.id(), config, commands, events.downgrade(), changes);
        #[cfg(feature = "api")]
        super::api::serve(&node).await?;
        Ok(node)
    }
}

/// What membership remembers from the last start. A row that cannot be read any more is none.
fn remembered(store: Option<&Store>) -> Result<Saved, Error> {
    let row = match store {
        Some(store) => store.read(Space::Node, MEMBERS)?,
        None => None,
    };
    Ok(row.and_then(|row| Saved::from_row(&row).ok()).unwrap_or_default())
}

/// The life of this start: above every earlier one, and on disk before anybody hears of it.
async fn begin_life(store: Option<&Store>) -> Result<Life, Error> {
    const LIFE: &[u8] = b"life";
    let clock = wall_time().as_millis();
    let Some(store) = store else { return Ok(Life(clock)) };
    let last = store.read(Space::Node, LIFE)?;
    let last = last.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes);
    let life = clock.max(last.saturating_add(1));
    let put =
        Op::Put { space: Space::Node, key: LIFE.to_vec(), value: life.to_be_bytes().to_vec() };
    let (stored, written) = tokio::sync::oneshot::channel();
    store.submit(vec![put], move |result| drop(stored.send(result)));
    written.await.map_err(|_| Error::Stopped)??;
    Ok(Life(life))
}

/// Randomness that differs between nodes and between lives, and needs no entropy of its own.
fn seed_of(key: &SecretKey, life: Life) -> u64 {
    let hash =
        blake3::keyed_hash(blake3::hash(&key.to_protobuf()).as_bytes(), &life.0.to_be_bytes());
    let (bytes, _) = hash.as_bytes().split_at(8);
    bytes.try_into().map_or(0, u64::from_be_bytes)
}
