//! Faults of links.

use gossip_mesh::FaultEffect;
use serde_json::json;

use super::Link;
use super::end::End;
use super::plan::Plan;
use super::wrong::words;
use crate::exit::Failure;
use crate::lab::member::Network;
use crate::render::screen::Screen;

/// Sets this effect on what goes from A to B, and unless it is one way from B to A too.
pub async fn set(link: Link, effect: FaultEffect, screen: Screen) -> Result<(), Failure> {
    let network = link.which.find()?;
    let (a, b) = (End::of(&network, &link.a)?, End::of(&network, &link.b)?);
    check(&network, (a, b), &link, effect)?;
    let mut plan = Plan::default();
    for from in a.members(&network) {
        for to in b.members(&network) {
            plan.add(from, to, effect);
            // Between all and all, the other way is a pair of its own.
            if !link.one_way && !matches!((a, b), (End::All, End::All)) {
                plan.add(to, from, effect);
            }
        }
    }
    if plan.is_empty() {
        return Err(Failure::failed("there is no link: the network has one node"));
    }
    let told = plan.tell(&network).await;
    if effect != FaultEffect::Cut || told.told.is_empty() {
        told.all()?;
    } else if !told.not_told.is_empty() {
        // A cut holds as soon as one side makes it.
        screen.remark(&told.missing());
    }
    if screen.json {
        return screen.document(&json!({
            "a": a.to_string(),
            "b": b.to_string(),
            "one_way": link.one_way,
            "effect": effect,
            "told": told.told,
            "not_told": told.not_told,
        }));
    }
    let arrow = if link.one_way { "→" } else { "↔" };
    screen.show(format!("{a} {arrow} {b}: {}\n", words(&effect)))
}

/// Refuses what could have no effect.
fn check(
    network: &Network,
    (a, b): (End<'_>, End<'_>),
    link: &Link,
    effect: FaultEffect,
) -> Result<(), Failure> {
    if let (End::One(a), End::One(b)) = (a, b)
        && a.number == b.number
    {
        return Err(Failure::usage(format!(
            "a link has two ends, and both were node {}: name another one, or `all`",
            a.number
        )));
    }
    let mut senders = vec![(a, &link.a)];
    if !link.one_way {
        senders.push((b, &link.b));
    }
    let by_both = matches!(effect, FaultEffect::Cut | FaultEffect::Clear);
    for (end, text) in senders {
        // A delay is set by who sends; it forgets all faults when it ends.
        if matches!(end, End::One(_)) && !by_both {
            network.running(Some(text))?;
        }
    }
    let runs = |end: End<'_>| end.members(network).iter().any(|member| member.is_running());
    if by_both && !runs(a) && !runs(b) {
        network.running(Some(&link.a))?;
    }
    Ok(())
}
