//! Settings as users write them, and what they do.

use std::time::Duration;

use futures::future::join_all;
use gossip_mesh::{Config, Finding, Threshold};

use crate::mesh::{Mesh, fragile};

/// The fragile lab with what a user wrote about membership.
fn written(membership: &str) -> Config {
    let config = Config::from_toml(&format!("preset = \"lab\"\n[membership]\n{membership}\n"));
    Config { membership: config.unwrap().membership, ..fragile() }
}

/// Votes that were needed against one of four that died, and votes that the verdict has, in a mesh
/// with these settings.
async fn votes(membership: &str) -> (u32, usize) {
    let mut mesh = Mesh::of(4, written(membership)).await;
    let dead = mesh.id(3);
    mesh.kill(3);
    let (_, down) = mesh.members[0].sees_down(dead, 0).await;
    let mut found = mesh.members.iter().flat_map(|member| member.found());
    let needed = found.find_map(|it| match it {
        Finding::Suspected { node, quorum, .. } if node == dead => Some(quorum),
        _ => None,
    });
    mesh.end().await;
    let Finding::Down { voters, .. } = down else { unreachable!() };
    (needed.unwrap(), voters.len())
}

#[tokio::test]
async fn every_form_of_the_threshold_needs_the_votes_it_says() {
    let cases = [
        // More than half of the four are needed anyway.
        ("consensus_threshold = 0.5", 3),
        ("consensus_threshold = 1", 3),
        ("consensus_threshold = 3", 3),
        ("consensus_threshold = { count = 1 }", 3),
        // Without that floor: half of the three, all three, three, one.
        ("partition_safe = false\nconsensus_threshold = 0.5", 2),
        ("partition_safe = false\nconsensus_treshold = 1", 3),
        ("partition_safe = false\nconsensus_threshold = 3", 3),
        ("partition_safe = false\nconsensus_threshold = { count = 1 }", 1),
    ];
    for (text, needed) in cases {
        let (told, votes) = votes(text).await;
        assert_eq!(told, needed, "{text}");
        // A share is one of those that answer, and a busy machine may keep one from it.
        let most = usize::try_from(needed).unwrap();
        let is_share = text.contains("false") && !text.contains("count") && !text.contains('3');
        let fits = if is_share { (1..=most).contains(&votes) } else { votes == most };
        assert!(fits, "{text}: {votes} votes");
    }
}

#[test]
fn file_and_code_say_the_same() {
    let mut config = Config::lab();
    config.membership.consensus_threshold = Threshold::share(0.9).unwrap();
    config.membership.timeout = Duration::from_millis(250);
    for spelling in ["consensus_threshold", "consensus_treshold"] {
        let text = format!("preset = \"lab\"\n[membership]\n{spelling} = 0.9\ntimeout = \"250ms\"");
        assert_eq!(Config::from_toml(&text).unwrap(), config);
    }
    assert_eq!(Config::lab().membership.timeout, Duration::from_millis(100));
    assert_eq!(Config::lab().membership.probe_interval(), Duration::from_secs(1));
    config.membership.timeout = Duration::ZERO;
    assert!(config.check().unwrap_err().to_string().contains("`membership.timeout`"));
}

/// How long the probes of a dead node were waited for, and how long the verdict took from the
/// suspicion.
async fn waits(config: Config) -> (Vec<Duration>, Duration) {
    let mut mesh = Mesh::of(4, config).await;
    let dead = mesh.id(3);
    mesh.kill(3);
    join_all(mesh.members.iter().map(|member| member.sees_down(dead, 0))).await;
    let mut waits = Vec::new();
    let mut shortest = Duration::MAX;
    for member in &mesh.members {
        let story = member.node.why(dead).await.unwrap();
        waits.extend(story.episodes.iter().filter_map(|episode| match episode.finding {
            Finding::ProbeMissed { waited, .. } => Some(waited),
            _ => None,
        }));
        let found = member.found_since(0);
        let suspected = found.iter().find(|(_, it)| matches!(it, Finding::Suspected { .. }));
        let decided = found.iter().find(|(_, it)| matches!(it, Finding::Down { by_us: true, .. }));
        if let (Some((from, _)), Some((to, _))) = (suspected, decided) {
            shortest = shortest.min(*to - *from);
        }
    }
    mesh.end().await;
    (waits, shortest)
}

#[tokio::test]
async fn the_timeout_is_what_probes_wait_and_ten_of_it_the_time_to_contradict() {
    for timeout in [100, 250] {
        let written = written(&format!("adaptive_timeout = false\ntimeout = \"{timeout}ms\""));
        let (waits, verdict) = waits(written).await;
        let timeout = Duration::from_millis(timeout);
        assert!(!waits.is_empty());
        // A machine that is busy is late, never early.
        assert!(waits.iter().all(|wait| *wait >= timeout), "{waits:?}");
        let least = waits.iter().min().copied().unwrap_or_default();
        assert!(least < timeout * 2, "{waits:?}");
        assert!(verdict + Duration::from_millis(5) >= timeout * 10, "{verdict:?}");
    }
}
