//! The sentences of the hello's spec, over real swarms and real transports.

mod barred;
mod bounds;
mod frames;
mod members;
mod rogue;
mod strangers;
mod world;
