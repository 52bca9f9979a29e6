//! Where the local API is served: a socket only its owner can open, a TCP address with a token.

use std::future::IntoFuture;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;

use super::routes::{Failure, router};
use super::tcp;
use crate::node::{Error, Node, folder};

/// How long answers under way may take once the node has stopped.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(1);

/// Serves what the settings ask for, until the node stops.
///
/// # Errors
/// A socket or an address that cannot be listened on, a token file others can read.
pub async fn serve(node: &Node) -> Result<(), Error> {
    let api = &node.config().api;
    let data = node.config().data.as_deref();
    // Closed when the last task that serves has ended.
    let (serving, served) = watch::channel(());
    let in_folder = data.filter(|_| api.unix).map(|data| data.join("api.sock"));
    if let Some(path) = api.socket.clone().or(in_folder) {
        let (listener, socket) = Socket::listen(path)?;
        let server = axum::serve(listener, router(node)).with_graceful_shutdown(node.ended());
        let ended = node.ended();
        let serving = serving.clone();
        tokio::spawn(async move {
            finish(ended, server.into_future()).await;
            socket.remove();
            drop(serving);
        });
    }
    if let Some(address) = api.tcp {
        let file = api.token_file.clone().or_else(|| Some(data?.join("api.token")));
        // The settings were checked: where there is an address there is a place for the token.
        let token = folder::token(&file.unwrap_or_else(|| PathBuf::from("api.token")))?;
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Error::Network(format!("the local API cannot listen on {address}: {error}"))
        })?;
        let app = guarded(router(node), &token);
        let node = node.downgrade();
        tokio::spawn(async move {
            tcp::serve(listener, app, node).await;
            drop(serving);
        });
    }
    node.is_served(served);
    Ok(())
}

/// Runs a server to its graceful end, but not much longer than the node: a reader that does not
/// read cannot hold it.
async fn finish(ended: impl Future, server: impl Future) {
    let overdue = async {
        ended.await;
        tokio::time::sleep(LAST_WORDS).await;
    };
    tokio::select! {
        _ = server => {}
        () = overdue => {}
    }
}

/// A socket of ours in the file system.
struct Socket {
    path: PathBuf,
    /// Which file it is: another node may have put its own in its place.
    inode: Option<u64>,
}

impl Socket {
    fn listen(path: PathBuf) -> Result<(UnixListener, Self), Error> {
        let wrong = |reason: String| Error::File { path: path.clone(), reason };
        if let Ok(found) = std::fs::symlink_metadata(&path) {
            if !found.file_type().is_socket() {
                return Err(wrong("this is a file, not a socket: name another one".to_owned()));
            }
            if UnixStream::connect(&path).is_ok() {
                return Err(wrong("another node serves its local API here".to_owned()));
            }
            // A socket without a listener is what a killed node leaves behind.
            std::fs::remove_file(&path).map_err(|error| wrong(error.to_string()))?;
        }
        let listener = UnixListener::bind(&path).map_err(|error| {
            wrong(format!(
                "the local API cannot listen here ({error}): a socket's path has at most about \
                 100 bytes; `api.socket` puts it elsewhere"
            ))
        })?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
            .map_err(|error| wrong(error.to_string()))?;
        let inode = inode(&path);
        Ok((listener, Self { path, inode }))
    }

    fn remove(self) {
        if self.inode.is_some() && inode(&self.path) == self.inode {
            // Gone already when somebody cleaned up in this very moment.
            let _ = std::fs::remove_file(self.path);
        }
    }
}

fn inode(path: &Path) -> Option<u64> {
    std::fs::symlink_metadata(path).ok().map(|found| found.ino())
}

/// Lets only those in who know the token.
fn guarded(app: Router, token: &str) -> Router {
    let token: Arc<blake3::Hash> = Arc::new(blake3::hash(token.as_bytes()));
    app.layer(from_fn(move |request: Request, next: Next| check(token.clone(), request, next)))
}

async fn check(token: Arc<blake3::Hash>, request: Request, next: Next) -> Response {
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    // Hashes compare in constant time.
    match given.and_then(|value| value.strip_prefix("Bearer ")) {
        Some(given) if blake3::hash(given.as_bytes()) == *token => next.run(request).await,
        _ => Failure::new(
            StatusCode::UNAUTHORIZED,
            "this address needs the header `Authorization: Bearer TOKEN`, with the token of the \
             node's token file",
        )
        .into_response(),
    }
}
