//! Reading a scenario, and what it may not say.

use super::fault::{Fault, FaultKind, Group, Who};
use super::file::{MAX_NODES, Scenario};
use super::span::Span;
use crate::sim::{adversary, expect};

/// What is wrong with a scenario, in sentences.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct ScenarioError(pub Vec<String>);

impl Scenario {
    /// Reads a scenario's text.
    ///
    /// # Errors
    /// Shows the line that is wrong, or names everything that contradicts itself.
    pub fn from_toml(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self =
            toml::from_str(text).map_err(|error| ScenarioError(vec![error.to_string()]))?;
        scenario.check()?;
        Ok(scenario)
    }

    /// Checks the scenario as a whole.
    ///
    /// # Errors
    /// Names all contradictions at once.
    pub fn check(&self) -> Result<(), ScenarioError> {
        let mut wrong = Vec::new();
        let mut rule = |holds: bool, otherwise: String| {
            if !holds {
                wrong.push(otherwise);
            }
        };
        rule(
            (1..=MAX_NODES).contains(&self.nodes),
            format!("`nodes` is between 1 and {MAX_NODES}"),
        );
        rule(self.duration > Span::default(), "`duration` is above zero".to_owned());
        let shares = [self.link.loss, self.link.duplicate, self.link.reorder, self.disk.failing];
        let is_share = |share: &f64| (0.0..=1.0).contains(share);
        rule(shares.iter().all(is_share), "shares of `link` and `disk` are from 0 to 1".to_owned());
        rule(self.clock.skew < 1_000_000, "`clock.skew` is below 1,000,000".to_owned());
        for (index, fault) in self.faults.iter().enumerate() {
            for reason in wrong_in(fault, self.nodes) {
                rule(false, format!("fault {}: {reason}", index + 1));
            }
        }
        for hostile in &self.adversaries {
            let known = adversary::KINDS.contains(&hostile.kind.as_str());
            let names = adversary::KINDS.join(", ");
            rule(known, format!("no adversary is called `{}`, only {names}", hostile.kind));
            let numbers = hostile.nodes.iter().chain(&hostile.about);
            let fits = numbers.into_iter().all(|node| (1..=self.nodes).contains(node));
            rule(fits, format!("a {} names a node that there is not", hostile.kind));
            rule(hostile.rate > 0.0, format!("the rate of a {} is above zero", hostile.kind));
        }
        rule(
            self.workload.as_ref().is_none_or(|workload| workload.rate > 0.0),
            "`workload.rate` is above zero".to_owned(),
        );
        if let Err(reason) = expect::lines(&self.expect) {
            rule(false, reason);
        }
        if wrong.is_empty() { Ok(()) } else { Err(ScenarioError(wrong)) }
    }
}

fn wrong_in(fault: &Fault, nodes: u32) -> Vec<String> {
    use FaultKind::{
        Churn, ClockJump, Crash, Cut, Flap, Join, Leave, Loss, Partition, Pause, Restart, Start,
    };
    let mut wrong = Vec::new();
    let known = |who: &Option<Who>| match who {
        Some(Who::These(numbers)) => numbers.iter().all(|node| (1..=nodes).contains(node)),
        _ => true,
    };
    if !known(&fault.nodes) || !known(&fault.to) {
        wrong.push(format!("nodes are numbered from 1 to {nodes}"));
    }
    let needs_nodes = matches!(
        fault.kind,
        Crash | Restart | Start | Pause | Flap | Cut | Leave | Join | ClockJump
    );
    if needs_nodes && fault.nodes.is_none() {
        wrong.push("say which `nodes`".to_owned());
    }
    if fault.every.is_some_and(|every| every == Span::default()) {
        wrong.push("`every` is above zero".to_owned());
    }
    let share = |share: Option<f64>| share.is_none_or(|share| (0.0..=1.0).contains(&share));
    if !share(fault.outbound) || !share(fault.inbound) {
        wrong.push("`outbound` and `inbound` are from 0 to 1".to_owned());
    }
    match fault.kind {
        Loss if fault.outbound.is_none() && fault.inbound.is_none() => {
            wrong.push("say `outbound`, `inbound` or both".to_owned());
        }
        Churn if !fault.rate.is_some_and(|rate| rate > 0.0 && rate.is_finite()) => {
            wrong.push("say the `rate` of restarts per second, above zero".to_owned());
        }
        ClockJump if fault.by.is_none() => wrong.push("say `by` how many ms".to_owned()),
        Partition => {
            let groups = fault.groups.as_deref().unwrap_or_default();
            let size: usize = groups.iter().map(size_of).sum();
            if groups.is_empty() || size > nodes as usize {
                wrong.push(format!("`groups` hold between 1 and {nodes} nodes"));
            }
        }
        _ => {}
    }
    wrong
}

fn size_of(group: &Group) -> usize {
    match group {
        Group::Size(size) => *size as usize,
        Group::These(nodes) => nodes.len(),
    }
}
