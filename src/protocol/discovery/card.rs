//! A card: what a node says of itself, signed.

use std::collections::{BTreeMap, BTreeSet};

use multiaddr::Multiaddr;
use serde::{Deserialize, Serialize};

use super::wire::SignedCard;
use crate::base::codec::{from_cbor, to_cbor};
use crate::base::group::{Group, Interests};
use crate::base::id::{Life, NodeId};
use crate::base::key::SecretKey;
use crate::base::limits::{MAX_ADDRESSES, MAX_CARD, MAX_LABELS, MAX_TOPICS};
use crate::base::name::check_name;

/// What a node says of itself. The newest wins: the higher life, then the higher version.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Card {
    /// Whose card it is.
    pub node: NodeId,
    /// The life it speaks of.
    pub life: Life,
    /// Raised by its owner with every change within a life.
    pub version: u64,
    /// The name people gave it. Names may repeat.
    pub name: String,
    /// Where it can be dialled, at most 32 addresses, without its own `/p2p/…` at the end.
    pub addresses: Vec<Multiaddr>,
    /// The topics and patterns it reads in no group, at most 1,024 together with those in groups.
    /// Those beyond, and those that do not fit into 32 KiB of card, are left out, the last in the
    /// order of the alphabet first.
    pub topics: BTreeSet<String>,
    /// The topics and patterns it reads in queue groups, each with its groups. What does not fit is
    /// left out likewise, before any of `topics` is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, BTreeSet<Group>>,
    /// Whatever its operator wants others to know, at most 64 labels. Their names follow the rules
    /// of all names. What does not fit is left out likewise.
    pub labels: BTreeMap<String, String>,
    /// Its living neighbours, in a topology that mends itself: from these the others know the
    /// graph. At most 256, those with the lowest ids; empty in all other topologies.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub neighbours: BTreeSet<NodeId>,
}

impl Card {
    /// What the newest card is told by: the higher of two is the newer.
    pub(super) fn rank(&self) -> (Life, u64) {
        (self.life, self.version)
    }

    /// All that it reads.
    pub(crate) fn interests(&self) -> Interests {
        Interests { topics: self.topics.clone(), groups: self.groups.clone() }
    }

    /// Writes and signs it.
    pub(super) fn sign(&self, key: &SecretKey) -> SignedCard {
        let card = to_cbor(self);
        let signature = key.sign(&signed_bytes(&card));
        SignedCard { card, signature, age_ms: 0 }
    }
}

/// Reads a card and checks all but the signature; `None` for anything that is no proper card.
pub(super) fn read(signed: &SignedCard) -> Option<Card> {
    let card: Card = from_cbor(&signed.card, MAX_CARD).ok()?;
    let proper = check_name(&card.name).is_ok()
        && card.addresses.len() <= MAX_ADDRESSES
        && card.addresses.iter().all(|a| !a.is_empty() && a.len() <= MAX_ADDRESS)
        && card.topics.len() + card.groups.values().map(BTreeSet::len).sum::<usize>() <= MAX_TOPICS
        && card.interests().is_valid()
        && card.labels.len() <= MAX_LABELS
        && card.labels.keys().all(|label| check_name(label).is_ok())
        && card.neighbours.len() <= MAX_NEIGHBOURS;
    proper.then_some(card)
}

/// True when the owner of `card` signed these bytes. Slow (a curve operation): ask it last.
pub(super) fn is_genuine(card: &Card, signed: &SignedCard) -> bool {
    signed.signature.len() == SIGNATURE
        && card.node.verify(&signed_bytes(&signed.card), &signed.signature)
}

/// A signature of something else must never pass for one of a card.
fn signed_bytes(card: &[u8]) -> Vec<u8> {
    [DOMAIN, card].concat()
}

const DOMAIN: &[u8] = b"gossip-mesh card 1";

/// Length of an ed25519 signature, in bytes.
const SIGNATURE: usize = 64;

/// Longest address in a card, in bytes. A DNS name has at most 253; a relay adds 40. (Guess.)
pub(super) const MAX_ADDRESS: usize = 512;

/// Neighbours in a card: about 10 KiB of its 32. (Guess: the hub of a large lab has a hundred.)
pub(super) const MAX_NEIGHBOURS: usize = 256;
