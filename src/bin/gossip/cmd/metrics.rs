//! `gossip metrics`: what a node measures of itself.

use clap::Args;

use crate::api::Api;
use crate::args::Which;
use crate::exit::Failure;
use crate::render::plain::one_line;
use crate::render::screen::Screen;

/// Show what a node counts and measures, as Prometheus reads it
///
/// Counters begin at zero when the node starts. The same text is at `/v1/metrics` of its local API.
#[derive(Args, Debug)]
pub struct Metrics {
    /// Number, name or beginning of the PeerId of the node [default: the first that runs]
    node: Option<String>,
    /// A running node by its local API: the path of its socket, or HOST:PORT
    #[arg(long, value_name = "ADDR", conflicts_with = "node")]
    api: Option<String>,
    #[command(flatten)]
    which: Which,
}

impl Metrics {
    /// Shows them.
    pub async fn run(self, screen: Screen) -> Result<(), Failure> {
        let mut api = match &self.api {
            Some(place) => Api::at(place).await?,
            None => {
                let network = self.which.find()?;
                network.api(network.running(self.node.as_deref())?).await?
            }
        };
        if screen.json {
            return screen.document(&api.metrics().await?);
        }
        let text = api.metrics_text().await?;
        if !screen.person {
            return screen.show(text);
        }
        // A name in a label may be anything.
        let lines = text.trim_ascii_end().split(|byte| *byte == b'\n');
        screen.show(lines.map(|line| one_line(line) + "\n").collect::<String>())
    }
}
