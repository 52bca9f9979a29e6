//! The hash over everything that happened: the same world, the same hash.

use crate::base::time::Time;

/// Takes in every event as (time, node, kind, words), all little-endian.
#[derive(Debug)]
pub(crate) struct Trace {
    hasher: blake3::Hasher,
    /// How many events.
    pub events: u64,
}

impl Trace {
    pub fn new() -> Self {
        Self { hasher: blake3::Hasher::new(), events: 0 }
    }

    /// Something happened to a node.
    pub fn note(&mut self, now: Time, node: u32, kind: u8, words: [u64; 2]) {
        let mut bytes = [0; 29];
        bytes[..8].copy_from_slice(&now.as_micros().to_le_bytes());
        bytes[8..12].copy_from_slice(&node.to_le_bytes());
        bytes[12] = kind;
        bytes[13..21].copy_from_slice(&words[0].to_le_bytes());
        bytes[21..].copy_from_slice(&words[1].to_le_bytes());
        self.hasher.update(&bytes);
        self.events += 1;
    }

    /// What a message or finding says.
    pub fn content(&mut self, bytes: &[u8]) {
        self.hasher.update(&(bytes.len() as u64).to_le_bytes());
        self.hasher.update(bytes);
    }

    /// The hash until now, in hexadecimal digits.
    pub fn hash(&self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }
}
