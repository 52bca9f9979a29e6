//! Kademlia as an address book: it finds where nodes are and keeps nobody's records.
//!
//! Left to itself it also dials whom its questions lead to, those who left or are known to be
//! strangers among them, again with every look around. [`Finder`] tells of them instead: whom to
//! dial is for the discovery room to say. A question goes on as soon as somebody is linked.

use std::num::NonZeroUsize;
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::kad::store::MemoryStore;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm,
};
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

/// An address book that dials nobody.
pub struct Finder(pub AddressBook);

/// What it tells.
#[derive(Debug)]
pub enum FinderEvent {
    /// Where somebody is, by the word of others.
    Found(PeerId, Vec<Multiaddr>),
    /// What Kademlia says itself. Nobody needs it.
    Book,
}

impl Finder {
    fn found(&mut self, dial: &DialOpts) -> Option<FinderEvent> {
        let peer = dial.get_peer_id()?;
        // Where it would have been dialled.
        let (connection, role) = (dial.connection_id(), Endpoint::Dialer);
        let addresses =
            self.0.handle_pending_outbound_connection(connection, Some(peer), &[], role).ok()?;
        (!addresses.is_empty()).then_some(FinderEvent::Found(peer, addresses))
    }
}

impl NetworkBehaviour for Finder {
    type ConnectionHandler = <AddressBook as NetworkBehaviour>::ConnectionHandler;
    type ToSwarm = FinderEvent;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.0.handle_established_inbound_connection(connection, peer, local, remote)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port_use: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.0.handle_established_outbound_connection(connection, peer, address, role, port_use)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        self.0.on_swarm_event(event);
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        self.0.on_connection_handler_event(peer, connection, event);
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        while let Poll::Ready(event) = self.0.poll(cx) {
            let ToSwarm::Dial { opts } = event else {
                return Poll::Ready(event.map_out(|_| FinderEvent::Book));
            };
            if let Some(found) = self.found(&opts) {
                return Poll::Ready(ToSwarm::GenerateEvent(found));
            }
        }
        Poll::Pending
    }
}
