//! A picture of a run: one row per node, what befell it as bands, what it found out as marks.

use std::fmt::Write;
use std::sync::atomic::AtomicBool;

use super::look::News;
use super::scenario::{Fault, FaultKind, Scenario, Span, Who};
use super::scene::{Fortune, Sign, Truth};
use super::schedule;
use super::world::run_world;
use crate::base::time::Time;

/// Width of the part where time runs.
const WIDTH: f64 = 1100.0;
const LEFT: f64 = 64.0;
const TOP: f64 = 64.0;

/// Marks beyond this are not drawn, and that is said.
const MAX_MARKS: usize = 50_000;

/// Runs the world of this seed and draws it, as SVG.
pub fn timeline(scenario: &Scenario, seed: u64) -> String {
    let faults = schedule::concrete(scenario, seed);
    let stop = AtomicBool::new(false);
    match run_world(scenario, seed, &faults, true, &stop) {
        Some(run) => Picture::new(scenario).draw(seed, &faults, &run.truths, &run.signs),
        None => String::new(),
    }
}

struct Picture<'a> {
    scenario: &'a Scenario,
    row: f64,
    height: f64,
    out: String,
}

impl<'a> Picture<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        // Few rows may be comfortable, thousands have to fit on a screen that scrolls.
        let row = (900.0 / f64::from(scenario.nodes)).clamp(2.0, 18.0);
        Self { scenario, row, height: row * f64::from(scenario.nodes), out: String::new() }
    }

    fn draw(mut self, seed: u64, faults: &[Fault], truths: &[Truth], signs: &[Sign]) -> String {
        self.head(seed);
        faults.iter().for_each(|fault| self.band(fault));
        self.absences(truths);
        self.axes();
        for sign in signs.iter().take(MAX_MARKS) {
            self.mark(sign);
        }
        self.legend(signs.len());
        self.put("</svg>");
        self.out
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn x(&self, at: Time) -> f64 {
        let whole = self.scenario.duration.as_micros().max(1) as f64;
        LEFT + WIDTH * (at.as_micros() as f64 / whole).min(1.0)
    }

    fn y(&self, node: u32) -> f64 {
        TOP + self.row * f64::from(node)
    }

    fn head(&mut self, seed: u64) {
        let (width, height) = (LEFT + WIDTH + 24.0, TOP + self.height + 72.0);
        self.put(&format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             font-family=\"system-ui, sans-serif\" font-size=\"11\" fill=\"#334155\">"
        ));
        self.put(&format!("<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>"));
        let name = escaped(&self.scenario.name);
        let description = escaped(&self.scenario.description);
        self.put(&format!(
            "<text x=\"{LEFT}\" y=\"24\" font-size=\"16\" fill=\"#0f172a\">{name} \
             <tspan fill=\"#64748b\" font-size=\"12\">seed {seed} · {description}</tspan></text>"
        ));
    }

    /// A fault that lasts lies behind its rows; one of the whole network behind all of them.
    fn band(&mut self, fault: &Fault) {
        let colour = match fault.kind {
            FaultKind::Partition => "#fde68a",
            FaultKind::Cut | FaultKind::Flap => "#fed7aa",
            FaultKind::Loss => "#e9d5ff",
            FaultKind::Pause => "#bfdbfe",
            // What becomes of processes is drawn as it happened.
            _ => return,
        };
        let begin = Time::from_micros(fault.at.as_micros());
        let lasting = match (fault.kind, fault.lasting) {
            (_, Some(lasting)) => lasting,
            (FaultKind::Pause | FaultKind::Flap, None) => Span::secs(1),
            (_, None) => self.scenario.duration,
        };
        let (x, end) = (self.x(begin), self.x(begin + lasting.0));
        let width = (end - x).max(1.0);
        let title = format!("{:?} at {:?} for {:?}", fault.kind, fault.at.0, lasting.0);
        let named = |who: &Option<Who>| match who {
            Some(Who::These(nodes)) => nodes.clone(),
            _ => Vec::new(),
        };
        // A cut from one to all others is the one's.
        let nodes = named(&fault.nodes).into_iter().chain(named(&fault.to));
        let mut rows: Vec<(f64, f64)> = nodes.map(|node| (self.y(node - 1), self.row)).collect();
        if rows.is_empty() {
            rows.push((TOP, self.height));
        }
        for (y, height) in rows {
            self.put(&format!(
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
                 fill=\"{colour}\" fill-opacity=\"0.7\"><title>{title}</title></rect>"
            ));
        }
    }

    /// The times in which a node's process is not there.
    fn absences(&mut self, truths: &[Truth]) {
        let mut gone: Vec<Option<(Time, Fortune)>> =
            vec![Some((Time::ZERO, Fortune::Left)); self.scenario.nodes as usize];
        for truth in truths {
            let Some(since) = gone.get_mut(truth.node as usize) else { continue };
            let before = match truth.fortune {
                Fortune::Started => since.take(),
                fortune => since.replace((truth.at, fortune)),
            };
            if let Some((begin, fortune)) = before {
                self.absence(truth.node, begin, truth.at, fortune);
            }
        }
        let end = Time::ZERO + self.scenario.duration.0;
        for (node, since) in (0..).zip(gone) {
            if let Some((begin, fortune)) = since {
                self.absence(node, begin, end, fortune);
            }
        }
    }

    fn absence(&mut self, node: u32, begin: Time, end: Time, fortune: Fortune) {
        let (x, y, width) = (self.x(begin), self.y(node), self.x(end) - self.x(begin));
        if width <= 0.0 {
            return;
        }
        let colour = if fortune == Fortune::Crashed { "#475569" } else { "#cbd5e1" };
        let height = self.row;
        self.put(&format!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
             fill=\"{colour}\"><title>node {} is not there ({fortune:?})</title></rect>",
            node + 1
        ));
    }

    fn axes(&mut self) {
        let every = (14.0 / self.row).ceil().max(1.0) as u32;
        for node in 0..self.scenario.nodes {
            let y = self.y(node) + self.row;
            if self.row >= 6.0 {
                self.put(&format!(
                    "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" \
                     stroke=\"#e2e8f0\" stroke-width=\"0.5\"/>",
                    LEFT + WIDTH
                ));
            }
            if node % every == 0 {
                let middle = self.y(node) + self.row / 2.0 + 4.0;
                self.put(&format!(
                    "<text x=\"{:.1}\" y=\"{middle:.1}\" text-anchor=\"end\">{}</text>",
                    LEFT - 8.0,
                    node + 1
                ));
            }
        }
        let seconds = self.scenario.duration.0.as_secs_f64();
        let step = round_step(seconds / 12.0);
        for tick in (0..=(seconds / step) as u32).map(|count| f64::from(count) * step) {
            let x = LEFT + WIDTH * tick / seconds;
            let bottom = TOP + self.height;
            self.put(&format!(
                "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{bottom:.1}\" \
                 stroke=\"#cbd5e1\" stroke-width=\"0.5\" stroke-dasharray=\"2 3\"/>\
                 <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{tick} s</text>",
                TOP - 4.0,
                TOP - 10.0
            ));
        }
    }

    fn mark(&mut self, sign: &Sign) {
        let (x, y) = (self.x(sign.at), self.y(sign.by) + self.row / 2.0);
        let size = (self.row / 2.0 - 1.0).clamp(1.0, 4.5);
        let colour = colour(sign.news);
        let seconds = sign.at.as_micros() as f64 / 1e6;
        let about = sign.about.map_or_else(String::new, |node| format!(" node {}", node + 1));
        let title = format!("{seconds:.3} s: node {}: {}{about}", sign.by + 1, sign.news.name());
        self.put(&format!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{size:.1}\" fill=\"{colour}\" \
             fill-opacity=\"0.85\"><title>{title}</title></circle>"
        ));
    }

    fn legend(&mut self, marks: usize) {
        let y = TOP + self.height + 26.0;
        let mut x = LEFT;
        for news in LEGEND {
            let (name, colour) = news;
            self.put(&format!(
                "<circle cx=\"{x:.1}\" cy=\"{:.1}\" r=\"4.5\" fill=\"{colour}\"/>\
                 <text x=\"{:.1}\" y=\"{y:.1}\">{name}</text>",
                y - 4.0,
                x + 9.0
            ));
            x += 24.0 + 6.2 * name.len() as f64;
        }
        let (mut x, y) = (LEFT, y + 22.0);
        for (name, colour) in BANDS {
            self.put(&format!(
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"12\" height=\"10\" fill=\"{colour}\"/>\
                 <text x=\"{:.1}\" y=\"{y:.1}\">{name}</text>",
                x - 4.0,
                y - 9.0,
                x + 13.0
            ));
            x += 30.0 + 6.2 * name.len() as f64;
        }
        if marks > MAX_MARKS {
            let _ = write!(
                self.out,
                "<text x=\"{x:.1}\" y=\"{y:.1}\">the first {MAX_MARKS} of {marks} marks</text>"
            );
        }
    }
}

const LEGEND: &[(&str, &str)] = &[
    ("online, rejoined", "#22c55e"),
    ("unreachable, link down", "#94a3b8"),
    ("suspected", "#f59e0b"),
    ("down", "#dc2626"),
    ("refuted", "#0d9488"),
    ("isolated, self-doubt", "#3b82f6"),
    ("reset, taken down", "#9d174d"),
    ("left", "#7c3aed"),
];

const BANDS: &[(&str, &str)] = &[
    ("crashed", "#475569"),
    ("not there", "#cbd5e1"),
    ("paused", "#bfdbfe"),
    ("cut", "#fed7aa"),
    ("losses", "#e9d5ff"),
    ("partition", "#fde68a"),
];

fn colour(news: News) -> &'static str {
    match news {
        News::Online(_) | News::Rejoined => "#22c55e",
        News::Unreachable(_) | News::LinkDown(_) | News::QuorumUnavailable(_) => "#94a3b8",
        News::Suspected(_) => "#f59e0b",
        News::Down(..) => "#dc2626",
        News::Refuted => "#0d9488",
        News::Isolated | News::SelfDoubt => "#3b82f6",
        News::Reset | News::TakenDown => "#9d174d",
        News::Left(_) => "#7c3aed",
    }
}

/// 1, 2 or 5 times a power of ten, not below `least`.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.max(0.1).log10().floor());
    let fits = [1.0, 2.0, 5.0].into_iter().find(|step| step * power >= least);
    fits.unwrap_or(10.0) * power
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
