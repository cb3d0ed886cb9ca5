//! A made-up archive of what latency and usage say.

use super::made_up::{at, note, run};
use crate::record::{Archive, Record};
use crate::trap::{Instrument, Role};

const TRAP: (&str, Role) = ("walk_locked", Role::Trap);
const FIX: (&str, Role) = ("walk_chunks", Role::Fix);
const EMPTY: (&str, Role) = ("hiccups", Role::Control);

/// A tail that only latency sees, a leak that only usage and heap see, and the empty op beside them.
pub(super) fn archive() -> Archive {
    let mut archive = Archive::default();
    let habit = "hold the lock for the length of a walk over all entries";
    let traps = vec![note("locked_iteration", "a walk under the lock", habit, "entries", "one entry visited", &["G2"])];
    archive.runs.push(run("heap-1", Instrument::Heap, traps.clone()));
    archive.runs.push(run("usage-1", Instrument::Usage, traps.clone()));
    archive.runs.push(run("latency-1", Instrument::Latency, traps));
    paced(&mut archive);
    held(&mut archive);
    archive
}

fn ns(metric: &str, value: f64) -> (&str, &str, [f64; 3]) {
    (metric, "ns", [0.9 * value, value, 1.1 * value])
}

fn paced(archive: &mut Archive) {
    let run = ("latency-1", Instrument::Latency);
    let ratio = |metric, span| (metric, "ratio", span);
    at(archive, "locked_iteration", 10_000, 1, "writes", run.0)
        .headline()
        .within(run, TRAP, &[ns("p50_ns", 130.0), ns("p95_ns", 90.0), ns("p99_ns", 2.9e6), ns("mean_ns", 63_000.0)])
        .within(run, TRAP, &[("max_ns", "ns", [4.1e6; 3]), ("busy_share", "share", [0.25, 0.26, 0.27])])
        .too_few(run.0, TRAP, "p999_ns")
        .within(run, FIX, &[ns("p50_ns", 140.0), ns("p95_ns", 95.0), ns("p99_ns", 71_000.0), ns("mean_ns", 900.0)])
        .within(run, FIX, &[ratio("p50_ratio", [0.9, 0.93, 0.96]), ratio("p95_ratio", [0.9, 0.95, 1.0])])
        .within(
            run,
            FIX,
            &[ratio("p99_ratio", [31.0, 40.8, 54.0]), ns("queue_p50_ns", 40.0), ns("queue_mean_ns", 55.0)],
        )
        .too_few(run.0, FIX, "p999_ns")
        .within(run, EMPTY, &[ns("p50_ns", 55.0), ns("p95_ns", 85.0), ns("p99_ns", 13_000.0), ns("mean_ns", 400.0)])
        .none(run.0, run.1, "clone_locked", Role::Fix, |record: Record| record.blind("a copy a write is another trap"));
}

fn held(archive: &mut Archive) {
    let run = ("usage-1", Instrument::Usage);
    let cpu = |ns, share| [("cpu_ns_per_op", "ns", [ns - 4.0, ns, ns + 4.0]), ("cpu_share", "count", share)];
    at(archive, "locked_iteration", 100_000, 2, "", run.0)
        .headline()
        .within(run, TRAP, &cpu(61.2, [0.97, 0.99, 1.01]))
        .within(run, FIX, &cpu(60.1, [0.96, 0.98, 1.0]))
        .within(run, FIX, &[("peak_rss_bytes", "bytes", [48e6, 49e6, 50e6])]);
    at(archive, "locked_iteration", 1_000, 1, "held", run.0)
        .within(run, TRAP, &[("rss_bytes_per_op", "bytes", [75_800.0, 76_000.0, 76_200.0])])
        .within(run, TRAP, &[("threads_per_op", "count", [1.0; 3]), ("open_files_per_op", "count", [0.0; 3])])
        .within(
            run,
            FIX,
            &[("rss_bytes_per_op", "bytes", [-160.0, 10.0, 180.0]), ("threads_per_op", "count", [0.0; 3])],
        )
        .counts("heap-1", Instrument::Heap, TRAP.0, TRAP.1, &[("live_bytes_per_op", 66_160.0)])
        .counts("heap-1", Instrument::Heap, FIX.0, FIX.1, &[("live_bytes_per_op", 0.0)]);
}
