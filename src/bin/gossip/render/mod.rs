//! What the terminal shows. Pure but for [`screen`]: values in, text out.
//!
//! - [`bench`]: the layout of `bench`
//! - [`messages`]: the layout of `get-messages`
//! - [`story`]: the layout of `why` and of a certificate
//! - [`table`]: aligned columns
//! - [`paint`]: the few colours there are
//! - [`plain`]: text from others, made harmless
//! - [`screen`]: where results go

pub mod bench;
pub mod messages;
pub mod paint;
pub mod plain;
pub mod screen;
pub mod story;
pub mod table;
