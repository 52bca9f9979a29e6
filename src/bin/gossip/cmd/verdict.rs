//! `gossip verdict`: looks at a certificate, without any node.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use gossip_mesh::{Certificate, DecodeError, NodeId};
use serde_json::json;

use crate::exit::Failure;
use crate::render::plain::one_line;
use crate::render::screen::Screen;
use crate::render::story::certificate;

/// Largest file that is read: a certificate of 64 votes is 30 KiB as JSON.
const MAX_FILE: u64 = 64 * 1024;

/// Look at the proof that a node was put out by a quorum; no node has to run
#[derive(Args, Debug)]
pub struct Verdict {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show who was put out, who voted and how many votes were needed
    Show {
        /// The certificate: JSON (as `gossip why --certificate` saves it) or CBOR
        file: PathBuf,
    },
    /// Check the proof: exit code 0 when it holds, 1 when it does not
    Verify {
        /// The certificate: JSON (as `gossip why --certificate` saves it) or CBOR
        file: PathBuf,
        /// The members whose votes count: a file with a PeerId a line
        #[arg(long, value_name = "FILE")]
        members: Option<PathBuf>,
    },
}

impl Verdict {
    /// Shows or verifies it.
    pub fn run(self, screen: Screen) -> Result<(), Failure> {
        match self.verb {
            Verb::Show { file } => show(&file, screen),
            Verb::Verify { file, members } => verify(&file, members.as_deref(), screen),
        }
    }
}

fn show(file: &Path, screen: Screen) -> Result<(), Failure> {
    let proof = read(file)?;
    if screen.json {
        let voters: Vec<NodeId> = proof.voters().collect();
        return screen.document(&json!({
            "subject": proof.subject,
            "incarnation": proof.incarnation,
            "round": proof.round,
            "voters": voters,
            "votes": proof.votes.len(),
            "quorum": proof.quorum(),
            "span_ticks": proof.span(),
            "valid": proof.check().is_ok(),
        }));
    }
    screen.show(certificate(&proof, &|node| node.to_string()))?;
    let remark = match proof.check() {
        Ok(()) => "its signatures hold".to_owned(),
        Err(flaw) => format!("it proves nothing: {flaw}"),
    };
    screen.show(format!("  {remark}\n"))
}

fn verify(file: &Path, members: Option<&Path>, screen: Screen) -> Result<(), Failure> {
    let proof = read(file)?;
    let flaw = match proof.check() {
        Err(flaw) => Some(flaw.to_string()),
        Ok(()) => match members {
            Some(members) => against(&proof, &read_members(members)?),
            None => None,
        },
    };
    if screen.json {
        screen.document(&json!({
            "valid": flaw.is_none(),
            "flaw": flaw,
            "subject": proof.subject,
            "incarnation": proof.incarnation,
        }))?;
        return if flaw.is_some() { Err(Failure::Shown) } else { Ok(()) };
    }
    if let Some(flaw) = flaw {
        return Err(Failure::failed(format!("{} proves nothing: {flaw}", file.display())));
    }
    let of = if members.is_some() { "members" } else { "nodes" };
    screen.show(format!(
        "valid: {} {of} put out {} in life {}, refutation {}; {} votes were needed\n",
        proof.votes.len(),
        proof.subject,
        proof.incarnation.life,
        proof.incarnation.refutations,
        proof.quorum(),
    ))
}

/// What members hold against it: votes of strangers, or fewer than more than half of them.
fn against(proof: &Certificate, members: &[NodeId]) -> Option<String> {
    if !members.contains(&proof.subject) {
        return Some("it speaks of a node that is no member".to_owned());
    }
    if let Some(stranger) = proof.voters().find(|voter| !members.contains(voter)) {
        return Some(format!("{stranger} voted and is no member"));
    }
    let majority = members.len() / 2 + 1;
    (proof.votes.len() < majority).then(|| {
        format!(
            "{} of {} members voted, {majority} are more than half",
            proof.votes.len(),
            members.len()
        )
    })
}

fn read_members(file: &Path) -> Result<Vec<NodeId>, Failure> {
    let text = String::from_utf8_lossy(&bounded(file)?).into_owned();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut members = lines
        .map(|line| {
            line.parse().map_err(|_| {
                Failure::usage(format!(
                    "{}: {:?} is not a PeerId; one is expected in each line",
                    file.display(),
                    one_line(line.as_bytes())
                ))
            })
        })
        .collect::<Result<Vec<NodeId>, Failure>>()?;
    members.sort_unstable();
    members.dedup();
    Ok(members)
}

fn read(file: &Path) -> Result<Certificate, Failure> {
    Certificate::read(&bounded(file)?).map_err(|error: DecodeError| {
        let error = one_line(error.to_string().as_bytes());
        Failure::failed(format!("{} is not a certificate: {error}", file.display()))
    })
}

/// All of a file that is not too large.
fn bounded(file: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error| Failure::failed(format!("{} cannot be read ({error})", file.display()));
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(failed)?;
    opened.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(Failure::failed(format!(
            "{} has more than {} KiB: a certificate has less",
            file.display(),
            MAX_FILE / 1024
        )));
    }
    Ok(bytes)
}
