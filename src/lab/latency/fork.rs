//! The process that is timed: one arm at one paced point.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::pace::{Timed as Raw, backlog, pace, warm_up};
use super::protocol::{HICCUPS, Plan, ROLE, Spread, Timed};
use super::quantile::{QUANTILES, Quantile};
use crate::lab::session::process::{self, tell};
use crate::routine::{layout, place};
use crate::trap::{Ended, Point, Stream, Trap, stream};

/// In a case that is named so, an arm that can't carry the rate is the finding.
pub(super) const OVERLOAD: &str = "overload";
// What may be behind all through the second half, as a share of the ops: 5 % at the end of a steady fall.
const BEHIND: f64 = 0.025;
// A minute, for the histogram.
const LONGEST: u64 = 60_000_000_000;

/// Is the process if the arguments say so; otherwise gives nothing.
#[must_use]
pub(super) fn play(traps: &[Trap]) -> Option<ExitCode> {
    process::play(ROLE, |plan: Plan| {
        layout::vary_heap(plan.class);
        place::pin(plan.pinned);
        process::have_threads();
        let (point, stream) = build(traps, &plan)?;
        place::take_seat(0);
        tell(&timed(point, stream))
    })
}

fn build<'a>(traps: &'a [Trap], plan: &Plan) -> io::Result<(&'a Point, Box<dyn Stream>)> {
    let missing = || io::Error::other(format!("there is no such arm: {plan:?}"));
    let trap = traps.iter().find(|trap| trap.name == plan.trap).ok_or_else(missing)?;
    let point = trap.points.get(plan.point).ok_or_else(missing)?;
    if plan.arm == HICCUPS {
        return Ok((point, stream((), |(), _| (), |()| Ended::default())));
    }
    let build = trap.variant(&plan.arm).and_then(|variant| variant.stream).ok_or_else(missing)?;
    Ok((point, build(point)))
}

fn timed(point: &Point, stream: Box<dyn Stream>) -> Timed {
    let every = Duration::from_nanos(point.every.unwrap_or_default().into());
    let before = switches();
    let raw = pace(stream, every, warm_up(point.n, every), point.n);
    let switched = before.zip(switches()).map(|(before, after)| (after - before) / point.n as f64);
    let fell_behind = point.case != OVERLOAD && backlog(&raw, every) as f64 > BEHIND * point.n as f64;
    let managed = raw.wall as f64 / point.n as f64;
    let behind = fell_behind.then(|| format!("can't carry an op every {every:?}: managed one every {managed:.0} ns"));
    Timed { behind, ..told(&raw, switched) }
}

fn told(raw: &Raw, switched_share: Option<f64>) -> Timed {
    Timed {
        behind: None,
        late: spread(&raw.late),
        queued: (!raw.ended.queued.is_empty()).then(|| spread(&raw.ended.queued)),
        busy_share: raw.busy as f64 / raw.wall.max(1) as f64,
        switched_share,
        drop_rate: raw.ended.shed as f64 / raw.late.len().max(1) as f64,
    }
}

fn spread(values: &[u64]) -> Spread {
    let quantiles = QUANTILES.iter().filter_map(|(_, share)| Quantile::of(values, *share));
    let sum: f64 = values.iter().map(|&value| value as f64).sum();
    Spread {
        quantiles: quantiles.collect(),
        mean: sum / values.len().max(1) as f64,
        max: values.iter().copied().max().unwrap_or_default(),
        histogram: histogram(values),
    }
}

// Bounds that a histogram can have, and values within them: neither can fail.
fn histogram(values: &[u64]) -> Vec<(u64, u64)> {
    let Ok(mut histogram) = Histogram::<u64>::new_with_bounds(1, LONGEST, 2) else { return Vec::new() };
    values.iter().for_each(|value| histogram.saturating_record((*value).max(1)));
    histogram.iter_recorded().map(|step| (step.value_iterated_to(), step.count_since_last_iteration())).collect()
}

#[cfg(target_os = "linux")]
fn switches() -> Option<f64> {
    use nix::sys::resource::{UsageWho, getrusage};
    getrusage(UsageWho::RUSAGE_SELF).ok().map(|usage| usage.involuntary_context_switches() as f64)
}

#[cfg(not(target_os = "linux"))]
fn switches() -> Option<f64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_has_all_values_within_a_hundredth() {
        let pairs = histogram(&[0, 100, 100, 12_345, 90_000_000_000]);
        assert_eq!(pairs.iter().map(|(_, count)| count).sum::<u64>(), 5);
        assert_eq!((pairs[1], pairs[2].1), ((100, 2), 1));
        assert!(pairs[2].0.abs_diff(12_345) < 124, "{pairs:?}");
    }

    #[test]
    fn an_arm_that_falls_behind_says_so_unless_that_is_the_case() {
        let slow = || stream((), |(), _| std::thread::sleep(Duration::from_micros(300)), |()| Ended::default());
        let point = Point::n(100).every(100_000);
        let why = timed(&point, slow()).behind.expect("it can't");
        assert!(why.starts_with("can't carry an op every 100µs: managed one every "), "{why}");
        assert_eq!(timed(&point.case(OVERLOAD), slow()).behind, None);
    }
}
