//! A TCP line that can stall: what a host looks like whose cable was pulled.

use gossip_mesh::Multiaddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A port that leads to another one. Gone when dropped.
pub struct Proxy {
    port: u16,
    stalled: watch::Sender<bool>,
    _task: JoinSet<()>,
}

impl Proxy {
    /// A line to `/ip4/127.0.0.1/tcp/…`.
    pub async fn to(target: &Multiaddr) -> Self {
        let target = port(target);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let own = listener.local_addr().expect("it is bound").port();
        let (stalled, state) = watch::channel(false);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut lines = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                let far =
                    TcpStream::connect(("127.0.0.1", target)).await.expect("the target listens");
                let ((near_in, near_out), (far_in, far_out)) =
                    (near.into_split(), far.into_split());
                lines.spawn(copy(near_in, far_out, state.clone()));
                lines.spawn(copy(far_in, near_out, state.clone()));
            }
        });
        Self { port: own, stalled, _task: task }
    }

    /// Where to dial.
    pub fn address(&self) -> Multiaddr {
        format!("/ip4/127.0.0.1/tcp/{}", self.port).parse().expect("an address")
    }

    /// From now on nothing moves, and no end of a connection is told.
    pub fn stall(&self) {
        self.stalled.send_replace(true);
    }
}

fn port(address: &Multiaddr) -> u16 {
    let text = address.to_string();
    let port = text.split('/').nth(4).expect("an address of TCP");
    port.parse().expect("a number")
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, stalled: watch::Receiver<bool>) {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let count = from.read(&mut bytes).await.unwrap_or(0);
        // Both halves are held open for ever.
        let _ = stalled.clone().wait_for(|stalled| !stalled).await;
        if count == 0 || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
