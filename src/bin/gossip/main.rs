//! The binary `gossip`.

mod lab;
mod render;

fn main() {}
