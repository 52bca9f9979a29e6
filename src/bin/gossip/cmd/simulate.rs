//! `gossip simulate`: worlds of a scenario file, in virtual time.

use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;
use gossip_mesh::sim::{self, Outcome, Report, Scenario, Shrunk, Spread};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::render::paint::Paint;
use crate::render::screen::Screen;
use crate::render::table::{Cell, Table};

/// Run a scenario in virtual time and check what it expects
///
/// The same file and seed give the same world, down to the hash of its trace. When an expectation
/// falls the exit code is 1, and the shortest schedule found that still fails is shown as a file.
#[derive(Args, Debug)]
pub struct Simulate {
    /// The scenario, a TOML file
    file: PathBuf,
    /// Run this world instead of the file's
    #[arg(long, value_name = "S", conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Run these worlds, first and last
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    seeds: Option<RangeInclusive<u64>>,
    /// So many nodes instead of the file's number
    #[arg(long, value_name = "N")]
    nodes: Option<u32>,
    /// Draw the time-line of the world (of the worst one, with --seeds) into this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Worlds at once [default: one per processor]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

/// `1..1000`, both included, or one number.
fn seeds(text: &str) -> Result<RangeInclusive<u64>, String> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let number = |text: &str| text.trim_start_matches('=').parse::<u64>();
    match (number(first), number(last)) {
        (Ok(first), Ok(last)) if first <= last => Ok(first..=last),
        _ => Err("expected the first and the last seed, e.g. 1..1000".to_owned()),
    }
}

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

impl Simulate {
    /// Runs the worlds.
    pub async fn run(self, screen: Screen) -> Result<(), Failure> {
        let scenario = self.read()?;
        let seeds = self.seeds.clone().unwrap_or_else(|| {
            let seed = self.seed.unwrap_or(scenario.seed);
            seed..=seed
        });
        let jobs = self.jobs.or_else(|| std::thread::available_parallelism().ok());
        let jobs = jobs.unwrap_or(NonZeroUsize::MIN);
        let stop = Arc::new(AtomicBool::new(false));
        let mut interrupt = Interrupt::new()?;
        let bar = progress(&seeds, screen);
        let work = {
            let (stop, bar) = (stop.clone(), bar.clone());
            let draws = self.svg.is_some();
            tokio::task::spawn_blocking(move || all(&scenario, seeds, jobs, &stop, &bar, draws))
        };
        tokio::pin!(work);
        let done = tokio::select! {
            done = &mut work => done,
            () = interrupt.came() => {
                stop.store(true, Ordering::Relaxed);
                work.await
            }
        };
        bar.finish_and_clear();
        let done = done.map_err(|_| Failure::failed("the simulation panicked: this is a bug"))?;
        self.show(&done, screen)?;
        match done.report.holds() && !done.report.outcomes.is_empty() {
            true => Ok(()),
            false => Err(Failure::Shown),
        }
    }

    fn read(&self) -> Result<Scenario, Failure> {
        let name = self.file.display();
        let text = std::fs::read_to_string(&self.file)
            .map_err(|error| Failure::failed(format!("{name} cannot be read: {error}")))?;
        let mut scenario = Scenario::from_toml(&text)
            .map_err(|error| Failure::usage(format!("{name} is no scenario:\n{error}")))?;
        if let Some(nodes) = self.nodes {
            scenario.nodes = nodes;
            scenario.check().map_err(|error| {
                Failure::usage(format!("{name} does not fit {nodes} nodes:\n{error}"))
            })?;
        }
        Ok(scenario)
    }

    fn show(&self, done: &Done, screen: Screen) -> Result<(), Failure> {
        if let (Some(file), Some(picture)) = (&self.svg, &done.picture) {
            write(file, picture)?;
        }
        let report = &done.report;
        if screen.json {
            let smallest = done.smallest.as_ref().map(|smallest| smallest.scenario.to_toml());
            return screen.document(&Document { holds: report.holds(), report, smallest });
        }
        screen.show(table(report).render(screen.colour))?;
        if let [outcome] = report.outcomes.as_slice() {
            let Outcome { trace, events, seed, .. } = outcome;
            screen.show(format!("seed {seed}: trace {trace}, {events} events\n"))?;
        }
        if report.outcomes.is_empty() {
            screen.complain("stopped before any world had ended");
        }
        if let Some(reason) = &report.broken {
            let worst = report.worst.unwrap_or_default();
            screen.complain(&format!("{}: {reason} (worst seed {worst})", report.name));
        }
        if let Some(outcome) = report.first_broken() {
            let reason = outcome.broken.as_deref().unwrap_or_default();
            screen.complain(&format!("{}: seed {} fails: {reason}", report.name, outcome.seed));
        }
        if let Some(Shrunk { scenario, reason, before, runs, .. }) = &done.smallest {
            let after = scenario.faults.len();
            screen.remark(&format!(
                "the smallest schedule found that still fails has {after} of {before} faults \
                 ({runs} worlds tried): {reason}"
            ));
            screen.show(scenario.to_toml())?;
        }
        Ok(())
    }
}

/// What the worlds left behind.
struct Done {
    report: Report,
    smallest: Option<Shrunk>,
    picture: Option<String>,
}

fn all(
    scenario: &Scenario,
    seeds: RangeInclusive<u64>,
    jobs: NonZeroUsize,
    stop: &AtomicBool,
    bar: &ProgressBar,
    draws: bool,
) -> Done {
    let report = sim::run_many(scenario, seeds, jobs, stop, &|_| bar.inc(1));
    let failing = report.first_broken().filter(|_| !stop.load(Ordering::Relaxed));
    let smallest = failing.and_then(|outcome| {
        bar.set_message("looking for the smallest schedule that fails");
        sim::shrink(scenario, outcome.seed, stop)
    });
    let drawn = failing.map(|outcome| outcome.seed).or(report.worst).filter(|_| draws);
    let picture = drawn.map(|seed| sim::timeline(scenario, seed));
    Done { smallest, picture, report }
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(file, text)
        .map_err(|error| Failure::failed(format!("{} cannot be written: {error}", file.display())))
}

fn table(report: &Report) -> Table {
    let mut table = Table::new([
        "SCENARIO",
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
    ]);
    for column in 1..12 {
        table = table.right(column);
    }
    let times = |spread: Option<Spread>| {
        let cell = |time: fn(&Spread) -> Duration| -> Cell {
            spread.as_ref().map_or_else(|| "-".into(), |spread| seconds(time(spread)).into())
        };
        [cell(|s| s.p50), cell(|s| s.p99), cell(|s| s.max)]
    };
    let mut cells: Vec<Cell> =
        vec![report.name.clone().into(), report.outcomes.len().to_string().into()];
    cells.extend(times(report.detection));
    cells.extend(times(report.heal));
    cells.push(report.false_verdicts.to_string().into());
    cells.push(format!("{:.2}", report.messages).into());
    cells.push(format!("{:.0}", report.bytes).into());
    cells.push(report.worst.map_or_else(|| "-".to_owned(), |seed| seed.to_string()).into());
    cells.push(match report.holds() {
        true => Cell::painted("holds", Paint::Blue),
        false => Cell::painted("FAILS", Paint::Red),
    });
    table.row(cells);
    table
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

fn progress(seeds: &RangeInclusive<u64>, screen: Screen) -> ProgressBar {
    if screen.json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new((seeds.end() - seeds.start()).saturating_add(1));
    let style = ProgressStyle::with_template("{bar:32} {pos} of {len} worlds, {eta} to go {msg}");
    if let Ok(style) = style { bar.with_style(style) } else { bar }
}
