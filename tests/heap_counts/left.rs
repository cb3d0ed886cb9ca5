//! What an arm leaves behind when it is dropped: nothing.

use std::thread::yield_now;
use std::time::{Duration, Instant};

use trapline::catalog::TRAPS;
use trapline::trap::{Point, Trap, Variant, Work};

use crate::kept::live;

/// Nothing of one measurement leaks into another. What is made once for all, such as a crew or the first use of a thread-local,
/// is there after the first of three rounds; garbage that a map puts off is freed in one of the others.
pub(crate) fn no_arm_leaves_anything_live() {
    for trap in TRAPS {
        // Keeps the input alive, so that it is made once.
        let _input = smallest(trap, trap.baseline()).map(|point| (trap.baseline().batch)(point));
        for (variant, point) in trap.variants.iter().filter_map(|v| Some((v, smallest(trap, v)?))) {
            let left = || {
                let before = live();
                let mut routine = (variant.batch)(point);
                routine.block(Work::Runs(1));
                drop(routine);
                settled(before)
            };
            left();
            let left = left().min(left());
            assert!(left < LITTLE, "{} at {point}: {} leaves {left} bytes live", trap.name, variant.name);
        }
    }
}

// libtest's own thread may allocate meanwhile.
const LITTLE: i64 = 4_096;

// Threads that were told to end still have something for a while. Only what is really left waits to the end.
fn settled(before: i64) -> i64 {
    let start = Instant::now();
    while live() - before >= LITTLE && start.elapsed() < Duration::from_secs(10) {
        yield_now();
    }
    live() - before
}

fn smallest<'a>(trap: &'a Trap, variant: &Variant) -> Option<&'a Point> {
    let points = trap.points.iter().filter(|p| p.is_batch() && variant.left_out(p).is_none());
    points.min_by_key(|p| p.n)
}
