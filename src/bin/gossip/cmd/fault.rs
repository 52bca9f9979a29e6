//! `gossip fault`: what can go wrong in a network, on purpose.

mod end;
mod group;
mod heal;
mod link;
mod list;
mod node;
mod plan;
pub(super) mod wrong;

use clap::{Args, Subcommand};

use crate::args::Which;
use crate::exit::Failure;
use crate::render::screen::Screen;

/// Break links and nodes of a network on purpose, and mend them
///
/// Links are disturbed inside the nodes, below their encryption: a cut link falls silent and stays
/// so for new connections, as a cable does. Nothing of the machine is touched, and no rights are
/// needed.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  gossip fault cut 1 2                  nothing comes through between node 1 and node 2
  gossip fault cut 3 all --one-way      nobody hears node 3, which hears all
  gossip fault delay all all 50ms       every link becomes that slow
  gossip fault split 1-8 9-16           two halves that do not hear each other
  gossip fault kill 4                   and later: gossip fault restart 4
  gossip fault heal                     all is well again")]
pub struct Fault {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// Let nothing through between two nodes
    Cut {
        #[command(flatten)]
        link: Link,
    },
    /// Take everything that was done to a link back
    Restore {
        #[command(flatten)]
        link: Link,
    },
    /// Have everything come later
    Delay {
        #[command(flatten)]
        link: Link,
        /// How much later each way, e.g. 50ms; at most 60s
        #[arg(value_name = "TIME", value_parser = wrong::time)]
        time: std::time::Duration,
        /// And up to so much more, by chance
        #[arg(long, value_name = "TIME", value_parser = wrong::time, default_value = "0s")]
        jitter: std::time::Duration,
    },
    /// Lose segments: what is behind a lost one waits until it was sent again, as under TCP
    Loss {
        #[command(flatten)]
        link: Link,
        /// How many of them are lost each way, e.g. 10%
        #[arg(value_name = "PERCENT", value_parser = wrong::loss)]
        loss: f64,
    },
    /// Let only so many bytes through
    Rate {
        #[command(flatten)]
        link: Link,
        /// Bytes per second each way
        #[arg(value_name = "BYTES")]
        rate: std::num::NonZeroU64,
    },
    /// Stop the process of a node for a while (SIGSTOP)
    Pause {
        #[command(flatten)]
        one: One,
    },
    /// Have a paused node go on (SIGCONT)
    Resume {
        #[command(flatten)]
        one: One,
    },
    /// End the process of a node without a word (SIGKILL)
    Kill {
        #[command(flatten)]
        one: One,
    },
    /// Start a node of a lab again that was killed or died: same number, key, data and port
    Restart {
        #[command(flatten)]
        one: One,
    },
    /// Cut all links between groups of nodes; those not named are a group of their own
    Split {
        /// Nodes and ranges of them, e.g. 1-8 or 1,3,5-7
        #[arg(value_name = "GROUP", required = true)]
        groups: Vec<String>,
        #[command(flatten)]
        which: Which,
    },
    /// Restore all links, and have paused nodes go on
    Heal {
        #[command(flatten)]
        which: Which,
    },
    /// Show what is wrong on purpose
    List {
        #[command(flatten)]
        which: Which,
    },
}

/// A link, or many.
#[derive(Args, Debug)]
struct Link {
    /// Number, name or beginning of the PeerId of a node, or `all`
    a: String,
    /// The node at the other end, or `all`
    b: String,
    /// Only what A sends to B
    #[arg(long)]
    one_way: bool,
    #[command(flatten)]
    which: Which,
}

/// A node.
#[derive(Args, Debug)]
struct One {
    /// Number, name or beginning of the PeerId of the node
    node: String,
    #[command(flatten)]
    which: Which,
}

impl Fault {
    /// Does it.
    pub async fn run(self, screen: Screen) -> Result<(), Failure> {
        use gossip_mesh::FaultEffect as Effect;
        match self.kind {
            Kind::Cut { link } => link::set(link, Effect::Cut, screen).await,
            Kind::Restore { link } => link::set(link, Effect::Clear, screen).await,
            Kind::Delay { link, time, jitter } => {
                link::set(link, Effect::Delay { time, jitter }, screen).await
            }
            Kind::Loss { link, loss } => link::set(link, Effect::Loss(loss), screen).await,
            Kind::Rate { link, rate } => link::set(link, Effect::Rate(rate), screen).await,
            Kind::Pause { one } => node::pause(one, screen),
            Kind::Resume { one } => node::resume(one, screen),
            Kind::Kill { one } => node::kill(one, screen),
            Kind::Restart { one } => node::restart(one, screen).await,
            Kind::Split { groups, which } => group::split(&groups, &which, screen).await,
            Kind::Heal { which } => heal::heal(&which, screen).await,
            Kind::List { which } => list::list(&which, screen).await,
        }
    }
}
