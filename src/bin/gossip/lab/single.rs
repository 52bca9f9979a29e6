//! Nodes that run alone, and how other commands find them: a file each in the state folder.

use std::fs;
use std::path::{Path, PathBuf};

use gossip_mesh::NodeId;
use serde::{Deserialize, Serialize};

use super::process::Process;
use crate::exit::Failure;
use crate::places;

/// A node that runs alone: what it leaves in the state folder for other commands to find it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Single {
    /// Its network.
    pub network: String,
    /// Its name.
    pub name: String,
    /// Its id.
    pub peer_id: NodeId,
    /// Where it listens, with `/p2p/…`.
    pub addresses: Vec<String>,
    /// The socket of its local API.
    pub socket: PathBuf,
    /// Its process.
    pub process: Process,
}

impl Single {
    /// The nodes that run alone. What dead ones left behind is removed.
    pub fn all(root: &Path) -> Vec<Self> {
        let Ok(entries) = fs::read_dir(root.join("nodes")) else { return Vec::new() };
        let singles = entries.flatten().filter_map(|entry| {
            let single: Self = serde_json::from_slice(&fs::read(entry.path()).ok()?).ok()?;
            if single.process.is_running() {
                return Some(single);
            }
            // Another command may have been faster.
            let _ = fs::remove_file(entry.path());
            None
        });
        singles.collect()
    }

    /// Makes the node known until it is [removed](Single::withdraw).
    ///
    /// # Errors
    /// A state folder that cannot be written.
    pub fn announce(&self, root: &Path) -> Result<(), Failure> {
        places::make_private(&root.join("nodes"))?;
        let path = self.path(root);
        let draft = path.with_extension("new");
        fs::write(&draft, serde_json::to_vec(self)?)?;
        Ok(fs::rename(draft, path)?)
    }

    /// Takes the node out again.
    pub fn withdraw(&self, root: &Path) {
        // Somebody may have cleaned up already.
        let _ = fs::remove_file(self.path(root));
    }

    fn path(&self, root: &Path) -> PathBuf {
        root.join("nodes").join(format!("{}.json", self.process.pid))
    }
}
