//! Kademlia as an address book: it finds where nodes are and keeps nobody's records.

use std::num::NonZeroUsize;
use std::time::Duration;

use libp2p::kad::store::MemoryStore;
use libp2p::{Multiaddr, PeerId, StreamProtocol, identify, kad};

/// Kademlia with a store that stays empty.
pub type AddressBook = kad::Behaviour<MemoryStore>;

/// Addresses remembered of one peer. (Guess: a node has a few for each of its interfaces.)
const MAX_ADDRESSES: usize = 16;

/// An empty book that answers whoever asks. It fills by [`learn`] alone, and looks around by
/// itself half a second after it learnt of somebody and then every minute.
pub fn address_book(me: PeerId, protocol: StreamProtocol) -> AddressBook {
    let mut config = kad::Config::new(protocol);
    config
        .set_query_timeout(Duration::from_secs(10))
        .set_periodic_bootstrap_interval(Some(Duration::from_secs(60)))
        .set_kbucket_inserts(kad::BucketInserts::Manual)
        .set_record_filtering(kad::StoreInserts::FilterBoth)
        .set_kbucket_size(const { NonZeroUsize::new(20).unwrap() });
    let mut book = kad::Behaviour::with_config(me, MemoryStore::new(me), config);
    // Left to itself it only answers once it knows that others can dial it, which nobody on
    // loopback or a LAN ever tells it.
    book.set_mode(Some(kad::Mode::Server));
    book
}

/// Takes what a peer said of itself to identify, in place of what it said before.
pub fn learn(book: &mut AddressBook, peer: &PeerId, info: identify::Info) {
    let mut told = Vec::new();
    if info.protocols.iter().any(|protocol| book.protocol_names().contains(protocol)) {
        // The book writes them with the id at the end; an address of somebody else is dropped.
        let addresses = info.listen_addrs.into_iter();
        told.extend(addresses.filter_map(|address| address.with_p2p(*peer).ok()));
        told.truncate(MAX_ADDRESSES);
    }
    // New ones first: a peer without an address would be taken out of the book, and be news again.
    for address in &told {
        book.add_address(peer, address.clone());
    }
    for address in held(book, peer).into_iter().filter(|address| !told.contains(address)) {
        book.remove_address(peer, &address);
    }
}

fn held(book: &mut AddressBook, peer: &PeerId) -> Vec<Multiaddr> {
    let Some(bucket) = book.kbucket(*peer) else { return Vec::new() };
    let entry = bucket.iter().find(|entry| entry.node.key.preimage() == peer);
    entry.map(|entry| entry.node.value.iter().cloned().collect()).unwrap_or_default()
}
