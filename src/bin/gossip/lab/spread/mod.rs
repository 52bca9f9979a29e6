//! How a message spread over a network: the tree of the first copies.
//!
//! - [`Spread`]: the tree, put together from what each node says of the ways its copies took
//! - [`gather`]: which messages there are, and what the nodes say of each
//! - [`text`], [`svg`], [`json`]: the tree for the terminal, as a picture and for programs

mod gather;
mod json;
mod svg;
#[cfg(test)]
mod tests;
mod text;
mod tree;

pub use gather::{Wanted, found, spread};
pub use json::json;
pub use svg::svg;
pub use text::text;
pub use tree::Spread;
