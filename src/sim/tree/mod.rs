//! The tree room of the product among a thousand nodes, in virtual time.

mod host;
mod measure;
mod port;
mod report;
mod run;
mod scenario;
mod world;

#[cfg(test)]
mod tests;

pub use report::{Said, TreeReport};
pub use run::run;
pub use scenario::{Between, TreeExpect, TreeScenario, is_tree};
