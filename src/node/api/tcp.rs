//! The local API over TCP, where anybody may knock: bounded in connections and in patience, before
//! the token is asked for.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::serve::LAST_WORDS;
use crate::node::weak::WeakNode;

/// Connections at once; a further one waits for its turn.
const MAX_CONNECTIONS: usize = 64;

/// How long the head of a request may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait when the system has no more descriptors to give.
const RETRY: Duration = Duration::from_millis(100);

/// Serves until the node stops.
pub async fn serve(listener: TcpListener, app: Router, node: WeakNode) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let ended = node.ended();
    tokio::pin!(ended);
    loop {
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place,
            () = &mut ended => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut ended => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let talk = talk(stream, app.clone(), node.ended());
                tokio::spawn(async move {
                    talk.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the local API cannot accept");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
    // All places are free again when the last answer is given.
    let last = places.acquire_many(u32::try_from(MAX_CONNECTIONS).unwrap_or(u32::MAX));
    let _ = tokio::time::timeout(LAST_WORDS, last).await;
}

async fn talk(stream: TcpStream, app: Router, ended: impl Future<Output = ()>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    tokio::pin!(connection);
    tokio::select! {
        // How a connection of somebody else ends is not our business.
        _ = connection.as_mut() => {}
        () = ended => {
            connection.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(LAST_WORDS, connection).await;
        }
    }
}
