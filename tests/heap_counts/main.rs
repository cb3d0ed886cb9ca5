//! What the traps ask of the heap, to the block and the byte.
//!
//! All of it is one test function in a file of its own: dhat has one profiler a process and counts what every thread
//! allocates, and libtest runs the tests of a file side by side.

use trapline::trap::Work;
use trapline::traps::vec_growth::{
    TRAP, clone_into_staged, push_half_sized, push_presized, push_reused, push_unsized, reserve_exact_one,
};

mod carried;
mod kept;
mod left;
mod loops;
mod reclaimed;
mod recursion;
mod shared;
mod spawned;

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
    carried::a_value_boxed_as_anything();
    carried::a_context_carried_by_pointer();
    spawned::a_spawned_job_is_a_block_and_a_clone_another();
    shared::counters_ask_for_nothing();
    loops::a_table_keeps_its_size();
    loops::a_clean_up_that_is_put_off_is_a_block_a_turn();
    loops::a_file_that_is_kept_is_a_few_bytes();
    recursion::recursion_asks_for_the_path_alone();
    recursion::nothing_is_asked_for_to_hand_a_block_to_another_stack();
    kept::a_cache_asks_for_a_page_a_miss_and_its_own_room();
    kept::a_cache_without_eviction_keeps_every_key();
    left::no_arm_leaves_anything_live();
    kept::a_worker_that_nobody_ends_keeps_what_it_owns();
    reclaimed::a_boxed_tree_is_a_block_a_node();
    reclaimed::a_session_is_two_blocks();
    loops::a_walk_that_copies_asks_for_every_session();
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
