//! Lines that can be cut, stalled and listened to.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use gossip_mesh::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Line {
    /// Bytes go through.
    Open,
    /// Connections stay and nothing moves: what a vanished host looks like.
    Stalled,
    /// All connections end; new ones end at once.
    Cut,
}

/// A TCP port of 127.0.0.1 that leads to the same port of 127.0.0.2, where a node can listen: what
/// others dial is the proxy. Gone when dropped.
pub struct Proxy {
    address: SocketAddr,
    line: watch::Sender<Line>,
    seen: Arc<Mutex<Vec<u8>>>,
    task: AbortHandle,
}

impl Proxy {
    /// An open line.
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (line, state) = watch::channel(Line::Open);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(accept(listener, behind(address), state, seen.clone()));
        Self { address, line, seen, task: task.abort_handle() }
    }

    /// Puts the node of these settings behind the proxy; `kind` is what follows the port.
    pub fn before(&self, kind: &str, config: Config) -> Config {
        let port = self.address.port();
        put_behind(config, &format!("tcp/{port}{kind}"))
    }

    pub fn cut(&self) {
        self.line.send_replace(Line::Cut);
    }

    pub fn stall(&self) {
        self.line.send_replace(Line::Stalled);
    }

    pub fn mend(&self) {
        self.line.send_replace(Line::Open);
    }

    /// All bytes that went through, in both directions.
    pub fn seen(&self) -> Vec<u8> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(
    listener: TcpListener,
    target: SocketAddr,
    state: watch::Receiver<Line>,
    seen: Arc<Mutex<Vec<u8>>>,
) {
    // Dropped with this task, and all connections with it.
    let mut connections = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        if *state.borrow() == Line::Cut {
            continue;
        }
        connections.spawn(carry(near, target, state.clone(), seen.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn carry(
    near: TcpStream,
    target: SocketAddr,
    mut state: watch::Receiver<Line>,
    seen: Arc<Mutex<Vec<u8>>>,
) {
    let Ok(far) = TcpStream::connect(target).await else { return };
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    let there = copy(near_in, far_out, state.clone(), seen.clone());
    let back = copy(far_in, near_out, state.clone(), seen);
    tokio::select! {
        _ = async { tokio::join!(there, back) } => {}
        _ = state.wait_for(|line| *line == Line::Cut) => {}
    }
}

async fn copy(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut state: watch::Receiver<Line>,
    seen: Arc<Mutex<Vec<u8>>>,
) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if state.wait_for(|line| *line == Line::Open).await.is_err() {
            return;
        }
        seen.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&bytes[..read]);
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}

/// As [`Proxy`], of UDP: while cut, every packet is lost.
pub struct UdpProxy {
    address: SocketAddr,
    cut: watch::Sender<bool>,
    task: AbortHandle,
}

impl UdpProxy {
    /// An open line.
    pub async fn open() -> Self {
        let near = Arc::new(UdpSocket::bind("127.0.0.1:0").await.expect("a free port"));
        let address = near.local_addr().expect("it is bound");
        let (cut, state) = watch::channel(false);
        let task = tokio::spawn(relay(near, behind(address), state)).abort_handle();
        Self { address, cut, task }
    }

    /// Puts the node of these settings behind the proxy, with QUIC.
    pub fn before(&self, config: Config) -> Config {
        let port = self.address.port();
        put_behind(config, &format!("udp/{port}/quic-v1"))
    }

    pub fn cut(&self) {
        self.cut.send_replace(true);
    }

    pub fn mend(&self) {
        self.cut.send_replace(false);
    }
}

impl Drop for UdpProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn relay(near: Arc<UdpSocket>, target: SocketAddr, cut: watch::Receiver<bool>) {
    let mut back = JoinSet::new();
    let mut ways: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
    let mut packet = vec![0; 64 * 1024];
    while let Ok((length, from)) = near.recv_from(&mut packet).await {
        let way = match ways.entry(from) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => {
                let far = Arc::new(UdpSocket::bind("127.0.0.1:0").await.expect("a free port"));
                far.connect(target).await.expect("a port of loopback");
                back.spawn(answers(far.clone(), near.clone(), from, cut.clone()));
                free.insert(far)
            }
        };
        if !*cut.borrow() {
            let _ = way.send(&packet[..length]).await;
        }
    }
}

async fn answers(
    far: Arc<UdpSocket>,
    near: Arc<UdpSocket>,
    to: SocketAddr,
    cut: watch::Receiver<bool>,
) {
    let mut packet = vec![0; 64 * 1024];
    // An error says that the other side is gone for now; its next packet may come all the same.
    loop {
        match far.recv(&mut packet).await {
            Ok(length) if !*cut.borrow() => drop(near.send_to(&packet[..length], to).await),
            Ok(_) => {}
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

/// Where the node behind a proxy listens.
fn behind(proxy: SocketAddr) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 2], proxy.port()))
}

fn put_behind(mut config: Config, port: &str) -> Config {
    let at = |ip: &str| vec![format!("/ip4/{ip}/{port}").parse().expect("an address")];
    (config.listen, config.announce) = (at("127.0.0.2"), at("127.0.0.1"));
    config
}
