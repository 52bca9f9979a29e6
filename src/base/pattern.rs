//! Names that stand for many topics.
//!
//! A name consists of levels, separated by `/`. In a pattern the level `*` stands for any one
//! level, wherever it is, and `>` at the end for one level or more:
//!
//! | pattern | reads | does not read |
//! | --- | --- | --- |
//! | `a/b` | `a/b` | `a`, `a/b/c`, `a/bc` |
//! | `a/*` | `a/b`, `a/c` | `a`, `a/b/c` |
//! | `a/*/c` | `a/b/c` | `a/c`, `a/b/b/c` |
//! | `a/>` | `a/b`, `a/b/c` | `a`, `ab` |
//! | `>` | every topic | |
//!
//! Only a whole level stands for others: `a*` and `*.log` are plain names. A level may be empty.

use super::name::{BadName, check_name};

/// Any one level.
const ONE: &str = "*";

/// One level or more, at the end.
const REST: &str = ">";

/// Every topic.
pub(crate) const ALL: &str = REST;

/// Whether a level of the name stands for others.
pub(crate) fn is_pattern(name: &str) -> bool {
    // Most names have neither, and this is asked for each message.
    name.contains(['*', '>']) && name.split('/').any(|level| level == ONE || level == REST)
}

/// Checks the name of one topic: a name in which no level stands for others.
pub(crate) fn check_topic(name: &str) -> Result<(), BadName> {
    check_name(name)?;
    if is_pattern(name) { Err(BadName::Pattern) } else { Ok(()) }
}

/// Checks what a subscription can name: a topic, or a pattern with `>` at most at its end.
pub(crate) fn check_readable(name: &str) -> Result<(), BadName> {
    check_name(name)?;
    let mut levels = name.split('/').rev().skip(1);
    if levels.any(|level| level == REST) { Err(BadName::RestInside) } else { Ok(()) }
}

/// Whether a topic is one of those that the pattern stands for. A plain name stands for itself.
pub(crate) fn matches(pattern: &str, topic: &str) -> bool {
    let mut levels = topic.split('/');
    for wanted in pattern.split('/') {
        match levels.next() {
            Some(_) if wanted == REST => return true,
            Some(level) if wanted == ONE || wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_plain_name_reads_itself_and_nothing_that_begins_like_it() {
        assert!(matches("a/b", "a/b") && matches("ab", "ab"));
        for other in ["a", "a/b/c", "a/bc", "ab", "a/", "/a/b"] {
            assert!(!matches("a/b", other), "{other}");
        }
        assert!(!matches("ab", "abc"));
    }

    #[test]
    fn a_star_stands_for_exactly_one_level() {
        assert!(matches("a/*", "a/b") && matches("a/*", "a/") && matches("*", "a"));
        assert!(matches("a/*/c", "a/b/c") && matches("*/b", "a/b"));
        for other in ["a", "ab", "a/b/c", "b/a"] {
            assert!(!matches("a/*", other), "{other}");
        }
    }

    #[test]
    fn an_angle_at_the_end_stands_for_one_level_or_more() {
        assert!(matches("a/>", "a/b") && matches("a/>", "a/b/c/d") && matches("a/*/>", "a/b/c"));
        assert!(!matches("a/>", "a") && !matches("a/>", "ab") && !matches("a/*/>", "a/b"));
        assert!(matches(ALL, "a") && matches(ALL, "a/b"));
    }

    #[test]
    fn only_a_whole_level_makes_a_pattern() {
        for plain in ["a*", "*.log", "a/b>", "a>b", "a/**"] {
            assert_eq!((is_pattern(plain), check_topic(plain)), (false, Ok(())), "{plain}");
        }
        for pattern in ["*", ">", "a/*", "a/*/b", "a/>"] {
            assert_eq!(check_topic(pattern), Err(BadName::Pattern), "{pattern}");
            assert_eq!(check_readable(pattern), Ok(()), "{pattern}");
        }
        assert_eq!(check_readable("a/>/b"), Err(BadName::RestInside));
        assert_eq!(check_readable(">/>"), Err(BadName::RestInside));
        assert_eq!(check_readable(""), Err(BadName::Empty));
    }

    /// Level by level, as the table says it.
    fn by_the_table(pattern: &[&str], topic: &[&str]) -> bool {
        match (pattern, topic) {
            ([], []) | ([">"], [_, ..]) => true,
            ([wanted, pattern @ ..], [level, topic @ ..]) => {
                (*wanted == "*" || wanted == level) && by_the_table(pattern, topic)
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn a_pattern_reads_what_the_table_says(
            pattern in "([ab]|\\*|aa|)(/([ab]|\\*|aa|)){0,3}(/>)?",
            topic in "[ab]{0,2}(/[ab]{0,2}){0,4}",
        ) {
            let wanted: Vec<&str> = pattern.split('/').collect();
            let given: Vec<&str> = topic.split('/').collect();
            prop_assert_eq!(matches(&pattern, &topic), by_the_table(&wanted, &given));
        }

        #[test]
        fn a_name_without_stars_and_angles_reads_itself_alone(
            one in "[ab/]{1,6}", other in "[ab/]{1,6}",
        ) {
            prop_assert!(!is_pattern(&one));
            prop_assert_eq!(matches(&one, &other), one == other);
        }
    }
}
