//! The parts of a measurement, without nodes.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::board::Board;
use super::letter::{Letter, NO_PART, Note};
use super::measure::{End, Onlooker, Subject, measure};
use super::mesh::Transport;
use super::outcome::{Counters, Outcome, Ratio, Setting};
use super::plan::{Pace, Plan};
use super::run::{Accepted, Author, Authors, Phase};
use super::spread::Spread;
use super::usage::{Watched, kib, ticks};
use crate::exit::Failure;

fn plan() -> Plan {
    Plan {
        authors: 1,
        subscriptions: 2,
        receivers: 2,
        size: 64,
        warm_up: 2,
        probes: 3,
        pause: Duration::ZERO,
        load: 100,
        window: 8,
        pace: None,
        deadline: Duration::from_secs(20),
        patience: Duration::from_millis(200),
    }
}

fn setting() -> Setting {
    Setting {
        system: "pretended".to_owned(),
        nodes: 3,
        subscribers: 1,
        topology: "star".to_owned(),
        seed: None,
        transport: "none".to_owned(),
        codec: "bytes".to_owned(),
        payload: "random".to_owned(),
        compressed: false,
        publishers: 1,
        window: 8,
        rate: None,
        probes: 3,
    }
}

/// An author whose messages come to two receivers at once, but for what is to go wrong.
struct Pretended {
    board: Arc<Board>,
    /// This message comes to one of the two only.
    lost: Option<u64>,
    /// This message comes twice.
    doubled: Option<u64>,
    /// There was no room for this message at first.
    late: Option<u64>,
    /// This message comes to one of the two only later.
    slow: Option<u64>,
    sent: u64,
    /// The most messages that were under way.
    most: u64,
}

impl Pretended {
    fn new(board: &Arc<Board>) -> Self {
        let board = board.clone();
        Self { board, lost: None, doubled: None, late: None, slow: None, sent: 0, most: 0 }
    }
}

impl Author for Pretended {
    async fn publish(&mut self, number: u64) -> Result<Accepted, Failure> {
        self.sent += 1;
        self.most = self.most.max(self.sent - self.board.everywhere());
        self.board.received(0, Some(number));
        if self.slow == Some(number) {
            let board = self.board.clone();
            tokio::spawn(async move {
                // Longer than the rest between two phases.
                tokio::time::sleep(Duration::from_millis(700)).await;
                board.received(1, Some(number));
            });
        } else if self.lost != Some(number) {
            self.board.received(1, Some(number));
        }
        if self.doubled == Some(number) {
            self.board.received(1, Some(number));
        }
        match self.late == Some(number) {
            true => Ok(Accepted::Later),
            false => Ok(Accepted::AtOnce),
        }
    }
}

/// What counts one more copy with every look.
struct Counting(Cell<u64>);

impl Subject for Counting {
    async fn counters(&self) -> Result<Option<Counters>, Failure> {
        self.0.set(self.0.get() + 1);
        Ok(Some(Counters { copies: self.0.get(), ..Counters::default() }))
    }

    fn watched(&self) -> &Watched {
        &Watched::Own
    }
}

struct Nobody;

impl Onlooker for Nobody {
    fn begins(&self, _: Phase) {}
    fn everywhere(&self, _: u64) {}
}

async fn run(author: &mut Pretended, plan: &Plan) -> (Outcome, End) {
    let (board, subject) = (author.board.clone(), Counting(Cell::new(0)));
    let never = std::future::pending();
    measure(&subject, author, (plan, &board, setting()), never, &Nobody).await.unwrap()
}

/// What can be asked once.
struct Dying(Cell<bool>);

impl Subject for Dying {
    async fn counters(&self) -> Result<Option<Counters>, Failure> {
        match self.0.replace(true) {
            false => Ok(Some(Counters::default())),
            true => Err(Failure::failed("gone")),
        }
    }

    fn watched(&self) -> &Watched {
        &Watched::Own
    }
}

#[tokio::test]
async fn what_came_is_shown_also_when_a_node_died_meanwhile() {
    let plan = plan();
    let board = Arc::new(Board::new(&plan));
    let (subject, never) = (Dying(Cell::new(false)), std::future::pending());
    let mut author = Pretended::new(&board);
    let setting = (&plan, &*board, setting());
    let (outcome, end) = measure(&subject, &mut author, setting, never, &Nobody).await.unwrap();
    assert_eq!((end, outcome.lost, outcome.counters.is_none()), (End::Whole, 0, true));
}

#[test]
fn percentiles_are_ranks_of_the_sorted_samples() {
    assert_eq!(Spread::of(Vec::new()), None);
    assert_eq!(Spread::of(vec![7]), Some(Spread { p50: 7, p90: 7, p99: 7, max: 7 }));
    let hundred_and_one = (0..=100).rev().collect();
    assert_eq!(Spread::of(hundred_and_one), Some(Spread { p50: 50, p90: 90, p99: 99, max: 100 }));
}

#[test]
fn a_letter_says_its_number_while_it_is_whole() {
    for (number, size) in [(0, 8), (1, 100), (77, 65_536), (u64::MAX, 200_001)] {
        let bytes = Bytes::write(number, size);
        assert_eq!((bytes.len(), bytes.read(size)), (size, Some(number)));
        assert_eq!(Note::<false>::write(number, size).read(size), Some(number));
        assert_eq!(Note::<true>::write(number, size).read(size), Some(number));
        assert_eq!(Vec::<u8>::write(number, size).read(size), Some(number));
    }
}

#[test]
fn a_letter_that_was_changed_cut_or_lengthened_is_noticed() {
    let whole = Bytes::write(9, 300).to_vec();
    for place in 0..whole.len() {
        let mut changed = whole.clone();
        changed[place] ^= 1;
        // A changed number is another letter's, whose filler is not this one.
        assert_eq!(Bytes::from(changed).read(300), None, "byte {place}");
    }
    assert_eq!(Bytes::from(whole[..299].to_vec()).read(300), None);
    assert_eq!(Bytes::from([whole.as_slice(), b"x"].concat()).read(300), None);
    assert_eq!(Bytes::from_static(b"short").read(300), None);
    assert_eq!(Note::<false>::write(9, 300).read(301), None);
}

#[test]
fn the_board_counts_each_delivery_once_and_the_rest_apart() {
    let board = Board::new(&plan());
    board.received(0, Some(0));
    assert_eq!((board.delivered(), board.everywhere()), (1, 0));
    board.received(1, Some(0));
    assert_eq!((board.delivered(), board.everywhere()), (2, 1));
    board.received(1, Some(0));
    board.received(1, None);
    board.received(1, Some(plan().total()));
    board.received(1, Some(NO_PART));
    assert_eq!((board.delivered(), board.duplicates(), board.corrupt()), (2, 1, 2));
    board.received(0, Some(5));
    board.received(0, Some(4));
    assert_eq!(board.out_of_order(), 1);
}

#[test]
fn only_probes_have_a_latency_and_the_last_one_counts_when_all_have_it() {
    let board = Board::new(&plan());
    for number in 0..6 {
        board.sending(number);
        board.received(0, Some(number));
    }
    board.received(1, Some(2));
    assert_eq!((board.latencies().len(), board.last_latencies().len()), (4, 1));
    let last = board.last_latencies();
    assert!(board.latencies().iter().filter(|took| **took <= last[0]).count() >= 2);
}

#[tokio::test]
async fn a_run_sends_everything_within_its_window() {
    let plan = plan();
    let board = Arc::new(Board::new(&plan));
    let mut author = Pretended { late: Some(50), ..Pretended::new(&board) };
    let (outcome, end) = run(&mut author, &plan).await;
    assert_eq!((end, author.sent, outcome.messages), (End::Whole, plan.total(), 100));
    assert_eq!((outcome.deliveries, outcome.lost, outcome.waited), (200, 0, 1));
    assert!(outcome.is_whole() && outcome.counters.unwrap().copies == 1, "{outcome:?}");
    assert!(outcome.latency.p50.is_some() && outcome.msgs_per_s.is_some());
}

#[test]
fn of_several_authors_each_has_an_order_of_its_own() {
    let plan = Plan { authors: 2, subscriptions: 3, ..plan() };
    let board = Board::new(&plan);
    for number in [1, 0, 3, 5, 2] {
        board.received(0, Some(number));
    }
    assert_eq!(board.out_of_order(), 0);
    board.received(0, Some(7));
    board.received(0, Some(4));
    assert_eq!(board.out_of_order(), 0);
    board.received(0, Some(9));
    board.received(1, Some(9));
    assert_eq!(board.everywhere(), 1, "its author does not read it");
    board.received(1, Some(7));
    assert_eq!((board.out_of_order(), board.delivered()), (1, 10));
}

/// Notes the numbers it is given.
#[derive(Debug, Default)]
struct Noting(Vec<u64>);

impl Author for Noting {
    async fn publish(&mut self, number: u64) -> Result<Accepted, Failure> {
        self.0.push(number);
        Ok(Accepted::AtOnce)
    }
}

#[tokio::test]
async fn authors_publish_in_turn() {
    let mut authors = Authors(vec![Noting::default(), Noting::default(), Noting::default()]);
    for number in 0..7 {
        authors.publish(number).await.unwrap();
    }
    let [a, b, c] = &authors.0[..] else { panic!("three") };
    assert_eq!((&a.0[..], &b.0[..], &c.0[..]), (&[0, 3, 6][..], &[1, 4][..], &[2, 5][..]));
}

#[tokio::test]
async fn a_load_with_a_pace_takes_its_time_and_looks_at_the_memory() {
    let pace = Pace { rate: 200, look: Duration::from_millis(100) };
    let plan = Plan { pace: Some(pace), load: 100, ..plan() };
    assert_eq!(plan.load_deadline(), plan.deadline + Duration::from_millis(500));
    let board = Arc::new(Board::new(&plan));
    let (outcome, end) = run(&mut Pretended::new(&board), &plan).await;
    assert_eq!((end, outcome.lost, outcome.messages), (End::Whole, 0, 100));
    assert!(outcome.load_s.unwrap() >= 0.49, "{outcome:?}");
    assert!((3..=5).contains(&outcome.rss_course_mib.len()), "{outcome:?}");
}

#[tokio::test]
async fn what_is_waited_for_in_vain_is_no_part_of_the_rate() {
    let plan = Plan { patience: Duration::from_secs(2), ..plan() };
    let board = Arc::new(Board::new(&plan));
    let mut author = Pretended { lost: Some(20), ..Pretended::new(&board) };
    let (outcome, _) = run(&mut author, &plan).await;
    assert!(outcome.load_s.unwrap() < 1.0, "{outcome:?}");
    let ratio = Ratio::of(&outcome, &outcome);
    assert_eq!((ratio.deliveries_per_s, ratio.last_p50_us), (Some(1.0), Some(1.0)));
}

#[tokio::test]
async fn a_late_probe_is_waited_for_before_the_load_begins() {
    let plan = Plan { patience: Duration::from_secs(5), ..plan() };
    let board = Arc::new(Board::new(&plan));
    let mut author = Pretended { slow: Some(3), ..Pretended::new(&board) };
    let (outcome, _) = run(&mut author, &plan).await;
    assert_eq!((outcome.lost, outcome.deliveries), (0, 200));
}

#[tokio::test]
async fn what_is_lost_or_doubled_is_said_and_holds_nothing_up() {
    let plan = plan();
    let board = Arc::new(Board::new(&plan));
    let mut author = Pretended { lost: Some(20), doubled: Some(30), ..Pretended::new(&board) };
    let (outcome, _) = run(&mut author, &plan).await;
    assert_eq!((outcome.lost, outcome.duplicates, outcome.messages), (1, 1, 100));
    assert!(!outcome.is_whole());
}

#[tokio::test]
async fn a_full_window_of_lost_messages_ends_the_run() {
    let plan = Plan { subscriptions: 3, receivers: 3, ..plan() };
    let board = Arc::new(Board::new(&plan));
    // The third receiver gets nothing.
    let mut author = Pretended::new(&board);
    let (outcome, _) = run(&mut author, &plan).await;
    assert_eq!(outcome.messages, plan.window);
    assert!(author.most <= plan.warm_up + plan.probes + plan.window);
    assert_eq!((outcome.msgs_per_s, outcome.lost), (Some(0.0), author.sent));
}

#[tokio::test]
async fn a_run_that_is_stopped_says_what_it_has() {
    let plan = Plan { pause: Duration::from_secs(60), ..plan() };
    let board = Arc::new(Board::new(&plan));
    let (mut author, subject) = (Pretended::new(&board), Counting(Cell::new(0)));
    let setting = (&plan, &*board, setting());
    // The first pause between probes would last a minute.
    let stop = async {
        while board.everywhere() < 3 {
            board.changes(Duration::from_millis(10)).await;
        }
    };
    let (outcome, end) = measure(&subject, &mut author, setting, stop, &Nobody).await.unwrap();
    assert_eq!((end, outcome.lost, outcome.messages), (End::Stopped, 0, 0));
    assert_eq!((outcome.msgs_per_s, outcome.cpu_us_per_delivery), (None, None));
    assert!(outcome.latency.p50.is_some());
}

#[test]
fn usage_is_read_out_of_what_the_system_says() {
    let stat = "12 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 400 50 0 0";
    assert_eq!((ticks(stat), ticks("12 (x) S 1 2")), (Some(450), None));
    let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
    assert_eq!((kib(status, "VmHWM:"), kib(status, "VmSwap:")), (Some(2_048), None));
    let (own, other) = (Watched::Own.memory(), Watched::Others(vec![std::process::id()]).memory());
    assert!(own.now > 0 && own.peak >= own.now / 2 && other.now > 0);
    assert!(Watched::Own.processor() > Duration::ZERO);
}

#[test]
fn transports_have_names() {
    for name in ["tcp", "quic", "websocket", "memory"] {
        let transport: Transport = name.parse().unwrap();
        assert_eq!(transport.to_string(), name);
        assert!(!transport.place().is_empty());
    }
    assert_eq!("udp".parse::<Transport>(), Err(format!("expected {}", Transport::NAMES)));
}
