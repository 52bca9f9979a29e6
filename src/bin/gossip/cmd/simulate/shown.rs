//! What `gossip simulate` shows of worlds.

use std::time::Duration;

use gossip_mesh::sim::{Outcome, Report, Shrunk, Spread};
use serde::Serialize;

use super::Done;
use crate::exit::Failure;
use crate::render::paint::Paint;
use crate::render::screen::Screen;
use crate::render::table::{Cell, Table};

/// What `--json` shows.
#[derive(Serialize)]
struct Document<'a> {
    holds: bool,
    #[serde(flatten)]
    report: &'a Report,
    /// A scenario that still fails, as TOML.
    #[serde(skip_serializing_if = "Option::is_none")]
    smallest: Option<String>,
}

/// What all worlds came to, and why scenarios fail that do.
pub fn show(all: &[Done], screen: Screen) -> Result<(), Failure> {
    if screen.json {
        return all.iter().try_for_each(|Done { report, smallest, .. }| {
            let smallest = smallest.as_ref().map(|smallest| smallest.scenario.to_toml());
            screen.document(&Document { holds: report.holds(), report, smallest })
        });
    }
    screen.show(table(all).render(screen.colour))?;
    if let [Done { report, .. }] = all
        && let [outcome] = report.outcomes.as_slice()
    {
        let Outcome { trace, events, seed, .. } = outcome;
        screen.show(format!("seed {seed}: trace {trace}, {events} events\n"))?;
    }
    all.iter().try_for_each(|done| explain(done, screen))
}

/// Why a scenario fails, if it does.
fn explain(done: &Done, screen: Screen) -> Result<(), Failure> {
    let report = &done.report;
    if let Some(reason) = &report.broken {
        let worst = report.worst.unwrap_or_default();
        screen.complain(&format!("{}: {reason} (worst seed: {worst})", report.name));
    }
    if let Some(outcome) = report.first_broken() {
        let reason = outcome.broken.as_deref().unwrap_or_default();
        screen.complain(&format!("{}: seed {} fails: {reason}", report.name, outcome.seed));
    }
    let Some(Shrunk { scenario, reason, before, runs, .. }) = &done.smallest else {
        return Ok(());
    };
    let after = scenario.faults.len();
    screen.remark(&format!(
        "the smallest schedule found that still fails has {after} of {before} faults \
         ({runs} worlds tried): {reason}"
    ));
    screen.show(scenario.to_toml())
}

fn table(all: &[Done]) -> Table {
    let header = [
        "SCENARIO",
        "NODES",
        "SEEDS",
        "DETECT p50",
        "p99",
        "max",
        "HEAL p50",
        "p99",
        "max",
        "FALSE",
        "MSG/N/S",
        "BYTE/N/S",
        "WORST",
        "",
    ];
    let table = (1..header.len() - 1).fold(Table::new(header), Table::right);
    all.iter().fold(table, |mut table, done| {
        table.row(row(&done.report));
        table
    })
}

fn row(report: &Report) -> Vec<Cell> {
    let times = |spread: Option<Spread>| {
        let cell = |time: fn(&Spread) -> Duration| -> Cell {
            spread.as_ref().map_or_else(|| "-".into(), |spread| seconds(time(spread)).into())
        };
        [cell(|s| s.p50), cell(|s| s.p99), cell(|s| s.max)]
    };
    let mut cells: Vec<Cell> = vec![
        report.name.clone().into(),
        report.nodes.to_string().into(),
        report.outcomes.len().to_string().into(),
    ];
    cells.extend(times(report.detection));
    cells.extend(times(report.heal));
    cells.extend([
        report.false_verdicts.to_string().into(),
        format!("{:.2}", report.messages).into(),
        format!("{:.0}", report.bytes).into(),
        report.worst.map_or_else(|| "-".to_owned(), |seed| seed.to_string()).into(),
    ]);
    cells.push(match (report.holds(), report.outcomes.is_empty()) {
        (_, true) => Cell::painted("not run", Paint::Yellow),
        (true, _) => Cell::painted("holds", Paint::Blue),
        (false, _) => Cell::painted("FAILS", Paint::Red),
    });
    cells
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
