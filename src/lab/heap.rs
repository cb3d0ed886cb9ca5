//! The heap instrument: blocks, bytes, peak bytes and held bytes of one run, counted by dhat.
//!
//! Every cell is counted three times, in a quick run once, each time by a fresh thread: it builds the routine, runs it once to warm up, and
//! counts one run more. Thread-locals start empty and workers are new, so that nothing is left of the count before. The
//! main thread only waits, and progress is told between cells: nothing else allocates in the process. If they agree,
//! the count is exact; where threads share work, which of them allocates can differ, and the record is a range.
//!
//! | metric | what it counts |
//! |---|---|
//! | `blocks`, `bytes` | what the counted run asked for |
//! | `peak_bytes` | the most of it that was live at once |
//! | `held_bytes` | what the warm-up run left behind for the runs to come: live after it, beyond what the routine was built with. Of a pool or a reused buffer `peak_bytes` is 0, and this is not |
//! | `moves` | how often a buffer that can move did, where the variant says so |
//! | `live_bytes_per_op` | at points of what is held: the bytes that an op of the second half leaves live |
//!
//! dhat counts a `realloc` as a new block of the full new size, also one that is extended in place: that is why moves are
//! counted beside the blocks. They depend on what the heap has been used for before, so they differ from run to run and are
//! not exact; no other metric does. Nothing is ever timed in this target, and dhat does not see mmap.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

pub use dhat::Alloc;
use dhat::{HeapStats, Profiler};

use super::session::check::said;
use super::session::{self, Session, SessionError, machine, signals};
use crate::record::Record;
use crate::routine::crews_alone;
use crate::trap::{Build, Hold, Instrument, Point, Trap, Variant, Work};

/// How often a cell is counted, and how often in a quick run.
const COUNTS: usize = 3;
const QUICK: usize = 1;
// As much as a main thread has, on which the check ran before: what passed there must not overflow here.
const STACK: usize = 8 << 20;

/// The main function of a `heap` bench target over these traps. The target must have [`Alloc`] as its global allocator.
#[must_use]
pub fn main(traps: &[Trap]) -> ExitCode {
    session::main(Instrument::Heap, traps, measure)
}

fn measure(session: &mut Session<'_>) -> Result<(), SessionError> {
    // dhat forwards to the system's allocator, whichever the other targets use.
    session.run.provenance.allocator = Some(machine::system_allocator());
    let interrupted = signals::heed();
    crews_alone();
    let seen = session.seen_traps();
    session
        .progress
        .steps(seen.iter().map(|t| session::measured_points(Instrument::Heap, session.args.quick, t).len()).sum());
    let mut records = Vec::new();
    for trap in seen {
        session.progress.pass(&format!("counting the blocks of {}", trap.name));
        match counted_trap(session, trap, &interrupted) {
            Some(counted) => {
                records.extend(counted);
                session.put(records.clone())?;
            }
            None => {
                session.run.partial = Some(format!("interrupted while {} was counted", trap.name));
                break;
            }
        }
    }
    // Behind the counts, for the report takes points in the order of the records.
    records.extend(session.unseen());
    session.put(records)
}

// None if it was interrupted: a trap is counted whole or not at all.
fn counted_trap(session: &Session<'_>, trap: &Trap, interrupted: &AtomicBool) -> Option<Vec<Record>> {
    let times = if session.args.quick { QUICK } else { COUNTS };
    let mut records = Vec::new();
    for point in &session::measured_points(Instrument::Heap, session.args.quick, trap) {
        // Keeps the input of a point alive, so that it is made once and not under the profiler: following every block of a large
        // one is most of the time that counting takes.
        let _input = point.is_batch().then(|| (trap.baseline().batch)(point));
        for variant in trap.variants_seen(point, Instrument::Heap) {
            if interrupted.load(Ordering::Relaxed) {
                return None;
            }
            session.progress.say(&format!("{} at {point}: {}", trap.name, variant.name));
            let cell = Record::of_variant(trap, point, variant, Instrument::Heap, &session.run.run);
            records.extend(counted(&cell, variant, point, times));
        }
        session.progress.step();
    }
    Some(records)
}

fn counted(cell: &Record, variant: &Variant, point: &Point, times: usize) -> Vec<Record> {
    let records = match variant.hold.filter(|_| point.held) {
        Some(hold) => live(cell, hold, *point, times).map(|record| vec![record]),
        None => of_a_run(cell, variant, *point, times),
    };
    records.unwrap_or_else(|why| vec![cell.clone().failed(why)])
}

// What an op adds to what is live, over the second half of the ops: a bounded thing has filled up by then.
fn live(cell: &Record, hold: fn(&Point) -> Hold, point: Point, times: usize) -> Result<Record, String> {
    let counts: Result<Vec<f64>, String> = (0..times).map(|_| afresh(move || count_held(hold, &point))).collect();
    Ok(exact(cell, "live_bytes_per_op", "bytes", counts?.into_iter()))
}

fn count_held(hold: fn(&Point) -> Hold, point: &Point) -> f64 {
    let _profiler = profiler();
    let mut hold = hold(point);
    let (first, second) = (point.n / 2, point.n - point.n / 2);
    hold(first);
    let half = HeapStats::get().curr_bytes as f64;
    hold(second);
    (HeapStats::get().curr_bytes as f64 - half) / second as f64
}

fn of_a_run(cell: &Record, variant: &Variant, point: Point, times: usize) -> Result<Vec<Record>, String> {
    let counts: Result<Vec<Count>, String> = (0..times).map(|_| count_afresh(variant, point)).collect();
    let counts = counts?;
    let metric = |metric, unit, of: fn(&Count) -> u64| exact(cell, metric, unit, counts.iter().map(|c| of(c) as f64));
    let mut records = vec![
        metric("blocks", "count", |c| c.run.total_blocks),
        metric("bytes", "bytes", |c| c.run.total_bytes),
        metric("peak_bytes", "bytes", |c| c.run.max_bytes as u64),
        metric("held_bytes", "bytes", |c| c.held),
    ];
    if variant.moves.is_some() {
        records.push(metric("moves", "count", |c| c.moves));
    }
    Ok(records)
}

/// What one count saw.
#[derive(Debug)]
struct Count {
    /// Of the counted run alone.
    run: HeapStats,
    /// Bytes that the warm-up run left live.
    held: u64,
    /// How often its buffer moved, where that is counted.
    moves: u64,
}

// The profiler is started on the new thread, and this one does nothing until it has ended.
fn count_afresh(variant: &Variant, point: Point) -> Result<Count, String> {
    let (build, moves) = (variant.batch, variant.moves);
    afresh(move || Count { moves: moves.map_or(0, |moves| moves(&point)), ..count(build, &point) })
}

fn afresh<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    let counting = thread::Builder::new().stack_size(STACK).spawn(work);
    let counting = counting.map_err(|e| format!("no thread could be started to count on: {e}"))?;
    counting.join().map_err(|panic| format!("panicked while it was counted: {}", said(panic.as_ref())))
}

fn count(build: Build, point: &Point) -> Count {
    // From before the routine is built: dhat takes no notice when a block is freed that it did not see allocated.
    let profiler = profiler();
    let mut routine = build(point);
    let built = HeapStats::get().curr_bytes;
    routine.block(Work::Runs(1));
    let held = HeapStats::get().curr_bytes.saturating_sub(built) as u64;
    drop(profiler);
    // Another one, whose peak is that of the run.
    let profiler = self::profiler();
    routine.block(Work::Runs(1));
    let run = HeapStats::get();
    drop(profiler);
    Count { run, held, moves: 0 }
}

// Few frames: where a block comes from is not asked here, and unwinding is most of the time that counting takes.
fn profiler() -> Profiler {
    Profiler::builder().testing().trim_backtraces(Some(4)).build()
}

// A count that came out the same each time, or the range of it.
fn exact(cell: &Record, metric: &str, unit: &str, counts: impl Iterator<Item = f64>) -> Record {
    let samples: Vec<f64> = counts.collect();
    let low = samples.iter().copied().fold(f64::INFINITY, f64::min);
    let high = samples.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    cell.clone().measured(metric, unit, [low, samples[0], high], samples)
}
