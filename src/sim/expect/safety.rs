//! What never happens, at no step.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::expectation::{Expectation, Holds};
use crate::base::id::Incarnation;
use crate::protocol::membership::Phase;
use crate::sim::look::News;
use crate::sim::scene::{Scene, Sign};

fn at(sign: &Sign) -> f64 {
    sign.at.as_micros() as f64 / 1e6
}

/// `no_false_verdicts = true`: nobody whose process is there is put out.
/// `may_be_put_out = [1]` excepts these.
pub(super) struct NoFalseVerdicts {
    pub excepted: BTreeSet<u32>,
}

impl Expectation for NoFalseVerdicts {
    fn sign(&mut self, sign: &Sign, scene: &dyn Scene) -> Holds {
        let (News::Down(_, life), Some(about)) = (sign.news, sign.about) else { return Ok(()) };
        // A verdict on an earlier life may come late.
        let innocent = scene.is_up(about) && scene.life(about) == life;
        if !innocent || self.excepted.contains(&(about + 1)) || scene.is_hostile(sign.by) {
            return Ok(());
        }
        let (about, by) = (about + 1, sign.by + 1);
        Err(format!("at {:.3} s node {by} puts out node {about}, which is there", at(sign)))
    }
}

/// `nobody_put_out = true`: no verdict at all, of whomever.
pub(super) struct NobodyPutOut;

impl Expectation for NobodyPutOut {
    fn sign(&mut self, sign: &Sign, _: &dyn Scene) -> Holds {
        match (sign.news, sign.about) {
            (News::Down(..), Some(about)) => {
                let (about, by) = (about + 1, sign.by + 1);
                Err(format!("at {:.3} s node {by} puts out node {about}", at(sign)))
            }
            _ => Ok(()),
        }
    }
}

/// `no_resets = true`: nobody takes itself out.
pub(super) struct NoResets;

impl Expectation for NoResets {
    fn sign(&mut self, sign: &Sign, _: &dyn Scene) -> Holds {
        match sign.news {
            News::Reset => Err(format!("at {:.3} s node {} resets itself", at(sign), sign.by + 1)),
            _ => Ok(()),
        }
    }
}

/// `at_most_suspicions = 12`.
pub(super) struct AtMostSuspicions {
    pub most: u64,
    pub count: u64,
}

impl Expectation for AtMostSuspicions {
    fn sign(&mut self, sign: &Sign, _: &dyn Scene) -> Holds {
        self.count += u64::from(matches!(sign.news, News::Suspected(_)));
        match self.count > self.most {
            true => Err(format!("at {:.3} s there are {} suspicions", at(sign), self.count)),
            false => Ok(()),
        }
    }
}

/// By whom verdicts may be.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Side {
    Majority,
}

/// `verdicts_only_by = "majority"`: who puts somebody out, or hears of it, can reach more than half
/// of those it counts.
pub(super) struct VerdictsOnlyBy(pub Side);

impl Expectation for VerdictsOnlyBy {
    fn sign(&mut self, sign: &Sign, scene: &dyn Scene) -> Holds {
        let Self(Side::Majority) = self;
        if !matches!(sign.news, News::Down(..)) {
            return Ok(());
        }
        let look = scene.look(sign.by);
        if look.is_some_and(|look| look.phase() != Phase::Active) {
            // It is on its way in and is told what the others decided.
            return Ok(());
        }
        let counted = look.map(|look| look.denominators());
        let is_counted =
            |node: u32| counted.as_ref().is_none_or(|counted| counted.contains(&scene.id(node)));
        let whole = counted.as_ref().map_or(scene.nodes() as usize, Vec::len);
        let near = (0..scene.nodes()).filter(|node| is_counted(*node)).filter(|node| {
            *node == sign.by
                || scene.is_up(*node)
                    && scene.passes(sign.by, *node)
                    && scene.passes(*node, sign.by)
        });
        let count = near.count();
        match count * 2 > whole {
            true => Ok(()),
            false => Err(format!(
                "at {:.3} s node {} puts somebody out and reaches only {count} of {whole} nodes",
                at(sign),
                sign.by + 1,
            )),
        }
    }
}

/// Always checked: a node's incarnation never falls (S4).
#[derive(Default)]
pub(super) struct IncarnationsRise(BTreeMap<u32, Incarnation>);

impl Expectation for IncarnationsRise {
    fn sign(&mut self, sign: &Sign, scene: &dyn Scene) -> Holds {
        let Some(look) = scene.look(sign.by) else { return Ok(()) };
        let now = look.incarnation();
        match self.0.insert(sign.by, now) {
            Some(before) if before > now => Err(format!(
                "at {:.3} s node {} went back from {before:?} to {now:?}",
                at(sign),
                sign.by + 1
            )),
            _ => Ok(()),
        }
    }
}
