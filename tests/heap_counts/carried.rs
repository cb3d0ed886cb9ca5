//! Values in boxes, and contexts behind pointers.

use super::asked;
use trapline::trap::{Point, Trap, Variant, Work};
use trapline::traps::{boxed_any, request_context};

/// What one run of each variant asks for, in their order: one run to warm up, one that counts.
fn asked_by_all(trap: &Trap, point: &Point) -> Vec<(u64, u64)> {
    // Keeps the input alive, so that it is made once: dhat follows every block of it.
    let _input = (trap.baseline().batch)(point);
    let run = |variant: &Variant| {
        let mut routine = (variant.batch)(point);
        routine.block(Work::Runs(1));
        asked(|| routine.block(Work::Runs(1)))
    };
    trap.variants_at(point).map(run).collect()
}

/// A box a call, of the call's 32 bytes, and nothing else. In `rpc` a request owns two strings of eight bytes, and the trap
/// boxes its 72 bytes once and once more a stage.
pub(crate) fn a_value_boxed_as_anything() {
    for point in boxed_any::TRAP.points.iter().filter(|p| p.n <= 1_000) {
        let (boxed, typed) = match point.case {
            "rpc" => ((7, 2 * 8 + 5 * 72), (2, 2 * 8)),
            _ => ((1, 32), (0, 0)),
        };
        let all = [boxed, typed, typed, typed, typed].map(|(blocks, bytes)| (blocks * point.n, bytes * point.n));
        assert_eq!(asked_by_all(&boxed_any::TRAP, point), all, "{point}");
    }
}

/// Each response has 96 bytes, an owned token 32, and the context behind an `Arc` 96 and its two counts. Five parameters
/// are a vector and ten strings in every arm. The settings are shared and ask for nothing, on two threads neither.
pub(crate) fn a_context_carried_by_pointer() {
    for point in request_context::TRAP.points {
        let (params, bytes) = if point.case == "full" { (11, 5 * (32 + 4 + 6)) } else { (0, 0) };
        let arms = [(3, 96 + 32 + 112), (2, 96 + 32), (2, 96 + 32), (1, 96), (1, 96)];
        let all = arms.map(|(blocks, own)| ((blocks + params) * point.n, (own + bytes) * point.n));
        assert_eq!(asked_by_all(&request_context::TRAP, point), all, "{point}");
    }
}
