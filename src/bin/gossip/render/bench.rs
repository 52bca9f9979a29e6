//! The layout of `bench`: a column per size, a line per thing that was measured.

use super::paint::Paint;
use super::table::{Cell, Table};
use crate::bench::outcome::{Counters, Outcome, Ratio, Setting};

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
    let authors = match setting.publishers {
        1 => String::new(),
        more => format!(", {more} publish"),
    };
    let rate = setting.rate.map(|rate| format!(", {rate} messages/s")).unwrap_or_default();
    let seed = seed.map(|seed| format!(" (seed {seed})")).unwrap_or_default();
    let each = match subscribers {
        1 => String::new(),
        more => format!(", {more} subscribers each"),
    };
    let packed = if setting.compressed { ", compressed" } else { "" };
    format!(
        "{system}: {nodes} nodes{authors}{each}, {topology}{seed}, {transport}, {codec} of \
         {payload}{packed}, window {window}{rate}\n"
    )
}

/// The table. What was measured beside has a column, and one with our figures by its.
pub fn table(outcomes: &[Outcome], colour: bool) -> String {
    let header = outcomes.iter().flat_map(|outcome| match outcome.ratio {
        Some(_) => vec![outcome.setting.system.clone(), "ratio".to_owned()],
        None => vec![bytes(outcome.size)],
    });
    let header: Vec<String> = std::iter::once(String::new()).chain(header).collect();
    let columns = header.len();
    let mut table = (1..columns).fold(Table::new(header), Table::right);
    for (name, cell) in LINES {
        let cells = outcomes.iter().flat_map(|outcome| {
            let ratio = outcome.ratio.map(|ratio| by(name, ratio));
            std::iter::once(cell(outcome)).chain(ratio)
        });
        table.row(std::iter::once((*name).into()).chain(cells));
    }
    let course = outcomes.iter().filter(|outcome| !outcome.rss_course_mib.is_empty());
    table.render(colour) + &course.map(memory).collect::<String>()
}

/// The ratio that belongs to a line, if any.
fn by(line: &str, ratio: Ratio) -> Cell {
    let ratio = match line {
        "deliveries/s" => ratio.deliveries_per_s,
        "processor us per delivery" => ratio.cpu_us_per_delivery,
        "delivery at rest, ms    p50" => ratio.lat_p50_us,
        "to the last node, ms    p50" => ratio.last_p50_us,
        _ => None,
    };
    ratio.map_or_else(String::new, |ratio| format!("{ratio:.3}")).into()
}

/// How the memory went, in the course of a load that had a pace.
fn memory(outcome: &Outcome) -> String {
    let each: Vec<String> = outcome.rss_course_mib.iter().map(|mib| format!("{mib:.1}")).collect();
    let (system, size) = (&outcome.setting.system, bytes(outcome.size));
    format!("resident memory of {system}, {size}, from beginning to end, MiB: {}\n", each.join(" "))
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
    ("gaps told", |it| counted(it, |of| odd(of.gaps))),
    ("repaired", |it| counted(it, |of| of.repairs.to_string().into())),
    ("copies dropped per delivery", |it| digits(it.copies_per_delivery, 2)),
    ("bytes on links per byte", |it| digits(it.wire_bytes_per_byte, 3)),
    ("batches sent", |it| counted(it, |of| of.batches.to_string().into())),
    ("messages by the tree", |it| counted(it, |of| of.by_tree.to_string().into())),
    ("messages that waited for room", |it| it.waited.to_string().into()),
    ("resident memory, MiB   peak", |it| digits(Some(it.rss_mib), 1)),
    ("                        end", |it| digits(Some(it.rss_end_mib), 1)),
];

/// What nodes count themselves, where they do.
fn counted(outcome: &Outcome, show: fn(Counters) -> Cell) -> Cell {
    outcome.counters.map_or_else(|| "-".into(), show)
}

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
