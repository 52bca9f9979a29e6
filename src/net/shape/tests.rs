//! A shaped stream over a pipe in memory: when bytes come, and that all of them do.

use std::num::NonZeroU64;
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use tokio::io::DuplexStream;
use tokio::time::{Instant, timeout};

use super::fault::{Fault, FaultEffect, FaultError, FaultPeer, MAX_PEERS};
use super::lane::{Lane, MAX_HELD};
use super::shaper::Shaper;
use super::stream::Shaped;
use super::weather::Weather;
use crate::base::id::NodeId;
use crate::base::key::SecretKey;
use crate::base::time::Time;
use crate::net::clock::Clock;

/// Nothing that is to happen takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// What does not happen within this does not happen.
const A_WHILE: Duration = Duration::from_millis(100);

const SLOW: Duration = Duration::from_millis(60);

type Pipe = Shaped<tokio_compat::Compat>;

/// tokio's pipe in the clothes of `futures`.
mod tokio_compat {
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll, ready};

    use tokio::io::{AsyncRead as _, AsyncWrite as _, DuplexStream, ReadBuf};

    pub struct Compat(pub DuplexStream);

    impl futures::AsyncRead for Compat {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buffer: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            let mut buffer = ReadBuf::new(buffer);
            ready!(Pin::new(&mut self.0).poll_read(cx, &mut buffer))?;
            Poll::Ready(Ok(buffer.filled().len()))
        }
    }

    impl futures::AsyncWrite for Compat {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.0).poll_write(cx, bytes)
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_flush(cx)
        }

        fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_shutdown(cx)
        }
    }
}

fn peer(n: u8) -> NodeId {
    SecretKey::from_seed([n; 32]).id()
}

fn shaper() -> Shaper {
    Shaper::new(7, Clock::start())
}

/// A stream that is known to be with `peer(1)`, and its other end.
fn pipe(shaper: &Shaper) -> (Pipe, DuplexStream) {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let near = Shaped::new(tokio_compat::Compat(near), Some(shaper));
    near.tag().expect("it is shaped").bind(peer(1));
    (near, far)
}

fn set(shaper: &Shaper, effect: FaultEffect) {
    shaper.set(&[Fault::with(peer(1), effect)]).expect("it can be");
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it happens")
}

async fn never<T>(future: impl Future<Output = T>) {
    assert!(timeout(A_WHILE, future).await.is_err(), "it happened");
}

async fn hear(far: &mut DuplexStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    soon(tokio::io::AsyncReadExt::read_exact(far, &mut bytes)).await.expect("open");
    bytes
}

async fn say(far: &mut DuplexStream, bytes: &[u8]) {
    soon(tokio::io::AsyncWriteExt::write_all(far, bytes)).await.expect("open");
}

/// Bytes that differ enough for a mistake of order or number to show.
fn sample(count: usize) -> Vec<u8> {
    (0..count).map(|place| u8::try_from(place % 251).expect("small")).collect()
}

#[tokio::test]
async fn without_faults_bytes_pass_and_the_end_is_seen() {
    let (mut near, mut far) = pipe(&shaper());
    near.write_all(b"out").await.unwrap();
    assert_eq!(hear(&mut far, 3).await, b"out");
    say(&mut far, b"in").await;
    drop(far);
    let mut came = Vec::new();
    soon(near.read_to_end(&mut came)).await.unwrap();
    assert_eq!(came, b"in");
}

#[tokio::test]
async fn what_is_cut_waits_and_comes_whole_when_the_cable_is_mended() {
    let shaper = shaper();
    let (mut near, mut far) = pipe(&shaper);
    set(&shaper, FaultEffect::Cut);
    soon(near.write_all(b"late")).await.unwrap();
    soon(near.flush()).await.unwrap();
    say(&mut far, b"too").await;
    let mut came = [0; 3];
    never(near.read_exact(&mut came)).await;
    never(tokio::io::AsyncReadExt::read_u8(&mut far)).await;
    let mended = async {
        soon(near.read_exact(&mut came)).await.unwrap();
        assert_eq!(&came, b"too");
    };
    let mend = async { set(&shaper, FaultEffect::Clear) };
    // The reader waits before the cable is mended, so it has to be woken.
    tokio::join!(mended, mend);
    assert_eq!(hear(&mut far, 4).await, b"late");
}

#[tokio::test]
async fn one_way_is_one_way() {
    let shaper = shaper();
    let (mut near, mut far) = pipe(&shaper);
    shaper.set(&[Fault::with(peer(1), FaultEffect::Cut).inbound()]).unwrap();
    near.write_all(b"out").await.unwrap();
    near.flush().await.unwrap();
    assert_eq!(hear(&mut far, 3).await, b"out");
    say(&mut far, b"in").await;
    never(near.read(&mut [0; 2])).await;
}

#[tokio::test]
async fn a_cut_holds_a_bounded_number_of_bytes_and_then_pushes_back() {
    let shaper = shaper();
    let (mut near, _far) = pipe(&shaper);
    set(&shaper, FaultEffect::Cut);
    let mut taken = 0;
    while let Ok(count) = timeout(A_WHILE, near.write(&sample(10_000))).await {
        taken += count.unwrap();
        assert!(taken <= MAX_HELD + 16 * 1024, "it never pushes back");
    }
    assert!(taken > MAX_HELD / 2);
    // Many small writes cost more than their bytes.
    let (mut near, _far) = pipe(&shaper);
    let mut writes = 0;
    while timeout(A_WHILE, near.write(&[0])).await.is_ok() {
        writes += 1;
        assert!(writes <= MAX_HELD / 64 + 1, "it never pushes back");
    }
}

#[tokio::test]
async fn a_cut_connection_can_be_closed_without_the_other_side() {
    let shaper = shaper();
    let (mut near, _far) = pipe(&shaper);
    set(&shaper, FaultEffect::Cut);
    near.write_all(b"never heard").await.unwrap();
    soon(near.close()).await.unwrap();
}

#[tokio::test]
async fn a_delay_is_kept_both_ways_and_for_the_last_bytes_too() {
    let shaper = shaper();
    let (mut near, mut far) = pipe(&shaper);
    set(&shaper, FaultEffect::Delay { time: SLOW, jitter: Duration::ZERO });
    let start = Instant::now();
    near.write_all(b"out").await.unwrap();
    let close = async { soon(near.close()).await.unwrap() };
    let (_, heard) = tokio::join!(close, hear(&mut far, 3));
    assert_eq!(heard, b"out");
    assert!(start.elapsed() >= SLOW);

    let start = Instant::now();
    say(&mut far, b"in").await;
    drop(far);
    let mut came = Vec::new();
    soon(near.read_to_end(&mut came)).await.unwrap();
    assert_eq!(came, b"in");
    assert!(start.elapsed() >= SLOW);
}

#[tokio::test]
async fn jitter_never_changes_the_order() {
    let shaper = shaper();
    let (mut near, mut far) = pipe(&shaper);
    set(&shaper, FaultEffect::Delay { time: Duration::ZERO, jitter: SLOW });
    let bytes = sample(100_000);
    let write = async {
        for piece in bytes.chunks(997) {
            near.write_all(piece).await.unwrap();
        }
        soon(near.flush()).await.unwrap();
    };
    let (_, heard) = tokio::join!(write, hear(&mut far, bytes.len()));
    assert_eq!(heard, bytes);
}

#[tokio::test]
async fn lost_segments_stall_and_no_byte_is_missing() {
    let shaper = shaper();
    let (mut near, mut far) = pipe(&shaper);
    set(&shaper, FaultEffect::Loss(0.3));
    let bytes = sample(200_000);
    let start = Instant::now();
    let write = async {
        near.write_all(&bytes).await.unwrap();
        soon(near.flush()).await.unwrap();
    };
    let (_, heard) = tokio::join!(write, hear(&mut far, bytes.len()));
    assert_eq!(heard, bytes);
    assert!(start.elapsed() >= Duration::from_millis(200), "nothing stalled");
    let (_, mut came) = (say(&mut far, &bytes[..50_000]).await, vec![0; 50_000]);
    soon(near.read_exact(&mut came)).await.unwrap();
    assert_eq!(came, bytes[..50_000]);
}

#[tokio::test]
async fn a_rate_is_kept() {
    let shaper = shaper();
    let (mut near, mut far) = pipe(&shaper);
    set(&shaper, FaultEffect::Rate(NonZeroU64::new(200_000).unwrap()));
    let start = Instant::now();
    let bytes = sample(50_000);
    let write = async {
        near.write_all(&bytes).await.unwrap();
        soon(near.flush()).await.unwrap();
    };
    let (_, heard) = tokio::join!(write, hear(&mut far, bytes.len()));
    assert_eq!(heard, bytes);
    assert!(start.elapsed() >= Duration::from_millis(250));
}

#[tokio::test]
async fn a_stream_meets_the_rules_of_its_peer_and_those_for_all() {
    let shaper = shaper();
    shaper.set(&[Fault::with(peer(1), FaultEffect::Cut)]).unwrap();
    let (near, far) = tokio::io::duplex(64);
    let mut near = Shaped::new(tokio_compat::Compat(near), Some(&shaper));
    let mut far = far;
    // Nobody knows yet who it is.
    near.write_all(b"hello").await.unwrap();
    assert_eq!(hear(&mut far, 5).await, b"hello");
    near.tag().unwrap().bind(peer(2));
    near.write_all(b"two").await.unwrap();
    assert_eq!(hear(&mut far, 3).await, b"two");
    shaper.set(&[Fault::with_all(FaultEffect::Cut)]).unwrap();
    say(&mut far, b"x").await;
    never(near.read(&mut [0])).await;
    shaper.set(&[Fault::with_all(FaultEffect::Clear)]).unwrap();
    assert_eq!(soon(near.read(&mut [0])).await.unwrap(), 1);
    assert!(shaper.faults().is_empty(), "to clear all clears single peers too");
}

#[test]
fn what_was_set_is_listed_and_what_is_one_persons_prevails() {
    let shaper = shaper();
    let slow = FaultEffect::Delay { time: SLOW, jitter: Duration::ZERO };
    let faults = [
        Fault::with_all(FaultEffect::Loss(0.5)),
        Fault::with(peer(1), FaultEffect::Cut).outbound(),
        Fault::with(peer(1), slow),
    ];
    shaper.set(&faults).unwrap();
    assert_eq!(shaper.faults(), faults);
    shaper.set(&[Fault::with(peer(1), FaultEffect::Clear)]).unwrap();
    assert_eq!(shaper.faults(), faults[..1]);
    let all = Weather { loss: Some(0.5), cut: true, ..Weather::default() };
    let own = Weather { loss: Some(0.0), ..Weather::default() };
    assert_eq!(own.over(all), Weather { loss: Some(0.0), cut: true, ..all });
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let shaper = shaper();
    let one = |effect| Fault::with(peer(1), effect);
    let long = Duration::from_secs(61);
    for (effect, error) in [
        (FaultEffect::Loss(1.0), FaultError::Loss),
        (FaultEffect::Loss(-0.1), FaultError::Loss),
        (FaultEffect::Loss(f64::NAN), FaultError::Loss),
        (FaultEffect::Delay { time: long, jitter: Duration::ZERO }, FaultError::Delay),
        (FaultEffect::Delay { time: Duration::MAX, jitter: Duration::MAX }, FaultError::Delay),
    ] {
        assert_eq!(shaper.set(&[one(FaultEffect::Cut), one(effect)]), Err(error));
        assert!(shaper.faults().is_empty());
    }
    let many = |count: usize| -> Vec<Fault> {
        let peer = |n: usize| SecretKey::from_seed(blake3::hash(&n.to_be_bytes()).into()).id();
        (0..count).map(|n| Fault::with(peer(n), FaultEffect::Cut)).collect()
    };
    assert_eq!(shaper.set(&many(MAX_PEERS + 1)), Err(FaultError::TooMany));
    shaper.set(&many(MAX_PEERS)).unwrap();
}

#[test]
fn the_same_seed_loses_the_same_segments() {
    let arrivals = |seed| {
        let mut lane = Lane::new(seed);
        lane.change(Weather { loss: Some(0.5), ..Weather::default() });
        let mut arrivals = Vec::new();
        for _ in 0..50 {
            lane.push(Time::ZERO, &[0; 100]);
            arrivals.push(lane.last_arrival());
        }
        arrivals
    };
    assert_eq!(arrivals(1), arrivals(1));
    assert_ne!(arrivals(1), arrivals(2));
    assert!(arrivals(1).is_sorted());
}

#[test]
fn a_fault_has_a_form_for_other_programs() {
    let slow = FaultEffect::Delay { time: SLOW, jitter: Duration::ZERO };
    let fault = Fault::with_all(slow).outbound();
    let text =
        r#"{"peer":"all","direction":"out","effect":{"delay":{"time":"60ms","jitter":"0s"}}}"#;
    assert_eq!(serde_json::to_string(&fault).unwrap(), text);
    let short = r#"{"peer":"all","direction":"out","effect":{"delay":{"time":"60ms"}}}"#;
    assert_eq!(serde_json::from_str::<Fault>(short).unwrap(), fault);
    let one = Fault::with(peer(1), FaultEffect::Loss(0.1));
    let FaultPeer::One(id) = one.peer else { panic!() };
    let text = format!(r#"{{"peer":{{"one":"{id}"}},"direction":"both","effect":{{"loss":0.1}}}}"#);
    assert_eq!(serde_json::to_string(&one).unwrap(), text);
}
