//! Counting what is published.

use hashlink::LinkedHashMap;

/// Most topics whose count is remembered. (Guess: far more than a program has; about 10 MB.)
const MAX_TOPICS: usize = 65_536;

/// The last number of every topic published on. The topic unused for longest is forgotten first,
/// and a topic that is not remembered begins above every forgotten number, so that no number is
/// ever given twice.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    last: LinkedHashMap<String, u64>,
    forgotten: u64,
}

impl Numbers {
    /// What `next` would give.
    pub(crate) fn peek(&self, topic: &str) -> u64 {
        self.last.get(topic).copied().unwrap_or(self.forgotten).saturating_add(1)
    }

    /// The next number of the topic.
    pub(crate) fn next(&mut self, topic: &str) -> u64 {
        let number = self.peek(topic);
        self.last.remove(topic);
        self.last.insert(topic.to_owned(), number);
        if self.last.len() > MAX_TOPICS
            && let Some((_, number)) = self.last.pop_front()
        {
            self.forgotten = self.forgotten.max(number);
        }
        number
    }
}
