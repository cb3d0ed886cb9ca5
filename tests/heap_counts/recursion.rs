//! Recursion, and stacks.

use super::asked;
use trapline::trap::{Work, on_stack, routine};
use trapline::traps::deep_recursion;

/// An explicit stack of four bytes a level grows as any `Vec` does. What `stacker` maps is not asked of the allocator, which
/// is why the heap instrument is blind to this trap.
pub(crate) fn recursion_asks_for_the_path_alone() {
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
pub(crate) fn nothing_is_asked_for_to_hand_a_block_to_another_stack() {
    let mut eight = on_stack(64 << 10, || routine((), |()| vec![0_u8; 8]));
    eight.block(Work::Runs(1));
    assert_eq!(asked(|| eight.block(Work::Runs(5))), (5, 40));
}
