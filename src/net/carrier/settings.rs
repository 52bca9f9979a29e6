//! gossipsub's settings.

use std::time::Duration;

use libp2p::gossipsub::{ConfigBuilder, Message, MessageId, ValidationMode};

use crate::config::{Config, GossipConfig};
use crate::protocol::discovery::Topology;

/// Room above the largest message for gossipsub's own fields and several messages in one read:
/// within 8 KiB of the limit messages get lost when they arrive together.
const HEADROOM: usize = 64 * 1024;

/// gossipsub's settings; each differs from its default for a reason that was measured.
pub fn settings(config: &Config) -> ConfigBuilder {
    let gossip = &config.gossip;
    let mut builder = ConfigBuilder::default();
    let largest = config.topic.max_message_bytes + HEADROOM;
    builder
        .max_transmit_size(largest)
        // One oversized control message would end a link for ever.
        .max_control_message_size(1024 * 1024)
        .max_control_messages_sent(1_000)
        .max_ihave_messages_heartbeat(10 + usize::from(config.topic.buckets))
        .message_id_fn(short_id)
        .heartbeat_interval(gossip.heartbeat)
        .heartbeat_initial_delay(Duration::from_millis(100))
        .duplicate_cache_time(gossip.duplicate_cache)
        .connection_handler_queue_len(gossip.queue_messages)
        .forward_queue_duration(gossip.forward_queue)
        .publish_queue_duration(gossip.forward_queue)
        .prune_backoff(Duration::from_secs(10))
        .unsubscribe_backoff(Duration::from_secs(1))
        // Our own backoff dials, not gossipsub.
        .check_explicit_peers_ticks(u64::MAX)
        .validation_mode(ValidationMode::Strict);
    match config.topology {
        Topology::Open => builder
            .mesh_outbound_min(GossipConfig::MESH_OUTBOUND)
            .mesh_n_low(gossip.mesh_low)
            .mesh_n(gossip.mesh)
            .mesh_n_high(gossip.mesh_high)
            .history_length(12)
            .history_gossip(4)
            .flood_publish(gossip.flood_publish),
        // Only along the edges: every neighbour is an explicit peer, and there is no mesh.
        Topology::Fixed(_) | Topology::Mending { .. } => builder
            .mesh_outbound_min(0)
            .mesh_n_low(0)
            .mesh_n(0)
            .mesh_n_high(0)
            .gossip_lazy(0)
            .gossip_factor(0.0)
            // Nobody is told what there is, so nobody can ask for it: nothing is held for them.
            .history_length(1)
            .history_gossip(0)
            .flood_publish(false),
    };
    builder
}

/// 16 bytes for (author, sequence): gossipsub's own text of 71 bytes overfills control messages.
fn short_id(message: &Message) -> MessageId {
    let mut hasher = blake3::Hasher::new();
    if let Some(author) = message.source {
        hasher.update(&author.to_bytes());
    }
    hasher.update(&message.sequence_number.unwrap_or_default().to_be_bytes());
    let hash = hasher.finalize();
    let (short, _) = hash.as_bytes().split_at(16);
    MessageId::from(short.to_vec())
}
