//! From the faults of a scenario to single acts at fixed times.
//!
//! First chance is taken out ([`concrete`]): a plain list that the same seed gives again and that
//! can be run, shortened and printed. Then each line becomes acts: its beginning and its end.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::base::time::Time;
use crate::sim::scenario::{Fault, FaultKind, Group, Scenario, Span, Who, Word};

/// Something that happens to the world. Nodes count from 0.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Act {
    Crash {
        node: u32,
        silent: bool,
    },
    Start {
        node: u32,
    },
    Pause {
        node: u32,
    },
    Resume {
        node: u32,
    },
    Leave {
        node: u32,
    },
    /// What goes from one to the other is swallowed. Cuts are counted, so they may overlap.
    Cut {
        from: u32,
        to: u32,
    },
    Restore {
        from: u32,
        to: u32,
    },
    /// The loss of what a node sends and receives; zero ends it.
    Loss {
        node: u32,
        outbound: f64,
        inbound: f64,
    },
    /// The side of every node.
    Partition {
        sides: Vec<u32>,
    },
    Mend,
    Heal,
    Jump {
        node: u32,
        by: i64,
    },
}

/// Most lines that repetition and churn may become.
const MAX_LINES: usize = 100_000;

const SECOND: Span = Span::secs(1);

/// The same faults without chance and repetition, in the order of their beginnings.
pub(crate) fn concrete(scenario: &Scenario, seed: u64) -> Vec<Fault> {
    let mut lines = Vec::new();
    for (index, fault) in scenario.faults.iter().enumerate() {
        // Each line has a generator of its own, so that one more line changes no other.
        let mut rng =
            ChaCha8Rng::seed_from_u64(seed ^ (index as u64 + 1).wrapping_mul(0x9e37_79b9));
        match fault.kind {
            FaultKind::Churn => churn(fault, scenario, &mut rng, &mut lines),
            _ => repeat(fault, scenario, &mut rng, &mut lines),
        }
    }
    lines.sort_by_key(|fault| fault.at);
    lines.truncate(MAX_LINES);
    lines
}

fn repeat(fault: &Fault, scenario: &Scenario, rng: &mut ChaCha8Rng, lines: &mut Vec<Fault>) {
    let end = fault.until.unwrap_or(scenario.duration).min(scenario.duration);
    let mut at = fault.at;
    loop {
        let mut line = fault.clone();
        let shift = fault.within.map_or(0, |within| rng.random_range(0..=within.as_micros()));
        line.at = Span::micros(at.as_micros() + shift);
        line.within = None;
        line.every = None;
        line.until = None;
        line.nodes = fault.nodes.as_ref().map(|who| chosen(who, fault.count, scenario.nodes, rng));
        line.to = fault.to.as_ref().map(|who| chosen(who, fault.count, scenario.nodes, rng));
        line.count = None;
        lines.push(line);
        let Some(every) = fault.every else { return };
        at = Span(at.0 + every.0);
        if at >= end || lines.len() >= MAX_LINES {
            return;
        }
    }
}

fn churn(fault: &Fault, scenario: &Scenario, rng: &mut ChaCha8Rng, lines: &mut Vec<Fault>) {
    let end = fault.until.unwrap_or(scenario.duration).min(scenario.duration);
    let rate = fault.rate.unwrap_or(1.0);
    let mut at = fault.at;
    while lines.len() < MAX_LINES {
        // Gaps of a Poisson stream: chance without memory.
        let gap = -(1.0 - rng.random::<f64>()).ln() / rate;
        at = Span(at.0 + Duration::try_from_secs_f64(gap).unwrap_or(Duration::MAX / 4));
        if at >= end {
            return;
        }
        let mut line = Fault::new(FaultKind::Restart, at);
        line.lasting = Some(fault.lasting.unwrap_or(Span::secs(2)));
        line.silent = fault.silent;
        line.nodes = Some(chosen(
            fault.nodes.as_ref().unwrap_or(&Who::Word(Word::Random)),
            fault.count,
            scenario.nodes,
            rng,
        ));
        lines.push(line);
    }
}

fn chosen(who: &Who, count: Option<u32>, nodes: u32, rng: &mut ChaCha8Rng) -> Who {
    match who {
        Who::These(numbers) => Who::These(numbers.clone()),
        Who::Word(Word::All) => Who::These((1..=nodes).collect()),
        Who::Word(Word::Random) => {
            let count = count.unwrap_or(1).min(nodes) as usize;
            let mut some = BTreeSet::new();
            while some.len() < count {
                some.insert(rng.random_range(1..=nodes));
            }
            Who::These(some.into_iter().collect())
        }
    }
}

/// Nodes that join later, and do not begin with the others. They count from 0.
pub(crate) fn joining(faults: &[Fault]) -> BTreeSet<u32> {
    let joins = faults.iter().filter(|fault| fault.kind == FaultKind::Join);
    joins.flat_map(|fault| numbers(fault.nodes.as_ref(), 0)).collect()
}

/// All acts with their times, in no order.
pub(crate) fn acts(faults: &[Fault], nodes: u32) -> Vec<(Time, Act)> {
    let mut acts = Vec::new();
    for fault in faults {
        act(fault, nodes, &mut acts);
    }
    acts
}

fn act(fault: &Fault, nodes: u32, acts: &mut Vec<(Time, Act)>) {
    let begin = Time::from_micros(fault.at.as_micros());
    let end = fault.lasting.map(|lasting| begin + lasting.0);
    let surely = end.unwrap_or(begin + SECOND.0);
    let befallen = numbers(fault.nodes.as_ref(), nodes);
    let all = || (0..nodes).collect::<Vec<u32>>();
    match fault.kind {
        FaultKind::Crash => {
            let silent = fault.silent;
            acts.extend(befallen.iter().map(|node| (begin, Act::Crash { node: *node, silent })));
            if let Some(end) = end {
                acts.extend(befallen.iter().map(|node| (end, Act::Start { node: *node })));
            }
        }
        FaultKind::Restart => {
            let silent = fault.silent;
            acts.extend(befallen.iter().map(|node| (begin, Act::Crash { node: *node, silent })));
            acts.extend(befallen.iter().map(|node| (surely, Act::Start { node: *node })));
        }
        FaultKind::Start | FaultKind::Join => {
            acts.extend(befallen.iter().map(|node| (begin, Act::Start { node: *node })));
        }
        FaultKind::Pause => {
            acts.extend(befallen.iter().map(|node| (begin, Act::Pause { node: *node })));
            acts.extend(befallen.iter().map(|node| (surely, Act::Resume { node: *node })));
        }
        FaultKind::Leave => {
            acts.extend(befallen.iter().map(|node| (begin, Act::Leave { node: *node })));
        }
        FaultKind::Flap => cut(&befallen, &all(), false, begin, Some(surely), acts),
        FaultKind::Cut => {
            let far = fault.to.as_ref().map_or_else(all, |to| numbers(Some(to), nodes));
            cut(&befallen, &far, fault.one_way, begin, end, acts);
        }
        FaultKind::Loss => {
            let nodes = if fault.nodes.is_none() { all() } else { befallen };
            let (outbound, inbound) = (fault.outbound.unwrap_or(0.0), fault.inbound.unwrap_or(0.0));
            let loss = |node: &u32| Act::Loss { node: *node, outbound, inbound };
            acts.extend(nodes.iter().map(|node| (begin, loss(node))));
            let none = |node: &u32| Act::Loss { node: *node, outbound: 0.0, inbound: 0.0 };
            acts.extend(end.iter().flat_map(|end| nodes.iter().map(|node| (*end, none(node)))));
        }
        FaultKind::Partition => {
            let sides = sides(fault.groups.as_deref().unwrap_or_default(), nodes);
            acts.push((begin, Act::Partition { sides }));
            acts.extend(end.map(|end| (end, Act::Mend)));
        }
        FaultKind::Heal => acts.push((begin, Act::Heal)),
        FaultKind::StopAll => {
            let silent = fault.silent;
            acts.extend(all().into_iter().map(|node| (begin, Act::Crash { node, silent })));
        }
        FaultKind::StartAll => {
            acts.extend(all().into_iter().map(|node| (begin, Act::Start { node })));
        }
        FaultKind::ClockJump => {
            let by = fault.by.unwrap_or(0);
            acts.extend(befallen.iter().map(|node| (begin, Act::Jump { node: *node, by })));
        }
        // It became restarts.
        FaultKind::Churn => {}
    }
}

fn cut(
    near: &[u32],
    far: &[u32],
    one_way: bool,
    begin: Time,
    end: Option<Time>,
    acts: &mut Vec<(Time, Act)>,
) {
    let there = near.iter().flat_map(|a| far.iter().map(move |b| (*a, *b)));
    let back = there.clone().map(|(a, b)| (b, a)).filter(|_| !one_way);
    let ways: BTreeSet<(u32, u32)> = there.chain(back).filter(|(a, b)| a != b).collect();
    for (from, to) in ways {
        acts.push((begin, Act::Cut { from, to }));
        acts.extend(end.map(|end| (end, Act::Restore { from, to })));
    }
}

/// From 1 to from 0.
fn numbers(who: Option<&Who>, nodes: u32) -> Vec<u32> {
    match who {
        Some(Who::These(numbers)) => numbers.iter().map(|number| number - 1).collect(),
        Some(Who::Word(_)) => (0..nodes).collect(),
        None => Vec::new(),
    }
}

fn sides(groups: &[Group], nodes: u32) -> Vec<u32> {
    let mut sides = vec![0; nodes as usize];
    let mut next = 0_u32;
    for (side, group) in (1..).zip(groups) {
        let members: Vec<u32> = match group {
            Group::Size(size) => (next..next.saturating_add(*size)).collect(),
            Group::These(numbers) => numbers.iter().map(|number| number - 1).collect(),
        };
        if let Group::Size(size) = group {
            next = next.saturating_add(*size);
        }
        for member in members {
            if let Some(place) = sides.get_mut(member as usize) {
                *place = side;
            }
        }
    }
    sides
}
