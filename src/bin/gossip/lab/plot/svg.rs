//! The picture as vectors.
//!
//! The size follows from the labels: the canvas grows until the two nearest nodes stand apart. Only
//! at [`MAX_SIDE`] the nodes shrink instead.

use std::fmt::Write;

use super::lettering::{escaped, width_of, wrapped};
use super::picture::{Picture, PicturedNode, Standing};
use crate::lab::layout::Point;

/// The colours of a standing, and the dashes of its border.
pub(super) struct Look {
    pub(super) fill: &'static str,
    pub(super) text: &'static str,
    pub(super) border: &'static str,
    dashes: Option<&'static str>,
}

impl Look {
    pub(super) const fn of(standing: Standing) -> Self {
        let (fill, text, border, dashes) = match standing {
            Standing::Alive => ("#0072b2", "#ffffff", "#00476f", None),
            Standing::Suspected => ("#f0b63f", "#1c1c1c", "#7a5300", Some("5 3")),
            Standing::Unreachable => ("#dba2c2", "#1c1c1c", "#7d3c62", Some("2 3")),
            Standing::Down => ("#d55e00", "#000000", "#1c1c1c", None),
            Standing::Left => ("#ffffff", "#5c6670", "#8a949d", Some("5 3")),
        };
        Self { fill, text, border, dashes }
    }
}

/// Sizes in units of the SVG.
struct Canvas {
    width: f64,
    height: f64,
    /// Units per side of the unit square.
    side: f64,
    /// Where the corner of the unit square is.
    left: f64,
    top: f64,
    radius: f64,
    /// How much larger than on a small picture the texts are.
    text: f64,
    title: Vec<String>,
}

pub(super) fn write(picture: &Picture) -> String {
    let canvas = Canvas::of(picture);
    let mut out = String::new();
    // Writing to a String does not fail, so the results below say nothing.
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w:.0}\" height=\"{h:.0}\" \
         viewBox=\"0 0 {w:.0} {h:.0}\" font-family=\"Ubuntu, Helvetica, Arial, sans-serif\" \
         role=\"img\">",
        w = canvas.width,
        h = canvas.height,
    );
    let title = escaped(&format!("{} ({})", picture.title(), picture.facts()));
    let _ = writeln!(out, "<title>{title}</title>");
    out.push_str("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
    write_heading(&mut out, picture, &canvas);
    write_links(&mut out, picture, &canvas);
    write_nodes(&mut out, picture, &canvas);
    write_legend(&mut out, picture, &canvas);
    out.push_str("</svg>\n");
    out
}

impl Canvas {
    fn of(picture: &Picture) -> Self {
        let points: Vec<Point> = picture.placed().map(|(_, point)| point).collect();
        let nearest = nearest(&points);
        let side = (RADIUS * SPACING / nearest).clamp(MIN_SIDE, MAX_SIDE);
        let radius = RADIUS.min(nearest * side / SPACING);
        let (left, right) = extent(points.iter().map(|point| point.x));
        let (top, bottom) = extent(points.iter().map(|point| point.y));
        let width = ((right - left) * side + 2.0 * MARGIN).max(MIN_SIDE + 2.0 * MARGIN);
        let text = (width / TEXT_GROWS_FROM).clamp(1.0, 2.0);
        let title = wrapped(picture.title(), TITLE_FONT * text, width - 2.0 * MARGIN);
        let heading = (title.len() as f64 * TITLE_LINE + FACTS_LINE) * text + MARGIN * 1.5;
        Self {
            width,
            height: heading + (bottom - top) * side + 2.0 * MARGIN + LEGEND * text,
            side,
            left: (width - (left + right) * side) / 2.0,
            top: heading + MARGIN * 0.5 - top * side,
            radius,
            text,
            title,
        }
    }

    fn at(&self, point: Point) -> (f64, f64) {
        (self.left + point.x * self.side, self.top + point.y * self.side)
    }
}

fn write_heading(out: &mut String, picture: &Picture, canvas: &Canvas) {
    let (x, mut y) = (canvas.width / 2.0, MARGIN * 0.5);
    for line in &canvas.title {
        y += TITLE_LINE * canvas.text;
        write_centred(out, (x, y), TITLE_FONT * canvas.text, "#14202b", line);
    }
    y += FACTS_LINE * canvas.text;
    write_centred(out, (x, y), FACTS_FONT * canvas.text, "#4a5763", &picture.facts());
}

fn write_centred(out: &mut String, (x, y): (f64, f64), font: f64, colour: &str, text: &str) {
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{font:.1}\" fill=\"{colour}\" \
         text-anchor=\"middle\">{}</text>",
        escaped(text),
    );
}

/// The more links there are, the finer they are drawn, so that single ones can be followed.
fn write_links(out: &mut String, picture: &Picture, canvas: &Canvas) {
    let crowd = picture.graph().edge_count() as f64 / picture.graph().node_count().max(1) as f64;
    let width = (2.0 - crowd * 0.06).clamp(0.8, 1.8);
    let opacity = (1.9 / (crowd + 0.01).sqrt()).clamp(0.33, 0.85);
    let _ = writeln!(
        out,
        "<g stroke=\"#3f4d5a\" stroke-width=\"{width:.2}\" stroke-opacity=\"{opacity:.2}\" \
         stroke-linecap=\"round\">"
    );
    for (from, to) in picture.placed_links() {
        let ((x1, y1), (x2, y2)) = (canvas.at(from), canvas.at(to));
        let _ = writeln!(out, "<path d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\"/>");
    }
    out.push_str("</g>\n");
}

fn write_nodes(out: &mut String, picture: &Picture, canvas: &Canvas) {
    out.push_str("<g text-anchor=\"middle\">\n");
    for (node, point) in picture.placed() {
        let (x, y) = canvas.at(point);
        // The white rim says of a link that passes under a node that it does not end there.
        let _ = writeln!(
            out,
            "<g><title>{}</title><circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{:.1}\" \
             fill=\"#ffffff\"/>{}{}</g>",
            escaped(&format!("{} {} ({})", node.number, node.name, node.standing)),
            canvas.radius * 1.16,
            circle(x, y, canvas.radius, node.standing),
            number(x, y, canvas.radius, node),
        );
    }
    out.push_str("</g>\n");
}

fn circle(x: f64, y: f64, radius: f64, standing: Standing) -> String {
    let look = Look::of(standing);
    let dashes = look.dashes.map_or_else(String::new, |d| format!(" stroke-dasharray=\"{d}\""));
    let width = if standing == Standing::Alive { 1.0 } else { 2.2 };
    format!(
        "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\" fill=\"{}\" stroke=\"{}\" \
         stroke-width=\"{width}\"{dashes}/>",
        look.fill, look.border,
    )
}

/// The number, as large as fits into the circle.
fn number(x: f64, y: f64, radius: f64, node: &PicturedNode) -> String {
    let digits = node.number.to_string();
    let font = (radius * 1.5 / (digits.len() as f64 * DIGIT)).min(radius * 0.95);
    format!(
        "<text x=\"{x:.1}\" y=\"{:.1}\" font-size=\"{font:.1}\" fill=\"{}\">{digits}</text>",
        y + font * 0.35,
        Look::of(node.standing).text,
    )
}

fn write_legend(out: &mut String, picture: &Picture, canvas: &Canvas) {
    let font = FACTS_FONT * canvas.text;
    let entries: Vec<(Standing, String, f64)> = picture
        .census()
        .into_iter()
        .map(|(standing, count)| {
            let text = format!("{count} {standing}");
            let width = width_of(&text, font) + LEGEND_GAP * canvas.text;
            (standing, text, width)
        })
        .collect();
    let y = canvas.height - MARGIN * 0.75;
    let radius = 7.0 * canvas.text;
    let mut x = (canvas.width - entries.iter().map(|entry| entry.2).sum::<f64>()) / 2.0;
    x += 2.0 * radius;
    for (standing, text, width) in entries {
        let _ = writeln!(
            out,
            "{}<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"{font:.1}\" fill=\"#4a5763\">\
             {text}</text>",
            circle(x, y, radius, standing),
            x + radius * 1.8,
            y + font * 0.35,
        );
        x += width;
    }
}

/// The least distance between two points; what a lone point has for itself is the whole square.
fn nearest(points: &[Point]) -> f64 {
    let mut nearest = 1.0_f64;
    for (index, a) in points.iter().enumerate() {
        for b in points.iter().skip(index + 1) {
            nearest = nearest.min(a.distance(*b));
        }
    }
    nearest.max(1e-4)
}

fn extent(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let high = values.fold(f64::NEG_INFINITY, f64::max);
    if low <= high { (low, high) } else { (0.5, 0.5) }
}

/// Radius of a node where there is room.
const RADIUS: f64 = 16.0;
/// Radii between the middles of the two nearest nodes.
const SPACING: f64 = 3.0;
const MIN_SIDE: f64 = 560.0;
const MAX_SIDE: f64 = 2_400.0;
/// On a wider picture the texts grow with it, so that they can be read when all of it is seen.
const TEXT_GROWS_FROM: f64 = 900.0;
const MARGIN: f64 = 36.0;
const TITLE_FONT: f64 = 22.0;
const TITLE_LINE: f64 = 28.0;
const FACTS_FONT: f64 = 15.0;
const FACTS_LINE: f64 = 24.0;
const LEGEND: f64 = 26.0;
/// Room for the sign and the gap to the next entry.
const LEGEND_GAP: f64 = 38.0;
/// Width of a digit in parts of the font size.
const DIGIT: f64 = 0.58;
