//! What can go wrong with a picture.

/// Why there is no picture.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// The ending of the file says nothing we can draw. Nothing was written.
    #[error("{file:?} does not end with a known format: give .svg, .png, .dot or .json")]
    UnknownFormat {
        /// The file as given.
        file: String,
    },
    /// The picture cannot be turned into pixels. Nothing was written.
    #[error("the picture cannot be drawn as PNG ({reason}): give a file ending with .svg")]
    Png {
        /// What the renderer said.
        reason: String,
    },
}
