//! `gossip why`: the story of a node, as another one saw it.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use gossip_mesh::{Certificate, NodeId, Story};
use jiff::tz::TimeZone;

use super::names::Names;
use crate::api::Api;
use crate::args::Which;
use crate::exit::Failure;
use crate::render::plain::one_line;
use crate::render::screen::Screen;
use crate::render::story::{certificate, story};

/// Tell why a node stands as it stands: what one node found out about it, in order
#[derive(Args, Debug)]
pub struct Why {
    /// Number, name or beginning of the PeerId of the node in question
    node: String,
    /// The node that tells it [default: the first that runs and is not the one in question]
    #[arg(long = "node", value_name = "NODE")]
    teller: Option<String>,
    /// A running node by its local API: the path of its socket, or HOST:PORT
    #[arg(long, value_name = "ADDR", conflicts_with = "teller")]
    api: Option<String>,
    /// Save the proof to this file, when the node is down
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
}

impl Why {
    /// Tells it.
    pub async fn run(self, screen: Screen) -> Result<(), Failure> {
        let (mut api, about, mut names) = self.find().await?;
        let told = api.why(about).await?;
        names.learn(&mut api).await?;
        if let Some(file) = &self.certificate {
            save(file, &told, &names)?;
        }
        if screen.json {
            return screen.document(&told);
        }
        let mut text = story(&told, &|id| names.name(id), &TimeZone::system(), screen.colour);
        if let Some(proof) = &told.certificate {
            text.push_str(&certificate(proof, &|id| names.name(id)));
        }
        screen.show(text)
    }

    /// Whom to ask, and about whom.
    async fn find(&self) -> Result<(Api, NodeId, Names), Failure> {
        if let Some(place) = &self.api {
            let mut api = Api::at(place).await?;
            let about = known(&mut api, &self.node).await?;
            return Ok((api, about, Names::default()));
        }
        let network = self.which.find()?;
        let found = network.member(&self.node).map(|member| (member.number, member.peer_id));
        let teller = match (&self.teller, &found) {
            (Some(teller), _) => network.running(Some(teller))?,
            (None, Ok((number, _))) => {
                let others = network.members.iter().filter(|member| member.number != *number);
                let mut running = others.filter(|member| member.is_running());
                match running.next() {
                    Some(other) => other,
                    None => network.running(None)?,
                }
            }
            (None, Err(_)) => network.running(None)?,
        };
        let mut api = network.api(teller).await?;
        let about = match found {
            Ok((_, id)) => id,
            // A node of another machine: the teller may know it.
            Err(unknown) => known(&mut api, &self.node).await.map_err(|_| unknown)?,
        };
        Ok((api, about, Names::of(Some(network))))
    }
}

/// The node that a teller knows by this name, PeerId or beginning of one.
async fn known(api: &mut Api, text: &str) -> Result<NodeId, Failure> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let node = api.node().await?;
    let peers = api.peers().await?;
    let all = || peers.iter().map(|peer| (peer.id, &peer.name)).chain([(node.id, &node.name)]);
    let named: Vec<NodeId> = all().filter(|(_, name)| *name == text).map(|(id, _)| id).collect();
    let begun = |(id, _): &(NodeId, &String)| !text.is_empty() && id.to_string().starts_with(text);
    let found = match named.is_empty() {
        true => all().filter(begun).map(|(id, _)| id).collect(),
        false => named,
    };
    let shown = one_line(text.as_bytes());
    match found.as_slice() {
        [id] => Ok(*id),
        [] => Err(Failure::failed(format!("the node knows no {shown:?}: give a name or a PeerId"))),
        _ => Err(Failure::failed(format!("{shown:?} may be any of several: give the PeerId"))),
    }
}

/// Writes the proof to a file that is not there yet.
fn save(file: &Path, told: &Story, names: &Names) -> Result<(), Failure> {
    let Some(proof) = &told.certificate else {
        let who = names.name(told.node);
        return Err(Failure::failed(format!("{who} is not down: there is no certificate to save")));
    };
    write_new(file, proof)
        .map_err(|error| Failure::failed(format!("{} cannot be written ({error})", file.display())))
}

fn write_new(file: &Path, proof: &Certificate) -> std::io::Result<()> {
    let mut text = serde_json::to_vec(proof)?;
    text.push(b'\n');
    OpenOptions::new().write(true).create_new(true).open(file)?.write_all(&text)
}
