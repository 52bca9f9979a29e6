//! Memory stays what its bounds say, however much passes. A program of its own, because it looks at
//! the memory of the whole process.
#![cfg(all(feature = "net", target_os = "linux"))]
#![expect(clippy::unwrap_used, reason = "what fails in a step of a test fails the test")]

mod nodes;

use std::time::Duration;

use futures::StreamExt;
use gossip_mesh::{Raw, Topic};
use nodes::{join, knows_readers, lab, leave, spawn, within};

const NOISE: Topic<Vec<u8>, Raw> = Topic::new("noise");

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
    let one = spawn(config.clone()).await;
    let two = join(&one).await;
    let mut noise = two.subscribe(NOISE).await.unwrap();
    knows_readers(&one, "noise", &[&two]).await;

    let payload = vec![7; 1_024];
    let mut after = Vec::new();
    for _ in 0..4 {
        for _ in 0..40 {
            for _ in 0..50 {
                one.publish(NOISE, &payload).await.unwrap();
            }
            let heard = noise.by_ref().take(50).count();
            assert_eq!(within("50 messages", heard).await, 50);
        }
        after.push(resident());
    }
    // 2,000 messages of 1 KiB and more a round: what was not let go of would show.
    let grown = after[3].saturating_sub(after[1]);
    assert!(grown <= 3, "resident memory after each round, in MiB: {after:?}");
    leave([one, two]).await;
}
