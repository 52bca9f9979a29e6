//! `gossip simulate`: worlds of a scenario file, in virtual time.

use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;
use gossip_mesh::ConfigError;
use gossip_mesh::sim::broadcast::{self, BroadcastScenario, is_broadcast};
use gossip_mesh::sim::tree::{self, TreeScenario, is_tree};
use gossip_mesh::sim::{self, Outcome, Report, Scenario, Shrunk, Spread};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::render::paint::Paint;
use crate::render::screen::Screen;
use crate::render::table::{Cell, Table};

/// Run scenarios in virtual time and check what they expect
///
/// The same file and seed give the same world, down to the hash of its trace. When an expectation
/// falls the exit code is 1, and the smallest schedule found that still fails is shown as a file.
#[derive(Args, Debug)]
pub struct Simulate {
    /// Scenarios, TOML files (see simulations/README.md)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Run this world instead of the file's
    #[arg(long, value_name = "S", conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Run these worlds, the first and the last, e.g. 1..1000
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    seeds: Option<RangeInclusive<u64>>,
    /// So many nodes instead of the file's number
    #[arg(long, value_name = "N")]
    nodes: Option<u32>,
    /// Draw the time-line of the world that fails, else of the worst one, into this file
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

/// A carrier among many nodes.
enum Model {
    Broadcast(Box<BroadcastScenario>),
    Tree(Box<TreeScenario>),
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
    pub async fn run(mut self, screen: Screen) -> Result<(), Failure> {
        if self.svg.is_some() && self.files.len() > 1 {
            return Err(Failure::usage("--svg draws one world: give one file"));
        }
        let models = self.take_models()?;
        let mut holds = true;
        for (file, model) in models {
            holds &= match model {
                Model::Broadcast(model) => self.run_broadcast(&file, *model, screen).await?,
                Model::Tree(model) => self.run_tree(&file, *model, screen).await?,
            };
        }
        if self.files.is_empty() {
            return if holds { Ok(()) } else { Err(Failure::Shown) };
        }
        let scenarios: Vec<Scenario> =
            self.files.iter().map(|file| self.read(file)).collect::<Result<_, _>>()?;
        let stop = Arc::new(AtomicBool::new(false));
        let worlds = scenarios.iter().map(|scenario| count(&self.seeds_of(scenario))).sum();
        let bar = progress(worlds, screen);
        let mut interrupt = Interrupt::new()?;
        let (svg, cut) = (self.svg.clone(), stop.clone());
        let work = {
            let bar = bar.clone();
            tokio::task::spawn_blocking(move || self.work(&scenarios, &stop, &bar))
        };
        tokio::pin!(work);
        let all = tokio::select! {
            all = &mut work => all,
            () = interrupt.came() => {
                cut.store(true, Ordering::Relaxed);
                work.await
            }
        };
        bar.finish_and_clear();
        let all = all.map_err(|_| Failure::failed("the simulation panicked: this is a bug"))?;
        if let (Some(file), Some(picture)) = (svg, all.iter().find_map(|d| d.picture.as_ref())) {
            write(&file, picture)?;
        }
        show(&all, screen)?;
        let ended: u64 = all.iter().map(|done| done.report.outcomes.len() as u64).sum();
        if ended < worlds {
            screen.remark(&format!("stopped after {ended} of {worlds} worlds"));
        }
        match holds && all.iter().all(|done| done.report.holds()) {
            true => Ok(()),
            false => Err(Failure::Shown),
        }
    }

    /// Files of carriers among many nodes, which are no worlds of whole nodes, taken out of the
    /// files.
    fn take_models(&mut self) -> Result<Vec<(PathBuf, Model)>, Failure> {
        let mut models = Vec::new();
        for file in std::mem::take(&mut self.files) {
            let text = text_of(&file)?;
            let wrong = |error: ConfigError| {
                Failure::usage(format!("{} is no scenario:\n{error}", file.display()))
            };
            if is_broadcast(&text) {
                let mut model = BroadcastScenario::from_toml(&text).map_err(wrong)?;
                model.nodes = self.nodes.unwrap_or(model.nodes);
                models.push((file, Model::Broadcast(Box::new(model))));
            } else if is_tree(&text) {
                let mut model = TreeScenario::from_toml(&text).map_err(wrong)?;
                model.nodes = self.nodes.unwrap_or(model.nodes);
                models.push((file, Model::Tree(Box::new(model))));
            } else {
                self.files.push(file);
            }
        }
        Ok(models)
    }

    /// Runs the room of the tree once per seed. True when all that is expected held.
    async fn run_tree(
        &self,
        file: &Path,
        mut model: TreeScenario,
        screen: Screen,
    ) -> Result<bool, Failure> {
        if self.svg.is_some() {
            return Err(Failure::usage("--svg draws worlds of nodes, not the tree among many"));
        }
        let mut holds = true;
        let seed = self.seed.unwrap_or(model.seed);
        for seed in self.seeds.clone().unwrap_or(seed..=seed) {
            model.seed = seed;
            let one = model.clone();
            let run = tokio::task::spawn_blocking(move || tree::run(&one)).await;
            let run = run.map_err(|_| Failure::failed("the simulation panicked: this is a bug"))?;
            let name = file.display();
            let found = run.map_err(|error| Failure::usage(format!("{name}: {error}")))?;
            holds &= shown(screen, &found, &found.render(), &found.failures)?;
        }
        Ok(holds)
    }

    /// Runs the model of gossipsub once per seed, or beside real nodes where the file says so. True
    /// when all that is expected held.
    async fn run_broadcast(
        &self,
        file: &Path,
        mut model: BroadcastScenario,
        screen: Screen,
    ) -> Result<bool, Failure> {
        if self.svg.is_some() {
            return Err(Failure::usage("--svg draws worlds of nodes, not the model of broadcast"));
        }
        let name = file.display();
        if !model.check.is_empty() {
            let found = broadcast::check(&model).await?;
            return shown(screen, &found, &found.render(), &found.failures);
        }
        let seed = self.seed.unwrap_or(model.seed);
        let mut holds = true;
        for seed in self.seeds.clone().unwrap_or(seed..=seed) {
            model.seed = seed;
            let one = model.clone();
            let run = tokio::task::spawn_blocking(move || broadcast::run(&one)).await;
            let run = run.map_err(|_| Failure::failed("the model panicked: this is a bug"))?;
            let found = run.map_err(|error| Failure::usage(format!("{name}: {error}")))?;
            holds &= shown(screen, &found, &found.render(), &found.failures)?;
        }
        Ok(holds)
    }

    fn seeds_of(&self, scenario: &Scenario) -> RangeInclusive<u64> {
        self.seeds.clone().unwrap_or_else(|| {
            let seed = self.seed.unwrap_or(scenario.seed);
            seed..=seed
        })
    }

    fn read(&self, file: &Path) -> Result<Scenario, Failure> {
        let name = file.display();
        let text = text_of(file)?;
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

    fn work(&self, scenarios: &[Scenario], stop: &AtomicBool, bar: &ProgressBar) -> Vec<Done> {
        let jobs = self.jobs.or_else(|| std::thread::available_parallelism().ok());
        let jobs = jobs.unwrap_or(NonZeroUsize::MIN);
        let one = |scenario: &Scenario| {
            bar.set_message(scenario.name.clone());
            let seeds = self.seeds_of(scenario);
            let report = sim::run_many(scenario, seeds, jobs, stop, &|_| bar.inc(1));
            let failing = report.first_broken().map(|outcome| outcome.seed);
            let smallest = failing.and_then(|seed| {
                bar.set_message(format!("{}: a smaller schedule that fails?", scenario.name));
                sim::shrink(scenario, seed, stop)
            });
            let drawn = failing.or(report.worst).filter(|_| self.svg.is_some());
            let picture = drawn.map(|seed| sim::timeline(scenario, seed));
            Done { smallest, picture, report }
        };
        scenarios.iter().map(one).collect()
    }
}

fn show(all: &[Done], screen: Screen) -> Result<(), Failure> {
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

/// Shows what the model found; true when all that was expected held.
fn shown(
    screen: Screen,
    found: &impl Serialize,
    text: &str,
    failures: &[String],
) -> Result<bool, Failure> {
    if screen.json {
        screen.document(found)?
    } else {
        screen.show(text)?
    }
    Ok(failures.is_empty())
}

fn text_of(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file)
        .map_err(|error| Failure::failed(format!("{} cannot be read: {error}", file.display())))
}

/// What the worlds left behind.
struct Done {
    report: Report,
    smallest: Option<Shrunk>,
    picture: Option<String>,
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(file, text)
        .map_err(|error| Failure::failed(format!("{} cannot be written: {error}", file.display())))
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

fn count(seeds: &RangeInclusive<u64>) -> u64 {
    (seeds.end() - seeds.start()).saturating_add(1)
}

fn progress(worlds: u64, screen: Screen) -> ProgressBar {
    if screen.json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(worlds);
    let style = ProgressStyle::with_template("{bar:32} {pos} of {len} worlds, {eta} to go  {msg}");
    if let Ok(style) = style { bar.with_style(style) } else { bar }
}
