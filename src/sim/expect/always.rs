//! What is expected of every world, without being asked for: the invariants of the room.

use std::collections::BTreeMap;

use super::expectation::Expectation;
use super::proof::{RecordsRise, VerdictsAreProved};
use super::quiet::{AgreementFollows, IsolationEnds, NothingFromNothing, RoundsEnd};
use super::reach::VerdictsAreJust;
use super::safety::IncarnationsRise;
use crate::sim::scenario::Scenario;

/// Above so many nodes, what compares all with all is left out.
const MAX_COMPARED: u32 = 64;

/// With their names, as they are told when they fall.
pub(super) fn invariants(scenario: &Scenario) -> Vec<(String, Box<dyn Expectation>)> {
    let config = &scenario.membership;
    let all_vote = config.partition_safe && scenario.nodes <= config.full_limit.saturating_add(1);
    let mut found: Vec<(&str, Box<dyn Expectation>)> = vec![
        ("incarnations_rise", Box::<IncarnationsRise>::default()),
        ("records_rise", Box::<RecordsRise>::default()),
        ("isolation_ends", Box::<IsolationEnds>::default()),
    ];
    found.push(("verdicts_are_proved", Box::new(VerdictsAreProved::new(all_vote))));
    let waves = match config.fanout {
        0 => 1,
        fanout => scenario.nodes.div_ceil(fanout),
    };
    let within = config.timeout * (2 * 8 * (config.miss_limit + 2)) * (waves + 1);
    found.push(("rounds_end", Box::new(RoundsEnd { within, open: BTreeMap::new() })));
    if all_vote {
        let honest = scenario.adversaries.is_empty();
        found.push(("verdicts_are_just", Box::new(VerdictsAreJust::new(honest))));
    }
    if config.partition_safe && scenario.nodes <= MAX_COMPARED {
        found.push(("agreement_follows", Box::<AgreementFollows>::default()));
    }
    let calm = scenario.faults.is_empty()
        && scenario.adversaries.is_empty()
        && scenario.link.loss == 0.0
        && scenario.link.reorder == 0.0;
    if calm {
        found.push(("nothing_from_nothing", Box::new(NothingFromNothing)));
    }
    found.into_iter().map(|(name, expectation)| (name.to_owned(), expectation)).collect()
}
