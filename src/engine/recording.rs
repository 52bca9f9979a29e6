//! A recording as it travels and lies on disk: a CBOR sequence (RFC 8742) of a header, the machine
//! as it was in the beginning, and two items per step: (time, input) and [`Step`].

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::recorder::Recordable;
use super::replay::{Replay, ReplayOf};
use crate::base::codec::DecodeError;
use crate::base::id::{Life, NodeId};
use crate::base::time::WallTime;
use crate::protocol::membership::{MembershipConfig, MembershipMachine};

/// What the first item of a recording says of itself.
const FORMAT: &str = "gossip-mesh recording";

/// The version written, and the only one read.
const VERSION: u32 = 1;

/// Largest recording that is read, in bytes.
const MAX_RECORDING: usize = 64 * 1024 * 1024;

/// Where, when and with which settings a recording was made.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RecordingHeader {
    pub(super) format: String,
    pub(super) version: u32,
    /// Version of the program that made it.
    pub program: String,
    /// Whose it is.
    pub node: NodeId,
    /// In which of its lives.
    pub life: Life,
    /// The wall clock at the node's start.
    pub started: WallTime,
    /// Seed of all its randomness.
    pub seed: u64,
    /// Its settings.
    pub config: MembershipConfig,
    /// What people call the nodes it knew when the recording was taken.
    pub names: BTreeMap<NodeId, String>,
}

impl RecordingHeader {
    pub(crate) fn new(
        node: NodeId,
        life: Life,
        started: WallTime,
        seed: u64,
        config: MembershipConfig,
    ) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            node,
            life,
            started,
            seed,
            config,
            names: BTreeMap::new(),
        }
    }
}

/// What a machine made of an input.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Step {
    /// Of the outputs as CBOR, in order: the first 8 bytes of their BLAKE3 hash.
    pub digest: u64,
    /// What was signed, in order.
    pub signatures: Vec<ByteBuf>,
}

/// A recording of machines of kind `M`.
#[derive(Clone, Debug)]
pub struct RecordingOf<M> {
    pub header: RecordingHeader,
    /// The machine as it was.
    pub(super) beginning: M,
    /// The steps from there on, as CBOR.
    pub(super) tape: Vec<u8>,
}

impl<M: Recordable> RecordingOf<M>
where
    M::Input: DeserializeOwned + Serialize,
    M::Output: Serialize,
{
    pub fn new(header: RecordingHeader, (beginning, tape): (M, Vec<u8>)) -> Self {
        Self { header, beginning, tape }
    }

    pub fn to_cbor(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.tape.len() + 64 * 1024);
        let header = ciborium::into_writer(&self.header, &mut bytes);
        let machine = ciborium::into_writer(&self.beginning, &mut bytes);
        debug_assert!(header.is_ok() && machine.is_ok(), "a machine is plain data: {machine:?}");
        bytes.extend_from_slice(&self.tape);
        bytes
    }

    pub fn from_cbor(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_RECORDING {
            return Err(DecodeError::TooLarge { got: bytes.len(), max: MAX_RECORDING });
        }
        let mut tape = bytes;
        let header: RecordingHeader = next(&mut tape)
            .map_err(|_| DecodeError::Malformed("it is no recording of a node".to_owned()))?;
        if header.format != FORMAT || header.version != VERSION {
            let found = format!("version {} of it is not known here", header.version);
            return Err(DecodeError::Malformed(found));
        }
        let beginning = next(&mut tape)?;
        Ok(Self { header, beginning, tape: tape.to_vec() })
    }

    pub fn replay(self) -> ReplayOf<M> {
        ReplayOf::new(self)
    }
}

/// What came into the membership of a node for a while, and what it was before: enough to turn the
/// same machine over it again, on another computer and without the node's key, and to see why it
/// decided as it did. Holds no secrets. Made by `node.recording()`, saved by
/// `gossip recorder dump`.
#[derive(Clone, Debug)]
pub struct Recording(RecordingOf<MembershipMachine>);

impl Recording {
    pub(crate) const fn new(recording: RecordingOf<MembershipMachine>) -> Self {
        Self(recording)
    }

    /// The same, with what people call the nodes it speaks of.
    #[cfg(feature = "net")]
    pub(crate) fn with_names(mut self, names: BTreeMap<NodeId, String>) -> Self {
        self.0.header.names = names;
        self
    }

    /// Where, when and with which settings it was made.
    pub const fn header(&self) -> &RecordingHeader {
        &self.0.header
    }

    /// Its file: a CBOR sequence (RFC 8742) of header, machine and steps.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_cbor()
    }

    /// Reads such a file, of at most 64 MiB.
    ///
    /// # Errors
    /// When it is too large, no recording, or one of another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        RecordingOf::from_cbor(bytes).map(Self)
    }

    /// Turns the machine over all of it, a step at a time.
    pub fn replay(self) -> Replay {
        Replay::new(self.0.replay())
    }
}

/// Reads the next item of a sequence.
pub(super) fn next<T: DeserializeOwned>(rest: &mut &[u8]) -> Result<T, DecodeError> {
    ciborium::from_reader(rest).map_err(|error| DecodeError::Malformed(error.to_string()))
}
