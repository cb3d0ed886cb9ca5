//! Criterion over the same blocks, at the headline points: throughput, baselines and its own HTML report.
//!
//! Groups are named trap/variant. Criterion reads its flags from the command line by itself and stops at ours, so this
//! target starts itself again with criterion's flags only, and hands ours over in the environment.

use std::process::{Command, ExitCode};
use std::time::Duration;

use criterion::{Criterion, Throughput};
use trapline::catalog::TRAPS;
use trapline::lab::session::{self, Session, SessionError};
use trapline::trap::{Instrument, Point, Trap, Variant, Work};

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The chosen traps, and whether it is to be quick; set in the process that criterion runs in.
const CHOSEN: &str = "TRAPLINE_TIME_CHOSEN";
const QUICK: &str = "TRAPLINE_TIME_QUICK";

fn main() -> ExitCode {
    let Ok(chosen) = std::env::var(CHOSEN) else {
        return session::main(Instrument::Time, TRAPS, start_again);
    };
    let mut criterion = configured(std::env::var_os(QUICK).is_some());
    for trap in TRAPS.iter().filter(|t| chosen.split(',').any(|name| name == t.name)) {
        measure(&mut criterion, trap);
    }
    criterion.final_summary();
    ExitCode::SUCCESS
}

fn start_again(session: &mut Session<'_>) -> Result<(), SessionError> {
    let seen = session.traps.iter().filter(|t| t.blind_to(Instrument::Time).is_none());
    let names: Vec<_> = seen.map(|t| t.name).collect();
    let executable = std::env::current_exe().unwrap_or_default();
    let mut command = Command::new(&executable);
    command.arg("--bench").args(&session.args.criterion).env(CHOSEN, names.join(","));
    if session.args.quick {
        command.env(QUICK, "1");
    }
    let status = command.status().map_err(|source| SessionError::Io { verb: "start", path: executable, source })?;
    session.put(Vec::new())?;
    if status.success() { Ok(()) } else { Err(SessionError::Criterion(status)) }
}

// Criterion's own defaults take over eight seconds a benchmark: six minutes for the headlines. Flags come after, so they win.
fn configured(quick: bool) -> Criterion {
    let (warm, measured, samples) = if quick { (30, 100, 10) } else { (100, 300, 12) };
    let criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(warm))
        .measurement_time(Duration::from_millis(measured))
        .sample_size(samples);
    let criterion = if quick { criterion.nresamples(2_000).without_plots() } else { criterion.nresamples(5_000) };
    criterion.configure_from_args()
}

fn measure(criterion: &mut Criterion, trap: &Trap) {
    for variant in trap.variants {
        let mut group = criterion.benchmark_group(format!("{}/{}", trap.name, variant.name));
        for point in trap.headlines() {
            group.throughput(Throughput::Elements(point.n));
            group.bench_function(point.to_string(), |bencher| bencher.iter_custom(block(variant, point)));
        }
        group.finish();
    }
}

// The block of the ratio instrument, with its untimed run before.
fn block(variant: &Variant, point: &Point) -> impl FnMut(u64) -> Duration {
    let mut routine = (variant.batch)(point);
    move |runs| {
        routine.block(Work::Runs(1));
        routine.block(Work::Runs(runs)).wall
    }
}
