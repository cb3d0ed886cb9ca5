//! Counters that threads share.

use super::asked;
use trapline::trap::Work;
use trapline::traps::false_sharing;

/// Why `false_sharing` is blind to the heap instrument: no arm allocates, on one thread or on two.
pub(crate) fn counters_ask_for_nothing() {
    for point in false_sharing::TRAP.points.iter().filter(|p| p.threads <= 2) {
        for variant in false_sharing::TRAP.variants {
            let mut routine = (variant.batch)(point);
            routine.block(Work::Runs(1));
            assert_eq!(asked(|| routine.block(Work::Runs(3))), (0, 0), "{} at {point}", variant.name);
        }
    }
}
