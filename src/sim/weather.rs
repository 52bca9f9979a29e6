//! What is wrong between nodes at the moment: cuts, losses, a partition.

use std::collections::HashMap;

use crate::sim::schedule::Act;

/// Conditions of the network at one moment.
#[derive(Debug)]
pub(crate) struct Weather {
    /// How many cuts lie on a way.
    cuts: HashMap<(u32, u32), u32>,
    /// Outbound and inbound loss of each node.
    loss: Vec<(f64, f64)>,
    /// The side of each node; empty without a partition.
    sides: Vec<u32>,
}

impl Weather {
    pub fn new(nodes: u32) -> Self {
        let loss = vec![(0.0, 0.0); nodes as usize];
        Self { cuts: HashMap::new(), loss, sides: Vec::new() }
    }

    /// Packets pass from one to the other, but for losses.
    pub fn passes(&self, from: u32, to: u32) -> bool {
        (self.cuts.is_empty() || !self.cuts.contains_key(&(from, to)))
            && (self.sides.is_empty()
                || self.sides.get(from as usize) == self.sides.get(to as usize))
    }

    /// The share lost from one to the other, where all links lose `everywhere`.
    pub fn loss(&self, from: u32, to: u32, everywhere: f64) -> f64 {
        let (outbound, _) = self.loss.get(from as usize).copied().unwrap_or_default();
        let (_, inbound) = self.loss.get(to as usize).copied().unwrap_or_default();
        1.0 - (1.0 - everywhere) * (1.0 - outbound) * (1.0 - inbound)
    }

    /// The acts that change the network.
    pub fn change(&mut self, act: &Act) {
        match act {
            Act::Cut { from, to } => *self.cuts.entry((*from, *to)).or_default() += 1,
            Act::Restore { from, to } => {
                if let Some(cuts) = self.cuts.get_mut(&(*from, *to)) {
                    *cuts -= 1;
                    if *cuts == 0 {
                        self.cuts.remove(&(*from, *to));
                    }
                }
            }
            Act::Loss { node, outbound, inbound } => {
                if let Some(loss) = self.loss.get_mut(*node as usize) {
                    *loss = (*outbound, *inbound);
                }
            }
            Act::Partition { sides } => self.sides.clone_from(sides),
            Act::Mend => self.sides.clear(),
            Act::Heal => {
                self.cuts.clear();
                self.sides.clear();
                self.loss.fill((0.0, 0.0));
            }
            _ => {}
        }
    }
}
