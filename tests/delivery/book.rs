//! What a subscription got, checked as it comes: of every author each number in order, once, and
//! what is left out told.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt;
use gossip_mesh::{Delivery, Node, NodeId, Raw, Topic};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Megabytes through many nodes of one process take their time where much else goes on.
const LONG: Duration = Duration::from_secs(120);

/// The topic that everybody reads.
pub const LOAD: Topic<Vec<u8>, Raw> = Topic::new("load");

/// What came so far.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The number of the last message of each author.
    pub last: BTreeMap<NodeId, u64>,
    /// Messages that came.
    pub came: u64,
    /// Messages told as missed.
    pub missed: u64,
    /// The first breach of the promise.
    breach: Option<String>,
}

/// A subscription that is read as fast as it can be.
pub struct Book {
    page: watch::Receiver<Page>,
    reading: JoinHandle<()>,
}

impl Page {
    fn note(&mut self, delivery: &Delivery<Vec<u8>>) {
        let last = self.last.entry(delivery.author).or_default();
        let (number, missed) = (delivery.id.number, delivery.missed);
        if number != *last + missed + 1 && self.breach.is_none() {
            let breach = format!("{number} of {} after {last}, {missed} missed", delivery.author);
            self.breach = Some(breach);
        }
        *last = number;
        self.came += 1;
        self.missed += missed;
    }

    /// The number of the last message of this author.
    pub fn of(&self, author: &Node) -> u64 {
        self.last.get(&author.id()).copied().unwrap_or_default()
    }
}

impl Book {
    /// Begins to read on this node, its own messages too.
    pub async fn open(node: &Node) -> Self {
        let mut messages = node.subscribe(LOAD).own_messages().await.expect("the node runs");
        let (write, page) = watch::channel(Page::default());
        let reading = tokio::spawn(async move {
            while let Some(delivery) = messages.next().await {
                write.send_modify(|page| page.note(&delivery));
            }
        });
        Self { page, reading }
    }

    /// What came so far.
    ///
    /// # Panics
    /// When something came out of order, twice, or was left out without a word.
    pub fn page(&self) -> Page {
        let page = self.page.borrow().clone();
        assert_eq!(page.breach, None);
        page
    }

    /// Waits until the message of `author` with this number, or one after it, came.
    pub async fn reaches(&self, author: &Node, number: u64) {
        let mut page = self.page.clone();
        let what = format!("message {number} of {}", author.name());
        let there = |page: &Page| page.breach.is_some() || page.of(author) >= number;
        match tokio::time::timeout(LONG, page.wait_for(there)).await {
            Ok(came) => drop(came.expect("the node runs")),
            Err(_elapsed) => panic!("{what} did not come within {LONG:?}"),
        }
        self.page();
    }
}

impl Drop for Book {
    fn drop(&mut self) {
        self.reading.abort();
    }
}
