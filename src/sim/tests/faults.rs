//! The schedule: from faults to acts.

use std::time::Duration;

use super::scenario;
use crate::base::time::Time;
use crate::sim::Scenario;
use crate::sim::scenario::{FaultKind, Who};
use crate::sim::schedule::{Act, acts, concrete};

fn with(fault: &str) -> Scenario {
    scenario(&format!("name = 'x'\nnodes = 9\nduration = '60s'\n[[fault]]\n{fault}"))
}

fn plan(fault: &str) -> Vec<(u64, Act)> {
    let scenario = with(fault);
    let mut acts = acts(&concrete(&scenario, 1), scenario.nodes);
    acts.sort_by_key(|(at, _)| *at);
    acts.into_iter().map(|(at, act)| (at.since(Time::ZERO).as_millis() as u64, act)).collect()
}

#[test]
fn a_restart_is_a_crash_and_a_start() {
    assert_eq!(
        plan("kind = 'restart'\nat = '5s'\nnodes = [3]\nlasting = '2s'"),
        [(5_000, Act::Crash { node: 2, silent: false }), (7_000, Act::Start { node: 2 })]
    );
}

#[test]
fn a_cut_of_one_way_is_one_act_and_ends() {
    assert_eq!(
        plan("kind = 'cut'\nat = '1s'\nlasting = '1s'\nnodes = [1]\nto = [2]\none_way = true"),
        [(1_000, Act::Cut { from: 0, to: 1 }), (2_000, Act::Restore { from: 0, to: 1 })]
    );
    assert_eq!(plan("kind = 'cut'\nat = '1s'\nnodes = [1]\nto = [2, 3]").len(), 4);
    assert_eq!(plan("kind = 'flap'\nat = '1s'\nnodes = [1]").len(), 32, "both ways, with 8 others");
}

#[test]
fn what_repeats_ends_when_it_should() {
    let plan = plan("kind = 'pause'\nat = '1s'\nevery = '10s'\nuntil = '35s'\nnodes = [1]");
    let begins = plan.iter().filter(|(_, act)| matches!(act, Act::Pause { .. }));
    assert_eq!(begins.map(|(at, _)| *at).collect::<Vec<_>>(), [1_000, 11_000, 21_000, 31_000]);
}

#[test]
fn groups_are_sizes_or_lists() {
    let sides = |fault: &str| match plan(fault).remove(0).1 {
        Act::Partition { sides } => sides,
        other => panic!("{other:?}"),
    };
    assert_eq!(sides("kind = 'partition'\ngroups = [4, 3]"), [1, 1, 1, 1, 2, 2, 2, 0, 0]);
    assert_eq!(sides("kind = 'partition'\ngroups = [[9, 1]]"), [1, 0, 0, 0, 0, 0, 0, 0, 1]);
}

#[test]
fn chance_chooses_different_nodes_with_different_seeds_and_none_twice() {
    let scenario = with("kind = 'crash'\nat = '1s'\nnodes = 'random'\ncount = 4");
    let chosen = |seed| match concrete(&scenario, seed).remove(0).nodes {
        Some(Who::These(nodes)) => nodes,
        other => panic!("{other:?}"),
    };
    assert_eq!(chosen(1).len(), 4);
    assert!((1..20).any(|seed| chosen(seed) != chosen(0)));
}

#[test]
fn churn_comes_as_often_as_said() {
    let scenario = with("kind = 'churn'\nat = '10s'\nuntil = '60s'\nrate = 4.0");
    let lines = concrete(&scenario, 1);
    assert!((150..250).contains(&lines.len()), "{} restarts in 50 s", lines.len());
    assert!(lines.iter().all(|line| line.kind == FaultKind::Restart));
    assert!(lines.iter().all(|line| line.at.0 >= Duration::from_secs(10)));
}

#[test]
fn what_cannot_be_is_refused_with_all_reasons() {
    let wrong = [
        ("kind = 'crash'\nat = '1s'", "say which `nodes`"),
        ("kind = 'crash'\nnodes = [10]", "nodes are numbered from 1 to 9"),
        ("kind = 'loss'\nnodes = [1]", "say `outbound`, `inbound` or both"),
        ("kind = 'partition'\ngroups = [6, 4]", "`groups` hold between 1 and 9 nodes"),
        ("kind = 'churn'", "say the `rate`"),
        ("kind = 'earthquake'", "unknown variant `earthquake`"),
        ("kind = 'heal'\nwhen = '1s'", "unknown field `when`"),
    ];
    for (fault, sentence) in wrong {
        let text = format!("name = 'x'\nnodes = 9\nduration = '60s'\n[[fault]]\n{fault}");
        let error = Scenario::from_toml(&text).unwrap_err().to_string();
        assert!(error.contains(sentence), "{fault}: {error}");
    }
    let two = "name = 'x'\nnodes = 0\nduration = '1s'\n[expect]\nno_reset = true";
    let error = Scenario::from_toml(two).unwrap_err();
    assert_eq!(error.0.len(), 2, "{error}");
}
