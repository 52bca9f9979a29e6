//! The picture in a terminal: links as braille dots, nodes as numbers.
//!
//! A number needs some cells of its own, so nodes are moved to the nearest free ones; the links
//! then lead to where the numbers really are. A letter after the number tells the standing without
//! colour: `?` suspected, `~` unreachable, `x` down, `-` left.

use super::canvas::Canvas;
use super::picture::{Picture, Standing};
use crate::render::paint::Paint;
use crate::render::plain;

/// How a picture is drawn in a terminal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Drawing {
    /// Columns; at least 40 are taken and at most 500.
    pub width: usize,
    /// Lines, with title and legend; at least 8 are taken for the network alone.
    pub height: usize,
    /// Whether to use colours.
    pub colour: bool,
}

impl Drawing {
    /// The title, the facts, the network and, where not all are alive, what the signs mean. Every
    /// line ends with a line break; none is wider than asked for.
    pub fn draw(self, picture: &Picture) -> String {
        let width = self.width.clamp(MIN_WIDTH, MAX_SIDE);
        let mut lines = self.heading(picture, width);
        let legend = self.legend(picture, width);
        let height =
            self.height.saturating_sub(lines.len() + legend.len()).clamp(MIN_HEIGHT, MAX_SIDE);
        let mut canvas = Canvas::new(width, height);
        canvas.draw(picture);
        lines.extend(canvas.lines(self.colour).chain(legend));
        lines.into_iter().flat_map(|line| [line, "\n".to_owned()]).collect()
    }

    /// The title, in as many lines as it needs, and the facts.
    fn heading(self, picture: &Picture, width: usize) -> Vec<String> {
        let title: Vec<char> = plain::one_line(picture.title().as_bytes()).chars().collect();
        let title =
            title.chunks(width).map(|line| self.paint(Paint::Bold, &String::from_iter(line)));
        title.chain([self.paint(Paint::Dim, &picture.facts())]).collect()
    }

    /// What the signs mean, for those that occur: `? 1 suspected`.
    fn legend(self, picture: &Picture, width: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut room = 0;
        for (standing, count) in picture.census() {
            if standing == Standing::Alive {
                continue;
            }
            let entry = format!("{} {count} {standing}", standing.sign());
            let length = entry.chars().count() + LEGEND_GAP.len();
            let entry = self.paint(standing.paint(), &entry);
            match lines.last_mut() {
                Some(line) if length <= room => {
                    line.push_str(LEGEND_GAP);
                    line.push_str(&entry);
                    room -= length;
                }
                _ => {
                    lines.push(entry);
                    room = width.saturating_sub(length);
                }
            }
        }
        lines
    }

    fn paint(self, paint: Paint, text: &str) -> String {
        if self.colour { paint.over(text) } else { text.to_owned() }
    }
}

const LEGEND_GAP: &str = "   ";
/// The facts of the largest lab fit into this.
const MIN_WIDTH: usize = 40;
const MIN_HEIGHT: usize = 8;
/// No terminal is larger; bounds the work.
const MAX_SIDE: usize = 500;
