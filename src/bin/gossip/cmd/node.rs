//! `gossip node`: one real node.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use futures::StreamExt;
use futures::stream::SelectAll;
use gossip_mesh::{Config, Delivery, Error, Multiaddr, Node, Preset, Raw, Subscription, Topic};
use serde_json::{Value, json};

use super::{lab_node, troubles};
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::lab::process::Process;
use crate::lab::single::Single;
use crate::places;
use crate::render::plain::one_line;
use crate::render::screen::Screen;

/// Run one node, for a real network
///
/// Prints its full addresses first, one a line, then what it receives on the topics. Ctrl-C has it
/// leave. Options given here prevail over those of the settings file.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  gossip node --topic chat                                  finds others on this network by itself
  gossip node --join /ip4/192.168.1.2/tcp/4001 --topic chat
  gossip node --listen /ip4/0.0.0.0/tcp/4001 --data ~/node --network-key-file key
  gossip node --foreign /ip4/0.0.0.0/tcp/4002/ws --topic chat")]
pub struct Options {
    /// What people call it
    #[arg(long, env = "GOSSIP_NAME")]
    name: Option<String>,
    /// Where to listen, e.g. /ip4/0.0.0.0/tcp/4001; may be repeated
    #[arg(long, value_name = "ADDR", env = "GOSSIP_LISTEN", value_delimiter = ',',
          value_parser = address)]
    listen: Vec<Multiaddr>,
    /// Where a member of the network may be; may be repeated
    #[arg(long, value_name = "ADDR", env = "GOSSIP_JOIN", value_delimiter = ',',
          value_parser = address)]
    join: Vec<Multiaddr>,
    /// Name of the network [default: gossip]
    #[arg(long, value_name = "NAME", env = "GOSSIP_NETWORK")]
    network: Option<String>,
    /// File with the key all members share: 64 hexadecimal digits
    #[arg(long, value_name = "FILE", env = "GOSSIP_NETWORK_KEY_FILE")]
    network_key_file: Option<PathBuf>,
    /// Folder for its key, its store and the socket of its local API
    #[arg(long, value_name = "DIR", env = "GOSSIP_DATA")]
    data: Option<PathBuf>,
    /// Serve the local API on this TCP address too, with the token in the data folder
    #[arg(long, value_name = "HOST:PORT", env = "GOSSIP_API")]
    api: Option<std::net::SocketAddr>,
    /// Where foreign libp2p programs find the topics; may be repeated
    #[arg(long, value_name = "ADDR", env = "GOSSIP_FOREIGN", value_delimiter = ',',
          value_parser = address)]
    foreign: Vec<Multiaddr>,
    /// A topic to read; may be repeated
    #[arg(long, value_name = "T", env = "GOSSIP_TOPIC")]
    topic: Vec<String>,
    /// Name of the Kademlia protocol spoken with foreign programs
    #[arg(long, value_name = "NAME", env = "GOSSIP_KAD_PROTOCOL")]
    kad_protocol: Option<String>,
    /// Settings in TOML
    #[arg(long, value_name = "FILE", env = "GOSSIP_CONFIG")]
    config: Option<PathBuf>,
    /// What the settings begin with [default: lan]
    #[arg(long, value_enum, env = "GOSSIP_PRESET", conflicts_with = "config")]
    preset: Option<Place>,
    /// A node of a lab with so many nodes, held by the process that started it
    #[arg(long, hide = true, value_name = "N")]
    lab_of: Option<usize>,
}

/// Where a node is to run.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Place {
    /// Many nodes on this machine
    Lab,
    /// One local network
    Lan,
    /// The internet
    Wan,
}

/// An address, or what one looks like.
pub fn address(text: &str) -> Result<Multiaddr, String> {
    let form = "an address has the form /ip4/127.0.0.1/tcp/21710";
    text.parse().map_err(|error| format!("{form} ({error})"))
}

pub type Incoming = SelectAll<Subscription<Vec<u8>, Raw>>;

impl Options {
    /// Runs it until it is told to end.
    pub async fn run(self, screen: Screen) -> Result<(), Failure> {
        let mut config = self.settings()?;
        if let Some(total) = self.lab_of {
            return lab_node::run(config, &self.topic, total, screen).await;
        }
        let mut interrupt = Interrupt::new()?;
        if config.api.unix && config.api.socket.is_none() {
            config.api.socket = Some(match &config.data {
                Some(data) => places::socket_of(&std::path::absolute(data)?)?,
                None => places::short_folder()?.join(format!("{}.sock", std::process::id())),
            });
        }
        let node = spawn(config).await?;
        troubles::tell(&node, screen);
        let single = announce(&node).await;
        let result = self.serve(&node, &mut interrupt, screen).await;
        let left = node.leave().await;
        if let Some((single, root)) = single {
            single.withdraw(&root);
        }
        result?;
        Ok(left?)
    }

    /// The settings of the file or the preset, with those given here over them.
    fn settings(&self) -> Result<Config, Failure> {
        let mut config = match (&self.config, self.preset) {
            (Some(file), _) => read_settings(file)?,
            (None, Some(Place::Lab)) => Config::preset(Preset::Lab),
            (None, Some(Place::Wan)) => Config::preset(Preset::Wan),
            (None, Some(Place::Lan) | None) => Config::preset(Preset::Lan),
        };
        replace(&mut config.name, &self.name);
        replace(&mut config.network_key_file, &self.network_key_file);
        replace(&mut config.data, &self.data);
        replace(&mut config.api.tcp, &self.api);
        if let Some(network) = &self.network {
            config.network.clone_from(network);
        }
        if !self.listen.is_empty() {
            config.listen.clone_from(&self.listen);
            // Others on the local network could not reach it there.
            config.mdns &= !self.listen.iter().all(is_loopback);
        }
        config.bootstrap.extend(self.join.iter().cloned());
        if !self.foreign.is_empty() {
            config.door.listen.clone_from(&self.foreign);
            config.door.topics.extend(self.topic.iter().cloned());
        }
        if !self.foreign.is_empty() && config.door.topics.is_empty() {
            return Err(Failure::usage(
                "--foreign opens a door that carries no topic: name some by --topic",
            ));
        }
        if self.api.is_some() && config.data.is_none() {
            return Err(Failure::usage("--api needs a folder for its token: give one by --data"));
        }
        if let Some(name) = &self.kad_protocol {
            config.door.kad_protocol.clone_from(name);
        }
        Ok(config)
    }

    /// Tells where the node is and what it receives, until it is to end.
    async fn serve(
        &self,
        node: &Node,
        interrupt: &mut Interrupt,
        screen: Screen,
    ) -> Result<(), Failure> {
        let door = &node.config().door;
        let foreign = !door.listen.is_empty();
        let mut topics: BTreeSet<&String> = self.topic.iter().collect();
        if foreign {
            topics.extend(&door.topics);
        }
        let mut incoming = subscribe(node, topics).await?;
        tell_addresses(node, foreign, screen).await?;
        loop {
            tokio::select! {
                () = interrupt.came() => return Ok(()),
                () = node.stopped() => return Ok(()),
                Some(message) = incoming.next() => {
                    // A node goes on when nobody reads what it prints any more.
                    match screen.show(printed(&message, screen.json || foreign, screen.person)) {
                        Ok(()) | Err(Failure::ReaderGone) => {}
                        Err(failure) => return Err(failure),
                    }
                }
            }
        }
    }
}

/// Starts a node.
///
/// # Errors
/// Wrong settings as wrong usage, all else as failed.
pub async fn spawn(config: Config) -> Result<Node, Failure> {
    let node = Node::builder().config(config).spawn().await;
    node.map_err(|error| match error {
        Error::Config(wrong) => Failure::usage(wrong),
        other => Failure::failed(other),
    })
}

/// Subscriptions to all of these topics, as bytes: what others publish, and what is published
/// through this node, as `pub` does.
///
/// # Errors
/// A name that cannot be a topic's.
pub async fn subscribe(
    node: &Node,
    topics: impl IntoIterator<Item = &String>,
) -> Result<Incoming, Failure> {
    let mut incoming = SelectAll::new();
    for topic in topics {
        let topic = Topic::<Vec<u8>, Raw>::named(topic);
        incoming.push(node.subscribe(topic).own_messages().await?);
    }
    Ok(incoming)
}

/// Lets other commands find the node; they need not, so a failure is no more than told.
async fn announce(node: &Node) -> Option<(Single, PathBuf)> {
    let config = node.config();
    let socket = config.api.socket.clone()?;
    let single = Single {
        network: config.network.clone(),
        name: node.name().to_owned(),
        peer_id: node.id(),
        addresses: node.addresses().await.ok()?.iter().map(Multiaddr::to_string).collect(),
        socket: std::path::absolute(socket).ok()?,
        process: Process::own()?,
    };
    let root = places::state_root(None).ok()?;
    match single.announce(&root) {
        Ok(()) => Some((single, root)),
        Err(failure) => {
            tracing::warn!(?failure, "other commands will not find this node by themselves");
            None
        }
    }
}

async fn tell_addresses(node: &Node, foreign: bool, screen: Screen) -> Result<(), Failure> {
    let mut lines = String::new();
    for address in node.addresses().await? {
        match screen.json {
            true => lines.push_str(&format!("{}\n", json!({ "address": address }))),
            false => lines.push_str(&format!("{address}\n")),
        }
    }
    for address in node.overview().await?.door.iter().filter(|_| foreign) {
        let address = format!("{address}/p2p/{}", node.id());
        lines.push_str(&format!("{}\n", json!({ "listening": address })));
    }
    match screen.show(lines) {
        Err(Failure::ReaderGone) => Ok(()),
        other => other,
    }
}

/// A message as a line: its bytes, or JSON. For a person nothing a terminal acts on.
fn printed(message: &Delivery<Vec<u8>>, as_json: bool, person: bool) -> Vec<u8> {
    let mut line = match (as_json, person) {
        (true, _) => json_of(message).to_string().into_bytes(),
        (false, true) => one_line(&message.value).into_bytes(),
        (false, false) => message.value.clone(),
    };
    line.push(b'\n');
    line
}

fn json_of(message: &Delivery<Vec<u8>>) -> Value {
    use base64::Engine;
    let author = message.foreign_author.clone().unwrap_or_else(|| message.author.to_string());
    match std::str::from_utf8(&message.value) {
        Ok(payload) => json!({ "topic": message.id.topic, "author": author, "payload": payload }),
        Err(_) => json!({
            "topic": message.id.topic,
            "author": author,
            "payload_base64":
                base64::engine::general_purpose::STANDARD.encode(&message.value),
        }),
    }
}

fn read_settings(file: &Path) -> Result<Config, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::failed(format!("the settings {} cannot be read: {error}", file.display()))
    })?;
    Config::from_toml(&text).map_err(|error| Failure::usage(format!("{}: {error}", file.display())))
}

fn replace<T: Clone>(setting: &mut Option<T>, given: &Option<T>) {
    if given.is_some() {
        setting.clone_from(given);
    }
}

fn is_loopback(address: &Multiaddr) -> bool {
    address.iter().any(|part| match part {
        multiaddr::Protocol::Ip4(ip) => ip.is_loopback(),
        multiaddr::Protocol::Ip6(ip) => ip.is_loopback(),
        _ => false,
    })
}
