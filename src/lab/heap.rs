//! The heap instrument: blocks, bytes and peak bytes of one run, counted by dhat.
//!
//! A routine is built, runs once to warm up, and one run more is counted. Where threads share the work this is done three
//! times, each from a fresh routine: which of them allocates can differ, and a record keeps the smallest and the largest
//! count. What the team itself allocates to hand out a run (a Vec and a few channel blocks) is in these counts.
//!
//! dhat counts a `realloc` as a new block of the full new size, also one that is extended in place: where a variant has a
//! buffer that can move, its moves are counted beside the blocks. Nothing is ever timed in this target, and dhat does not
//! see mmap.

use std::process::ExitCode;

pub use dhat::Alloc;
use dhat::{HeapStats, Profiler};

use super::session::machine;
use super::session::{self, Session, SessionError};
use crate::record::Record;
use crate::trap::{Instrument, Point, Trap, Variant, Work};

/// How often a variant is counted. One thread allocates the same in every run; several may not.
const fn repeats(point: &Point) -> usize {
    if point.threads == 1 { 1 } else { 3 }
}

/// The main function of a `heap` bench target over these traps. The target must have [`Alloc`] as its global allocator.
#[must_use]
pub fn main(traps: &[Trap]) -> ExitCode {
    session::main(Instrument::Heap, traps, measure)
}

fn measure(session: &mut Session<'_>) -> Result<(), SessionError> {
    // dhat forwards to the system's allocator, whichever the other targets use.
    session.run.provenance.allocator = Some(machine::system_allocator());
    let seen: Vec<&Trap> = session.traps.iter().copied().filter(|t| t.blind_to(Instrument::Heap).is_none()).collect();
    session.progress.steps(seen.iter().map(|t| t.points.len()).sum());
    let mut records = session.unseen();
    for trap in seen {
        session.progress.say(&format!("counting the blocks of {}", trap.name));
        for point in trap.points {
            let run = &session.run.run;
            let record = |v: &Variant| Record::of_variant(trap, point, v, Instrument::Heap, run);
            records.extend(trap.variants.iter().flat_map(|v| counted(&record(v), v, point)));
            session.progress.step();
        }
    }
    session.put(records)
}

fn counted(record: &Record, variant: &Variant, point: &Point) -> Vec<Record> {
    let counts: Vec<HeapStats> = (0..repeats(point)).map(|_| count(variant, point)).collect();
    let metric = |metric, unit, of: fn(&HeapStats) -> u64| exact(record, metric, unit, counts.iter().map(of));
    let mut records = vec![
        metric("blocks", "count", |s| s.total_blocks),
        metric("bytes", "bytes", |s| s.total_bytes),
        metric("peak_bytes", "bytes", |s| s.max_bytes as u64),
    ];
    records
        .extend(variant.moves.map(|moves| exact(record, "moves", "count", (0..repeats(point)).map(|_| moves(point)))));
    records
}

fn count(variant: &Variant, point: &Point) -> HeapStats {
    let mut routine = (variant.batch)(point);
    routine.block(Work::Runs(1));
    // Few frames: where a block comes from is not asked here, and unwinding is most of the time that counting takes.
    let profiler = Profiler::builder().testing().trim_backtraces(Some(4)).build();
    routine.block(Work::Runs(1));
    let stats = HeapStats::get();
    drop(profiler);
    stats
}

// A count that came out the same each time, or the range of it.
fn exact(record: &Record, metric: &str, unit: &str, counts: impl Iterator<Item = u64>) -> Record {
    let samples: Vec<f64> = counts.map(|count| count as f64).collect();
    let low = samples.iter().copied().fold(f64::INFINITY, f64::min);
    let high = samples.iter().copied().fold(0.0, f64::max);
    record.clone().measured(metric, unit, [low, samples[0], high], samples)
}
