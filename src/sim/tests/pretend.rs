//! What the pretend world does to nodes.

use super::scenario;
use crate::sim::run;
use crate::sim::scenario::Scenario;

fn holds(text: &str) {
    let scenario = scenario(text);
    for seed in 1..=3 {
        let outcome = run(&scenario, seed);
        assert_eq!(outcome.broken, None, "seed {seed} of {}", scenario.name);
    }
}

fn falls(text: &str, reason: &str) {
    let outcome = run(&scenario(text), 1);
    let broken = outcome.broken.expect("it should fall");
    assert!(broken.contains(reason), "{broken}");
}

#[test]
fn sixteen_engines_find_each_other_and_notice_a_crash() {
    holds(
        "name = 'crash'\nnodes = 16\nduration = '20s'
         [[fault]]\nkind = 'crash'\nat = '5s'\nnodes = [3]
         [expect]\nlinked_by = '1s'\nnoticed_within = '3s'\nviews_equal_by = '8s'",
    );
}

#[test]
fn a_power_cut_is_noticed_only_by_pings() {
    let power_cut = "name = 'dark'\nnodes = 8\nduration = '30s'
         [[fault]]\nkind = 'crash'\nat = '5s'\nnodes = [3]\nsilent = true\n";
    holds(&format!("{power_cut}[expect]\nnoticed_within = '9s'"));
    falls(&format!("{power_cut}[expect]\nnoticed_within = '1s'"), "believes in 3");
}

#[test]
fn a_restarted_node_comes_back_in_a_higher_life() {
    holds(
        "name = 'back'\nnodes = 8\nduration = '30s'
         [[fault]]\nkind = 'restart'\nat = '5s'\nnodes = [1, 4]\nlasting = '3s'
         [expect]\nviews_equal_by = '15s'\nhealed_within = { most = '5s' }",
    );
}

#[test]
fn a_minority_that_is_cut_off_is_put_out_after_some_silence_and_taken_in_again() {
    let parted = "name = 'parted'\nnodes = 6\nduration = '60s'
         [[fault]]\nkind = 'partition'\nat = '5s'\nlasting = '30s'\ngroups = [4, 2]\n";
    holds(&format!("{parted}[expect]\nviews_equal_by = '5500ms'"));
    falls(&format!("{parted}[expect]\nviews_equal_by = '20s'"), "sees 4");
    holds(&format!("{parted}[expect]\nhealed_within = {{ most = '25s' }}"));
}

#[test]
fn a_short_pause_closes_no_link() {
    holds(
        "name = 'pause'\nnodes = 6\nduration = '30s'
         [[fault]]\nkind = 'pause'\nat = '5s'\nnodes = [2]\nlasting = '1200ms'
         [expect]\nviews_equal_by = '6s'\nhealed_within = { most = '200ms' }",
    );
}

#[test]
fn who_leaves_is_not_missed_and_who_joins_is_found() {
    holds(
        "name = 'move'\nnodes = 8\nduration = '20s'
         [[fault]]\nkind = 'leave'\nat = '5s'\nnodes = [2]
         [[fault]]\nkind = 'join'\nat = '8s'\nnodes = [8]
         [expect]\nviews_equal_by = '10s'\nnoticed_within = '100ms'",
    );
}

#[test]
fn all_stop_and_all_start() {
    holds(
        "name = 'all'\nnodes = 8\nduration = '20s'
         [[fault]]\nkind = 'stop_all'\nat = '5s'
         [[fault]]\nkind = 'start_all'\nat = '6s'
         [expect]\nhealed_within = { most = '3s' }",
    );
}

#[test]
fn every_form_of_graph_is_linked() {
    for form in [
        "open",
        "complete",
        "ring",
        "line",
        "star",
        "random",
        "small-world",
        "diamond",
        "butterfly",
    ] {
        holds(&format!(
            "name = '{form}'\nnodes = 12\nduration = '5s'\n[topology]\nkind = '{form}'
             [expect]\nlinked_by = '2s'\nviews_equal_by = '4s'"
        ));
    }
}

#[test]
fn bare_nodes_link_by_their_graph_and_come_back() {
    holds(
        "name = 'bare'\nnodes = 40\nduration = '40s'\nrooms = 'membership'
         [topology]\nkind = 'random'\ndegree = 6
         [[fault]]\nkind = 'restart'\nat = '5s'\nnodes = [7]
         [expect]\nlinked_by = '1s'",
    );
}

#[test]
fn a_formed_world_is_linked_from_the_first_moment() {
    for rooms in ["all", "membership"] {
        let text = format!(
            "name = 'formed'\nnodes = 30\nduration = '5s'\nrooms = '{rooms}'\nstart = 'formed'
             [expect]\nlinked_by = '1ms'"
        );
        holds(&text);
        let scenario: Scenario = scenario(&text);
        assert_eq!(run(&scenario, 1).suspicions, 0);
    }
}

#[test]
fn clocks_that_are_set_do_no_harm() {
    holds(
        "name = 'clocks'\nnodes = 8\nduration = '30s'\n[clock]\nskew = 1000
         [[fault]]\nkind = 'clock_jump'\nat = '5s'\nnodes = [1]\nby = 3000
         [[fault]]\nkind = 'clock_jump'\nat = '9s'\nnodes = [2]\nby = -3000
         [expect]\nviews_equal_by = '20s'\nno_resets = true",
    );
}
