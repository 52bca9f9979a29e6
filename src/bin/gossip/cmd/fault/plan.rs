//! What each node has to be told, and the telling.

use std::collections::BTreeMap;

use gossip_mesh::{Fault, FaultEffect};
use tokio::task::JoinSet;

use crate::exit::Failure;
use crate::lab::member::{Member, Network};

/// Faults by the number of the node that sets them.
#[derive(Default)]
pub struct Plan(BTreeMap<usize, Vec<Fault>>);

/// Who was told.
pub struct Told {
    /// These.
    pub told: Vec<usize>,
    /// These run, but could not be; and why.
    pub not_told: BTreeMap<usize, String>,
}

impl Plan {
    /// What `from` sends to `to` is to be disturbed. Both ends take part in a cut, because either
    /// could open a new connection, and in its end; a delay on both sides would be two.
    pub fn add(&mut self, from: &Member, to: &Member, effect: FaultEffect) {
        if from.number == to.number {
            return;
        }
        let out = Fault::with(to.peer_id, effect).outbound();
        self.0.entry(from.number).or_default().push(out);
        if matches!(effect, FaultEffect::Cut | FaultEffect::Clear) {
            let inbound = Fault::with(from.peer_id, effect).inbound();
            self.0.entry(to.number).or_default().push(inbound);
        }
    }

    /// A node has something to set.
    pub fn set(&mut self, member: &Member, fault: Fault) {
        self.0.entry(member.number).or_default().push(fault);
    }

    /// Nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells all of them that run, at once.
    pub async fn tell(mut self, network: &Network) -> Told {
        let mut told = Told { told: Vec::new(), not_told: BTreeMap::new() };
        let mut telling = JoinSet::new();
        for member in network.members.iter().filter(|member| member.is_running()) {
            let number = member.number;
            let Some(faults) = self.0.remove(&number) else { continue };
            if member.is_paused() {
                let resume = format!("it is paused: `gossip fault resume {number}`");
                told.not_told.insert(number, resume + &network.words);
                continue;
            }
            let member = member.clone();
            telling.spawn(async move {
                let done = async { member.api().await?.disturb(&faults).await };
                (member.number, done.await)
            });
        }
        for (number, done) in telling.join_all().await {
            match done {
                Ok(()) => told.told.push(number),
                Err(Failure::Failed(reason) | Failure::Usage(reason)) => {
                    told.not_told.insert(number, reason);
                }
                Err(Failure::Shown | Failure::ReaderGone) => {}
            }
        }
        told.told.sort_unstable();
        told
    }
}

impl Told {
    /// That all who run were told.
    ///
    /// # Errors
    /// Names those who were not, and why.
    pub fn all(&self) -> Result<(), Failure> {
        if self.not_told.is_empty() { Ok(()) } else { Err(Failure::failed(self.missing())) }
    }

    /// Who was not told, in words.
    pub fn missing(&self) -> String {
        let nodes = self.not_told.iter().map(|(number, why)| format!("node {number} ({why})"));
        let nodes: Vec<String> = nodes.collect();
        format!("not told: {}", nodes.join("; "))
    }
}
