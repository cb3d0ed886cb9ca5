//! What traps ask of the heap, to the block and the byte.
//! What the traps ask of the heap, to the block and the byte.
//! What growing a `Vec` asks of the heap, to the block and the byte, and other counts that can be foretold.
//!
//! All of it is one test function in a file of its own: dhat has one profiler a process and counts what every thread
//! allocates, and libtest runs the tests of a file side by side.

use trapline::trap::{Point, Trap, Variant, Work};
use std::sync::Arc;

use rayon::ThreadPoolBuilder;
use trapline::trap::{Point, Work};
use trapline::traps::closure_capture::{self, Job, WORDS, par_iter, scoped, spawn_shared, spawn_static, static_split};
use trapline::trap::Work;
use trapline::traps::false_sharing;
use trapline::trap::{Work, on_stack, routine};
use trapline::traps::deep_recursion;
use trapline::traps::vec_growth::{
    TRAP, clone_into_staged, push_half_sized, push_presized, push_reused, push_unsized, reserve_exact_one,
};
use trapline::traps::{boxed_any, request_context};
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
    a_value_boxed_as_anything();
    a_context_carried_by_pointer();
    a_spawned_job_is_a_block_and_a_clone_another();
    counters_ask_for_nothing();
    a_table_keeps_its_size();
    a_clean_up_that_is_put_off_is_a_block_a_turn();
    a_file_that_is_kept_is_a_few_bytes();
    recursion_asks_for_the_path_alone();
    nothing_is_asked_for_to_hand_a_block_to_another_stack();
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
fn a_value_boxed_as_anything() {
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
fn a_context_carried_by_pointer() {
    for point in request_context::TRAP.points {
        let (params, bytes) = if point.case == "full" { (11, 5 * (32 + 4 + 6)) } else { (0, 0) };
        let arms = [(3, 96 + 32 + 112), (2, 96 + 32), (2, 96 + 32), (1, 96), (1, 96)];
        let all = arms.map(|(blocks, own)| ((blocks + params) * point.n, (own + bytes) * point.n));
        assert_eq!(asked_by_all(&request_context::TRAP, point), all, "{point}");
/// A spawned job is a block, its clone another, and one job in 63 asks for a block of the pool's queue, or the first jobs of a
/// run fill what the last run left. Beyond these a run asks for its latch, if nothing else waits for the jobs.
fn a_spawned_job_is_a_block_and_a_clone_another() {
    const QUEUED: u64 = 63 * 24 + 8;
    const LATCH: (u64, u64) = (1, (8 + 3) * 128);
    let pool = ThreadPoolBuilder::new().num_threads(2).build().expect("two threads can be started");
    for n in [1, 100, 1_000] {
        let job = || Job { words: vec![7; WORDS], steps: 0 };
        let jobs: Arc<[Job]> = (0..n).map(|_| job()).collect();
        let counts = |what: &str, run: &dyn Fn() -> u64, a_job: (u64, u64), latch: (u64, u64)| {
            run();
            let (blocks, bytes) = asked(run);
            let queue = blocks - a_job.0 * n - latch.0;
            assert!((n / 63..=n / 63 + 1).contains(&queue), "{what}, {n} jobs: {blocks} blocks");
            assert_eq!(bytes, a_job.1 * n + QUEUED * queue + latch.1, "{what}, {n} jobs");
        };
        counts("a clone", &|| spawn_static(&pool, &jobs), (2, 1_024 + 48), LATCH);
        counts("a borrow", &|| scoped(&pool, &jobs), (1, 24), (0, 0));
        counts("a count", &|| spawn_shared(&pool, &jobs), (1, 40), LATCH);
        assert_eq!(asked(|| par_iter(&pool, &jobs)), (0, 0), "{n} jobs, by an iterator");
        assert_eq!(asked(|| static_split(&pool, &jobs)), (1, 80), "{n} jobs, in two parts");
    }
    closure_routines_call_their_pool_together();
}

/// Each run of the routines has three blocks more, before its clock starts: to call the pool's workers together.
fn closure_routines_call_their_pool_together() {
    let p = Point::n(100).threads(2).case("200ns");
    let expected = [201, 100, 101, 0, 1];
    for (variant, expected) in closure_capture::TRAP.variants.iter().zip(expected) {
        let mut routine = (variant.batch)(&p);
        routine.block(Work::Runs(2));
        let beyond = asked(|| routine.block(Work::Runs(1))).0 - expected;
        let spawns = expected >= 100;
        assert!((3 + u64::from(spawns)..=3 + 2 * u64::from(spawns)).contains(&beyond), "{}: {beyond}", variant.name);
/// Why `false_sharing` is blind to the heap instrument: no arm allocates, on one thread or on two.
fn counters_ask_for_nothing() {
    for point in false_sharing::TRAP.points.iter().filter(|p| p.threads <= 2) {
        for variant in false_sharing::TRAP.variants {
            let mut routine = (variant.batch)(point);
            routine.block(Work::Runs(1));
            assert_eq!(asked(|| routine.block(Work::Runs(3))), (0, 0), "{} at {point}", variant.name);
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
/// An explicit stack of four bytes a level grows as any `Vec` does. What `stacker` maps is not asked of the allocator, which
/// is why the heap instrument is blind to this trap.
fn recursion_asks_for_the_path_alone() {
    for (n, blocks, bytes) in [(100, 6, 1_008), (10_000, 13, 131_056), (100_000, 16, 1_048_560)] {
        let nodes = chain(n);
        assert_eq!(asked(|| deep_recursion::explicit_stack(&nodes, 0)), (blocks, bytes), "a path of {n} levels");
        assert_eq!(asked(|| deep_recursion::grown(&nodes, 0)), (0, 0), "{n} levels of a stack that grows");
        assert_eq!(asked(|| deep_recursion::in_place(&nodes)), (0, 0), "{n} levels in place");
    }
}

/// A chain of so many levels, each node in front of its leaf.
fn chain(levels: u32) -> Vec<deep_recursion::Node> {
    use deep_recursion::{NONE, Node};
    let child = |level| if level + 1 == levels { NONE } else { 2 * level + 2 };
    let level = |level| {
        let leaf = Node { value: 7, child: NONE, leaf: NONE };
        [Node { value: 5, child: child(level), leaf: 2 * level + 1 }, leaf]
    };
    (0..levels).flat_map(level).collect()
}

/// The thread with the other stack allocates when it starts; a block that it is handed is the routine's own.
fn nothing_is_asked_for_to_hand_a_block_to_another_stack() {
    let mut eight = on_stack(64 << 10, || routine((), |()| vec![0_u8; 8]));
    eight.block(Work::Runs(1));
    assert_eq!(asked(|| eight.block(Work::Runs(5))), (5, 40));
}
