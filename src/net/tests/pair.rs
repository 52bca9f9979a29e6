//! Two networks, linked or about to be, turned together by one test.

use std::time::Duration;

use crate::base::id::{Life, NodeId};
use crate::base::key::SecretKey;
use crate::base::token::Token;
use crate::config::Config;
use crate::engine::{Input, Output};
use crate::net::Network;
use crate::net::clock::Clock;

/// No test waits longer. Far above what any of them needs.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Pair {
    pub one: Network,
    pub two: Network,
}

/// Which of the two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    One,
    Two,
}

pub fn key(side: Side) -> SecretKey {
    SecretKey::from_seed(
        [match side {
            Side::One => 1,
            Side::Two => 2,
        }; 32],
    )
}

pub fn id(side: Side) -> NodeId {
    key(side).id()
}

async fn network(side: Side, config: &Config) -> Network {
    let clock = Clock::start();
    let network = Network::start(&key(side), None, Life(5), config, clock);
    let mut network = network.expect("a network of the lab starts");
    network.listen_everywhere().await.expect("loopback can be listened on");
    network
}

impl Pair {
    pub async fn new() -> Self {
        Self::with(&Config::lab()).await
    }

    pub async fn with(config: &Config) -> Self {
        Self { one: network(Side::One, config).await, two: network(Side::Two, config).await }
    }

    /// Both hold a connection with each other.
    pub async fn linked() -> Self {
        let mut pair = Self::new().await;
        pair.dial();
        let mut open = Vec::new();
        while open.len() < 2 {
            let is_open = |input: &Input| matches!(input, Input::Opened { .. });
            open.push(pair.until(is_open).await.0);
        }
        assert_ne!(open[0], open[1], "each opened it once");
        pair
    }

    /// Two dials one.
    pub fn dial(&mut self) {
        let (peer, addresses) = (Some(id(Side::One)), self.one.addresses());
        self.two.perform(Output::Dial { token: Token(1), peer, addresses });
    }

    /// The next input of either that fits; others are dropped.
    pub async fn until(&mut self, fits: impl Fn(&Input) -> bool) -> (Side, Input) {
        let wait = async {
            loop {
                let (side, input) = tokio::select! {
                    input = self.one.next() => (Side::One, input),
                    input = self.two.next() => (Side::Two, input),
                };
                if fits(&input) {
                    return (side, input);
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("it happens within ten seconds")
    }
}
