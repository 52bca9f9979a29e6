//! Single broken links: nobody is put out for one.

use gossip_mesh::{Finding, Standing};

use crate::mesh::{Mesh, fragile};

/// Until one of the two ends has found out that the others reach the other end.
async fn link_down(mesh: &Mesh, a: usize, b: usize) {
    let about = |subject| {
        move |it: &Finding| {
            matches!(it, Finding::LinkDown { node, .. } if *node == subject).then_some(())
        }
    };
    let (one, other) = (&mesh.members[a], &mesh.members[b]);
    tokio::select! {
        _ = one.finds("the link down", 0, about(other.id())) => {}
        _ = other.finds("the link down", 0, about(one.id())) => {}
    }
}

#[tokio::test]
async fn a_link_cut_both_ways_puts_nobody_out_and_resets_nobody() {
    let mesh = Mesh::of(5, fragile()).await;
    mesh.cut(0, 1, false).await;
    link_down(&mesh, 0, 1).await;
    let story = mesh.members[2].node.why(mesh.id(0)).await.unwrap();
    assert_eq!(story.standing, Some(Standing::Alive), "others reach it");
    mesh.heal().await;
    mesh.agrees().await;
    mesh.nobody_went_down();
    mesh.end().await;
}

#[tokio::test]
async fn a_link_cut_one_way_puts_nobody_out_and_resets_nobody() {
    let mesh = Mesh::of(5, fragile()).await;
    mesh.cut(0, 1, true).await;
    link_down(&mesh, 0, 1).await;
    mesh.heal().await;
    mesh.agrees().await;
    mesh.nobody_went_down();
    mesh.end().await;
}
