//! How a stream of bytes becomes sealed, and then many streams: libp2p's own builder does the same,
//! but knows only in the end, when the stream itself is out of reach, who is at its other end.

use std::error::Error;
use std::io;

use futures::{AsyncRead, AsyncWrite};
use libp2p::core::multiaddr::Protocol;
use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade, Version};
use libp2p::core::{ConnectedPoint, Endpoint, Negotiated};
use multistream_select::{dialer_select_proto, listener_select_proto};

use crate::base::id::NodeId;

/// Agrees with the other end on a protocol, and speaks it.
pub(super) async fn negotiate<S, U, T, E>(
    stream: S,
    upgrade: U,
    point: &ConnectedPoint,
) -> io::Result<T>
where
    S: AsyncRead + AsyncWrite + Unpin,
    U: InboundConnectionUpgrade<Negotiated<S>, Output = T, Error = E>
        + OutboundConnectionUpgrade<Negotiated<S>, Output = T, Error = E>,
    E: Error + Send + Sync + 'static,
{
    let protocols = upgrade.protocol_info();
    // In a hole punch both ends dial, and one plays the listener.
    let ended = if let ConnectedPoint::Dialer { role_override: Endpoint::Dialer, .. } = point {
        let selected = dialer_select_proto(stream, protocols, Version::V1Lazy).await;
        let (protocol, stream) = selected.map_err(io::Error::other)?;
        upgrade.upgrade_outbound(stream, protocol).await
    } else {
        let selected = listener_select_proto(stream, protocols).await;
        let (protocol, stream) = selected.map_err(io::Error::other)?;
        upgrade.upgrade_inbound(stream, protocol).await
    };
    ended.map_err(io::Error::other)
}

/// Whom we want to meet there, when the dial says so.
pub(super) fn dialled_peer(point: &ConnectedPoint) -> Option<NodeId> {
    let ConnectedPoint::Dialer { address, .. } = point else { return None };
    address.iter().find_map(|part| match part {
        Protocol::P2p(peer) => Some(NodeId::from(peer)),
        _ => None,
    })
}
