//! Questions and answers between two nodes: CBOR over request-response, bounded before decoding.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::StreamProtocol;
use libp2p::request_response::{Behaviour, Codec, Config, ProtocolSupport};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base::codec::{from_cbor, to_cbor};
use crate::base::limits::MAX_FRAME;
use crate::config::LinkConfig;
use crate::engine::frame::{Request, Response};

const PROTOCOL: StreamProtocol = StreamProtocol::new("/gossip-mesh/control/1");

/// Reads and writes one message per stream and direction.
#[derive(Clone, Copy, Debug, Default)]
pub struct ControlCodec;

/// The behaviour that carries them.
pub type Control = Behaviour<ControlCodec>;

/// The behaviour, with this node's limits.
pub fn control(config: &LinkConfig) -> Control {
    let settings = Config::default()
        .with_request_timeout(config.request_timeout)
        .with_max_concurrent_streams(config.max_requests);
    Behaviour::with_codec(ControlCodec, [(PROTOCOL, ProtocolSupport::Full)], settings)
}

async fn read<T: DeserializeOwned>(io: &mut (impl AsyncRead + Unpin + Send)) -> io::Result<T> {
    let mut bytes = Vec::new();
    io.take(MAX_FRAME as u64 + 1).read_to_end(&mut bytes).await?;
    from_cbor(&bytes, MAX_FRAME).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

async fn write(
    io: &mut (impl AsyncWrite + Unpin + Send),
    message: &(impl Serialize + Sync),
) -> io::Result<()> {
    let bytes = to_cbor(message);
    if bytes.len() > MAX_FRAME {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a message above the frame limit"));
    }
    io.write_all(&bytes).await
}

impl Codec for ControlCodec {
    type Protocol = StreamProtocol;
    type Request = Request;
    type Response = Response;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Request>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Response>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io).await
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        request: Request,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, &request).await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        response: Response,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, &response).await
    }
}
