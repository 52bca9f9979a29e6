//! From settings to a running node.

use futures::stream::{BoxStream, SelectAll};
use tokio::sync::{broadcast, mpsc, watch};
use tracing::Instrument;

use super::builder::Builder;
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
use crate::base::time::WallTime;
use crate::config::{Config, RecorderConfig};
use crate::engine::{Engine, EngineSettings, Limits};
use crate::net::Network;
use crate::net::clock::{Clock, wall_time};
use crate::protocol::discovery::Settings;
use crate::protocol::membership::{MEMBERS, Saved};
use crate::store::{Op, Space, Store};

/// Events a reader may fall behind before it misses some.
const EVENTS: usize = 1_024;

impl Builder {
    /// Starts the node. It listens when this returns, and runs until [`Node::leave`] or until the
    /// last clone of the handle is dropped. Needs a tokio runtime. Dropping the future before it
    /// is ready starts nothing.
    ///
    /// # Errors
    /// Settings that contradict each other, a key file others can read, a store in use, an address
    /// that is taken. Nothing is left running.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let node = Node::builder().config(Config::lab()).name("ada").spawn().await?;
    /// assert_eq!(node.name(), "ada");
    /// # node.leave().await }
    /// ```
    pub async fn spawn(self) -> Result<Node, Error> {
        self.check()?;
        let Self { mut config, key, network_key, sources, .. } = self;
        if let Some(folder) = &config.data {
            folder::make(folder)?;
        }
        let key = own_key(key, &config)?;
        let network_key = shared_key(network_key, &config)?;
        let store = config.data.as_deref().map(Store::open).transpose()?;
        let life = begin_life(store.as_ref()).await?;
        config.name.get_or_insert_with(|| format!("node-{}", key.id().short()));
        config.topic.door = config.door.topics.iter().cloned().collect();
        config.topic.relay_all = !config.topology.is_open();

        // Read together: the second is the moment the first counts from.
        let (clock, started) = (Clock::start(), wall_time());
        let mut network = Network::start(&key, network_key, life, &config, clock)?;
        network.listen_everywhere().await?;
        let saved = remembered(store.as_ref())?;
        let engine = engine(&key, (life, started), &config, saved);
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

/// Who the node is: as given, as in its files, or somebody new.
fn own_key(given: Option<SecretKey>, config: &Config) -> Result<SecretKey, Error> {
    Ok(match (given, &config.key_file, &config.data) {
        (Some(key), ..) => key,
        (None, Some(file), _) => folder::key(file)?,
        (None, None, Some(data)) => folder::key(&data.join("key"))?,
        (None, None, None) => SecretKey::generate(),
    })
}

/// What all members share. `None` in an open network.
fn shared_key(given: Option<NetworkKey>, config: &Config) -> Result<Option<NetworkKey>, Error> {
    match (given, &config.network_key_file) {
        (Some(key), _) => Ok(Some(key)),
        (None, Some(file)) => Ok(Some(folder::network_key(file)?)),
        (None, None) => {
            tracing::warn!(
                network = config.network,
                "the network has no key: whoever reaches this node may join"
            );
            Ok(None)
        }
    }
}

fn engine(
    key: &SecretKey,
    (life, started): (Life, WallTime),
    config: &Config,
    saved: Saved,
) -> Engine {
    let mut engine = Engine::new(EngineSettings {
        life,
        started,
        seed: seed_of(key, life),
        watch: config.link.watch.clone(),
        membership: config.membership.clone(),
        saved,
        verifier: Verifier::default(),
        formed: None,
        discovery: Settings {
            config: config.discovery.clone(),
            key: key.clone(),
            life,
            name: config.name.clone().unwrap_or_default(),
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
    engine
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
