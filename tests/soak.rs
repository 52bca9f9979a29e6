//! Memory stays what its bounds say, however much passes. A program of its own, because it looks at
//! the memory of the whole process.
#![cfg(all(feature = "net", target_os = "linux"))]
#![expect(clippy::unwrap_used, reason = "what fails in a step of a test fails the test")]

mod nodes;

use std::time::Duration;

use futures::StreamExt;
use gossip_mesh::{Raw, Topic};
use nodes::{knows_readers, lab, leave, spawn, within};
use tokio::time::Instant;

const NOISE: Topic<Vec<u8>, Raw> = Topic::new("noise");

/// Longer than anything is remembered by its time.
const ROUND: Duration = Duration::from_secs(2);

/// Resident memory of this process, in MiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_flat_while_messages_pass() {
    let mut config = lab();
    config.topic.max_seen = 500;
    config.topic.seen_for = Duration::from_secs(1);
    config.topic.max_kept = 100;
    config.topic.keep_for = Duration::from_secs(1);
    config.gossip.duplicate_cache = Duration::from_secs(1);
    // gossipsub keeps what it sent for 12 heartbeats.
    config.gossip.heartbeat = Duration::from_millis(50);
    let one = spawn(config.clone()).await;
    config.bootstrap = one.addresses().await.unwrap();
    let two = spawn(config).await;
    let mut noise = two.subscribe(NOISE).await.unwrap();
    knows_readers(&one, "noise", &[&two]).await;

    let payload = vec![7; 1_024];
    let mut after = Vec::new();
    for _ in 0..4 {
        let begun = Instant::now();
        while begun.elapsed() < ROUND {
            for _ in 0..50 {
                one.publish(NOISE, &payload).await.unwrap();
            }
            let heard = noise.by_ref().take(50).count();
            assert_eq!(within("50 messages", heard).await, 50);
        }
        after.push(resident());
    }
    // Thousands of messages of 1 KiB a round: what was not let go of would show.
    let grown = after[3].saturating_sub(after[1]);
    assert!(grown <= 4, "resident memory after each round, in MiB: {after:?}");
    leave([one, two]).await;
}
