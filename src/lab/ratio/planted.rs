//! The planted slowdown: exactly 5 %, in the rounds of a real row and with its budget, so that a run shows what it can resolve.
//!
//! On one thread it is the trap's own block with 21 runs for 20. Where threads share the work it is own work of 630 steps for
//! 600, on the point's own crew.

use crate::routine::{Routine, team};
use crate::trap::Point;
use crate::workload::{STEPS_PER_MICROSECOND, own_work};

/// The arm that is the trap's block, 5 % longer.
pub(super) const RUNS: &str = "planted_5_percent";
/// The arm that is own work, 5 % longer.
pub(super) const THREADS: &str = "planted_5_percent_threads";
/// What [`THREADS`] is held against: two instances, like a trap and its `same`.
const BASES: [&str; 2] = ["planted_base", "planted_base_too"];

// About 16 µs a run.
const CHAINS: u64 = 16;

/// The arms that a planted slowdown adds to its point.
pub(super) fn arms(threads: usize) -> &'static [&'static str] {
    if threads == 1 { &[RUNS] } else { &[THREADS, BASES[0], BASES[1]] }
}

/// The two arms that an arm is held against: the trap's, unless it is planted own work.
pub(super) fn bases<'a>(arm: &str, traps: [&'a str; 2]) -> [&'a str; 2] {
    if arm == THREADS { BASES } else { traps }
}

/// Whether an arm can't be told without another: planted own work without one of its two bases.
pub(super) fn rests_on(arm: &str, other: &str) -> bool {
    arm == THREADS && is_auxiliary(other)
}

/// Whether an arm is held against the trap the other way round: its ratio is planted ÷ base, so that the slowdown shows as 1.05.
pub(super) fn is_planted(arm: &str) -> bool {
    arm == RUNS || arm == THREADS
}

/// Whether an arm is of the lab's own making and no row of the report.
pub(super) fn is_auxiliary(arm: &str) -> bool {
    BASES.contains(&arm)
}

/// The routine of a planted arm of several threads; none of any other arm.
pub(super) fn routine(arm: &str, point: &Point) -> Option<Box<dyn Routine>> {
    let steps = match arm {
        THREADS => STEPS_PER_MICROSECOND + STEPS_PER_MICROSECOND / 20,
        _ if is_auxiliary(arm) => STEPS_PER_MICROSECOND,
        _ => return None,
    };
    let run = move |(): &(), turn: crate::routine::Turn| {
        (0..CHAINS).fold(0_u64, |sum, chain| sum.wrapping_add(own_work(steps, turn.run as u64 + chain)))
    };
    Some(team(point.threads, (), run, |(), answer| answer))
}
