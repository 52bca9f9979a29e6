//! What a node wants done.

use super::cast::Breed;
use super::happening::Letter;
use super::stage::Stage;
use crate::engine::{Input, Output};
use crate::protocol::topic::Carried;

impl<B: Breed> Stage<'_, B> {
    /// Does what a node wants, or puts it into the queue.
    pub fn obey(&mut self, node: u32, output: Output) {
        match output {
            Output::Dial { token, peer, addresses } => self.dial(node, token, peer, &addresses),
            Output::Close(link) => self.close(node, link.0),
            Output::Neighbour { peer, joined } => {
                if let Some(peer) = self.cast.number(peer) {
                    let neighbours = &mut self.host(node).neighbours;
                    match joined {
                        true => neighbours.insert(peer),
                        false => neighbours.remove(&peer),
                    };
                }
            }
            Output::Join(bucket) => {
                self.host(node).joined.insert(bucket);
                self.tell_all(node, &Letter::Joined(bucket));
            }
            Output::Leave(bucket) => {
                self.host(node).joined.remove(&bucket);
                self.tell_all(node, &Letter::Parted(bucket));
            }
            Output::Broadcast { token, bucket, frame } => {
                let number = self.name();
                self.sent.published += 1;
                self.host(node).heard.insert((node, number));
                let reached = self.spread(node, None, (node, number), bucket, &frame);
                let outcome = if reached { Carried::Out } else { Carried::NoPeers };
                self.later(self.now, node, Input::Carried { token, outcome });
            }
            Output::Ask { to, ticket, message } => self.ask(node, to, ticket, message, true),
            Output::Tell { to, ticket, message } => self.ask(node, to, ticket, message, false),
            Output::Answer { token, message } => self.answer(node, token.0, message),
            Output::Deliver { .. } => self.sent.delivered += 1,
            Output::Incarnation(incarnation) => self.host(node).incarnation = incarnation,
            Output::Bar { node: barred, incarnation, certificate } => {
                if let Some(barred) = self.cast.number(barred) {
                    self.host(node).bars.insert(barred, (incarnation, certificate));
                }
            }
            Output::Unbar { node: barred } => {
                if let Some(barred) = self.cast.number(barred) {
                    self.host(node).bars.remove(&barred);
                }
            }
            Output::Store(ops) => {
                let model = self.scenario.disk;
                let disk = &mut self.hosts[node as usize].disk;
                // A node whose store fails goes on without one.
                let _ = disk.write(&ops, &model, &mut self.rng);
            }
            Output::MayStop => self.end_politely(node),
            // Replies to the user, and what there is no part for in the pretend world.
            _ => {}
        }
    }
}
