//! What a request builds and lets go, and what a table keeps until a sweep.

use super::asked;
use bumpalo::Bump;
use trapline::trap::{Point, Work};
use trapline::traps::drop_pause::{self, Dropper, arena_kept, boxed_tree, bump_arena, dropped_elsewhere, indexed_vec};
use trapline::traps::reclaim_interval;

const RESPONSE: u64 = 4_096;

/// Chunks and bytes of an arena with so many nodes of 40 bytes: each chunk is the next power of two from 512 on, less 16 bytes that
/// are left to the allocator, and 48 of it are the arena's own.
fn arena(nodes: u64) -> (u64, u64) {
    let (mut left, mut asked, mut chunk) = (nodes, (0, 0), 512);
    while left > 0 {
        asked = (asked.0 + 1, asked.1 + chunk - 16);
        left = left.saturating_sub((chunk - 64) / 40);
        chunk *= 2;
    }
    asked
}

/// A box a node and one for the response; of an arena its chunks, of a list one block; of an arena that is kept nothing.
pub(crate) fn a_boxed_tree_is_a_block_a_node() {
    let (mut kept, dropper) = (Bump::new(), Dropper::start());
    let big = vec![7; 5_000];
    // The first that is big leaves a chunk that is too small for the next.
    let _ = [arena_kept(&mut kept, &big), arena_kept(&mut kept, &big)];
    for (n, chunks) in [(1, 1), (100, 4), (5_000, 9)] {
        let doc = vec![7; n as usize];
        let (blocks, bytes) = arena(n);
        assert_eq!(blocks, chunks, "{n} nodes");
        let boxes = (n + 1, 40 * n + RESPONSE);
        assert_eq!(asked(|| boxed_tree(&doc)), boxes, "{n} nodes");
        assert_eq!(asked(|| dropped_elsewhere(&dropper, &doc)), boxes, "{n} nodes, dropped elsewhere");
        assert_eq!(asked(|| bump_arena(&doc)), (blocks + 1, bytes + RESPONSE), "{n} nodes in an arena");
        assert_eq!(asked(|| indexed_vec(&doc)), (2, 32 * n + RESPONSE), "{n} nodes in a list");
        assert_eq!(asked(|| arena_kept(&mut kept, &doc)), (1, RESPONSE), "{n} nodes in an arena that is kept");
    }
    two_of_a_hundred_requests_are_big();
}

/// The catalog's own routines, and what is live of theirs when they have rested: a dropper leaves nothing behind it.
fn two_of_a_hundred_requests_are_big() {
    let expected = [98 * 101 + 2 * 5_001, 98 * 5 + 2 * 10, 200, 98 * 101 + 2 * 5_001, 100];
    for (variant, expected) in drop_pause::TRAP.variants.iter().zip(expected) {
        let mut routine = (variant.batch)(&Point::n(100));
        let mut block = || {
            routine.block(Work::Runs(1));
            routine.rest();
            dhat::HeapStats::get().curr_bytes
        };
        let live = block();
        assert!(block().abs_diff(live) < 4_096, "{}: something is left of a run", variant.name);
        assert_eq!(asked(|| routine.block(Work::Runs(1))).0, expected, "{}", variant.name);
    }
}

/// Two blocks a session that owns any, whoever reclaims it: a sweep asks for nothing, and a table that has grown for nothing
/// more. A slot of the wheel grows now and then.
pub(crate) fn a_session_is_two_blocks() {
    for (case, a_session) in [("owning", 2), ("plain", 0)] {
        let p = Point::n(8_192).case(case);
        for name in ["sweep_at_100", "sweep_at_12", "expiry_wheel", "recycled_ids"] {
            let variant = reclaim_interval::TRAP.variant(name).expect("the variant is stated");
            let mut routine = (variant.batch)(&p);
            routine.block(Work::Runs(3));
            let beyond = asked(|| routine.block(Work::Runs(1))).0 - a_session * p.n;
            let most = if name == "expiry_wheel" { p.n / 20 } else { 0 };
            assert!(beyond <= most, "{name}, {case}: {beyond} blocks more");
        }
    }
}
