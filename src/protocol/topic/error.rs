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
    #[error("`{}` is not a topic name: {reason}", shown(name))]
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
    #[error(
        "`{}` is not a group: name and host have 1 to 64 bytes, no control characters",
        shown(group)
    )]
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

/// A text that cannot be a name, as a sentence can hold it: nothing a terminal acts on, and cut
/// where it is long.
fn shown(text: &str) -> String {
    const MAX_SHOWN: usize = 64;
    let mut shown = String::new();
    for character in text.chars().take(MAX_SHOWN) {
        match character {
            acting if acting.is_control() => shown.extend(acting.escape_default()),
            plain => shown.push(plain),
        }
    }
    if text.chars().nth(MAX_SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::pattern::check_topic;

    #[test]
    fn a_bad_name_is_told_in_one_short_line() {
        let told = |name: &str| {
            let reason = check_topic(name).err()?;
            Some(TopicError::BadName { name: name.to_owned(), reason }.to_string())
        };
        let line = told("a\nb\u{1b}[2J").unwrap_or_default();
        assert!(line.starts_with("`a\\nb\\u{1b}[2J` is not a topic name"), "{line}");
        let long = told(&"ü".repeat(100_000)).unwrap_or_default();
        assert!(long.starts_with(&format!("`{}…`", "ü".repeat(64))), "{long}");
        assert!(long.ends_with("at most 256 bytes, this one has 200000"), "{long}");
        let group = TopicError::BadGroup { group: "g".repeat(64) };
        assert!(group.to_string().starts_with(&format!("`{}` is", "g".repeat(64))));
    }
}
