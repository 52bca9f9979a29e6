//! What messages cost in the machines: a batch made and checked, and its way through the engine of
//! a node that reads it, in order, too early and again. `cargo bench --bench topic`.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{
    BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main,
    measurement::WallTime,
};
use gossip_mesh::sim::hot::{Reader, Writer, open};

/// Messages of a batch and their size: as batches are filled at 64 KiB of payload.
const BATCHES: [(usize, usize); 4] = [(1, 100), (640, 100), (64, 1_024), (1, 65_536)];
/// Batches that go through an engine in one go.
const RUN: usize = 32;

fn payloads(count: usize, size: usize) -> Vec<Bytes> {
    (0..count).map(|number| Bytes::from(vec![number as u8; size])).collect()
}

/// Batches that follow one another, and who wrote them.
fn run(count: usize, size: usize) -> (Writer, Vec<Bytes>) {
    let mut writer = Writer::new(1);
    let batches = (0..RUN).map(|_| writer.seal(&payloads(count, size))).collect();
    (writer, batches)
}

/// Calls a bench for every kind of batch, with the number of its messages as its elements.
fn each(
    c: &mut Criterion,
    name: &str,
    bench: impl Fn(&mut BenchmarkGroup<WallTime>, String, usize, usize),
) {
    let mut group = c.benchmark_group(name);
    for (count, size) in BATCHES {
        group.throughput(Throughput::Elements(count as u64));
        bench(&mut group, format!("{count} of {size} bytes"), count, size);
    }
    group.finish();
}

fn encode(c: &mut Criterion) {
    each(c, "encode and sign", |group, name, count, size| {
        let (mut writer, payloads) = (Writer::new(1), payloads(count, size));
        group.bench_function(name, |b| b.iter(|| writer.seal(black_box(&payloads))));
    });
}

fn decode(c: &mut Criterion) {
    each(c, "decode and check", |group, name, count, size| {
        let wire = Writer::new(1).seal(&payloads(count, size));
        assert_eq!(open(&wire), count);
        group.bench_function(name, |b| b.iter(|| open(black_box(&wire))));
    });
}

/// From the network's word to the delivery.
fn route(c: &mut Criterion) {
    each(c, "route and deliver", |group, name, count, size| {
        let (writer, batches) = run(count, size);
        group.throughput(Throughput::Elements((count * RUN) as u64));
        hear(group, name, &writer, &batches, count * RUN);
    });
}

/// The first batch comes last: all others wait for it.
fn reorder(c: &mut Criterion) {
    each(c, "reorder and deliver", |group, name, count, size| {
        let (writer, mut batches) = run(count, size);
        batches.rotate_left(1);
        group.throughput(Throughput::Elements((count * RUN) as u64));
        hear(group, name, &writer, &batches, count * RUN);
    });
}

fn hear(
    group: &mut BenchmarkGroup<WallTime>,
    name: String,
    writer: &Writer,
    batches: &[Bytes],
    wanted: usize,
) {
    group.bench_function(name, |b| {
        b.iter_batched_ref(
            || Reader::new(writer.id()),
            |reader| {
                let delivered: usize = batches.iter().map(|wire| reader.hear(wire)).sum();
                assert_eq!(delivered, wanted);
            },
            BatchSize::PerIteration,
        );
    });
}

/// A batch that was here before.
fn dedup(c: &mut Criterion) {
    each(c, "drop a copy", |group, name, count, size| {
        let mut writer = Writer::new(1);
        let wire = writer.seal(&payloads(count, size));
        let mut reader = Reader::new(writer.id());
        assert_eq!(reader.hear(&wire), count);
        group.bench_function(name, |b| b.iter(|| assert_eq!(reader.hear(black_box(&wire)), 0)));
    });
}

criterion_group!(benches, encode, decode, route, reorder, dedup);
criterion_main!(benches);
