//! How fast a stream is: printed, not judged, because machines differ.

use std::fs;

use super::world::{batch, send, signer, up};
use crate::base::time::Time;
use crate::engine::Input;
use crate::engine::frame::Packet;
use crate::net::clock::Clock;
use crate::net::tests::pair::Side;

/// Processor time of this process so far, in hundredths of a second.
fn processor() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind = stat.rsplit(')').next().unwrap_or_default();
    behind.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures; run it optimised and with --nocapture"]
async fn throughput_of_one_stream() {
    for (size, total) in [(64 * 1024, 1 << 30), (1 << 20, 1 << 30), (1024, 1 << 27), (64, 1 << 24)]
    {
        let mut pair = up().await;
        let packet = batch(&mut signer(), 1, size);
        let Packet::Batch(sealed) = &packet else { panic!("a batch") };
        let (each, count) = (sealed.wire().len(), total / size);
        let (mut offered, mut written, mut came, mut begun) = (0, 0, 0, 0);
        let (clock, before) = (Clock::start(), processor());
        while came < count {
            while begun < count && offered - written < 2 << 20 {
                send(&mut pair, packet.clone());
                offered += each;
                begun += 1;
            }
            match pair.until(|_| true).await {
                (Side::Two, Input::TreeSent { bytes, .. }) => written += bytes,
                (Side::One, Input::TreePacket { .. }) => came += 1,
                _ => {}
            }
        }
        let seconds = clock.now().since(Time::ZERO).as_secs_f64();
        let spent = (processor() - before) as f64 * 10_000.0;
        println!(
            "{size:>8} B: {:>7.1} MB/s, {:>6.2} us of processor per KiB, {:>9.0} packets/s",
            total as f64 / seconds / 1e6,
            spent / (total / 1024) as f64,
            count as f64 / seconds,
        );
    }
}
