//! Where things are kept on this machine.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

use crate::args::DEFAULT_NETWORK;
use crate::exit::Failure;

/// Longest path of a Unix socket that every system takes, in bytes.
const MAX_SOCKET_PATH: usize = 100;

/// The folder with the state of all labs and nodes: the one given, else `gossip-mesh` in the
/// user's state folder. It need not be there yet.
///
/// # Errors
/// When nothing says where the user's state folder is.
pub fn state_root(given: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(folder) = given {
        return Ok(std::path::absolute(folder)?);
    }
    let absolute = |name: &str| {
        std::env::var_os(name).map(PathBuf::from).filter(|folder| folder.is_absolute())
    };
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .map(|folder| folder.join("gossip-mesh"))
        .ok_or_else(|| {
            Failure::failed("neither XDG_STATE_HOME nor HOME names a folder: give one by --data")
        })
}

/// What a command needs after its own words to mean this network in this state folder, with a
/// blank before it: nothing for the default ones.
pub fn words_for(root: &Path, network: &str) -> String {
    let mut words = String::new();
    if network != DEFAULT_NETWORK {
        words.push_str(&format!(" --network {}", quoted(network)));
    }
    if state_root(None).ok().as_deref() != Some(root) {
        words.push_str(&format!(" --data {}", quoted(&root.display().to_string())));
    }
    words
}

/// As one word of a shell.
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+=".contains(&byte);
    match !text.is_empty() && text.bytes().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

/// Makes a folder only its owner can enter, and those above it.
///
/// # Errors
/// A sentence with the folder in it.
pub fn make_private(folder: &Path) -> Result<(), Failure> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| {
        Failure::failed(format!(
            "the folder {} cannot be made ({error}): give another one by --data",
            folder.display()
        ))
    })
}

/// A path for the socket of the node with this data folder: in the folder where that is short
/// enough for a socket, else in a short folder of the user's own.
///
/// # Errors
/// When the short folder is needed and cannot be trusted.
pub fn socket_of(folder: &Path) -> Result<PathBuf, Failure> {
    let inside = folder.join("api.sock");
    if inside.as_os_str().len() <= MAX_SOCKET_PATH {
        return Ok(inside);
    }
    let hash = blake3::hash(folder.as_os_str().as_encoded_bytes()).to_hex();
    Ok(short_folder()?.join(format!("{}.sock", hash.as_str().get(..16).unwrap_or_default())))
}

/// A folder with a short path that only this user can enter; made when missing.
///
/// # Errors
/// When somebody else made it, or others can enter it.
pub fn short_folder() -> Result<PathBuf, Failure> {
    let folder = match std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from) {
        Some(runtime) if runtime.is_absolute() && runtime.as_os_str().len() < 60 => {
            runtime.join("gossip-mesh")
        }
        _ => std::env::temp_dir().join(format!("gossip-mesh-{}", geteuid())),
    };
    make_private(&folder)?;
    // In a folder all can write to, somebody may have been faster.
    let found = fs::symlink_metadata(&folder)?;
    let trusted = found.is_dir()
        && found.uid() == geteuid().as_raw()
        && found.permissions().mode() & 0o077 == 0;
    if trusted {
        return Ok(folder);
    }
    Err(Failure::failed(format!(
        "{} is not a folder of yours alone: remove it, or set XDG_RUNTIME_DIR",
        folder.display()
    )))
}

/// A name as that of a file: letters, digits, `-`, `_` and dots inside stay, all else becomes
/// `%XX`; a long one becomes its hash.
pub fn file_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (place, byte) in name.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => out.push(byte.into()),
            b'.' if place > 0 => out.push('.'),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    if out.len() > 64 { blake3::hash(name.as_bytes()).to_hex().to_string() } else { out }
}
