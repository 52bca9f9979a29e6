//! What the nodes of a lab need on disk before they start: keys and settings.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use gossip_mesh::{Config, Degrees, Multiaddr, NodeId, SecretKey, Topology};

use super::graph::Drawn;
use super::state::{Entry, Folder};
use crate::exit::Failure;
use crate::places;

/// Writes keys and settings of a node per port, and says which nodes they are. What an earlier
/// lab left in the folder must be gone.
///
/// # Errors
/// A folder that cannot be written, a full disk.
pub fn prepare(
    folder: &Folder,
    network: &str,
    drawn: &Drawn,
    ports: &[u16],
) -> Result<Vec<Entry>, Failure> {
    let network_key = folder.path().join("network.key");
    let secret = blake3::hash(&SecretKey::generate().to_protobuf()).to_hex();
    write_secret(&network_key, secret.as_bytes())?;
    places::make_private(&folder.path().join("logs"))?;

    let keys: Vec<SecretKey> = ports.iter().map(|_| SecretKey::generate()).collect();
    let places = ports.iter().zip(&keys).map(|(&port, key)| (key.id(), address(port)));
    let places: Vec<(NodeId, Multiaddr)> = places.collect();
    let mut nodes = Vec::with_capacity(keys.len());
    for (index, key) in keys.iter().enumerate() {
        let data = folder.node(index + 1);
        places::make_private(&data)?;
        write_secret(&data.join("key"), &key.to_protobuf())?;
        let entry = Entry {
            number: index + 1,
            name: format!("node-{}", index + 1),
            peer_id: key.id(),
            port: ports.get(index).copied().unwrap_or_default(),
            socket: places::socket_of(&data)?,
            neighbours: drawn.graph.neighbours(index).iter().map(|other| other + 1).collect(),
            process: None,
            removed: None,
        };
        let mut config = settings(&entry, network, &network_key, &data);
        config.topology = topology(&entry, &places, drawn.mends);
        fs::write(data.join("node.toml"), toml::to_string(&config)?)
            .map_err(|error| unwritable(&data.join("node.toml"), &error))?;
        nodes.push(entry);
    }
    Ok(nodes)
}

fn settings(entry: &Entry, network: &str, network_key: &Path, data: &Path) -> Config {
    let mut config = Config::lab();
    config.name = Some(entry.name.clone());
    config.network = network.to_owned();
    config.network_key_file = Some(network_key.to_owned());
    config.data = Some(data.to_owned());
    config.listen = vec![address(entry.port)];
    config.api.socket = Some(entry.socket.clone());
    config.faults = true;
    // On one machine whoever answers at all answers at once; a stop must not wait for the dead.
    config.membership.leave_patience = Duration::from_millis(300);
    config
}

/// The neighbours as drawn. A node that mends its neighbourhood may have a few more: who lost one
/// has to find somebody who has room.
fn topology(entry: &Entry, places: &[(NodeId, Multiaddr)], mends: bool) -> Topology {
    let places = entry.neighbours.iter().filter_map(|number| places.get(number - 1));
    let neighbours: BTreeMap<NodeId, Vec<Multiaddr>> =
        places.map(|(id, place)| (*id, vec![place.clone()])).collect();
    let min = neighbours.len();
    match mends {
        true => Topology::Mending { neighbours, degrees: Degrees { min, max: min + SPARE } },
        false => Topology::Fixed(neighbours),
    }
}

/// Neighbours a node of a mending graph may have above those it was drawn with.
const SPARE: usize = 2;

/// Where the node with this port listens.
pub fn address(port: u16) -> Multiaddr {
    Multiaddr::empty()
        .with(multiaddr::Protocol::Ip4(std::net::Ipv4Addr::LOCALHOST))
        .with(multiaddr::Protocol::Tcp(port))
}

fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(bytes)).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!(
        "{} cannot be written ({error}): give another folder by --data",
        path.display()
    ))
}
