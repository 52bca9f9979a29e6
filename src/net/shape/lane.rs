//! One direction of a stream: bytes under way, each with the moment it arrives.

use std::collections::VecDeque;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::weather::Weather;
use crate::base::time::Time;

/// A lane that holds so many bytes, with what holding them costs, takes no more. Enough for 10 MB/s
/// at 50 ms.
pub(super) const MAX_HELD: usize = 512 * 1024;

/// What a chunk costs beside its bytes, at most: many small writes must not become much memory.
const CHUNK_COST: usize = 64;

/// What is lost in one piece: the payload of a usual TCP segment.
const SEGMENT: usize = 1_400;

/// The least retransmission timeout of Linux; it doubles with each loss of the same segment.
const RETRANSMIT: Duration = Duration::from_millis(200);

/// Retransmissions of one segment at most: the last of them would come after 200 s.
const MAX_LOSSES: u32 = 10;

/// Bytes under way in one direction, first in, first out.
pub(super) struct Lane {
    weather: Weather,
    calm: bool,
    chunks: VecDeque<Chunk>,
    held: usize,
    /// When the last byte in here arrives; nothing overtakes it.
    last: Time,
    /// When the bytes before have left, where there is a rate.
    left: Time,
    rng: ChaCha8Rng,
}

struct Chunk {
    arrival: Time,
    bytes: Vec<u8>,
    /// How many of them have gone on.
    gone: usize,
}

impl Lane {
    pub fn new(seed: u64) -> Self {
        Self {
            weather: Weather::default(),
            calm: true,
            chunks: VecDeque::new(),
            held: 0,
            last: Time::ZERO,
            left: Time::ZERO,
            rng: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    /// Nothing is under way and nothing is wrong: the lane is not needed.
    pub fn is_clear(&self) -> bool {
        self.calm && self.chunks.is_empty()
    }

    pub fn is_cut(&self) -> bool {
        self.weather.cut
    }

    /// From now on this is wrong. Where nothing is, what was held back arrives at once.
    pub fn change(&mut self, weather: Weather) {
        self.calm = weather.is_calm();
        self.weather = weather;
        if self.calm {
            self.last = Time::ZERO;
            self.left = Time::ZERO;
            self.chunks.iter_mut().for_each(|chunk| chunk.arrival = Time::ZERO);
        }
    }

    pub fn has_room(&self) -> bool {
        self.held < MAX_HELD
    }

    /// Takes all of the bytes; whoever calls asks first whether there is room.
    pub fn push(&mut self, now: Time, bytes: &[u8]) {
        let largest = if self.weather.loss.is_some() { SEGMENT } else { bytes.len().max(1) };
        for piece in bytes.chunks(largest) {
            let arrival = self.arrival_of(now, piece.len());
            self.held += piece.len() + CHUNK_COST;
            self.chunks.push_back(Chunk { arrival, bytes: piece.to_vec(), gone: 0 });
        }
    }

    /// When the next byte arrives; `None` when none is under way.
    pub fn next_arrival(&self) -> Option<Time> {
        self.chunks.front().map(|chunk| chunk.arrival)
    }

    /// When the last byte arrives.
    pub fn last_arrival(&self) -> Time {
        self.chunks.back().map_or(Time::ZERO, |chunk| chunk.arrival)
    }

    /// The next bytes, whether or not they have arrived.
    pub fn front(&self) -> &[u8] {
        self.chunks.front().and_then(|chunk| chunk.bytes.get(chunk.gone..)).unwrap_or_default()
    }

    /// The first `count` of the next bytes have gone on.
    pub fn advance(&mut self, count: usize) {
        let Some(chunk) = self.chunks.front_mut() else { return };
        chunk.gone += count;
        if chunk.gone >= chunk.bytes.len() {
            self.held = self.held.saturating_sub(chunk.bytes.len() + CHUNK_COST);
            self.chunks.pop_front();
        }
    }

    fn arrival_of(&mut self, now: Time, length: usize) -> Time {
        let mut arrival = now;
        if let Some(rate) = self.weather.rate {
            let length = u64::try_from(length).unwrap_or(u64::MAX);
            let micros = length.saturating_mul(1_000_000) / rate;
            self.left = self.left.max(now) + Duration::from_micros(micros);
            arrival = self.left;
        }
        if let Some((time, jitter)) = self.weather.delay {
            arrival = arrival + time + jitter.mul_f64(self.rng.random::<f64>());
        }
        if let Some(loss) = self.weather.loss {
            arrival = arrival + self.stall(loss);
        }
        self.last = self.last.max(arrival);
        self.last
    }

    /// How much later a segment comes for having been lost, perhaps more than once.
    fn stall(&mut self, loss: f64) -> Duration {
        let mut losses = 0;
        // The rules were checked: it is a probability.
        while losses < MAX_LOSSES && self.rng.random_bool(loss) {
            losses += 1;
        }
        RETRANSMIT * ((1 << losses) - 1)
    }
}
