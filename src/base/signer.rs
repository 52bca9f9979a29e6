//! Signatures as the machines use them: made with a key, or read back from a recording.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use super::id::NodeId;
use super::key::SecretKey;

/// Signs in the name of one node.
#[derive(Clone, Debug)]
pub struct Signer {
    me: NodeId,
    hand: Hand,
    /// What was signed since it was last taken, while somebody takes it.
    made: Option<Vec<Vec<u8>>>,
}

#[derive(Clone, Debug)]
enum Hand {
    Key(Box<SecretKey>),
    /// A replay has no key: it signs as it was signed then.
    Recorded(VecDeque<Vec<u8>>),
}

impl Signer {
    /// Signs with this key.
    pub fn new(key: SecretKey) -> Self {
        Self { me: key.id(), hand: Hand::Key(Box::new(key)), made: None }
    }

    /// Gives the recorded signatures of `me`, one after the other, and empty ones after the last.
    pub fn recorded(me: NodeId, signatures: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let hand = Hand::Recorded(signatures.into_iter().collect());
        Self { me, hand, made: None }
    }

    pub fn me(&self) -> NodeId {
        self.me
    }

    pub fn sign(&mut self, bytes: &[u8]) -> Vec<u8> {
        let signature = match &mut self.hand {
            Hand::Key(key) => key.sign(bytes),
            Hand::Recorded(signatures) => signatures.pop_front().unwrap_or_default(),
        };
        if let Some(made) = &mut self.made {
            made.push(signature.clone());
        }
        signature
    }

    /// The signatures made since the last call. From the first call on they are kept for the next;
    /// whoever calls it once goes on calling it.
    pub fn take_made(&mut self) -> Vec<Vec<u8>> {
        self.made.replace(Vec::new()).unwrap_or_default()
    }
}

/// Answers whether `node` signed `bytes`.
pub type Check = dyn Fn(NodeId, &[u8], &[u8]) -> bool + Send + Sync;

/// Checks signatures: really, unless a simulator remembers what it has checked already.
#[derive(Clone)]
pub struct Verifier(Arc<Check>);

impl Verifier {
    #[cfg(any(feature = "sim", test))]
    /// Checks with `check`, which must answer what [`NodeId::verify`] would.
    pub fn new(check: Arc<Check>) -> Self {
        Self(check)
    }

    pub fn verify(&self, node: NodeId, bytes: &[u8], signature: &[u8]) -> bool {
        (self.0)(node, bytes, signature)
    }
}

impl Default for Verifier {
    fn default() -> Self {
        Self(Arc::new(|node: NodeId, bytes: &[u8], signature: &[u8]| node.verify(bytes, signature)))
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}
