//! Instructions: an exact count of what one run executes, by callgrind.
//!
//! Each variant of a single-threaded trap runs once under valgrind, at the trap's counted point. One warm-up run goes
//! before it, so that one-time work (lazy statics, the first growth of a reused buffer, the dynamic linker) is not in the
//! count. The count is that of one block of one run: the work, the drop of its output, and the block's two clock reads,
//! some 300 instructions that are the same for every variant. Building the input is outside.
//!
//! The cases run with an empty environment, so that counts repeat to the instruction: settings of the allocator in the
//! environment are not seen here. Another link of the same code can move them by about 1 % where the allocator is in the
//! count. The caches are iai-callgrind's simulated ones, of fixed sizes, not those of the machine; estimated cycles are its
//! sum L1 + 5 · LL + 35 · RAM (after Itamar Turner-Trauring, pythonspeed.com).
//!
//! Blind to contention and waiting: callgrind runs one thread at a time.
//!
//! There is nothing to install but valgrind: iai-callgrind's runner is linked in, and the one executable plays all parts
//! (see `play`). Under `<folder>/callgrind/<trap>/<variant>` each case leaves its profile, for `callgrind_annotate`, and
//! the runner's log.

#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod roles;
#[cfg(target_os = "linux")]
mod summary;
#[cfg(target_os = "linux")]
mod valgrind;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::session::progress::Progress;
use super::session::signals;
use super::session::{self, Session, SessionError};
use crate::record::Record;
use crate::trap::{Instrument, Point, Trap, Variant};

/// The main function of an `instructions` bench target over these traps.
#[must_use]
pub fn main(traps: &[Trap]) -> ExitCode {
    play(traps).unwrap_or_else(|| session::main(Instrument::Instructions, traps, measure))
}

fn measure(session: &mut Session<'_>) -> Result<(), SessionError> {
    let job = Job { folder: session.folder.clone(), run: session.run.run.clone() };
    session.progress.steps(session.traps.iter().map(|t| t.variants.len()).sum());
    session.progress.pass("counting under valgrind");
    let interrupted = signals::heed();
    let records = job.measure(&session.traps, &session.progress, &interrupted);
    if interrupted.load(Ordering::Relaxed) {
        session.run.partial = Some("interrupted: variants that were not counted yet are left as they were".into());
    }
    session.put(records)
}

// Where the profiles go, and whose records they are.
#[derive(Clone, Debug)]
struct Job {
    folder: PathBuf,
    run: String,
}

/// Plays the part that the arguments ask of this executable, if they do: of the probe, of iai-callgrind's harness, of its
/// runner, or of one case. `None` means that this process is the bench target itself.
///
/// Call it first in `main`, before any argument is parsed. The three hidden arguments start with `--trapline-`; the runner
/// is known by `--bin-bench` in second place, where iai-callgrind puts it.
#[must_use]
fn play(traps: &[Trap]) -> Option<ExitCode> {
    #[cfg(target_os = "linux")]
    return roles::play(traps);
    #[cfg(not(target_os = "linux"))]
    return {
        let _ = traps;
        None
    };
}

impl Job {
    // Each variant of the traps gets five records, or one that says why there is none; none at all if its turn had not come
    // when the user wanted no more. A count does not depend on what else the machine does, so every core counts, and
    // progress is told meanwhile.
    fn measure(&self, traps: &[&Trap], progress: &Progress, interrupted: &AtomicBool) -> Vec<Record> {
        let tool = if traps.iter().any(|trap| blind(trap).is_none()) { tool::find() } else { Err(String::new()) };
        let variants: Vec<_> = traps.iter().flat_map(|trap| trap.variants.iter().map(move |v| (*trap, v))).collect();
        let (next, counted) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
        let work = || {
            while let Some((at, &(trap, variant))) = take(&next, &variants) {
                if interrupted.load(Ordering::Relaxed) {
                    return;
                }
                let records = self.count(&tool, trap, variant, &|what| progress.say(what));
                progress.step();
                counted.lock().unwrap_or_else(PoisonError::into_inner).insert(at, records);
            }
        };
        let cores = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
        counted.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().flatten().collect()
    }

    fn count(
        &self,
        tool: &Result<tool::Tool, String>,
        trap: &Trap,
        variant: &Variant,
        tell: &(dyn Fn(&str) + Sync),
    ) -> Vec<Record> {
        let Some(point) = shown_point(trap) else { return Vec::new() };
        let row = Record::of_variant(trap, point, variant, Instrument::Instructions, &self.run);
        let tool = match (blind(trap).or(variant.unseen(point, Instrument::Instructions)), tool) {
            (Some(why), _) => return vec![row.blind(why)],
            (None, Err(why)) => return vec![row.skipped(why)],
            (None, Ok(tool)) => tool,
        };
        tell(&format!("counting {} at {point}: {}", trap.name, variant.name));
        match tool::count(tool, &self.folder, trap, variant) {
            Ok(counts) => counts.into_iter().map(|(metric, value)| exact(row.clone(), metric, value)).collect(),
            Err(why) => vec![row.failed(why)],
        }
    }
}

// Why callgrind can't see the trap, if it can't.
fn blind(trap: &Trap) -> Option<&'static str> {
    let pointless = trap.counted_point().is_none().then_some("no single-threaded point of n ≤ 10 000");
    trap.blind_to(Instrument::Instructions).or(pointless)
}

// A trap that is not counted still has a row: at its first headline point.
fn shown_point(trap: &Trap) -> Option<&Point> {
    trap.counted_point().or_else(|| trap.headlines().next()).or(trap.points.first())
}

// The next of the items that nobody has taken, and its place.
fn take<'a, T>(next: &AtomicUsize, items: &'a [T]) -> Option<(usize, &'a T)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    items.get(at).map(|item| (at, item))
}

// Counts of instructions stay far below 2^53, where f64 starts to round.
fn exact(row: Record, metric: &str, value: u64) -> Record {
    let value = value as f64;
    row.measured(metric, "count", [value; 3], vec![value])
}

#[cfg(target_os = "linux")]
mod tool {
    pub(super) use super::roles::count;
    pub(super) use super::valgrind::{Tool, find};
}

#[cfg(not(target_os = "linux"))]
mod tool {
    use std::path::Path;

    use crate::trap::{Trap, Variant};

    pub(super) enum Tool {}

    pub(super) fn find() -> Result<Tool, String> {
        Err("needs Linux".into())
    }

    pub(super) fn count(tool: &Tool, _: &Path, _: &Trap, _: &Variant) -> Result<[(&'static str, u64); 5], String> {
        match *tool {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routine::routine;

    const FOUR_THREADS: Trap = Trap {
        name: "shared",
        title: "Shared",
        section: "test",
        habit: "Sharing.",
        claims: &[],
        counts: "calls",
        op: "one call",
        points: &[Point::n(10).threads(4).headline()],
        cases: &[],
        variants: &[Variant::trap("one", |p| routine(p.n, |n| *n)), Variant::fix("two", |p| routine(p.n, |n| *n))],
        blind: &[],
    };

    #[test]
    fn a_variant_that_is_left_out_says_why_and_is_not_counted() {
        const POINTS: &[Point] = &[Point::n(10).headline()];
        const VARIANTS: &[Variant] = &[
            Variant::trap("one", |p| routine(p.n, |n| *n)),
            Variant::opposite("slow", |p| routine(p.n, |n| *n)).up_to(9, "quadratic"),
        ];
        let rows = rows(&Trap { points: POINTS, variants: VARIANTS, ..FOUR_THREADS }, &Err("no valgrind".into()));
        assert_eq!((rows[0].skipped.as_deref(), rows[0].blind.as_deref()), (Some("no valgrind"), None));
        assert_eq!((rows[1].skipped.as_deref(), rows[1].blind.as_deref()), (None, Some("quadratic")));
    }

    #[test]
    fn nothing_is_counted_once_the_user_wants_no_more() {
        let job = Job { folder: PathBuf::from("/nowhere"), run: "run".into() };
        let measure = |wanted: bool| job.measure(&[&FOUR_THREADS], &Progress::new("test"), &AtomicBool::new(!wanted));
        assert_eq!((measure(true).len(), measure(false).len()), (2, 0));
    }

    fn rows(trap: &Trap, tool: &Result<tool::Tool, String>) -> Vec<Record> {
        let job = Job { folder: PathBuf::from("/nowhere"), run: "run".into() };
        trap.variants.iter().flat_map(|v| job.count(tool, trap, v, &|_| ())).collect()
    }

    #[test]
    fn a_trap_of_threads_is_blind_at_its_headline_point() {
        let rows = rows(&FOUR_THREADS, &Err("never asked".into()));
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().all(|r| r.threads == 4 && r.skipped.is_none()));
        assert_eq!(rows[0].blind.as_deref(), Some("no single-threaded point of n ≤ 10 000"));
    }

    #[test]
    fn a_stated_reason_goes_before_the_missing_point() {
        let trap = Trap { blind: &[(Instrument::Instructions, "it waits")], ..FOUR_THREADS };
        assert_eq!(rows(&trap, &Err(String::new()))[1].blind.as_deref(), Some("it waits"));
    }

    #[test]
    fn a_missing_tool_skips_every_row() {
        const POINTS: &[Point] = &[Point::n(100), Point::n(20_000).headline()];
        let trap = Trap { points: POINTS, ..FOUR_THREADS };
        let rows = rows(&trap, &Err("no valgrind".into()));
        assert!(rows.iter().all(|r| r.n == 100 && r.skipped.as_deref() == Some("no valgrind") && r.value.is_none()));
    }
}
