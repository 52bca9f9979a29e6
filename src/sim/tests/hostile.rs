//! Adversaries.

use super::scenario;
use crate::sim::run;

#[test]
fn a_flooder_makes_noise_and_breaks_nothing() {
    let quiet = "name = 'flood'\nnodes = 8\nduration = '10s'
        [expect]\nviews_equal_by = '5s'\nno_resets = true\n";
    let noisy = format!("{quiet}[[adversary]]\nkind = 'flooder'\nnodes = [2]\nrate = 500.0");
    let (quiet, noisy) = (run(&scenario(quiet), 1), run(&scenario(&noisy), 1));
    assert_eq!(noisy.broken, None);
    assert!(noisy.messages > quiet.messages + 50.0, "{} {}", noisy.messages, quiet.messages);
}
