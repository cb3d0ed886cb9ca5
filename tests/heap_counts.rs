//! What the traps ask of the heap, to the block and the byte.
//!
//! All of it is one test function in a file of its own: dhat has one profiler a process and counts what every thread
//! allocates, and libtest runs the tests of a file side by side.

use std::collections::HashMap;

use trapline::trap::Work;
use trapline::traps::defer_in_loop::{
    Ledger, deferred_boxed, deferred_guards, files_deferred_boxed, files_deferred_guards, files_inlined,
    files_scoped_guard, inlined, scoped_guard,
};
use trapline::traps::map_iteration::hash_map;
use trapline::traps::vec_growth::{
    TRAP, clone_into_staged, push_half_sized, push_presized, push_reused, push_unsized, reserve_exact_one,
};
use trapline::workload::OneState;

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
    for (n, blocks) in [(16, 3), (100, 6), (10_000, 13), (50_000, 15), (100_000, 16)] {
        let records = vec![[0_u64; 8]; n];
        assert_eq!(asked(|| push_unsized(&records)).0, blocks, "{n} records, not pre-sized");
        assert_eq!(asked(|| push_presized(&records)), (1, 64 * n as u64), "{n} records, pre-sized");
        assert_eq!(asked(|| push_half_sized(&records)).0, 2, "{n} records, half-sized");
        let mut kept = push_presized(&records);
        assert_eq!(asked(|| push_reused(&records, &mut kept)), (0, 0), "{n} records, reused");
        assert_eq!(asked(|| clone_into_staged(&records, &mut kept)), (0, 0), "{n} records, into a staged buffer");
    }
    overdone_and_owning();
    let keys = vec![0_u64; 10_000];
    assert_eq!(asked(|| push_unsized(&keys)), (13, 262_112));
    assert_eq!(asked(|| push_presized(&keys)), (1, 80_000));
    routines_are_counted_alike();
    a_table_keeps_its_size();
    a_clean_up_that_is_put_off_is_a_block_a_turn();
    a_file_that_is_kept_is_a_few_bytes();
}

/// `reserve_exact(1)` asks each time, and dhat counts each time. Records that own a block each ask for it in every arm, the
/// floor too: `clone_from` does not keep a `Box<str>`'s block.
fn overdone_and_owning() {
    let records = vec![[0_u64; 8]; 1_000];
    assert_eq!(asked(|| reserve_exact_one(&records)).0, 1_000);
    let references: Vec<Box<str>> = (0..1_000).map(|id| format!("{id:016}").into()).collect();
    let mut kept = push_presized(&references);
    assert_eq!(asked(|| push_presized(&references)).0, 1_001);
    assert_eq!(asked(|| push_reused(&references, &mut kept)), (1_000, 16_000));
    assert_eq!(asked(|| clone_into_staged(&references, &mut kept)), (1_000, 16_000));
}

/// The catalog's own routines, as the heap instrument runs them: one run to warm up, one that counts.
fn routines_are_counted_alike() {
    for point in TRAP.points.iter().filter(|p| p.case == "plain" && p.n <= 10_000) {
        let blocks = |name: &str| {
            let mut routine = (TRAP.variant(name).expect("the variant is stated").batch)(point);
            routine.block(Work::Runs(1));
            asked(|| routine.block(Work::Runs(1))).0
        };
        let growths = match point.n {
            16 => 3,
            100 => 6,
            _ => 13,
        };
        let found =
            ["push_unsized", "push_presized", "push_half_sized", "push_reused", "reserve_exact_one"].map(blocks);
        assert_eq!(found, [growths, 1, 2, 0, point.n], "{point}");
    }
}

/// A table of 131 072 places, of 16 bytes and one control byte each and 16 more of these, holds 100 000 entries, and a tenth
/// of them when the others are gone. A walk asks for nothing.
fn a_table_keeps_its_size() {
    let live = || dhat::HeapStats::get().curr_bytes as u64;
    let places = |places: u64| 17 * places + 16;
    // libtest's own thread may allocate meanwhile, a little.
    let about = |live: u64, expected: u64, what: &str| assert!(live.abs_diff(expected) < 4_096, "{what}: {live} bytes");
    let before = live();
    let mut map: HashMap<u64, u64, OneState> = HashMap::default();
    map.extend((0..100_000).map(|key| (key, key)));
    about(live() - before, places(131_072), "full");
    map.retain(|key, _| key % 10 == 0);
    about(live() - before, places(131_072), "a tenth is left");
    map.shrink_to_fit();
    about(live() - before, places(16_384), "shrunk");
    assert_eq!(asked(|| hash_map(&map, |key, value| key ^ value)), (0, 0));
}

/// A list of elements of so many bytes that grows from four by doubling takes so many blocks and bytes.
fn list(len: u64, element: u64) -> (u64, u64) {
    let steps = u64::from(len.div_ceil(4).next_power_of_two().ilog2()) + 1;
    (steps, element * 4 * ((1 << steps) - 1))
}

/// A box of 16 bytes a turn, and the list of the boxes; of guards the list alone; of what ends with its turn nothing.
fn a_clean_up_that_is_put_off_is_a_block_a_turn() {
    for (n, steps) in [(4, 1), (5, 2), (100, 6), (10_000, 13), (100_000, 16)] {
        let (ledger, items) = (Ledger::default(), vec![7; n as usize]);
        let (blocks, bytes) = list(n, 16);
        assert_eq!(blocks, steps, "{n} turns");
        assert_eq!(asked(|| deferred_boxed(&ledger, &items, drop)), (n + blocks, 16 * n + bytes), "{n} turns");
        assert_eq!(asked(|| deferred_guards(&ledger, &items, drop)), (blocks, bytes), "{n} turns");
        assert_eq!(asked(|| scoped_guard(&ledger, &items, drop)), (0, 0), "{n} turns");
        assert_eq!(asked(|| inlined(&ledger, &items, drop)), (0, 0), "{n} turns");
    }
}

/// What a box holds of a file is its number. What the file itself costs the kernel is not on the heap.
fn a_file_that_is_kept_is_a_few_bytes() {
    let file = tempfile::NamedTempFile::new().expect("the temporary folder can be written to");
    std::fs::write(file.path(), b"0123456789").expect("ten bytes fit");
    let (path, items) = (file.path(), vec![7; 512]);
    let ((blocks, bytes), numbers) = (list(512, 16), list(512, 4));
    assert_eq!(asked(|| files_deferred_boxed(path, &items)), (512 + blocks, 4 * 512 + bytes));
    assert_eq!(asked(|| files_deferred_guards(path, &items)), numbers);
    assert_eq!(asked(|| files_scoped_guard(path, &items)), (0, 0));
    assert_eq!(asked(|| files_inlined(path, &items)), (0, 0));
}
