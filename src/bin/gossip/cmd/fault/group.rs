//! Networks in pieces.

use std::collections::BTreeSet;

use gossip_mesh::FaultEffect;
use serde_json::json;

use super::plan::Plan;
use crate::args::Which;
use crate::exit::Failure;
use crate::lab::member::Network;
use crate::render::plain::one_line;
use crate::render::screen::Screen;

/// Cuts all links between these groups.
pub async fn split(texts: &[String], which: &Which, screen: Screen) -> Result<(), Failure> {
    let network = which.find()?;
    let groups = groups(&network, texts)?;
    let group_of = |number| groups.iter().position(|group| group.contains(&number));
    let mut plan = Plan::default();
    for from in &network.members {
        for to in &network.members {
            if group_of(from.number) != group_of(to.number) {
                plan.add(from, to, FaultEffect::Cut);
            }
        }
    }
    let told = plan.tell(&network).await;
    if told.told.is_empty() {
        told.all()?;
    } else if !told.not_told.is_empty() {
        screen.remark(&told.missing());
    }
    if screen.json {
        return screen.document(&json!({
            "groups": groups,
            "told": told.told,
            "not_told": told.not_told,
        }));
    }
    let shown: Vec<String> = groups.iter().map(ranges).collect();
    screen.show(format!(
        "split into {}; `gossip fault heal{}` joins them\n",
        shown.join(" | "),
        network.words
    ))
}

/// The groups by number, the one of those not named last.
fn groups(network: &Network, texts: &[String]) -> Result<Vec<BTreeSet<usize>>, Failure> {
    let mut groups = Vec::new();
    let mut named = BTreeSet::new();
    for text in texts {
        let group = group(network, text)?;
        if let Some(twice) = group.intersection(&named).next() {
            return Err(Failure::usage(format!(
                "node {twice} is in two groups: a node hears one side only"
            )));
        }
        named.extend(&group);
        groups.push(group);
    }
    let numbers = network.members.iter().map(|member| member.number);
    let rest: BTreeSet<usize> = numbers.filter(|number| !named.contains(number)).collect();
    if !rest.is_empty() {
        groups.push(rest);
    }
    if groups.len() < 2 {
        return Err(Failure::usage(
            "one group of all nodes is no split: name some of them, the rest is the other group",
        ));
    }
    Ok(groups)
}

/// `1-3,7` or `node-5`.
fn group(network: &Network, text: &str) -> Result<BTreeSet<usize>, Failure> {
    let mut group = BTreeSet::new();
    for part in text.split(',') {
        let range = part.split_once('-').and_then(|(first, last)| {
            Some((first.parse::<usize>().ok()?, last.parse::<usize>().ok()?))
        });
        let Some((first, last)) = range else {
            group.insert(network.member(part)?.number);
            continue;
        };
        if first > last {
            return Err(Failure::usage(format!(
                "{:?} is no range: write {last}-{first}",
                one_line(part.as_bytes())
            )));
        }
        for end in [first, last] {
            network.member(&end.to_string())?;
        }
        let numbers = network.members.iter().map(|member| member.number);
        group.extend(numbers.filter(|number| (first..=last).contains(number)));
    }
    Ok(group)
}

/// `1-3,7`.
pub fn ranges(group: &BTreeSet<usize>) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for &number in group {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let shown = runs.iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    });
    shown.collect::<Vec<String>>().join(",")
}
