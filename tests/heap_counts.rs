//! What growing a `Vec` asks of the heap, to the block and the byte.
//!
//! All of it is one test function in a file of its own: dhat has one profiler a process and counts what every thread
//! allocates, and libtest runs the tests of a file side by side.

use trapline::trap::{Point, Work};
use trapline::traps::vec_growth::{TRAP, push_half_sized, push_presized, push_reused, push_unsized};

#[global_allocator]
static ALLOC: dhat::Alloc = dhat::Alloc;

/// Blocks and bytes that `work` asks for. libtest's own thread may allocate meanwhile, which can only add: the least of
/// three is the work's own.
fn asked<O>(mut work: impl FnMut() -> O) -> (u64, u64) {
    let mut count = || {
        let before = dhat::HeapStats::get();
        let output = std::hint::black_box(work());
        let after = dhat::HeapStats::get();
        drop(output);
        (after.total_blocks - before.total_blocks, after.total_bytes - before.total_bytes)
    };
    (0..3).map(|_| count()).min().expect("three were counted")
}

#[test]
fn growth_costs_blocks_and_bytes_that_can_be_foretold() {
    let _profiler = dhat::Profiler::builder().testing().build();
    for (n, blocks) in [(100, 6), (10_000, 13), (50_000, 15), (100_000, 16)] {
        let records = vec![[0_u64; 8]; n];
        assert_eq!(asked(|| push_unsized(&records)).0, blocks, "{n} records, not pre-sized");
        assert_eq!(asked(|| push_presized(&records)), (1, 64 * n as u64), "{n} records, pre-sized");
        assert_eq!(asked(|| push_half_sized(&records)).0, 2, "{n} records, half-sized");
        let mut kept = push_presized(&records);
        assert_eq!(asked(|| push_reused(&records, &mut kept)), (0, 0), "{n} records, reused");
    }
    let keys = vec![0_u64; 10_000];
    assert_eq!(asked(|| push_unsized(&keys)), (13, 262_112));
    assert_eq!(asked(|| push_presized(&keys)), (1, 80_000));
    routines_are_counted_alike();
}

/// The catalog's own routines, as the heap instrument runs them: one run to warm up, one that counts.
fn routines_are_counted_alike() {
    for point in TRAP.points.iter().filter(|p| p.case == "plain" && p.n <= 10_000) {
        let blocks = |name: &str| {
            let mut routine = (TRAP.variant(name).expect("the variant is stated").batch)(point);
            routine.block(Work::Runs(1));
            asked(|| routine.block(Work::Runs(1))).0
        };
        let expected = if *point == Point::n(100).case("plain") { 6 } else { 13 };
        assert_eq!(
            [blocks("push_unsized"), blocks("push_presized"), blocks("push_reused")],
            [expected, 1, 0],
            "{point}"
        );
    }
}
