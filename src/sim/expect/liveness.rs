//! What has happened by a deadline.

use std::collections::BTreeMap;

use super::expectation::{Expectation, Holds};
use crate::base::time::Time;
use crate::protocol::membership::Phase;
use crate::protocol::membership::Standing;
use crate::sim::scenario::Span;
use crate::sim::scene::{Fortune, Scene, Truth};
use crate::sim::tally::views_are_one;

/// A condition that is looked at once, at its time.
pub(super) struct By {
    pub at: Span,
    pub what: fn(&dyn Scene) -> Holds,
    pub done: bool,
}

impl Expectation for By {
    fn look(&mut self, scene: &dyn Scene) -> Holds {
        if self.done || scene.now() < Time::ZERO + self.at.0 {
            return Ok(());
        }
        self.done = true;
        (self.what)(scene).map_err(|reason| format!("by {:?} {reason}", self.at.0))
    }
}

/// `views_equal_by = "30s"`: all who are there see exactly all who are there as active.
pub(super) fn views_equal(scene: &dyn Scene) -> Holds {
    if views_are_one(scene) {
        return Ok(());
    }
    let living = scene.living();
    let sizes = living.iter().filter_map(|node| Some((*node, scene.look(*node)?.active().len())));
    let odd = sizes.max_by_key(|(_, size)| size.abs_diff(living.len()));
    let (node, size) = odd.unwrap_or_default();
    Err(format!("the views are not one: {} are there, node {} sees {size}", living.len(), node + 1))
}

/// `d_equals_a_by = "20s"`: who is counted for quorums is who is active, at everybody.
pub(super) fn d_equals_a(scene: &dyn Scene) -> Holds {
    let differs =
        |node: &u32| scene.look(*node).is_some_and(|look| look.active() != look.denominators());
    match scene.living().into_iter().find(differs) {
        Some(node) => Err(format!("node {} counts others than it sees", node + 1)),
        None => Ok(()),
    }
}

/// `active_by = "5s"`: everybody who is there is active: nobody joins, is cut off or put out.
pub(super) fn active(scene: &dyn Scene) -> Holds {
    let idle = |node: &u32| scene.look(*node).is_some_and(|look| look.phase() != Phase::Active);
    match scene.living().into_iter().find(idle) {
        Some(node) => Err(format!("node {} is not active", node + 1)),
        None => Ok(()),
    }
}

/// `linked_by = "5s"`: everybody who is there has a link with somebody who is, unless alone.
pub(super) fn linked(scene: &dyn Scene) -> Holds {
    let living = scene.living();
    let lonely = |node: &u32| {
        let look = scene.look(*node);
        let linked = |other: &u32| look.is_some_and(|look| look.is_linked(scene.id(*other)));
        !living.iter().any(|other| other != node && linked(other))
    };
    match living.iter().copied().find(lonely) {
        Some(node) if living.len() > 1 => Err(format!("node {} has no link", node + 1)),
        _ => Ok(()),
    }
}

/// `noticed_within = "9s"`: so long after a crash nobody who is there takes the node for alive.
pub(super) struct NoticedWithin {
    pub span: Span,
    pub open: BTreeMap<u32, Time>,
}

impl Expectation for NoticedWithin {
    fn truth(&mut self, truth: &Truth, _: &dyn Scene) -> Holds {
        match truth.fortune {
            Fortune::Crashed => self.open.insert(truth.node, truth.at + self.span.0),
            Fortune::Started | Fortune::Left => self.open.remove(&truth.node),
        };
        Ok(())
    }

    fn look(&mut self, scene: &dyn Scene) -> Holds {
        let now = scene.now();
        let due: Vec<u32> =
            self.open.iter().filter(|(_, at)| **at <= now).map(|(node, _)| *node).collect();
        for gone in due {
            self.open.remove(&gone);
            let id = scene.id(gone);
            let believes = |node: &u32| {
                let standing = scene.look(*node).and_then(|look| look.standing_of(id));
                standing == Some(Standing::Alive)
            };
            if let Some(node) = scene.living().into_iter().find(believes) {
                let (node, gone) = (node + 1, gone + 1);
                let span = self.span.0;
                return Err(format!("{span:?} after its crash node {node} believes in {gone}"));
            }
        }
        Ok(())
    }
}
