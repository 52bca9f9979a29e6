//! Pictures of a network.
//!
//! - [`Picture`]: what is to be seen; every node has its place in it already
//! - [`Format`]: the kind of file, known by its ending; [`render`] gives the bytes of the file
//! - [`Drawing`]: the same picture for a terminal
//!
//! A node's standing is told by colour (Okabe and Ito's palette, which colour-blind people can
//! tell apart) and by a second sign: the border in files, a letter in the terminal.

mod canvas;
mod dot;
mod error;
mod format;
mod json;
pub(super) mod lettering;
mod picture;
mod png;
mod svg;
mod terminal;
#[cfg(test)]
mod tests;

pub use error::PlotError;
pub use format::{Format, render};
pub use picture::{Picture, PicturedNode, Standing};
pub use terminal::Drawing;
