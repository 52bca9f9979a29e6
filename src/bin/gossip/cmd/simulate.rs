//! `gossip simulate`: worlds of a scenario file, in virtual time.

mod models;
mod shown;

use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use gossip_mesh::sim::{self, Report, Scenario, Shrunk};
use indicatif::{ProgressBar, ProgressStyle};

use self::models::Model;
use self::shown::show;
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::render::screen::Screen;

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
