//! How an input is written into the trace: a number for its kind, and two words.

use super::cast::Cast;
use crate::base::id::NodeId;
use crate::engine::Input;

/// The kind of an input and what tells it from others of its kind. What messages say is taken into
/// the trace where they are sent.
pub(crate) fn of(input: &Input, cast: &Cast) -> (u8, [u64; 2]) {
    let who = |id: &NodeId| cast.number(*id).map_or(u64::MAX, u64::from);
    match input {
        Input::Tick => (1, [0, 0]),
        Input::Opened { peer, life, link } => (2, [who(peer), link.id.0 ^ life.0.rotate_left(32)]),
        Input::Closed { peer, link } => (3, [who(peer), link.0]),
        Input::Pinged { peer, answered, .. } => {
            (4, [who(peer), answered.map_or(u64::MAX, |time| time.as_micros() as u64)])
        }
        Input::Slow { peer } => (5, [who(peer), 0]),
        Input::Dialled { token, peer } => (6, [who(peer), token.0]),
        Input::DialFailed { token, .. } => (7, [token.0, 0]),
        Input::Heard { from, author, sequence, .. } => {
            (8, [who(from) << 32 | who(author) & 0xffff_ffff, *sequence])
        }
        Input::Copy { from, author, sequence } => {
            (9, [who(from) << 32 | who(author) & 0xffff_ffff, *sequence])
        }
        Input::Carried { token, .. } => (10, [token.0, 0]),
        Input::Joined { peer, bucket } => (11, [who(peer), bucket.0.into()]),
        Input::Parted { peer, bucket } => (12, [who(peer), bucket.0.into()]),
        Input::Asked { from, token, .. } => (13, [who(from), token.0]),
        Input::Told { from, .. } => (14, [who(from), 0]),
        Input::Answer { ticket, .. } => (15, [ticket.token.0, ticket.room as u64]),
        Input::Arrived { ticket, .. } => (16, [ticket.token.0, ticket.room as u64]),
        Input::NoAnswer { ticket } => (17, [ticket.token.0, ticket.room as u64]),
        Input::Leave => (18, [0, 0]),
        Input::Topic(_) => (19, [0, 0]),
        Input::Discovery(_) => (20, [0, 0]),
        Input::Listening { .. } => (21, [0, 0]),
        _ => (255, [0, 0]),
    }
}
