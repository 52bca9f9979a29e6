//! `gossip sub`: what is published becomes lines.

use clap::Args;
use futures::StreamExt;
use gossip_mesh::api::MessageView;

use super::node::subscribe;
use super::source::{Mouth, Source};
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::render::plain::one_line;
use crate::render::screen::{ReaderGone, Screen};

/// Print what is published on topics, a line each, until Ctrl-C
///
/// Through a running node where there is one; else as a node that runs meanwhile.
#[derive(Args, Debug)]
#[command(after_help = "For example: gossip sub logs | grep error")]
pub struct Sub {
    /// The topics
    #[arg(required = true, value_name = "TOPIC")]
    topics: Vec<String>,
    #[command(flatten)]
    source: Source,
}

impl Sub {
    /// Prints it.
    pub async fn run(self, screen: Screen) -> Result<(), Failure> {
        let mut interrupt = Interrupt::new()?;
        let mut gone = ReaderGone::watch();
        let mouth = self.source.open(screen).await?;
        let own = match &mouth {
            Mouth::Own(node) => Some(node.clone()),
            Mouth::Running(_) => None,
        };
        let result = tokio::select! {
            result = self.print(mouth, screen) => result,
            () = interrupt.came() => Ok(()),
            () = gone.came() => Ok(()),
        };
        if let Some(node) = own {
            node.leave().await?;
        }
        result
    }

    async fn print(&self, mouth: Mouth, screen: Screen) -> Result<(), Failure> {
        match mouth {
            Mouth::Running(mut api) => {
                let mut messages = api.subscribe(&self.topics).await?;
                while let Some(message) = messages.next().await {
                    print(&serde_json::from_slice(&message)?, screen)?;
                }
                Err(Failure::failed("the node has stopped: no more can come through it"))
            }
            Mouth::Own(node) => {
                let mut messages = subscribe(&node, &self.topics).await?;
                while let Some(message) = messages.next().await {
                    print(&MessageView::from(message), screen)?;
                }
                Ok(())
            }
        }
    }
}

/// A message as a line: its bytes, or JSON. For a person nothing a terminal acts on.
fn print(message: &MessageView, screen: Screen) -> Result<(), Failure> {
    if screen.json {
        return screen.document(message);
    }
    let payload = message.payload();
    let mut line = if screen.person { one_line(&payload).into_bytes() } else { payload };
    line.push(b'\n');
    screen.show(line)
}
