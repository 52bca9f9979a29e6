//! Nodes whose own links are the broken ones.

use gossip_mesh::{Fault, FaultEffect, Finding, GoingDownReason, Phase};

use crate::mesh::{Mesh, fragile};

#[tokio::test]
async fn a_node_cut_off_from_all_considers_itself_down_and_comes_back() {
    let mesh = Mesh::of(5, fragile()).await;
    let (alone, others) = (&mesh.members[4], &mesh.members[..4]);
    alone.node.fault(Fault::with_all(FaultEffect::Cut)).await.unwrap();
    let isolated = |it: &Finding| matches!(it, Finding::ConsideredSelfDown { .. }).then_some(());
    alone.finds("that it is alone", 0, isolated).await;
    assert_eq!(alone.overview().await.phase, Phase::Isolated);
    for member in others {
        member.sees_down(alone.id(), 0).await;
    }
    let before = alone.overview().await.incarnation;
    mesh.heal().await;
    mesh.agrees().await;
    assert!(alone.overview().await.incarnation > before);
    mesh.nobody_found(
        "one of the others down",
        |it| matches!(it, Finding::Down { node, .. } if *node != alone.id()),
    );
    mesh.end().await;
}

#[tokio::test]
async fn a_half_broken_node_leaves_by_itself_and_rejoins() {
    // Of 6, four can put out: three that do not reach it cannot, and two vouch for it.
    let mesh = Mesh::of(6, fragile()).await;
    let broken = &mesh.members[0];
    for other in 1..4 {
        mesh.cut(0, other, false).await;
    }
    let leaves = |it: &Finding| match it {
        Finding::GoingDown { reason, .. } => Some(*reason),
        _ => None,
    };
    let (_, reason) = broken.finds("itself to be the broken one", 0, leaves).await;
    assert_eq!(reason, GoingDownReason::SelfDoubt);
    let place = broken.place();
    mesh.heal().await;
    let back = |it: &Finding| matches!(it, Finding::Rejoined { .. }).then_some(());
    broken.finds("the way back", place, back).await;
    mesh.agrees().await;
    mesh.nobody_found("another one down", |it| match it {
        Finding::Down { node, .. } => *node != broken.id(),
        _ => false,
    });
    mesh.end().await;
}
