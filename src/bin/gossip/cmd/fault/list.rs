//! What is wrong on purpose.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use gossip_mesh::{Fault, FaultDirection, FaultEffect, FaultPeer, NodeId};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::group::ranges;
use super::wrong::words;
use crate::args::Which;
use crate::exit::Failure;
use crate::lab::member::{Member, Network};
use crate::render::screen::Screen;
use crate::render::table::Table;

/// The effects on what goes from one end to another.
type Effects = BTreeMap<(End, End), Vec<FaultEffect>>;

/// One end of a disturbed link.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum End {
    Node(usize),
    /// A node that is none of this network.
    Stranger(NodeId),
    All,
}

/// Shows it.
pub async fn list(which: &Which, screen: Screen) -> Result<(), Failure> {
    let network = which.find()?;
    let (effects, silent) = ask(&network).await;
    let numbers = |wanted: fn(&Member) -> bool| -> Vec<usize> {
        let wanted = network.members.iter().filter(|member| wanted(member));
        wanted.map(|member| member.number).collect()
    };
    let paused = numbers(Member::is_paused);
    let died = numbers(Member::has_died);
    if screen.json {
        let links = effects.iter().map(|((from, to), effects)| {
            json!({ "from": from.value(), "to": to.value(), "effects": effects })
        });
        return screen.document(&json!({
            "links": links.collect::<Vec<Value>>(),
            "paused": paused,
            "died": died,
            "silent": silent,
        }));
    }
    for number in silent {
        screen.remark(&format!("node {number} does not say what it does to its links"));
    }
    let mut rows = links(&effects);
    rows.extend(paused.iter().map(|number| (format!("node {number}"), "paused".to_owned())));
    rows.extend(died.iter().map(|number| (format!("node {number}"), "dead".to_owned())));
    if rows.is_empty() {
        return screen.show("nothing is wrong\n");
    }
    let mut table = Table::new(["WHERE", "WHAT"]);
    rows.into_iter().for_each(|(place, what)| table.row([place.into(), what.into()]));
    screen.show(table.render(screen.colour))
}

/// What all nodes that can answer do to their links, and who did not answer.
async fn ask(network: &Network) -> (Effects, Vec<usize>) {
    let mut asking = JoinSet::new();
    let awake = |member: &&Member| member.is_running() && !member.is_paused();
    for member in network.members.iter().filter(awake) {
        let member = member.clone();
        asking.spawn(async move {
            let faults = async { member.api().await?.faults().await };
            (member.number, faults.await)
        });
    }
    let mut effects = Effects::new();
    let mut silent = Vec::new();
    for (number, faults) in asking.join_all().await {
        match faults {
            Ok(faults) => faults.iter().for_each(|it| note(&mut effects, network, number, it)),
            Err(_) => silent.push(number),
        }
    }
    silent.sort_unstable();
    (effects, silent)
}

/// Adds what a node does to its side of a link; both sides of a cut tell the same.
fn note(effects: &mut Effects, network: &Network, number: usize, fault: &Fault) {
    let own = End::Node(number);
    let other = match fault.peer {
        FaultPeer::All => End::All,
        FaultPeer::One(id) => network.numbered(id).map_or(End::Stranger(id), End::Node),
    };
    let mut add = |from: &End, to: &End| {
        let effects = effects.entry((from.clone(), to.clone())).or_default();
        if !effects.contains(&fault.effect) {
            effects.push(fault.effect);
        }
    };
    if fault.direction != FaultDirection::In {
        add(&own, &other);
    }
    if fault.direction != FaultDirection::Out {
        add(&other, &own);
    }
}

/// Lines of links and what is wrong with them: one for both ways where they are the same, one for
/// all nodes with which a node has the same trouble.
fn links(effects: &Effects) -> Vec<(String, String)> {
    let mut lines: BTreeMap<(&End, &str, String), Vec<&End>> = BTreeMap::new();
    for ((from, to), what) in effects {
        let same = effects.get(&(to.clone(), from.clone())) == Some(what);
        if same && from > to {
            continue;
        }
        let arrow = if same { "↔" } else { "→" };
        let what: Vec<String> = what.iter().map(words).collect();
        lines.entry((from, arrow, what.join(", "))).or_default().push(to);
    }
    let line = |((from, arrow, what), to): ((&End, &str, String), Vec<&End>)| {
        (format!("{from} {arrow} {}", together(&to)), what)
    };
    lines.into_iter().map(line).collect()
}

/// `1-3,7,all`.
fn together(ends: &[&End]) -> String {
    let number = |end: &&End| if let End::Node(number) = end { Some(*number) } else { None };
    let numbers: BTreeSet<usize> = ends.iter().filter_map(number).collect();
    let others = ends.iter().filter(|end| number(end).is_none()).map(ToString::to_string);
    let shown = Some(ranges(&numbers)).filter(|_| !numbers.is_empty());
    shown.into_iter().chain(others).collect::<Vec<String>>().join(",")
}

impl End {
    fn value(&self) -> Value {
        match self {
            Self::Node(number) => json!(number),
            Self::Stranger(id) => json!(id),
            Self::All => json!("all"),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(number) => write!(f, "{number}"),
            Self::Stranger(id) => f.write_str(&id.short()),
            Self::All => f.write_str("all"),
        }
    }
}
