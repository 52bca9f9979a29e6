//! All streams of the tree carrier, as the driver sees them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use libp2p::PeerId;
use libp2p::swarm::{ConnectionId, Stream};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::frame::{Flaw, Frame, Limits};
use super::handler::Happened;
use super::opener::{Opener, StreamEvent};
use super::queue::{Full, Queue};
use super::reader::{Arrival, Eye, Inbox};
use super::report::{News, Report, Reporter, StreamId};
use super::ways::{Attempt, Incoming, Outgoing, Task, Ways};
use super::writer;
use crate::engine::Input;
use crate::engine::frame::Packet;
use crate::net::clock::Clock;

/// Packets, or reports, taken in one go.
const BATCH: usize = 64;

/// What went wrong with streams since the start of the node.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct StreamStats {
    /// Streams of peers closed, because a batch was not signed by its author.
    pub forged: u64,
    /// Streams of peers closed, because a packet was too large, of unknown kind or unreadable.
    pub malformed: u64,
    /// Streams to peers closed, because too much waited for them.
    pub overfull: u64,
    /// Streams to peers that ended otherwise while their link lived.
    pub broken: u64,
}

/// What comes of what happens to streams.
pub struct Effects<'a> {
    pub opener: &'a mut Opener,
    pub inbox: &'a mut VecDeque<Input>,
}

impl Effects<'_> {
    fn attempt(&mut self, peer: PeerId, attempt: Option<Attempt>) {
        if let Some(Attempt { connection, after }) = attempt {
            self.opener.open(peer, connection, after);
        }
    }

    fn down(&mut self, peer: PeerId) {
        self.inbox.push_back(Input::TreeDown { peer: peer.into() });
    }
}

/// The streams to and from all peers. Bounded by the limits on connections.
pub struct Streams {
    clock: Clock,
    limits: Limits,
    peers: HashMap<PeerId, Ways>,
    last: u64,
    stats: StreamStats,
    inbox: Inbox,
    arrivals: mpsc::Receiver<Arrival>,
    arrived: Vec<Arrival>,
    reporters: mpsc::Sender<Report>,
    reports: mpsc::Receiver<Report>,
    reported: Vec<Report>,
}

impl Streams {
    pub fn new(clock: Clock, limits: Limits) -> Self {
        let (inbox, arrivals) = Inbox::new();
        let (reporters, reports) = Reporter::channel();
        Self {
            clock,
            limits,
            peers: HashMap::new(),
            last: 0,
            stats: StreamStats::default(),
            inbox,
            arrivals,
            arrived: Vec::with_capacity(BATCH),
            reporters,
            reports,
            reported: Vec::with_capacity(BATCH),
        }
    }

    pub const fn stats(&self) -> StreamStats {
        self.stats
    }

    /// From now on batches of this peer are read, or are not, until our stream to it ends.
    pub fn hold(&self, peer: PeerId, held: bool) {
        if let Some(ways) = self.peers.get(&peer) {
            ways.hold(held);
        }
    }

    /// A connection with a peer that speaks this protocol began.
    pub fn linked(&mut self, peer: PeerId, connection: ConnectionId, effects: &mut Effects) {
        let ways = self.peers.entry(peer).or_insert_with(Ways::new);
        effects.attempt(peer, ways.add(connection));
    }

    /// A connection ended.
    pub fn unlinked(&mut self, peer: PeerId, connection: ConnectionId, effects: &mut Effects) {
        let Some(ways) = self.peers.get_mut(&peer) else { return };
        let (down, attempt) = ways.remove(connection);
        if ways.is_over() {
            self.peers.remove(&peer);
        }
        if down {
            effects.down(peer);
        }
        effects.attempt(peer, attempt);
    }

    /// The swarm has a stream for us, or has none.
    pub fn happened(&mut self, event: StreamEvent, effects: &mut Effects) {
        let StreamEvent { peer, connection, happened } = event;
        match happened {
            Happened::Opened(stream) => self.opened(peer, connection, stream, effects),
            Happened::Accepted(stream) => self.accepted(peer, connection, stream),
            Happened::Failed(error) => {
                tracing::debug!(%peer, %error, "a stream of the tree could not be opened");
                if let Some(ways) = self.peers.get_mut(&peer)
                    && ways.expects(connection)
                {
                    effects.attempt(peer, ways.retry());
                }
            }
        }
    }

    fn opened(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        stream: Stream,
        effects: &mut Effects,
    ) {
        let reporter = self.reporter(peer);
        let Some(ways) = self.peers.get_mut(&peer) else { return };
        if ways.expects(connection) {
            let (id, queue) = (reporter.stream, Arc::new(Queue::default()));
            let task = Task::spawn(writer::write(stream, queue.clone(), reporter));
            let since = self.clock.now();
            ways.open(Outgoing { connection, stream: id, queue, since, _task: task });
            effects.inbox.push_back(Input::TreeUp { peer: peer.into() });
        }
    }

    fn accepted(&mut self, peer: PeerId, connection: ConnectionId, stream: Stream) {
        let reporter = self.reporter(peer);
        let (limits, inbox) = (self.limits, self.inbox.clone());
        let Some(ways) = self.peers.get_mut(&peer) else { return };
        ways.accept(connection, |held| {
            let id = reporter.stream;
            let eye = Eye::new(peer.into(), limits, inbox, held);
            let task = Task::spawn(eye.watch(stream, reporter));
            Incoming { stream: id, _task: task }
        });
    }

    /// Queues a packet; without a stream it is lost, as `TreeDown` has told.
    pub fn send(&mut self, peer: PeerId, packet: &Packet, effects: &mut Effects) {
        self.put(peer, Frame::of(packet), effects);
    }

    pub(super) fn put(&mut self, peer: PeerId, frame: Frame, effects: &mut Effects) {
        let ways = self.peers.get(&peer);
        let Some(Outgoing { queue, stream, .. }) = ways.and_then(Ways::outgoing) else { return };
        if let Err(Full) = queue.put(frame) {
            tracing::warn!(%peer, "too much waits for a peer: its stream is closed");
            self.stats.overfull += 1;
            self.end(peer, *stream, effects);
        }
    }

    /// Ready when there is something to `settle`. Safe to drop.
    pub async fn ready(&mut self) {
        tokio::select! {
            _ = self.reports.recv_many(&mut self.reported, BATCH) => {}
            _ = self.arrivals.recv_many(&mut self.arrived, BATCH) => {}
        }
    }

    /// Makes inputs of what is ready.
    pub fn settle(&mut self, effects: &mut Effects) {
        for Arrival { from, packet, .. } in self.arrived.drain(..) {
            effects.inbox.push_back(Input::TreePacket { from, packet });
        }
        let mut reported = std::mem::take(&mut self.reported);
        for report in reported.drain(..) {
            self.report(report, effects);
        }
        self.reported = reported;
    }

    fn report(&mut self, Report { peer, stream, news }: Report, effects: &mut Effects) {
        match news {
            News::Sent(bytes) => {
                let is_ours = |out: &&Outgoing| out.stream == stream;
                // What was sent before the stream broke is counted no more.
                if self.peers.get(&peer).and_then(Ways::outgoing).filter(is_ours).is_some() {
                    effects.inbox.push_back(Input::TreeSent { peer: peer.into(), bytes });
                }
            }
            News::Broken => {
                self.stats.broken += u64::from(self.end(peer, stream, effects));
            }
            News::Refused(flaw) => {
                match flaw {
                    Flaw::Forged => self.stats.forged += 1,
                    Flaw::Oversized | Flaw::UnknownKind | Flaw::Malformed => {
                        self.stats.malformed += 1;
                    }
                }
                self.end(peer, stream, effects);
                effects.inbox.push_back(Input::TreeRefused { peer: peer.into() });
            }
        }
    }

    /// A stream is over. True when it was ours.
    fn end(&mut self, peer: PeerId, stream: StreamId, effects: &mut Effects) -> bool {
        let now = self.clock.now();
        let Some(ways) = self.peers.get_mut(&peer) else { return false };
        let (down, attempt) = ways.ended(stream, now);
        if down {
            effects.down(peer);
        }
        effects.attempt(peer, attempt);
        down
    }

    fn reporter(&mut self, peer: PeerId) -> Reporter {
        self.last += 1;
        Reporter { peer, stream: StreamId(self.last), reports: self.reporters.clone() }
    }
}
