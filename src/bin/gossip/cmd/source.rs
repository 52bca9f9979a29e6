//! Which node `pub` and `sub` speak through: a running one, or one of their own.

use std::path::PathBuf;

use clap::Args;
use gossip_mesh::{Config, Multiaddr, Node};

use super::node::{address, spawn};
use super::troubles;
use crate::api::Api;
use crate::args::DEFAULT_NETWORK;
use crate::exit::Failure;
use crate::lab::member::Network;
use crate::places;
use crate::render::plain::one_line;
use crate::render::screen::Screen;

/// How to find the node.
#[derive(Args, Debug)]
pub struct Source {
    /// A running node of this machine: number, name or beginning of the PeerId
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    /// A running node by its local API: the path of its socket, or HOST:PORT
    #[arg(long, value_name = "ADDR", conflicts_with = "node")]
    api: Option<String>,
    /// Name of the network [default: that of a lab or node running here, else gossip]
    #[arg(long, value_name = "NAME", env = "GOSSIP_NETWORK")]
    network: Option<String>,
    /// Folder with the state of networks [default: gossip-mesh in the user's state folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Without a running node: where a member of the network may be; may be repeated
    #[arg(long, value_name = "ADDR", env = "GOSSIP_JOIN", value_delimiter = ',',
          value_parser = address)]
    join: Vec<Multiaddr>,
    /// Without a running node: file with the key all members share
    #[arg(long, value_name = "FILE", env = "GOSSIP_NETWORK_KEY_FILE")]
    network_key_file: Option<PathBuf>,
}

/// Where to speak.
pub enum Mouth {
    /// The local API of a running node.
    Running(Api),
    /// A node of this process, to be left in the end.
    Own(Node),
}

impl Source {
    /// Finds the node, or starts one.
    ///
    /// # Errors
    /// A node that was asked for and does not run or answer; a node that cannot be started.
    pub async fn open(&self, screen: Screen) -> Result<Mouth, Failure> {
        if let Some(place) = &self.api {
            return Ok(Mouth::Running(Api::at(place).await?));
        }
        let root = places::state_root(self.data.as_deref());
        let names = match &self.network {
            Some(name) => vec![name.as_str()],
            None => vec![DEFAULT_NETWORK, "gossip"],
        };
        // Who says where to join wants to be a node.
        let looks = self.join.is_empty() || self.node.is_some();
        let mut nowhere = None;
        let find = |name: &str| Some(Network::find(root.as_ref().ok()?, name));
        let is_doubtful = self.node.is_none()
            && names.len() > 1
            && names.iter().all(|name| find(name).is_some_and(|found| found.is_ok()));
        for name in names.into_iter().filter(|_| looks) {
            match find(name) {
                Some(Ok(network)) => {
                    let member = network.running(self.node.as_deref())?;
                    if is_doubtful {
                        let (name, network) = (one_line(member.name.as_bytes()), &network.name);
                        screen.remark(&format!("through {name} of network {network}"));
                    }
                    return Ok(Mouth::Running(network.api(member).await?));
                }
                Some(Err(failure)) => nowhere = nowhere.or(Some(failure)),
                None => {}
            }
        }
        match (nowhere, &self.node) {
            (Some(failure), Some(_)) => Err(failure),
            _ => {
                let node = self.own().await?;
                troubles::tell(&node, screen);
                screen.remark(&format!(
                    "taking part in network {:?} as a node of its own",
                    node.config().network
                ));
                Ok(Mouth::Own(node))
            }
        }
    }

    async fn own(&self) -> Result<Node, Failure> {
        let mut config = Config::lan();
        if let Some(network) = &self.network {
            config.network.clone_from(network);
        }
        config.network_key_file.clone_from(&self.network_key_file);
        config.bootstrap.clone_from(&self.join);
        spawn(config).await
    }
}
