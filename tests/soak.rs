//! Memory stays what its bounds say, however much passes. A program of its own, because it looks at
//! the memory of the whole process.
#![cfg(all(feature = "net", target_os = "linux"))]
#![expect(clippy::unwrap_used, reason = "what fails in a step of a test fails the test")]

mod nodes;

use std::time::Duration;

use futures::StreamExt;
use gossip_mesh::{Raw, Topic};
use nodes::{knows_readers, lab, leave, spawn, within};

const NOISE: Topic<Vec<u8>, Raw> = Topic::new("noise");

/// Passed before memory is looked at for the first time: queues, caches and the allocator's own
/// pools have found their size by then.
const WARM: usize = 20_000;

/// Passed between the two looks, about 30 MiB: a tenth of it kept would show.
const MEASURED: usize = 30_000;

const BURST: usize = 50;

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

    let mut after = Vec::new();
    for count in [WARM, MEASURED] {
        for _ in 0..count / BURST {
            for _ in 0..BURST {
                one.publish(NOISE, &vec![7; 1_024]).await.unwrap();
            }
            let heard = noise.by_ref().take(BURST).count();
            assert_eq!(within("a burst", heard).await, BURST);
        }
        after.push(resident());
    }
    let grown = after[1].saturating_sub(after[0]);
    assert!(grown <= 6, "resident memory in MiB: {after:?}");
    leave([one, two]).await;
}
