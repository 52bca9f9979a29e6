//! Questions and answers between two nodes: CBOR over request-response, bounded before decoding.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::StreamProtocol;
use libp2p::request_response::{Behaviour, Codec, Config, ProtocolSupport};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base::codec::{from_cbor, to_cbor};
use crate::config::LinkConfig;
use crate::engine::frame::{Lane, Request, Response};

const PROTOCOL: StreamProtocol = StreamProtocol::new("/gossip-mesh/control/1");

/// Reads and writes one message per stream and direction.
#[derive(Clone, Copy, Debug)]
pub struct FrameCodec {
    /// Largest message, in bytes.
    max: usize,
}

/// A behaviour that carries questions and answers: one per lane.
pub type Exchange = Behaviour<FrameCodec>;

/// The behaviour of the control lane, where messages may have `max_message` bytes.
pub fn control(config: &LinkConfig, max_message: usize) -> Exchange {
    exchange(PROTOCOL, Lane::Control.max_bytes(max_message), config)
}

/// Questions and answers over this protocol, of `max` bytes each, with this node's limits.
pub fn exchange(protocol: StreamProtocol, max: usize, config: &LinkConfig) -> Exchange {
    let settings = Config::default()
        .with_request_timeout(config.request_timeout)
        .with_max_concurrent_streams(config.max_requests);
    Behaviour::with_codec(FrameCodec { max }, [(protocol, ProtocolSupport::Full)], settings)
}

impl FrameCodec {
    async fn read<T: DeserializeOwned>(
        self,
        io: &mut (impl AsyncRead + Unpin + Send),
    ) -> io::Result<T> {
        let mut bytes = Vec::new();
        io.take(self.max as u64 + 1).read_to_end(&mut bytes).await?;
        from_cbor(&bytes, self.max)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    async fn write(
        self,
        io: &mut (impl AsyncWrite + Unpin + Send),
        message: &(impl Serialize + Sync),
    ) -> io::Result<()> {
        let bytes = to_cbor(message);
        if bytes.len() > self.max {
            let kind = io::ErrorKind::InvalidInput;
            return Err(io::Error::new(kind, "a message above the frame limit"));
        }
        io.write_all(&bytes).await
    }
}

impl Codec for FrameCodec {
    type Protocol = StreamProtocol;
    type Request = Request;
    type Response = Response;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Request>
    where
        T: AsyncRead + Unpin + Send,
    {
        self.read(io).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Response>
    where
        T: AsyncRead + Unpin + Send,
    {
        self.read(io).await
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
        self.write(io, &request).await
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
        self.write(io, &response).await
    }
}
