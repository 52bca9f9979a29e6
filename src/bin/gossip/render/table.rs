//! Aligned columns.

use super::paint::Paint;

/// A cell: its text, and the colour it has where there are colours.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Cell {
    text: String,
    paint: Option<Paint>,
}

/// Rows under a header. Each column is as wide as its widest cell; numbers stand at the right of
/// theirs when the column says so.
#[derive(Clone, Debug, Default)]
pub struct Table {
    header: Vec<String>,
    to_the_right: Vec<usize>,
    rows: Vec<Vec<Cell>>,
}

impl Cell {
    /// A cell with a colour.
    pub fn painted(text: impl Into<String>, paint: Paint) -> Self {
        Self { text: text.into(), paint: Some(paint) }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), paint: None }
    }
}

impl Table {
    /// A table with these columns and no rows.
    pub fn new<T: Into<String>>(header: impl IntoIterator<Item = T>) -> Self {
        let header = header.into_iter().map(Into::into).collect();
        Self { header, ..Self::default() }
    }

    /// Aligns this column (from 0) at the right.
    #[must_use]
    pub fn right(mut self, column: usize) -> Self {
        self.to_the_right.push(column);
        self
    }

    /// Adds a row. Missing cells are empty, cells beyond the header are not shown.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table as lines, each with a line break and no blanks at its end. The texts are taken as
    /// they are: what comes from others goes through [`super::plain::one_line`] before.
    pub fn render(&self, colour: bool) -> String {
        let header: Vec<Cell> =
            self.header.iter().map(|text| Cell::painted(text, Paint::Dim)).collect();
        let lines: Vec<&Vec<Cell>> = std::iter::once(&header).chain(&self.rows).collect();
        let width = |column: usize| {
            let cells = lines.iter().filter_map(|line| line.get(column));
            cells.map(|cell| cell.text.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.header.len()).map(width).collect();
        lines.into_iter().map(|line| self.line(line, &widths, colour)).collect()
    }

    fn line(&self, cells: &[Cell], widths: &[usize], colour: bool) -> String {
        let mut out = String::new();
        // Blanks are owed until something follows, so that none ends a line.
        let mut owed = 0;
        for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
            let room = width - cell.text.chars().count().min(*width);
            let (before, after) =
                if self.to_the_right.contains(&column) { (room, 0) } else { (0, room) };
            if cell.text.is_empty() {
                owed += room + GAP;
                continue;
            }
            out.push_str(&" ".repeat(owed + before));
            match cell.paint {
                Some(paint) if colour => out.push_str(&paint.over(&cell.text)),
                _ => out.push_str(&cell.text),
            }
            owed = after + GAP;
        }
        out.push('\n');
        out
    }
}

/// Blanks between columns.
const GAP: usize = 2;

#[cfg(test)]
mod tests {
    use super::{Cell, Paint, Table};

    fn table() -> Table {
        let mut table = Table::new(["NODE", "NAME", "LINKS"]).right(0);
        table.row(["1".into(), "größe".into(), Cell::painted("alive", Paint::Blue)]);
        table.row(["16".into(), "".into(), "3".into()]);
        table.row(["7".into()]);
        table
    }

    #[test]
    fn columns_are_aligned_and_no_line_ends_with_blanks() {
        assert_eq!(
            table().render(false),
            "NODE  NAME   LINKS\n   1  größe  alive\n  16         3\n   7\n"
        );
    }

    #[test]
    fn colours_change_no_column() {
        let plain = table().render(true).replace("\u{1b}[0m", "");
        let plain = plain.replace("\u{1b}[2m", "").replace("\u{1b}[1;34m", "");
        assert_eq!(plain, table().render(false));
        assert!(table().render(true).contains("\u{1b}[1;34malive\u{1b}[0m"));
    }
}
