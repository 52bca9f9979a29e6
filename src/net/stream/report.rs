//! What the task of a stream tells the driver.

use std::io;

use libp2p::PeerId;
use tokio::sync::mpsc;

use super::frame::Flaw;

/// Most reports that wait for the driver; a writer with one more waits.
const MAX_REPORTS: usize = 1024;

/// One of the streams, over all peers and directions. Never used again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct StreamId(pub u64);

/// Something happened in a stream.
#[derive(Debug)]
pub(super) struct Report {
    pub peer: PeerId,
    pub stream: StreamId,
    pub news: News,
}

#[derive(Debug)]
pub(super) enum News {
    /// So many bytes of batches were written.
    Sent(usize),
    /// It ended.
    Broken,
    /// It was ended here, because what came by it is wrong.
    Refused(Flaw),
}

/// Reports of one stream.
#[derive(Clone, Debug)]
pub(super) struct Reporter {
    pub peer: PeerId,
    pub stream: StreamId,
    pub reports: mpsc::Sender<Report>,
}

impl Reporter {
    /// Where all reporters of a node report, and where the driver hears them.
    pub fn channel() -> (mpsc::Sender<Report>, mpsc::Receiver<Report>) {
        mpsc::channel(MAX_REPORTS)
    }

    pub async fn sent(&self, bytes: usize) {
        self.report(News::Sent(bytes)).await;
    }

    pub async fn broken(&self, error: &io::Error) {
        tracing::debug!(peer = %self.peer, %error, "a stream of the tree ended");
        self.report(News::Broken).await;
    }

    pub async fn refused(&self, flaw: Flaw) {
        tracing::warn!(peer = %self.peer, %flaw, "a stream of the tree was closed");
        self.report(News::Refused(flaw)).await;
    }

    async fn report(&self, news: News) {
        let report = Report { peer: self.peer, stream: self.stream, news };
        // Without a driver there is nobody to tell.
        let _ = self.reports.send(report).await;
    }
}
