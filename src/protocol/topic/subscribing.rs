//! Subscriptions that come and go.

use super::command::Earlier;
use super::error::TopicError;
use super::input::Bucket;
use super::machine::TopicMachine;
use super::output::Output;
use super::subscription::{Change, Wish};
use crate::base::machine::Outbox;
use crate::base::pattern::check_readable;
use crate::base::time::Time;
use crate::base::token::Token;

impl TopicMachine {
    /// Delivers what comes on a topic, or on all topics of a pattern, from now on; before that
    /// what came earlier, as far as it is wanted.
    pub(super) fn subscribe(
        &mut self,
        now: Time,
        subscription: Token,
        name: &str,
        wish: Wish,
        earlier: Earlier,
        out: &mut Outbox<Output>,
    ) {
        // A token names one subscription: a second one under it takes its place.
        self.unsubscribe(now, subscription, out);
        let result = self.may_subscribe(name, &wish, earlier);
        let accepted = result.is_ok();
        out.push(Output::Subscribed { subscription, result });
        if !accepted {
            return;
        }
        let fresh = !self.config.relay_all && !self.subscriptions.overlap(name);
        let own = wish.own;
        let change = self.subscriptions.add(subscription, name, wish);
        if let Some(name) = &change.name {
            self.read_since.insert(name, now);
        }
        for bucket in self.buckets_of(&change) {
            self.buckets.read(bucket, out);
        }
        if change.card {
            out.push(Output::Reads(self.subscriptions.interests()));
        }
        if earlier.is_wanted() {
            self.begin_catch_up(now, subscription, (name, own), earlier, fresh, out);
        }
    }

    /// Delivers nothing more to a subscription.
    pub(super) fn unsubscribe(&mut self, now: Time, subscription: Token, out: &mut Outbox<Output>) {
        let change = self.subscriptions.remove(subscription);
        if let Some(name) = &change.name {
            self.unfollow(name);
        }
        for bucket in self.buckets_of(&change) {
            self.buckets.unread(bucket, out);
        }
        if change.card {
            out.push(Output::Reads(self.subscriptions.interests()));
        }
        self.stop_catching_up(now, subscription, out);
    }

    /// The buckets with a name more, or a name less, that is read.
    fn buckets_of(&self, change: &Change) -> Vec<Bucket> {
        change.name.as_deref().map_or_else(Vec::new, |name| self.buckets.of_readable(name))
    }

    fn may_subscribe(&self, name: &str, wish: &Wish, earlier: Earlier) -> Result<(), TopicError> {
        let max = self.config.max_subscriptions;
        if let Err(reason) = check_readable(name) {
            Err(TopicError::BadName { name: name.to_owned(), reason })
        } else if let Some(group) = wish.group.as_ref().filter(|group| !group.is_valid()) {
            Err(TopicError::BadGroup { group: group.to_string() })
        } else if wish.group.is_some() && earlier.is_wanted() {
            Err(TopicError::EarlierInGroup)
        } else if self.subscriptions.len() >= max {
            Err(TopicError::TooManySubscriptions(max))
        } else {
            Ok(())
        }
    }
}
