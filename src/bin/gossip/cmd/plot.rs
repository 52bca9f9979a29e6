//! `gossip plot`: a picture of a network as it is now.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use terminal_size::{Height, Width, terminal_size};

use crate::args::Which;
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::lab::layout::Layout;
use crate::lab::member::Network;
use crate::lab::plot::{Drawing, Format, Picture, PicturedNode, render};
use crate::lab::survey::Survey;
use crate::render::screen::Screen;

/// How often a live drawing is drawn anew.
const REDRAW: Duration = Duration::from_secs(1);

/// Draw a network as it is now
#[derive(Args, Debug)]
pub struct Plot {
    /// Write it to this file, which ends with .svg, .png, .dot or .json [default: the terminal]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How the nodes are arranged: circle, force or shell
    #[arg(short, long, value_name = "LAYOUT", default_value_t = Layout::Force)]
    layout: Layout,
    /// Draw it every second anew, until Ctrl-C
    #[arg(long)]
    live: bool,
    /// The node that is asked how the others stand [default: the first that answers]
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    #[command(flatten)]
    which: Which,
}

impl Plot {
    /// Draws it.
    pub async fn run(self, screen: Screen) -> Result<(), Failure> {
        if let Some(file) = &self.output {
            Format::of(file).map_err(Failure::usage)?;
        }
        if !self.live {
            return self.once(screen).await;
        }
        let mut interrupt = Interrupt::new()?;
        loop {
            self.once(screen).await?;
            tokio::select! {
                () = interrupt.came() => return Ok(()),
                () = tokio::time::sleep(REDRAW) => {}
            }
        }
    }

    async fn once(&self, screen: Screen) -> Result<(), Failure> {
        let network = self.which.find()?;
        let picture = picture(&network, self.layout, self.node.as_deref()).await?;
        if let Some(file) = &self.output {
            return write(&picture, file);
        }
        if screen.json {
            return screen.show(render(&picture, Format::Json)?);
        }
        // Home, the drawing over the old one, then nothing of what the old one had below.
        let frame = drawing(screen).draw(&picture);
        match self.live && screen.person {
            true => screen.show(format!("\u{1b}[H{}\u{1b}[J", frame.replace('\n', "\u{1b}[K\n"))),
            false => screen.show(frame),
        }
    }
}

/// Draws the network in the terminal and writes the picture to a file, whose path is told.
///
/// # Errors
/// A network that does not answer, a file that cannot be written.
pub async fn draw_and_write(network: &Network, file: &Path, screen: Screen) -> Result<(), Failure> {
    let picture = picture(network, Layout::Force, None).await?;
    write(&picture, file)?;
    if !screen.json {
        screen.show(drawing(screen).draw(&picture))?;
    }
    screen.remark(&format!("the picture is in {}", file.display()));
    Ok(())
}

/// The network as its running nodes tell it.
async fn picture(
    network: &Network,
    layout: Layout,
    asked: Option<&str>,
) -> Result<Picture, Failure> {
    let survey = Survey::take(network).await;
    let viewer = survey.viewer(network, asked)?;
    let nodes = network.members.iter().map(|member| PicturedNode {
        number: member.number,
        name: member.name.clone(),
        peer_id: member.peer_id.to_string(),
        standing: survey.pictured(viewer, member),
    });
    Ok(Picture::new(network.title.clone(), nodes, survey.edges(network), layout))
}

fn write(picture: &Picture, file: &Path) -> Result<(), Failure> {
    let bytes = render(picture, Format::of(file).map_err(Failure::usage)?)?;
    std::fs::write(file, bytes)
        .map_err(|error| Failure::failed(format!("{} cannot be written: {error}", file.display())))
}

fn drawing(screen: Screen) -> Drawing {
    let terminal = terminal_size().filter(|_| screen.person);
    let (Width(width), Height(height)) = terminal.unwrap_or((Width(100), Height(40)));
    // The last line is the prompt's.
    let height = height.saturating_sub(1);
    Drawing { width: width.into(), height: height.into(), colour: screen.colour }
}
