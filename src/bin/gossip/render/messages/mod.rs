//! The layout of `get-messages`: a header with what was asked for, then per message a bullet line,
//! and under it one arrow line per way, from the first node to this one.
//!
//! ```text
//! unread messages of node 8 (1)
//!   • apple  sent 12:04:31.182, received 12:04:31.186
//!       4 → 9 → 8  (first)
//!       4 → 2 → 11 → 8
//! ```
//!
//! [`Page`] is the whole answer, [`Page::render`] the text. Whatever a message contains, it stays
//! on its line and the terminal acts on nothing of it.

mod page;
#[cfg(test)]
mod tests;
mod times;
mod ways;

pub use page::{Asked, Line, Page};
pub use times::Times;
pub use ways::{Paths, Way};
