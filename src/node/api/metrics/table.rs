//! Every metric there is. A new one is a line here.

use std::collections::BTreeMap;

use super::metric::MetricKind::{Counter, Gauge, Histogram};
use super::metric::{Metric, Reading, Sample, seconds};
use crate::node::members::own_standing;
use crate::node::{Overview, Peer, Stats};
use crate::protocol::membership::{Phase, Standing};

/// Links whose round trips are shown: those with the lowest ids.
const MAX_PEERS: usize = 256;

/// All metrics of a node that stands like this.
pub(in crate::node::api) fn metrics(node: &Overview, peers: &[Peer]) -> Vec<Metric> {
    let mut metrics = Vec::from(identity(node));
    metrics.extend(messages(&node.stats));
    metrics.extend(repairs(&node.stats));
    metrics.extend(readers(&node.stats));
    metrics.extend(links(node, peers));
    metrics.extend(members(node, peers));
    metrics.extend(turns(&node.stats));
    metrics
}

fn identity(node: &Overview) -> [Metric; 2] {
    let labels = [
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("id", node.id.to_string()),
        ("name", node.name.clone()),
        ("network", node.network.clone()),
    ];
    let labels = labels.map(|(label, of)| (label.into(), of)).into();
    let value = Reading::Count(1);
    [
        Metric {
            name: "gossip_node_info".into(),
            help: "Which node this is; always 1".into(),
            kind: Gauge,
            samples: vec![Sample { labels, value }],
        },
        Metric::one(
            Gauge,
            "gossip_uptime_seconds",
            "For how long the node has run",
            node.uptime.as_secs_f64().into(),
        ),
    ]
}

#[rustfmt::skip]
fn messages(stats: &Stats) -> [Metric; 13] {
    let (topic, lost, refused) = (&stats.topic, &stats.undelivered, &stats.publish_refused);
    [
        Metric::one(Counter, "gossip_messages_published_total",
            "Messages published here", topic.published.into()),
        Metric::one(Counter, "gossip_messages_received_total",
            "Messages received of topics read here, each once", topic.received.into()),
        Metric::one(Counter, "gossip_messages_delivered_total",
            "Messages handed to subscriptions, counted for each", topic.delivered.into()),
        Metric::one(Counter, "gossip_messages_duplicate_total",
            "Copies dropped because the message had been received", topic.duplicates.into()),
        Metric::each(Counter, "gossip_messages_dropped_total",
            "Messages that somebody did not get, or that nobody here wanted", "reason", [
                ("malformed", topic.malformed),
                ("not_read_here", topic.unread),
                ("lost", topic.lost),
                ("no_reader", lost.no_reader),
                ("not_sent", lost.not_sent),
                ("slow_subscription", lost.missed),
                ("undecodable", lost.undecodable),
                ("handler_panicked", lost.panicked),
            ]),
        Metric::each(Counter, "gossip_publish_refused_total",
            "Messages that were not accepted of a publisher here", "reason", [
                ("too_large", refused.too_large),
                ("waiting_full", refused.waiting_full),
                ("bad_name", refused.bad_name),
                ("nobody_reads", refused.nobody_reads),
                ("groups_busy", refused.groups_busy),
            ]),
        Metric::one(Counter, "gossip_publisher_refused_total",
            "Messages of publishers who wait for no reply, refused for want of room",
            topic.refused.into()),
        Metric::one(Counter, "gossip_receipts_lost_total",
            "Receipts that could not be passed on to the author", topic.receipts_lost.into()),
        Metric::one(Gauge, "gossip_waiting_messages",
            "Messages that wait to be sent", topic.waiting.into()),
        Metric::one(Counter, "gossip_group_messages_sent_again_total",
            "Messages sent to another member of a queue group", topic.sent_again.into()),
        Metric::one(Gauge, "gossip_group_messages_unconfirmed",
            "Messages that wait for a member of a queue group to confirm them",
            topic.unconfirmed.into()),
        Metric::one(Gauge, "gossip_kept_messages",
            "Messages kept to be read again", topic.kept.into()),
        Metric::one(Gauge, "gossip_kept_bytes",
            "Bytes of the payloads of kept messages", topic.kept_bytes.into()),
    ]
}

#[rustfmt::skip]
fn repairs(stats: &Stats) -> [Metric; 14] {
    let (topic, stream) = (&stats.topic, &stats.stream);
    [
        Metric::one(Counter, "gossip_batches_sent_total",
            "Batches sent, each of one message or more", topic.batches.into()),
        Metric::one(Counter, "gossip_batches_forged_total",
            "Batches refused because their author had not signed them", topic.forged.into()),
        Metric::one(Counter, "gossip_batches_unexpandable_total",
            "Compressed batches that did not expand to what their authors said",
            topic.unexpandable.into()),
        Metric::one(Counter, "gossip_messages_sent_by_tree_total",
            "Messages published here that went out by the tree carrier", topic.by_tree.into()),
        Metric::one(Counter, "gossip_repairs_asked_total",
            "Questions asked for messages that were missing", topic.repairs_asked.into()),
        Metric::one(Counter, "gossip_messages_repaired_total",
            "Messages that came in answer to them", topic.repaired.into()),
        Metric::one(Counter, "gossip_repairs_given_total",
            "Batches given to others that lacked them", topic.repairs_given.into()),
        Metric::one(Counter, "gossip_history_given_total",
            "Batches given to late joiners", topic.history_given.into()),
        Metric::one(Counter, "gossip_messages_caught_up_total",
            "Messages delivered from before their subscription", topic.caught_up.into()),
        Metric::one(Gauge, "gossip_history_bytes",
            "Bytes of batches kept for late joiners", topic.history_bytes.into()),
        Metric::one(Gauge, "gossip_lacking_feeds",
            "Feeds (author, life, topic) that lack something", topic.lacking.into()),
        Metric::one(Gauge, "gossip_early_bytes",
            "Bytes that wait for what is missing before them", topic.early_bytes.into()),
        Metric::one(Gauge, "gossip_recent_bytes",
            "Bytes of batches kept to repair others", topic.recent_bytes.into()),
        Metric::each(Counter, "gossip_streams_closed_total",
            "Streams of the tree carrier that ended though their link lived", "reason", [
                ("forged", stream.forged),
                ("malformed", stream.malformed),
                ("overfull", stream.overfull),
                ("broken", stream.broken),
            ]),
    ]
}

#[rustfmt::skip]
fn readers(stats: &Stats) -> [Metric; 6] {
    let Stats { readers, carrier, tree, .. } = stats;
    [
        Metric::one(Gauge, "gossip_subscriptions",
            "Subscriptions", readers.subscriptions.into()),
        Metric::one(Gauge, "gossip_undelivered_messages",
            "Messages that subscriptions have still to take, of all of them",
            readers.undelivered.into()),
        Metric::one(Gauge, "gossip_subscription_lag_messages",
            "Messages that the slowest subscription has still to take", readers.lag.into()),
        Metric::one(Counter, "gossip_delivered_bytes_total",
            "Bytes of payloads handed to subscriptions", readers.delivered_bytes.into()),
        Metric::each(Counter, "gossip_carrier_sent_bytes_total",
            "Bytes sent by a carrier: by gossipsub those published here, each frame once; by the \
             tree every copy, of others' messages too", "carrier",
            [("gossipsub", carrier.published_bytes), ("tree", tree.sent_bytes)]),
        Metric::each(Counter, "gossip_carrier_received_bytes_total",
            "Bytes that a carrier brought from neighbours, every copy counted", "carrier",
            [("gossipsub", carrier.received_bytes), ("tree", tree.received_bytes)]),
    ]
}

#[rustfmt::skip]
fn links(node: &Overview, peers: &[Peer]) -> [Metric; 14] {
    let Stats { link, discovery, door, .. } = &node.stats;
    [
        Metric::one(Gauge, "gossip_links",
            "Live links", (node.links as u64).into()),
        Metric::one(Counter, "gossip_links_opened_total",
            "Links that came to be", link.opened.into()),
        Metric::one(Counter, "gossip_reconnects_total",
            "Links that came to be with a peer that had been linked before", link.reopened.into()),
        Metric::one(Counter, "gossip_links_closed_total",
            "Links that ended", link.closed.into()),
        Metric::one(Counter, "gossip_dials_total",
            "Dials begun", discovery.dials.into()),
        Metric::one(Counter, "gossip_dials_failed_total",
            "Dials that led to no link", discovery.dials_failed.into()),
        Metric::each(Counter, "gossip_connections_refused_total",
            "Connections refused by this node at the hello", "reason",
            node.stats.refused.clone()),
        Metric::each(Counter, "gossip_connections_refused_by_peers_total",
            "Connections of this node refused by others at the hello", "reason",
            node.stats.refused_by_peers.clone()),
        Metric::each(Counter, "gossip_connections_failed_total",
            "Connections that ended before or in their hello without a refusal", "reason",
            [("silent", node.stats.silent), ("broken", node.stats.broken)]),
        Metric::one(Gauge, "gossip_door_links",
            "Connections of foreign programs", door.links.into()),
        Metric::one(Counter, "gossip_door_refused_total",
            "Connections of foreign programs that were refused or broke off", door.refused.into()),
        Metric::one(Counter, "gossip_door_messages_lost_total",
            "Messages a foreign program did not get because its queue was full", door.lost.into()),
        Metric::one(Gauge, "gossip_cards",
            "Cards held, the own one too", discovery.cards.into()),
        round_trips(peers),
    ]
}

/// A link's peer is told by the end of its id, and for people by its name, which others may have
/// too.
fn round_trips(peers: &[Peer]) -> Metric {
    let sample = |peer: &Peer| {
        let labels = [("peer", peer.id.short()), ("name", peer.name.clone())];
        let labels: BTreeMap<_, _> = labels.map(|(label, of)| (label.into(), of)).into();
        Some(Sample { labels, value: peer.round_trip?.as_secs_f64().into() })
    };
    Metric {
        name: "gossip_link_round_trip_seconds".into(),
        help: "The last round trip of a ping, for each link".into(),
        kind: Gauge,
        samples: peers
            .iter()
            .filter(|peer| peer.linked)
            .filter_map(sample)
            .take(MAX_PEERS)
            .collect(),
    }
}

#[rustfmt::skip]
fn members(node: &Overview, peers: &[Peer]) -> [Metric; 13] {
    let Stats { membership, discovery, .. } = &node.stats;
    let standing = |wanted: Standing| {
        let others = peers.iter().filter(|peer| peer.standing == wanted).count() as u64;
        others + u64::from(own_standing(node.phase) == wanted)
    };
    let phase = |wanted: Phase| u64::from(node.phase == wanted);
    [
        Metric::each(Gauge, "gossip_members",
            "Members as seen from here, this node too, by how they stand", "standing", [
                ("alive", standing(Standing::Alive)),
                ("suspected", standing(Standing::Suspected)),
                ("unreachable", standing(Standing::Unreachable)),
                ("down", standing(Standing::Down)),
                ("left", standing(Standing::Left)),
            ]),
        Metric::one(Gauge, "gossip_members_agreed",
            "Members whose votes count, this node too", u64::from(node.agreed).into()),
        Metric::each(Gauge, "gossip_membership_phase",
            "1 for the condition in which this node is as a member", "phase", [
                ("joining", phase(Phase::Joining)),
                ("active", phase(Phase::Active)),
                ("isolated", phase(Phase::Isolated)),
                ("downed", phase(Phase::Downed)),
            ]),
        Metric::one(Gauge, "gossip_membership_distrust",
            "How little this node trusts its own probes: 0 is well, 7 is worst",
            u64::from(node.health).into()),
        Metric::one(Counter, "gossip_probes_total",
            "Probes sent", membership.probes.into()),
        Metric::one(Counter, "gossip_probes_missed_total",
            "Probes without an answer in time", membership.misses.into()),
        Metric::one(Counter, "gossip_suspicions_total",
            "Suspicions that this node began", membership.suspicions.into()),
        Metric::one(Counter, "gossip_testimonies_total",
            "Questions about others that this node answered as a witness",
            membership.testimonies.into()),
        Metric::one(Counter, "gossip_verdicts_total",
            "Verdicts recorded, of this node's rounds and of others'", membership.verdicts.into()),
        Metric::one(Counter, "gossip_refutations_total",
            "Suspicions of itself that this node contradicted", membership.refutations.into()),
        Metric::one(Counter, "gossip_resets_total",
            "How often this node went down, by itself or by a verdict", membership.resets.into()),
        Metric::one(Counter, "gossip_statements_refused_total",
            "Statements, certificates and good-byes refused: forged, foreign, stale",
            membership.forged.into()),
        Metric::one(Counter, "gossip_cards_refused_total",
            "Cards refused: bad signature, too large, malformed", discovery.cards_refused.into()),
    ]
}

#[rustfmt::skip]
fn turns(stats: &Stats) -> [Metric; 5] {
    let turns = &stats.turns;
    [
        Metric::one(Counter, "gossip_loop_ticks_total",
            "Times the node woke up because a deadline came", stats.ticks.into()),
        Metric::one(Histogram, "gossip_loop_lag_seconds",
            "How late the node was for its deadlines", (&turns.lag).into()),
        Metric::one(Gauge, "gossip_loop_last_lag_seconds",
            "How late the node was for its last deadline", seconds(turns.last_lag_us).into()),
        Metric::one(Histogram, "gossip_loop_turn_seconds",
            "How long the turns of the node took, without the network's own work",
            (&turns.turns).into()),
        Metric::one(Gauge, "gossip_loop_commands_waiting",
            "Commands that wait for the node", turns.commands_waiting.into()),
    ]
}
