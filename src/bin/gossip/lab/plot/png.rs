//! The SVG as pixels. The font is part of the program, so that the picture is the same everywhere,
//! also where no fonts are installed.

use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, fontdb};

use super::{Picture, PlotError, svg};

pub(super) fn write(picture: &Picture) -> Result<Vec<u8>, PlotError> {
    let failed = |reason: String| PlotError::Png { reason };
    let mut fonts = fontdb::Database::new();
    let font = epaint_default_fonts::UBUNTU_LIGHT;
    fonts.load_font_source(fontdb::Source::Binary(Arc::new(font)));
    let options = usvg::Options {
        font_family: FONT.to_owned(),
        fontdb: Arc::new(fonts),
        ..usvg::Options::default()
    };
    let tree = usvg::Tree::from_str(&svg::write(picture), &options)
        .map_err(|error| failed(error.to_string()))?;
    let (width, height) = (tree.size().width(), tree.size().height());
    let scale = SCALE.min(MAX_SIDE / width.max(height));
    // Rounding to whole pixels is meant; the bound above keeps both far below the type's limit.
    let mut pixels = Pixmap::new((width * scale).ceil() as u32, (height * scale).ceil() as u32)
        .ok_or_else(|| failed("it has no size".to_owned()))?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| failed(error.to_string()))
}

const FONT: &str = "Ubuntu";
/// Pixels per unit, for screens of today.
const SCALE: f32 = 2.0;
/// The longest side in pixels; a larger picture is drawn smaller. Bounds the memory to 100 MB.
const MAX_SIDE: f32 = 5_000.0;
