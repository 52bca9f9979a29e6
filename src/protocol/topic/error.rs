//! What can go wrong for a publisher or a subscriber.

use crate::base::name::BadName;

/// A message was not accepted. Nothing was sent.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TopicError {
    /// The payload is above [`max_message_bytes`](crate::TopicConfig::max_message_bytes).
    #[error(
        "the message has {bytes} bytes and at most {max} are allowed: split it, or raise \
         `topic.max_message_bytes` on every node of the network"
    )]
    TooLarge {
        /// Size of the payload after encoding.
        bytes: usize,
        /// The limit of this node.
        max: usize,
    },
    /// Nobody reads the topic yet, or the queues to all peers are full, and as many messages wait
    /// as may.
    #[error(
        "no more messages may wait for a first reader or for room in the queues to the peers, and \
         {waiting} do: publish on `{topic}` later, or raise `topic.max_waiting`"
    )]
    WaitingFull {
        /// The topic.
        topic: String,
        /// How many messages wait.
        waiting: usize,
    },
    /// The topic's name cannot be one.
    #[error("`{name}` is not a topic name: {reason}")]
    BadName {
        /// The name as given.
        name: String,
        /// What is wrong with it.
        reason: BadName,
    },
    /// Nobody reads the topic, and the message was only for whoever does.
    #[error("no other node reads `{topic}`: wait for one, or publish without `if_read`")]
    NobodyReads {
        /// The topic.
        topic: String,
    },
    /// As many messages as may be wait for a member of their group to confirm.
    #[error(
        "{unconfirmed} messages wait for members of their groups to confirm them, as many as may: \
         publish on `{topic}` later, or raise `topic.max_unconfirmed`"
    )]
    GroupsBusy {
        /// The topic.
        topic: String,
        /// How many messages wait.
        unconfirmed: usize,
    },
    /// The group's name cannot be one.
    #[error("`{group}` is not a group: name and host have 1 to 64 bytes, no control characters")]
    BadGroup {
        /// The group as given.
        group: String,
    },
    /// A group of one host needs to know the host.
    #[error("this node does not say which host it is on: set its label `host`")]
    NoHost,
    /// What was said before goes to whoever reads everything, and a member of a group shares.
    #[error(
        "a subscription in a group gets nothing from before it began: leave `last` and `since`"
    )]
    EarlierInGroup,
    /// More subscriptions than [`max_subscriptions`](crate::TopicConfig::max_subscriptions).
    #[error("this node has {0} subscriptions, as many as it may: drop one first")]
    TooManySubscriptions(usize),
}
