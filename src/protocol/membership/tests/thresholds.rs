//! Every way to write a threshold, and the arithmetic of votes.

use std::num::NonZeroU32;

use proptest::prelude::*;

use crate::protocol::membership::threshold::majority;
use crate::protocol::membership::{MembershipConfig, Threshold};

/// All sizes that vote in full, and more.
const SIZES: std::ops::RangeInclusive<u32> = 1..=64;

fn count(count: u32) -> Threshold {
    Threshold::count(NonZeroU32::new(count).unwrap())
}

fn share(share: f64) -> Threshold {
    Threshold::share(share).unwrap()
}

#[test]
fn every_written_form_means_what_the_table_says() {
    for (written, threshold) in [
        ("0.5", share(0.5)),
        ("0.01", share(0.01)),
        ("1", share(1.0)),
        ("1.0", share(1.0)),
        ("2", count(2)),
        ("3", count(3)),
        ("3.0", count(3)),
        (r#"{"count":1}"#, count(1)),
        (r#"{"count":17}"#, count(17)),
    ] {
        let read: Threshold = serde_json::from_str(written).unwrap();
        assert_eq!(read, threshold, "{written}");
        let again = serde_json::to_string(&read).unwrap();
        let again: Threshold = serde_json::from_str(&again).unwrap();
        assert_eq!(again, threshold, "{written}");
    }
}

#[test]
fn what_is_no_threshold_is_refused_in_one_sentence() {
    for written in [
        "0",
        "-1",
        "-0.5",
        "1.5",
        "2.0001",
        "1e300",
        "4294967296",
        "null",
        "true",
        r#""half""#,
        "[0.5]",
        "{}",
        r#"{"count":0}"#,
        r#"{"count":-1}"#,
        r#"{"count":1.5}"#,
        r#"{"share":0.5}"#,
    ] {
        let error = serde_json::from_str::<Threshold>(written).unwrap_err().to_string();
        assert!(error.contains("consensus_threshold"), "{written}: {error}");
        assert!(!error.contains('\n'), "{written}: {error}");
    }
    for number in [f64::NAN, f64::INFINITY, 0.0, 1.1, -0.0] {
        assert!(Threshold::share(number).is_err(), "{number}");
    }
}

#[cfg(feature = "net")]
#[test]
fn a_file_may_spell_it_either_way_and_not_both() {
    let read = |text: &str| toml::from_str::<MembershipConfig>(text);
    for (text, threshold) in [
        ("consensus_threshold = 0.5", share(0.5)),
        ("consensus_threshold = 1", share(1.0)),
        ("consensus_threshold = 3", count(3)),
        ("consensus_threshold = { count = 1 }", count(1)),
        ("consensus_treshold = 0.9", share(0.9)),
        ("consensus_treshold = { count = 2 }", count(2)),
        ("", share(0.5)),
    ] {
        let config = read(text).unwrap();
        assert_eq!(config.consensus_threshold, threshold, "{text}");
        let again = read(&toml::to_string(&config).unwrap()).unwrap();
        assert_eq!(again, config, "{text}");
    }
    for text in [
        "consensus_threshold = 0",
        "consensus_threshold = 1.5",
        "consensus_threshold = \"most\"",
        "consensus_treshold = { count = 0 }",
        "consensus_threshold = 0.5\nconsensus_treshold = 0.6",
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains("consensus_t"), "{text}: {error}");
    }
}

#[test]
fn it_is_shown_as_it_is_written() {
    let shown = [share(0.5), share(1.0), count(1), count(3)].map(|it| it.to_string());
    assert_eq!(shown, ["0.5", "1", "{ count = 1 }", "{ count = 3 }"]);
}

#[test]
fn two_majorities_of_the_same_members_share_one() {
    for members in SIZES {
        let needed = majority(members);
        assert!(2 * needed > members, "{members}: two sides could both reach {needed}");
        assert!(2 * (needed - 1) <= members, "{members}: {needed} is more than needed");
        assert!(needed <= members);
    }
}

#[test]
fn half_of_the_voters_is_half_and_all_are_all() {
    for reachable in SIZES {
        assert_eq!(share(0.5).down_votes(reachable), reachable.div_ceil(2));
        assert_eq!(share(1.0).down_votes(reachable), reachable);
        assert!(!share(1.0).is_up(reachable, reachable), "more than all is never reached");
        assert_eq!(count(3).down_votes(reachable), 3);
        assert!(count(3).is_up(4, reachable) && !count(3).is_up(3, reachable));
    }
}

proptest! {
    /// Against whole numbers, which know no rounding.
    #[test]
    fn a_share_in_hundredths_counts_exactly(percent in 1_u32..=100, reachable in SIZES) {
        let threshold = share(f64::from(percent) / 100.0);
        let exact = percent * reachable;
        prop_assert_eq!(threshold.down_votes(reachable), exact.div_ceil(100));
        for up in 0..=reachable {
            prop_assert_eq!(threshold.is_up(up, reachable), 100 * up > exact, "{} up", up);
        }
    }

    #[test]
    fn the_same_votes_never_settle_both(
        part in 0.000_1_f64..=1.0, reachable in SIZES, votes in SIZES,
    ) {
        for threshold in [share(part), count(votes)] {
            let down = threshold.down_votes(reachable);
            prop_assert!(down >= 1);
            prop_assert!(!threshold.is_up(down - 1, reachable), "one less than {} is up", down);
            if part >= 0.5 {
                // Nobody votes twice, so what is down cannot be up as well.
                prop_assert!(!share(part).is_up(reachable - share(part).down_votes(reachable),
                    reachable));
            }
        }
    }

    #[test]
    fn more_voters_never_need_fewer_votes(part in 0.000_1_f64..=1.0, reachable in SIZES) {
        let threshold = share(part);
        prop_assert!(threshold.down_votes(reachable) <= threshold.down_votes(reachable + 1));
        prop_assert!(threshold.down_votes(reachable) <= reachable);
    }

    #[test]
    fn no_text_makes_it_panic_and_what_is_read_is_written_alike(text in "[-0-9.e{}:\" count]{0,16}") {
        if let Ok(read) = serde_json::from_str::<Threshold>(&text) {
            let written = serde_json::to_string(&read).unwrap();
            prop_assert_eq!(serde_json::from_str::<Threshold>(&written).unwrap(), read);
        }
    }
}

#[test]
fn the_defaults_hold_their_own_rules() {
    assert_eq!(MembershipConfig::default().check(), [""; 0]);
    assert_eq!(MembershipConfig::default().consensus_threshold, share(0.5));
}
