//! Which kind of file, by its name.

use std::path::Path;

use super::{Picture, PlotError, dot, json, png, svg};

/// A kind of file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// Graphviz, with the places as `pos`.
    Dot,
    /// The picture as data.
    Json,
    /// Pixels, two per unit of the SVG.
    Png,
    /// Vectors.
    Svg,
}

impl Format {
    /// The format that the ending of `file` names; upper and lower case are the same.
    ///
    /// # Errors
    /// [`PlotError::UnknownFormat`] for any other ending, and for none.
    pub fn of(file: &Path) -> Result<Self, PlotError> {
        let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        match ending.to_ascii_lowercase().as_str() {
            "dot" => Ok(Self::Dot),
            "json" => Ok(Self::Json),
            "png" => Ok(Self::Png),
            "svg" => Ok(Self::Svg),
            _ => Err(PlotError::UnknownFormat { file: file.display().to_string() }),
        }
    }
}

/// The bytes of a file with this picture.
///
/// # Errors
/// [`PlotError::Png`], for that format only.
pub fn render(picture: &Picture, format: Format) -> Result<Vec<u8>, PlotError> {
    match format {
        Format::Dot => Ok(dot::write(picture).into_bytes()),
        Format::Json => Ok(json::write(picture).into_bytes()),
        Format::Png => png::write(picture),
        Format::Svg => Ok(svg::write(picture).into_bytes()),
    }
}
