//! Networks in pieces: the majority alone decides.

use futures::future::select;
use gossip_mesh::{Finding, GoingDownReason, NodeId};

use crate::mesh::{Mesh, fragile, is_fall};

/// Ends of suspicions for want of votes.
fn undecided(finding: &Finding) -> Option<()> {
    matches!(finding, Finding::SuspicionEnded { .. } | Finding::ConsideredSelfDown { .. })
        .then_some(())
}

#[tokio::test]
async fn equal_halves_put_nobody_out() {
    let mesh = Mesh::of(4, fragile()).await;
    mesh.split(2).await;
    // The others of a side wait for the one that asks.
    let [a, b, c, d] = [0, 1, 2, 3]
        .map(|number| Box::pin(mesh.members[number].finds("the end of a suspicion", 0, undecided)));
    tokio::join!(select(a, b), select(c, d));
    mesh.nobody_went_down();
    mesh.heal().await;
    mesh.agrees().await;
    mesh.nobody_went_down();
    mesh.end().await;
}

#[tokio::test]
async fn the_larger_side_alone_decides_and_all_are_back_after_the_heal() {
    let mesh = Mesh::of(5, fragile()).await;
    let (larger, smaller) = mesh.members.split_at(3);
    let before = smaller[0].overview().await.incarnation;
    mesh.split(3).await;
    for member in larger {
        for lost in smaller {
            member.sees_down(lost.id(), 0).await;
        }
    }
    for member in smaller {
        let found = member.found();
        assert!(!found.iter().any(is_fall), "the smaller side decides nothing: {found:#?}");
    }
    mesh.heal().await;
    mesh.agrees().await;
    let inside: Vec<NodeId> = larger.iter().map(|member| member.id()).collect();
    mesh.nobody_found(
        "one of the larger side down",
        |it| matches!(it, Finding::Down { node, .. } if inside.contains(node)),
    );
    assert!(smaller[0].overview().await.incarnation > before, "it came back as a newer one");
    mesh.end().await;
}

#[tokio::test]
async fn whoever_was_put_out_unheard_is_told_with_a_proof_when_it_comes_back() {
    let mesh = Mesh::of(6, fragile()).await;
    // Two of six are cut off, and reach each other: none of them thinks that it is alone.
    mesh.split(4).await;
    let (inside, outside) = mesh.members.split_at(4);
    for member in inside {
        for lost in outside {
            member.sees_down(lost.id(), 0).await;
        }
    }
    mesh.heal().await;
    mesh.agrees().await;
    let proofs: Vec<_> = outside
        .iter()
        .flat_map(|member| member.found())
        .filter_map(|it| match it {
            Finding::TakedownReceived { certificate, .. } => Some(certificate),
            _ => None,
        })
        .collect();
    for proof in &proofs {
        assert_eq!(proof.check(), Ok(()));
        assert!(
            proof.quorum() >= 4
                && proof.voters().all(|voter| { inside.iter().any(|member| member.id() == voter) })
        );
    }
    let told = outside.iter().filter(|member| {
        let obeyed = |it: &Finding| {
            matches!(it, Finding::GoingDown { reason: GoingDownReason::Takedown, .. })
        };
        let isolated = |it: &Finding| matches!(it, Finding::ConsideredSelfDown { .. });
        member.found().iter().any(obeyed) || member.found().iter().any(isolated)
    });
    assert_eq!(told.count(), 2, "each was told or knew by itself");
    mesh.end().await;
}
