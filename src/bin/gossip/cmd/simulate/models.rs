//! Carriers among many nodes, which are no worlds of whole nodes.

use std::path::{Path, PathBuf};

use gossip_mesh::ConfigError;
use gossip_mesh::sim::broadcast::{self, BroadcastScenario, is_broadcast};
use gossip_mesh::sim::tree::{self, TreeScenario, is_tree};
use serde::Serialize;

use super::{Simulate, text_of};
use crate::exit::Failure;
use crate::render::screen::Screen;

/// A carrier among many nodes.
pub enum Model {
    Broadcast(Box<BroadcastScenario>),
    Tree(Box<TreeScenario>),
}

impl Simulate {
    /// Files of carriers among many nodes, which are no worlds of whole nodes, taken out of the
    /// files.
    pub(super) fn take_models(&mut self) -> Result<Vec<(PathBuf, Model)>, Failure> {
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
    pub(super) async fn run_tree(
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
    pub(super) async fn run_broadcast(
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
