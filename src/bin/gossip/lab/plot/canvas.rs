//! A grid of terminal cells with links as braille dots and numbers above them.

use super::picture::{Picture, PicturedNode, Standing};
use crate::lab::layout::Point;
use crate::render::paint::Paint;

/// What one cell shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Cell {
    /// Braille dots as in Unicode: bit 0 is the upper left.
    Dots(u8),
    /// Part of a number.
    Sign(char, Standing),
    /// Kept empty so that a number stands clear.
    Clear,
}

/// A grid of cells.
pub(super) struct Canvas {
    width: usize,
    height: usize,
    cells: Vec<Cell>,
}

/// Fills the canvas with the picture in both directions: room for labels counts for more here than
/// a round circle.
struct Stretch {
    low: Point,
    high: Point,
}

/// Where a label is: its first cell, and what it says.
struct Label {
    column: usize,
    row: usize,
    text: String,
    standing: Standing,
}

impl Canvas {
    /// An empty one.
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self { width, height, cells: vec![Cell::Dots(0); width * height] }
    }

    /// Puts the picture on it.
    pub(super) fn draw(&mut self, picture: &Picture) {
        let labels = self.place_labels(picture);
        for (a, b) in picture.graph().edges() {
            if let (Some(a), Some(b)) = (labels.get(a), labels.get(b)) {
                self.draw_link(a.middle(), b.middle());
            }
        }
        for label in &labels {
            let before = label.column.checked_sub(1);
            let after = label.column + label.text.chars().count();
            for column in before.into_iter().chain([after]) {
                self.put(column, label.row, Cell::Clear);
            }
        }
        for label in &labels {
            for (offset, sign) in label.text.chars().enumerate() {
                self.put(label.column + offset, label.row, Cell::Sign(sign, label.standing));
            }
        }
    }

    /// A place for every label near its point, so that no two touch while there is room.
    fn place_labels(&self, picture: &Picture) -> Vec<Label> {
        let mut taken = vec![false; self.cells.len()];
        let mut labels = Vec::new();
        let stretch = Stretch::of(picture);
        for (node, point) in picture.placed() {
            let text = text_of(node);
            let (column, row) = self.free_place(&taken, &text, stretch.apply(point));
            for cell in self.span(column, row, text.len()) {
                taken[cell] = true;
            }
            labels.push(Label { column, row, text, standing: node.standing });
        }
        labels
    }

    /// The free place nearest to `point`; the very place of the point when nothing is free.
    fn free_place(&self, taken: &[bool], text: &str, point: Point) -> (usize, usize) {
        let columns = self.width.saturating_sub(text.len()) as f64;
        let rows = self.height.saturating_sub(1) as f64;
        let (x, y) = (point.x * columns, point.y * rows);
        let wanted = (x.round() as usize, y.round() as usize);
        let mut best = (f64::INFINITY, wanted);
        for row in 0..self.height {
            for column in 0..=self.width.saturating_sub(text.len()) {
                // A row is twice as high as a column is wide.
                let away = (column as f64 - x).powi(2) + (2.0 * (row as f64 - y)).powi(2);
                if away < best.0 && self.span(column, row, text.len()).all(|cell| !taken[cell]) {
                    best = (away, (column, row));
                }
            }
        }
        best.1
    }

    /// The cells of a label and one to either side, as far as they are on the canvas.
    fn span(&self, column: usize, row: usize, length: usize) -> std::ops::Range<usize> {
        let start = column.saturating_sub(1);
        let end = (column + length + 1).min(self.width);
        row * self.width + start..row * self.width + end
    }

    /// A straight line between two dots; a cell is 2 dots wide and 4 high.
    fn draw_link(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let steps = (x2 - x1).abs().max((y2 - y1).abs()).ceil().max(1.0);
        for step in 0..=steps as usize {
            let part = step as f64 / steps;
            let x = (x1 + (x2 - x1) * part).round() as usize;
            let y = (y1 + (y2 - y1) * part).round() as usize;
            let cell = (y / 4) * self.width + x / 2;
            if let Some(Cell::Dots(dots)) = self.cells.get_mut(cell) {
                *dots |= DOT_BITS[y % 4][x % 2];
            }
        }
    }

    fn put(&mut self, column: usize, row: usize, cell: Cell) {
        if column < self.width
            && let Some(place) = self.cells.get_mut(row * self.width + column)
        {
            *place = cell;
        }
    }

    /// Its rows as text.
    pub(super) fn lines(&self, colour: bool) -> impl Iterator<Item = String> + '_ {
        self.cells.chunks(self.width).map(move |row| line(row, colour))
    }
}

impl Stretch {
    fn of(picture: &Picture) -> Self {
        let (mut low, mut high) = (Point { x: 1.0, y: 1.0 }, Point::default());
        for (_, point) in picture.placed() {
            low = Point { x: low.x.min(point.x), y: low.y.min(point.y) };
            high = Point { x: high.x.max(point.x), y: high.y.max(point.y) };
        }
        Self { low, high }
    }

    fn apply(&self, point: Point) -> Point {
        let along = |at: f64, low: f64, high: f64| {
            if high - low > FLAT { (at - low) / (high - low) } else { 0.5 }
        };
        Point {
            x: along(point.x, self.low.x, self.high.x),
            y: along(point.y, self.low.y, self.high.y),
        }
    }
}

impl Label {
    /// The dot in the middle of the label.
    fn middle(&self) -> (f64, f64) {
        let half = self.text.chars().count() as f64;
        (self.column as f64 * 2.0 + half - 0.5, self.row as f64 * 4.0 + 1.5)
    }
}

/// A row of cells as text, without blanks at its end. Neighbouring cells of one colour share it.
fn line(row: &[Cell], colour: bool) -> String {
    let mut out = String::new();
    let end = row.iter().rposition(|cell| cell.character() != ' ').map_or(0, |last| last + 1);
    let (shown, _) = row.split_at(end);
    for run in shown.chunk_by(|a, b| a.paint() == b.paint()) {
        let text: String = run.iter().map(|cell| cell.character()).collect();
        match run.first().and_then(|cell| cell.paint()) {
            Some(paint) if colour => out.push_str(&paint.over(&text)),
            _ => out.push_str(&text),
        }
    }
    out
}

impl Cell {
    fn character(self) -> char {
        match self {
            Self::Dots(0) | Self::Clear => ' ',
            Self::Dots(dots) => char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' '),
            Self::Sign(sign, _) => sign,
        }
    }

    fn paint(self) -> Option<Paint> {
        match self {
            Self::Dots(0) | Self::Clear => None,
            Self::Dots(_) => Some(Paint::Dim),
            Self::Sign(_, standing) => Some(standing.paint()),
        }
    }
}

fn text_of(node: &PicturedNode) -> String {
    format!("{}{}", node.number, node.standing.sign())
}

/// The bit of each dot of a braille character, by row and column.
const DOT_BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
/// A picture that is flatter than this is a straight line.
const FLAT: f64 = 1e-3;
