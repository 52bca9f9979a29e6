//! `gossip events`: what happens on a node.

use clap::Args;
use gossip_mesh::Event;
use jiff::Zoned;

use super::names::Names;
use crate::api::Api;
use crate::args::Which;
use crate::exit::Failure;
use crate::render::plain::one_line;
use crate::render::screen::{ReaderGone, Screen};

/// Show what happens on a node, until it stops or Ctrl-C
#[derive(Args, Debug)]
pub struct Events {
    /// The node [default: the first that runs]
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    /// A running node by its local API: the path of its socket, or HOST:PORT
    #[arg(long, value_name = "ADDR", conflicts_with = "node")]
    api: Option<String>,
    #[command(flatten)]
    which: Which,
}

impl Events {
    /// Shows them.
    pub async fn run(self, screen: Screen) -> Result<(), Failure> {
        // One connection brings the events, another the names of those they speak of.
        let (mut api, mut other, mut names) = match &self.api {
            Some(place) => (Api::at(place).await?, Api::at(place).await?, Names::default()),
            None => {
                let network = self.which.find()?;
                let member = network.running(self.node.as_deref())?;
                let (api, other) = (network.api(member).await?, network.api(member).await?);
                (api, other, Names::of(Some(network)))
            }
        };
        let mut events = api.events().await?;
        // A script that reads this may begin to do what it wants to see told.
        screen.remark("what happens from now on is told");
        let mut gone = ReaderGone::watch();
        loop {
            let event = tokio::select! {
                event = events.next() => event,
                () = gone.came() => return Ok(()),
            };
            let Some(mut event) = event else { return Ok(()) };
            if screen.json {
                event.push(b'\n');
                screen.show(event)?;
                continue;
            }
            let event: Event = serde_json::from_slice(&event)?;
            let mut text = event.tell(&|id| names.name(id));
            if names.wants_more() && names.learn(&mut other).await.is_ok() {
                text = event.tell(&|id| names.name(id));
            }
            // When it came here: an event itself bears no time.
            let clock = Zoned::now().strftime("%H:%M:%S");
            screen.show(format!("{clock} {}\n", one_line(text.as_bytes())))?;
        }
    }
}
