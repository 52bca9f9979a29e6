//! The transports, each secured and multiplexed, joined into one, and the hello over all of them.
//!
//! What the swarm is given is one transport whose connections are those of members. It is built
//! by hand because the hello has to run between the multiplexer and the swarm, once for all kinds
//! of transport, and because libp2p's own builder leaves a websocket message at 256 MiB.

use std::convert::identity;
use std::io;
use std::time::Duration;

use futures::{AsyncRead, AsyncWrite};
use libp2p::core::ConnectedPoint;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::timeout::TransportTimeout;
use libp2p::core::transport::{Boxed, MemoryTransport, OptionalTransport};
use libp2p::{PeerId, Transport, dns, noise, quic, tcp, websocket, yamux};

use super::hello::Hello;
use super::parting::Parting;
use super::shape::{Shaped, Shaper};
use super::upgrade::{dialled_peer, negotiate};
use crate::base::id::NodeId;
use crate::base::key::SecretKey;
use crate::config::LinkConfig;

/// A transport that yields authenticated, multiplexed connections.
type Connections = Boxed<(PeerId, StreamMuxerBox)>;

/// Largest websocket message, in bytes. yamux sends frames of at most 16 KiB; the rest is room
/// for other implementations. libp2p's default of 256 MiB is an invitation.
const MAX_WEBSOCKET_MESSAGE: usize = 4 * 1024 * 1024;

/// How often QUIC gives a sign of life. (libp2p: 5 s.)
const QUIC_KEEP_ALIVE: Duration = Duration::from_secs(1);

/// Which transports are on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Transports {
    /// TCP with noise and yamux: `/ip4/…/tcp/…`.
    pub tcp: bool,
    /// QUIC version 1: `/ip4/…/udp/…/quic-v1`.
    pub quic: bool,
    /// Websocket over TCP, with noise and yamux: `/ip4/…/tcp/…/ws`.
    pub websocket: bool,
    /// Within this process, with noise and yamux: `/memory/…`. For tests.
    pub memory: bool,
    /// Resolve `/dns…` addresses of all but the memory transport, with the system's resolver.
    pub dns: bool,
    /// Longest time to connect, secure and multiplex, before the hello begins. Guess: 10 s.
    pub handshake_timeout: Duration,
    /// A QUIC connection without a sign of life for so long is over. (libp2p: 10 s.)
    pub quic_idle: Duration,
}

impl Transports {
    /// All there are: what a node listens on is its own choice, what others listen on is not. A
    /// node that may disturb its links leaves out the one it could not disturb.
    pub fn all(config: &LinkConfig, faults: bool) -> Self {
        Self {
            tcp: true,
            quic: !faults,
            websocket: true,
            memory: true,
            dns: true,
            handshake_timeout: config.handshake_timeout,
            quic_idle: config.quic_idle,
        }
    }
}

/// The transport of a member: every connection begins with the hello, in both directions, before
/// the swarm hears of it. With a shaper it can be disturbed, and must have no QUIC. Must be called
/// within a tokio runtime when DNS or QUIC is on.
///
/// # Errors
/// When the system's resolver configuration cannot be read.
pub(crate) fn build(
    key: &SecretKey,
    on: Transports,
    hello: &Hello,
    shaper: Option<&Shaper>,
) -> io::Result<Connections> {
    let hello = hello.clone();
    Ok(joined(key, on, shaper)?
        .and_then(move |(peer, muxer), point| hello.greet(peer, muxer, point))
        .map_err(|error| error.either(identity, io::Error::other))
        .boxed())
}

/// The same transports without hello: what any other libp2p program has. For the foreign door.
///
/// # Errors
/// As [`build`].
pub(crate) fn build_plain(key: &SecretKey, on: Transports) -> io::Result<Connections> {
    joined(key, on, None)
}

fn joined(key: &SecretKey, on: Transports, shaper: Option<&Shaper>) -> io::Result<Connections> {
    let memory = on.memory.then(|| secured(MemoryTransport::new(), key, shaper)).transpose()?;
    let websocket = on.websocket.then(|| websocket(key, on.dns, shaper)).transpose()?;
    let tcp = on.tcp.then(|| secured(plain_tcp(), key, shaper)).transpose()?;
    let quic = on.quic.then(|| quic_with(key, on));

    let direct = either(tcp, quic);
    let named = if on.dns { dns::tokio::Transport::system(direct)?.boxed() } else { direct };
    // The resolver takes any address, so it has to be asked last.
    let all = either(Some(either(memory, websocket)), Some(named));
    Ok(TransportTimeout::new(all, on.handshake_timeout).boxed())
}

/// Both as one; the first that knows the kind of address takes it.
fn either(one: Option<Connections>, other: Option<Connections>) -> Connections {
    let optional = |transport: Option<Connections>| {
        transport.map_or_else(OptionalTransport::none, OptionalTransport::some)
    };
    optional(one).or_transport(optional(other)).map(|either, _| either.into_inner()).boxed()
}

/// TCP without delay: we gather bytes into large writes ourselves. A port to dial from is shared
/// with the listener as each dial says (`DialOpts`).
fn plain_tcp() -> tcp::tokio::Transport {
    tcp::tokio::Transport::new(tcp::Config::new().nodelay(true))
}

fn websocket(key: &SecretKey, resolve: bool, shaper: Option<&Shaper>) -> io::Result<Connections> {
    // For `wss` a name has to be checked against the certificate before it is resolved, so the
    // resolver goes below the websocket.
    if resolve {
        secured(framed(dns::tokio::Transport::system(plain_tcp())?), key, shaper)
    } else {
        secured(framed(plain_tcp()), key, shaper)
    }
}

fn framed<T>(transport: T) -> websocket::Config<T>
where
    T: Transport + Send + Unpin + 'static,
    T::Error: Send + 'static,
    T::Dial: Send + 'static,
    T::ListenerUpgrade: Send + 'static,
    T::Output: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut websocket = websocket::Config::new(transport);
    websocket.set_max_data_size(MAX_WEBSOCKET_MESSAGE);
    websocket
}

fn quic_with(key: &SecretKey, on: Transports) -> Connections {
    let mut config = quic::Config::new(key.keypair());
    config.handshake_timeout = on.handshake_timeout;
    // The limit of the field is 49 days.
    config.max_idle_timeout = u32::try_from(on.quic_idle.as_millis()).unwrap_or(u32::MAX);
    config.keep_alive_interval = QUIC_KEEP_ALIVE;
    quic::tokio::Transport::new(config)
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)))
        .boxed()
}

/// Adds noise and yamux to a transport of plain bytes, and what may be wrong with them below.
fn secured<T>(transport: T, key: &SecretKey, shaper: Option<&Shaper>) -> io::Result<Connections>
where
    T: Transport + Send + Unpin + 'static,
    T::Error: Send + Sync + 'static,
    T::Dial: Send + 'static,
    T::ListenerUpgrade: Send + 'static,
    T::Output: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let noise = noise::Config::new(key.keypair()).map_err(io::Error::other)?;
    let shaper = shaper.cloned();
    let upgrade = move |stream: T::Output, point: ConnectedPoint| async move {
        let stream = Shaped::new(stream, shaper.as_ref());
        let tag = stream.tag();
        if let (Some(tag), Some(peer)) = (&tag, dialled_peer(&point)) {
            tag.bind(peer);
        }
        let (peer, sealed) = negotiate(stream, noise, &point).await?;
        if let Some(tag) = tag {
            tag.bind(NodeId::from(peer));
        }
        let muxer = negotiate(sealed, yamux::Config::default(), &point).await?;
        io::Result::Ok((peer, StreamMuxerBox::new(Parting::new(muxer))))
    };
    Ok(transport.and_then(upgrade).boxed())
}
