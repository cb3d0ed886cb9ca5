//! The process that is measured: one arm at one point.

use std::io;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::protocol::{Message, Plan, ROLE};
use super::quota;
use super::reading::{Reading, threads};
use crate::lab::session::check;
use crate::lab::session::process::{self, tell};
use crate::routine::{layout, place};
use crate::trap::{Hold, Point, Routine, Trap, Variant, Work};

// A reading costs some µs, a hand-out two switches a worker, and a running thread is accounted for at each tick of 4 ms.
const LONG: Duration = Duration::from_millis(50);
// As long must a block be to say how many runs are long enough.
const TELLING: Duration = Duration::from_millis(5);

/// How many readings there are on the way to `n`.
pub(super) const STEPS: u64 = 8;
// Threads that end are waited for so often: 200 ms.
const PATIENCE: usize = 40;
const A_WHILE: Duration = Duration::from_millis(5);

/// Is the process if the arguments say so; otherwise gives nothing.
#[must_use]
pub(super) fn play(traps: &[Trap]) -> Option<ExitCode> {
    process::play(ROLE, |plan: Plan| {
        plan.group.as_deref().map_or(Ok(()), quota::enter)?;
        layout::vary_heap(fastrand::usize(..layout::CLASSES));
        place::pin(plan.pinned);
        process::have_threads();
        let (variant, point) = find(traps, &plan)?;
        tell(&measure(variant, point, &plan).unwrap_or_else(|why| Message::Refuses { why }))
    })
}

fn find<'a>(traps: &'a [Trap], plan: &Plan) -> io::Result<(&'a Variant, &'a Point)> {
    let trap = traps.iter().find(|trap| trap.name == plan.trap);
    let found = trap.and_then(|trap| Some((trap.variant(&plan.variant)?, trap.points.get(plan.point)?)));
    found.ok_or_else(|| io::Error::other(format!("there is no such arm: {plan:?}")))
}

fn measure(variant: &Variant, point: &Point, plan: &Plan) -> Result<Message, String> {
    match variant.hold {
        Some(hold) if point.held => Ok(held(hold(point), point.n)),
        _ => used((variant.batch)(point).as_mut(), point.n, plan),
    }
}

fn used(routine: &mut dyn Routine, n: u64, plan: &Plan) -> Result<Message, String> {
    let start = Instant::now();
    check::agrees(routine, plan.digest)?;
    let runs = enough(routine, start.elapsed());
    routine.rest();
    let group = plan.group.as_deref();
    let before = Box::new(Reading::before(group));
    routine.block(Work::Runs(runs));
    let after = Box::new(Reading::after(group));
    Ok(Message::Used { ops: (runs * n) as f64, before, after })
}

// Runs that take long enough, by the wall time of the first block that is telling; the run of the check is the first.
fn enough(routine: &mut dyn Routine, mut took: Duration) -> u64 {
    let mut runs = 1;
    while took < TELLING && runs < 1 << 40 {
        runs *= 4;
        let start = Instant::now();
        routine.block(Work::Runs(runs));
        took = start.elapsed();
    }
    (LONG.as_secs_f64() / took.as_secs_f64() * runs as f64).ceil().max(1.0) as u64
}

fn held(mut hold: Hold, n: u64) -> Message {
    let step = (n / STEPS).max(1);
    let reading = |_| {
        hold(step);
        settle();
        Reading::after(None)
    };
    Message::Held { step: step as f64, readings: (0..STEPS).map(reading).collect() }
}

// Until two looks see as many threads: one that was told to end is still there for a while.
fn settle() {
    let mut before = threads();
    for _ in 0..PATIENCE {
        sleep(A_WHILE);
        let now = threads();
        if now == before {
            return;
        }
        before = now;
    }
}
