//! `gossip status`: the nodes of a network and how they stand.

use clap::Args;
use serde_json::{Value, json};

use crate::args::Which;
use crate::exit::Failure;
use crate::lab::member::{Member, Network};
use crate::lab::plot::Standing;
use crate::lab::state::Removal;
use crate::lab::survey::Survey;
use crate::render::paint::Paint;
use crate::render::plain::one_line;
use crate::render::screen::Screen;
use crate::render::story::short_span;
use crate::render::table::{Cell, Table};

/// Show the nodes of a network: processes, links, and how they stand as one of them sees it
#[derive(Args, Debug)]
pub struct Status {
    /// The node that is asked [default: the first that answers]
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    #[command(flatten)]
    which: Which,
}

impl Status {
    /// Shows them.
    pub async fn run(self, screen: Screen) -> Result<(), Failure> {
        let network = self.which.find()?;
        let survey = Survey::take(&network).await;
        let viewer = survey.viewer(&network, self.node.as_deref())?;
        if screen.json {
            let nodes: Vec<Value> =
                network.members.iter().map(|node| row(&network, &survey, viewer, node)).collect();
            return screen.document(&json!({
                "network": network.name,
                "title": network.title,
                "seen_by": viewer,
                "nodes": nodes,
            }));
        }
        let running = network.members.iter().filter(|member| member.is_running()).count();
        screen.show(format!(
            "network {}, {running} of {} nodes run, seen by node {viewer}\n",
            one_line(network.title.as_bytes()),
            network.members.len()
        ))?;
        screen.show(table(&network, &survey, viewer).render(screen.colour))
    }
}

fn row(network: &Network, survey: &Survey, viewer: usize, member: &Member) -> Value {
    let process = member.process.as_ref().filter(|process| process.is_running());
    let itself = survey.nodes.get(&member.number);
    json!({
        "number": member.number,
        "name": member.name,
        "peer_id": member.peer_id,
        "pid": process.map(|process| process.pid),
        "running": process.is_some(),
        "paused": member.is_paused(),
        "addresses": member.addresses,
        "links": survey.links(network, member.number),
        "neighbours": survey.neighbours(network, member.number),
        "standing": survey.standing(viewer, member).as_str(),
        "since_ms": survey.since(viewer, member).map(|since| since.as_millis()),
        "phase": itself.map(|node| node.phase),
        "incarnation": itself.map(|node| {
            json!({ "life": node.life, "refutations": node.refutations })
        }),
        "active": itself.map(|node| node.active),
        "agreed": itself.map(|node| node.agreed),
    })
}

fn table(network: &Network, survey: &Survey, viewer: usize) -> Table {
    let header = ["NODE", "NAME", "PROCESS", "STANDING", "SINCE", "LINKS", "NEIGHBOURS"];
    let mut table = Table::new(header).right(0).right(2).right(4).right(5);
    for member in &network.members {
        let standing = survey.standing(viewer, member);
        let neighbours: Vec<String> =
            survey.neighbours(network, member.number).iter().map(usize::to_string).collect();
        table.row([
            member.number.to_string().into(),
            one_line(member.name.as_bytes()).into(),
            process(member),
            coloured(standing, member),
            survey.since(viewer, member).map(short_span).unwrap_or_default().into(),
            survey.links(network, member.number).len().to_string().into(),
            neighbours.join(" ").into(),
        ]);
    }
    table
}

fn process(member: &Member) -> Cell {
    match (&member.process, member.removed) {
        (Some(process), _) if process.is_paused() => {
            Cell::painted(format!("{} paused", process.pid), Paint::Yellow)
        }
        (Some(process), _) if process.is_running() => process.pid.to_string().into(),
        (_, Some(Removal::Left)) => Cell::painted("left", Paint::Dim),
        (_, Some(Removal::Killed)) => Cell::painted("killed", Paint::Red),
        (_, Some(Removal::Forgotten)) => Cell::painted("removed", Paint::Dim),
        (_, None) => Cell::painted("dead", Paint::Red),
    }
}

/// In brackets where the viewer does not know yet that the process has ended.
fn coloured(standing: Standing, member: &Member) -> Cell {
    match standing {
        Standing::Alive | Standing::Suspected | Standing::Unreachable if !member.is_running() => {
            Cell::painted(format!("({standing})"), Paint::Dim)
        }
        Standing::Alive => standing.as_str().into(),
        other => Cell::painted(other.as_str(), other.paint()),
    }
}
