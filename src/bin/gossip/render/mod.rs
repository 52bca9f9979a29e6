//! What the terminal shows. Pure: values in, text out.
//!
//! - [`messages`]: the layout of `get-messages`
//! - [`table`]: aligned columns
//! - [`paint`]: the few colours there are
//! - [`plain`]: text from others, made harmless

pub mod messages;
pub mod paint;
pub mod plain;
pub mod table;
