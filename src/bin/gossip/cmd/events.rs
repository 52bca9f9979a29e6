//! `gossip events`: what happens on a node.

use clap::Args;
use gossip_mesh::Event;
use jiff::Zoned;

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
        let (mut api, network) = match &self.api {
            Some(place) => (Api::at(place).await?, None),
            None => {
                let network = self.which.find()?;
                (network.api(network.running(self.node.as_deref())?).await?, Some(network))
            }
        };
        let mut events = api.events().await?;
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
            } else {
                let event: Event = serde_json::from_slice(&event)?;
                let text = one_line(event.to_string().as_bytes());
                let text = network.as_ref().map_or(text.clone(), |it| it.with_numbers(&text));
                // When it came here: an event itself bears no time.
                let clock = Zoned::now().strftime("%H:%M:%S");
                screen.show(format!("{clock} {text}\n"))?;
            }
        }
    }
}
