//! A file per command: its words, and what it does.

pub mod bench;
pub mod completions;
pub mod events;
pub mod fault;
mod lab_node;
pub mod list_peers;
pub mod man;
pub mod messages;
pub mod metrics;
mod names;
pub mod node;
pub mod plot;
pub mod publish;
pub mod recorder;
pub mod remove_node;
pub mod rewire;
mod run;
pub mod send_message;
pub mod simulate;
mod source;
pub mod start_network;
pub mod status;
pub mod stop_network;
pub mod subscribe;
pub mod trace;
mod troubles;
pub mod verdict;
pub mod why;

pub use run::run;
