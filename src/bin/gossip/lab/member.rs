//! Running nodes as the user names them: by number, name or PeerId.

use std::path::{Path, PathBuf};
use std::time::Duration;

use gossip_mesh::NodeId;

use super::process::Process;
use super::single::Single;
use super::state::{Folder, Record, Removal};
use crate::api::{Api, PATIENCE};
use crate::exit::Failure;
use crate::places;
use crate::render::plain::one_line;

/// A node of a network that was started on this machine.
#[derive(Clone, Debug)]
pub struct Member {
    /// The number people know it by, from 1.
    pub number: usize,
    /// Its name.
    pub name: String,
    /// Its id.
    pub peer_id: NodeId,
    /// The socket of its local API.
    pub socket: PathBuf,
    /// Where it listens.
    pub addresses: Vec<String>,
    /// Its process, which may have ended.
    pub process: Option<Process>,
    /// How it was taken out on purpose, when it was.
    pub removed: Option<Removal>,
}

/// A network that runs on this machine.
#[derive(Clone, Debug)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// What it is, for titles: `lab: random, degree 3`.
    pub title: String,
    /// The topic all nodes of a lab read.
    pub topic: String,
    /// Its nodes, by rising number.
    pub members: Vec<Member>,
    /// The folder of its lab, when it is one.
    pub lab: Option<Folder>,
    /// What a command needs after its own words to mean this network, with a blank before it.
    pub words: String,
}

impl Network {
    /// The network of this name: a lab, or nodes that run alone.
    ///
    /// # Errors
    /// A sentence when none runs.
    pub fn find(root: &Path, name: &str) -> Result<Self, Failure> {
        let folder = Folder::of(root, name);
        match folder.running() {
            Ok(record) => Ok(Self::of_lab(folder, record)),
            Err(failure) => Self::of_singles(root, name).ok_or(failure),
        }
    }

    fn of_lab(folder: Folder, record: Record) -> Self {
        let members = record.nodes.into_iter().map(|node| Member {
            number: node.number,
            name: node.name,
            peer_id: node.peer_id,
            addresses: vec![format!("/ip4/127.0.0.1/tcp/{}/p2p/{}", node.port, node.peer_id)],
            socket: node.socket,
            process: node.process,
            removed: node.removed,
        });
        Self {
            title: format!("{}: {}", record.network, record.shape),
            name: record.network,
            topic: record.topic,
            members: members.collect(),
            words: folder.words().to_owned(),
            lab: Some(folder),
        }
    }

    fn of_singles(root: &Path, name: &str) -> Option<Self> {
        let mut singles = Single::all(root);
        singles.retain(|single| single.network == name);
        singles.sort_by_key(|single| (single.process.started, single.process.pid));
        let members = singles.into_iter().zip(1..).map(|(single, number)| Member {
            number,
            name: single.name,
            peer_id: single.peer_id,
            addresses: single.addresses,
            socket: single.socket,
            process: Some(single.process),
            removed: None,
        });
        let members: Vec<Member> = members.collect();
        (!members.is_empty()).then(|| Self {
            name: name.to_owned(),
            title: name.to_owned(),
            topic: DEFAULT_TOPIC.to_owned(),
            members,
            lab: None,
            words: places::words_for(root, name),
        })
    }

    /// The node meant by a number, a name or the beginning of a PeerId, running or not.
    ///
    /// # Errors
    /// Nothing of that name, or more than one; says what there is.
    pub fn member(&self, text: &str) -> Result<&Member, Failure> {
        if let Ok(number) = text.parse::<usize>()
            && let Some(member) = self.members.iter().find(|member| member.number == number)
        {
            return Ok(member);
        }
        let named: Vec<&Member> =
            self.members.iter().filter(|member| member.name == text).collect();
        let begun =
            |member: &&Member| !text.is_empty() && member.peer_id.to_string().starts_with(text);
        let found =
            if named.is_empty() { self.members.iter().filter(begun).collect() } else { named };
        match found.as_slice() {
            [member] => Ok(member),
            [] => Err(Failure::failed(format!(
                "there is no node {:?} in network {:?}: it has {}",
                one_line(text.as_bytes()),
                self.name,
                self.range()
            ))),
            several => {
                let numbers: Vec<String> =
                    several.iter().map(|member| member.number.to_string()).collect();
                Err(Failure::failed(format!(
                    "{:?} may be any of the nodes {}: give a number, or more of the PeerId",
                    one_line(text.as_bytes()),
                    numbers.join(", ")
                )))
            }
        }
    }

    /// The node of that name while it runs; without a name the first that runs.
    ///
    /// # Errors
    /// As [`Network::member`], or a sentence when it does not run.
    pub fn running(&self, text: Option<&str>) -> Result<&Member, Failure> {
        let Some(text) = text else {
            let mut running = self.members.iter().filter(|member| member.is_running());
            return running.next().ok_or_else(|| {
                Failure::failed(format!("no node of network {:?} runs any more", self.name))
            });
        };
        let member = self.member(text)?;
        if member.is_running() {
            return Ok(member);
        }
        let why = match member.removed {
            Some(Removal::Left) => "has left",
            Some(Removal::Killed) => "was killed",
            Some(Removal::Forgotten) => "was removed",
            None => "has ended",
        };
        Err(Failure::failed(format!(
            "node {} {why}: `gossip status{}` shows which nodes run",
            member.number, self.words
        )))
    }

    /// A connection to the local API of one of its nodes.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn api(&self, member: &Member) -> Result<Api, Failure> {
        Ok(member.api().await?.or_else_say(self.silence(member, PATIENCE)))
    }

    /// That a node does not answer, and what can be done.
    pub fn silence(&self, member: &Member, patience: Duration) -> String {
        let (number, words) = (member.number, &self.words);
        let end = match self.lab {
            Some(_) => format!("`gossip remove-node {number} --kill{words}` ends it"),
            None => format!("its process is {}", member.process.as_ref().map_or(0, |it| it.pid)),
        };
        let why = match member.is_paused() {
            true => format!("it is paused, and `gossip fault resume {number}{words}` has it go on"),
            false => format!("`gossip status{words}` shows whether its process runs"),
        };
        format!("node {number} does not answer within {} s: {why}; {end}", patience.as_secs())
    }

    /// A node as the user knows it: its number here, or the end of its id.
    pub fn label(&self, id: NodeId) -> String {
        match self.numbered(id) {
            Some(number) => number.to_string(),
            None => id.short(),
        }
    }

    /// The number of a node of this network.
    pub fn numbered(&self, id: NodeId) -> Option<usize> {
        self.members.iter().find(|member| member.peer_id == id).map(|member| member.number)
    }

    fn range(&self) -> String {
        match self.members.as_slice() {
            [only] => format!("node {} ({})", only.number, only.name),
            [first, .., last] => format!("the nodes {} to {}", first.number, last.number),
            [] => "no nodes".to_owned(),
        }
    }
}

/// The topic of a lab, and of commands that name none.
pub const DEFAULT_TOPIC: &str = "lab";

impl Member {
    /// Whether its process runs.
    pub fn is_running(&self) -> bool {
        self.process.as_ref().is_some_and(Process::is_running)
    }

    /// Whether its process has ended, though nobody took it out of the network for good.
    pub fn has_died(&self) -> bool {
        !self.is_running() && matches!(self.removed, None | Some(Removal::Killed))
    }

    /// Whether its process is stopped for a while.
    pub fn is_paused(&self) -> bool {
        self.process.as_ref().is_some_and(Process::is_paused)
    }

    /// A connection to its local API.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn api(&self) -> Result<Api, Failure> {
        Api::at_socket(&self.socket).await.map_err(|failure| match failure {
            Failure::Failed(reason) => Failure::failed(format!("node {}: {reason}", self.number)),
            other => other,
        })
    }
}
