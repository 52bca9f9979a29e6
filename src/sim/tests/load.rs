//! Messages on topics.

use super::scenario;
use crate::sim::run;

#[test]
fn what_is_published_reaches_everybody() {
    let load = "name = 'load'\nnodes = 12\nduration = '10s'\n[expect]\ndelivered = 0.95
        [workload]\nrate = 20.0\nat = '2s'";
    let outcome = run(&scenario(load), 1);
    assert_eq!(outcome.broken, None);
    assert!(outcome.published > 100, "{}", outcome.published);
}
