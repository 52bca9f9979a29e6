#![expect(clippy::unwrap_used, reason = "tmp")]
//! tmp
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;
fn main() {
    let mut args = std::env::args().skip(1);
    let seeds: u64 = args.next().unwrap().parse().unwrap();
    for file in args {
        let text = std::fs::read_to_string(&file).unwrap();
        let scenario = gossip_mesh::sim::Scenario::from_toml(&text).unwrap();
        let begun = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        let report = gossip_mesh::sim::run_many(
            &scenario,
            1..=seeds,
            NonZeroUsize::new(2).unwrap(),
            &AtomicBool::new(false),
            &|_: &gossip_mesh::sim::Outcome| (),
        );
        println!("== {file} {:?}", std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap() - begun);
        println!("{}", serde_json::to_string(&report).unwrap());
    }
}
