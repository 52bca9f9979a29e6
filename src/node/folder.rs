//! The data folder: the node's key, the network key, and who may read them.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::error::Error;
use crate::base::key::{NetworkKey, SecretKey};

fn file_error(path: &Path, reason: impl Into<String>) -> Error {
    Error::File { path: PathBuf::from(path), reason: reason.into() }
}

/// Makes the folder (0700) when it is not there.
pub fn make(path: &Path) -> Result<(), Error> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| {
        file_error(path, format!("the data folder cannot be made ({error}): choose another one"))
    })
}

/// The node's key in this file; a fresh one is made (0600) when there is none.
pub fn key(path: &Path) -> Result<SecretKey, Error> {
    match read_secret(path)? {
        Some(bytes) => SecretKey::from_protobuf(&bytes).map_err(|error| {
            file_error(path, format!("{error}: remove the file to get a fresh key, or restore it"))
        }),
        None => {
            let key = SecretKey::generate();
            match write_secret(path, &key.to_protobuf()) {
                Ok(()) => Ok(key),
                // Another process was faster; its key counts.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => self::key(path),
                Err(error) => Err(file_error(path, format!("the key cannot be kept ({error})"))),
            }
        }
    }
}

/// The network key in this file.
pub fn network_key(path: &Path) -> Result<NetworkKey, Error> {
    let bytes = read_secret(path)?.ok_or_else(|| {
        file_error(path, "there is no such network key file: make one with `openssl rand -hex 32`")
    })?;
    let text = String::from_utf8(bytes).unwrap_or_default();
    text.parse().map_err(|error| file_error(path, format!("{error}")))
}

/// A text known only to who may read the file; made (0600) when there is none.
#[cfg(feature = "api")]
pub fn token(path: &Path) -> Result<String, Error> {
    if let Some(bytes) = read_secret(path)? {
        let token = String::from_utf8(bytes).unwrap_or_default().trim().to_owned();
        return match token.len() {
            0..16 => Err(file_error(path, "a token has at least 16 characters")),
            _ => Ok(token),
        };
    }
    let fresh = blake3::hash(&SecretKey::generate().to_protobuf()).to_hex().to_string();
    write_secret(path, fresh.as_bytes())
        .map_err(|error| file_error(path, format!("the token cannot be kept ({error})")))?;
    Ok(fresh)
}

/// The bytes of a file that only its owner can read; `None` when there is no file.
fn read_secret(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => {
            refuse_open(path)?;
            Ok(Some(bytes))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file_error(path, format!("the secret cannot be read ({error})"))),
    }
}

#[cfg(unix)]
fn refuse_open(path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map_or(0, |found| found.permissions().mode() & 0o777);
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(file_error(
        path,
        format!(
            "others can read this secret (mode {mode:o}): run `chmod 600 {}`, and replace the \
             secret if somebody may have seen it",
            path.display()
        ),
    ))
}

#[cfg(not(unix))]
fn refuse_open(_: &Path) -> Result<(), Error> {
    Ok(())
}

/// Writes a new file that only its owner can read. Whole or not at all: a crash half-way leaves
/// a file of another name.
fn write_secret(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}.new", std::process::id()));
    let draft = PathBuf::from(draft);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    // A link, unlike a rename, never replaces a file that came first.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    linked
}
