//! Which messages there are, and what the nodes say of each.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gossip_mesh::api::MessageView;
use gossip_mesh::{MessageId, NodeId, Paths, Query, Which};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::tree::Spread;
use crate::exit::Failure;
use crate::lab::member::Network;

/// How long a node has to answer before it is left out: one that was stopped never does. Asked for
/// ways a node waits itself for others, up to its `trace_timeout`.
const PATIENCE: Duration = Duration::from_secs(4);

/// Which messages are wanted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Wanted {
    /// The newest of a topic.
    Newest {
        /// The topic.
        topic: String,
        /// How many.
        count: usize,
    },
    /// One by its author and number; of several lives the newest.
    Numbered {
        /// The author.
        author: NodeId,
        /// The number.
        number: u64,
        /// The topic.
        topic: String,
    },
    /// Those whose trace id begins so.
    Traced(String),
}

impl Wanted {
    fn query(&self) -> Query {
        let all = Query { which: Which::All, peek: true, ..Query::default() };
        match self.clone() {
            Self::Newest { topic, count } => Query { topic: Some(topic), last: Some(count), ..all },
            Self::Numbered { author, number, topic } => {
                Query { author: Some(author), number: Some(number), topic: Some(topic), ..all }
            }
            Self::Traced(begin) => Query { trace: Some(begin), ..all },
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::Newest { count, .. } => *count,
            Self::Numbered { .. } => 1,
            Self::Traced(_) => usize::MAX,
        }
    }
}

/// What one node says.
struct Answer {
    topics: Vec<String>,
    messages: Vec<MessageView>,
}

/// The messages that are wanted, of which any node keeps one, in the order of their sending.
pub async fn found(network: &Network, wanted: &Wanted) -> Vec<MessageId> {
    let answers = ask_all(network, &wanted.query()).await;
    let messages = answers.into_values().flatten().flat_map(|answer| answer.messages);
    let mut sent: BTreeMap<MessageId, u64> = BTreeMap::new();
    for message in messages {
        sent.entry(message.id).or_insert(message.sent_us);
    }
    let mut ids: Vec<(u64, MessageId)> = sent.into_iter().map(|(id, sent)| (sent, id)).collect();
    ids.sort();
    let older = ids.len().saturating_sub(wanted.count());
    ids.into_iter().skip(older).map(|(_, id)| id).collect()
}

/// How a message spread.
///
/// # Errors
/// When no node keeps it any more.
pub async fn spread(network: &Network, id: &MessageId) -> Result<Spread, Failure> {
    let query = Query {
        topic: Some(id.topic.clone()),
        trace: Some(id.trace().to_string()),
        paths: Paths::All,
        ..Wanted::Traced(String::new()).query()
    };
    let answers = ask_all(network, &query).await;
    let first = answers.values().flatten().find_map(|answer| answer.messages.first());
    let mut spread = Spread::new(first.ok_or_else(|| Failure::failed("it is kept no more"))?);
    let (mut missing, mut silent) = (BTreeSet::new(), BTreeSet::new());
    for (node, answer) in &answers {
        match answer {
            None => {
                silent.insert(*node);
            }
            Some(Answer { topics, messages }) => match messages.first() {
                Some(message) => spread.add(*node, message),
                // The author need not read what it writes.
                None if topics.contains(&id.topic) => {
                    missing.insert(*node);
                }
                None => {}
            },
        }
    }
    (spread.missing, spread.silent) = (Vec::from_iter(missing), Vec::from_iter(silent));
    Ok(spread)
}

/// Asks all running nodes at once; `None` of those that did not answer.
async fn ask_all(network: &Network, query: &Query) -> BTreeMap<NodeId, Option<Answer>> {
    let mut asking = JoinSet::new();
    for member in network.members.iter().filter(|member| member.is_running()) {
        let (member, query) = (member.clone(), query.clone());
        asking.spawn(async move {
            let both = timeout(PATIENCE, async {
                let mut api = member.api().await?;
                let topics = api.node().await?.topics;
                Ok::<_, Failure>(Answer { topics, messages: api.messages(&query).await? })
            });
            (member.peer_id, both.await.ok().and_then(Result::ok))
        });
    }
    asking.join_all().await.into_iter().collect()
}
