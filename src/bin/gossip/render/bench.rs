//! The layout of `bench`: a column per size, a line per thing that was measured.

use super::paint::Paint;
use super::table::{Cell, Table};
use crate::bench::outcome::{Outcome, Setting};

/// The heading: what was measured.
pub fn heading(setting: &Setting) -> String {
    let Setting {
        system,
        nodes,
        subscribers,
        topology,
        seed,
        transport,
        codec,
        payload,
        window,
        ..
    } = setting;
    let seed = seed.map(|seed| format!(" (seed {seed})")).unwrap_or_default();
    let each = match subscribers {
        1 => String::new(),
        more => format!(", {more} subscribers each"),
    };
    let packed = if setting.compressed { ", compressed" } else { "" };
    format!(
        "{system}: {nodes} nodes{each}, {topology}{seed}, {transport}, {codec} of {payload}\
         {packed}, window {window}\n"
    )
}

/// The table.
pub fn table(outcomes: &[Outcome], colour: bool) -> String {
    let header = outcomes.iter().map(|outcome| bytes(outcome.size));
    let table = Table::new(std::iter::once(String::new()).chain(header));
    let mut table = (1..=outcomes.len()).fold(table, Table::right);
    for (name, cell) in LINES {
        table.row(std::iter::once((*name).into()).chain(outcomes.iter().map(cell)));
    }
    table.render(colour)
}

type Line = (&'static str, fn(&Outcome) -> Cell);

const LINES: &[Line] = &[
    ("messages", |it| it.messages.to_string().into()),
    ("messages/s", |it| whole(it.msgs_per_s)),
    ("deliveries/s", |it| whole(it.deliveries_per_s)),
    ("MB/s delivered", |it| digits(it.mb_per_s, 1)),
    ("processor us per delivery", |it| digits(it.cpu_us_per_delivery, 2)),
    ("delivery at rest, ms    p50", |it| millis(it.latency.p50)),
    ("                        p90", |it| millis(it.latency.p90)),
    ("                        p99", |it| millis(it.latency.p99)),
    ("                        max", |it| millis(it.latency.max)),
    ("to the last node, ms    p50", |it| millis(it.last.p50)),
    ("                        p90", |it| millis(it.last.p90)),
    ("                        p99", |it| millis(it.last.p99)),
    ("                        max", |it| millis(it.last.max)),
    ("lost deliveries", |it| wrong(it.lost)),
    ("duplicates", |it| wrong(it.duplicates)),
    ("not as sent", |it| wrong(it.corrupt)),
    ("out of order", |it| odd(it.out_of_order)),
    ("gaps told", |it| odd(it.counters.gaps)),
    ("repaired", |it| it.counters.repairs.to_string().into()),
    ("copies dropped per delivery", |it| digits(it.copies_per_delivery, 2)),
    ("bytes on links per byte", |it| digits(it.wire_bytes_per_byte, 3)),
    ("batches sent", |it| it.counters.batches.to_string().into()),
    ("messages by the tree", |it| it.counters.by_tree.to_string().into()),
    ("messages that waited for room", |it| it.waited.to_string().into()),
    ("resident memory, MiB   peak", |it| digits(Some(it.rss_mib), 1)),
    ("                        end", |it| digits(Some(it.rss_end_mib), 1)),
];

fn whole(number: Option<f64>) -> Cell {
    digits(number, 0)
}

fn digits(number: Option<f64>, digits: usize) -> Cell {
    number.map_or_else(|| "-".to_owned(), |number| format!("{number:.digits$}")).into()
}

fn millis(micros: Option<f64>) -> Cell {
    digits(micros.map(|micros| micros / 1e3), 3)
}

/// A count that should be 0.
fn wrong(count: u64) -> Cell {
    match count {
        0 => "0".into(),
        count => Cell::painted(count.to_string(), Paint::Red),
    }
}

/// A count that is worth a look when it is not 0.
fn odd(count: u64) -> Cell {
    match count {
        0 => "0".into(),
        count => Cell::painted(count.to_string(), Paint::Yellow),
    }
}

/// A number of bytes in the largest unit that holds it evenly.
fn bytes(size: usize) -> String {
    match size {
        size if size >= 1 << 20 && size.is_multiple_of(1 << 20) => format!("{} MiB", size >> 20),
        size if size >= 1 << 10 && size.is_multiple_of(1 << 10) => format!("{} KiB", size >> 10),
        size => format!("{size} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_are_named_in_the_largest_unit_that_holds_them_evenly() {
        let sizes = [100, 1_024, 1_500, 65_536, 1 << 20].map(bytes);
        assert_eq!(sizes, ["100 B", "1 KiB", "1500 B", "64 KiB", "1 MiB"]);
    }
}
