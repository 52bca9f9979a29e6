//! What may happen to connections, and what is done about it.

use multiaddr::Multiaddr;

use super::config::WatchConfig;
use super::links::{Link, LinkId, Links, Opened};
use super::stats::{Ledger, LinkStats};
use crate::base::id::{Life, NodeId};
use crate::base::machine::{Machine, Outbox};
use crate::base::time::Time;

/// Everything that can happen to the room.
#[derive(Clone, Debug)]
pub enum Input {
    /// The deadline came.
    Tick,
    /// A connection is up and its hello done.
    Opened {
        /// With whom.
        peer: NodeId,
        /// In which of its lives.
        life: Life,
        /// The connection.
        link: Link,
    },
    /// A connection is gone.
    Closed {
        /// With whom.
        peer: NodeId,
        /// Which.
        link: LinkId,
    },
    /// A ping on a connection ended.
    Pinged {
        /// With whom.
        peer: NodeId,
        /// Which.
        link: LinkId,
        /// Whether the answer came in time.
        answered: bool,
    },
    /// The carrier dropped messages because this peer takes them too slowly.
    Slow {
        /// Who.
        peer: NodeId,
    },
    /// Another room wants no link with this peer.
    Unlink {
        /// Who.
        peer: NodeId,
    },
}

/// Everything the room can want.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Output {
    /// Close this connection.
    Close(LinkId),
    /// A peer is linked.
    Linked {
        /// Who.
        peer: NodeId,
        /// In which life.
        life: Life,
        /// Where we dialled it; `None` when it dialled us.
        address: Option<Multiaddr>,
    },
    /// A peer is not linked any more.
    Unlinked {
        /// Who.
        peer: NodeId,
    },
}

/// Keeps one link per peer, and gives up those that are dead.
#[derive(Debug)]
pub struct LinkMachine {
    config: WatchConfig,
    links: Links,
    ledger: Ledger,
}

impl LinkMachine {
    pub fn new(config: WatchConfig, me: NodeId) -> Self {
        Self { config, links: Links::new(me), ledger: Ledger::default() }
    }

    /// Who is linked, and by which connections.
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// Counters since the start.
    pub fn stats(&self) -> LinkStats {
        self.ledger.stats()
    }

    fn opened(
        &mut self,
        now: Time,
        peer: NodeId,
        life: Life,
        link: Link,
        out: &mut Outbox<Output>,
    ) {
        let id = link.id;
        let address = link.dialled.clone();
        match self.links.opened(now, peer, life, link, &self.config) {
            Opened::First => {
                self.ledger.opened(peer);
                out.push(Output::Linked { peer, life, address });
            }
            Opened::Second => {}
            Opened::CleanSlate { close } => out_close(close, out),
            Opened::Leftover => out.push(Output::Close(id)),
        }
    }

    fn give_up(&mut self, peer: NodeId, out: &mut Outbox<Output>) {
        out_close(self.links.end(peer), out);
    }
}

fn out_close(links: impl IntoIterator<Item = LinkId>, out: &mut Outbox<Output>) {
    for link in links {
        out.push(Output::Close(link));
    }
}

impl Machine for LinkMachine {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Time, input: Input, out: &mut Outbox<Output>) {
        match input {
            Input::Tick => out_close(self.links.overdue(now), out),
            Input::Opened { peer, life, link } => self.opened(now, peer, life, link, out),
            Input::Closed { peer, link } => {
                if self.links.closed(peer, link) {
                    self.ledger.closed(peer);
                    out.push(Output::Unlinked { peer });
                }
            }
            Input::Pinged { peer, link, answered } => {
                if self.links.pinged(peer, link, answered, self.config.misses) {
                    self.give_up(peer, out);
                }
            }
            Input::Slow { peer } => {
                let WatchConfig { slow_window, slow_limit, .. } = self.config;
                if self.links.slow(now, peer, slow_window, slow_limit) {
                    self.give_up(peer, out);
                }
            }
            Input::Unlink { peer } => self.give_up(peer, out),
        }
    }

    fn deadline(&self) -> Option<Time> {
        self.links.deadline()
    }
}
