//! # Recursion that must grow its stack
//!
//! A function calls itself once a level of its input, and the stack that it started on is too small for that.
//!
//! ## In Go
//!
//! ```go
//! func hash(n *Node) uint64 { // no base case for "the stack is full"
//!     if n == nil {
//!         return seed
//!     }
//!     return mix(hash(n.Child), n.Leaf.Value, n.Value)
//! }
//!
//! go func() { sums <- hash(root) }() // on the way down the stack doubles and is copied
//! ```
//!
//! ## In Rust
//!
//! A different trap. A thread's stack has a fixed size, 2 MiB by default and mostly 8 MiB in `main`, and the program is
//! aborted at its end: no error, nothing to catch. That is told here and never run. The growth that Go has built in is a
//! crate that one opts into, `stacker`, and it grows otherwise. Go asks for twice the stack, copies it, and keeps it until a
//! collection finds it mostly unused. `stacker` maps a segment, leaves what is there in its place, and unmaps the segment
//! on the way back, as Go did before version 1.3. And Rust has what Go has no call for: a thread whose stack has the right
//! size from the start.
//!
//! The input is a chain of nodes in one array, each with a leaf beside it. It is no chain of boxes, for to drop a deep one
//! recurses as well, and aborts. All arms run on a thread of their own, whose stack is part of the point.
//!
//! ## Why it costs
//!
//! - Each level asks how much stack is left: a thread-local variable read, and a comparison.
//! - Each segment is an `mmap`, an `mprotect` and a `munmap`, and nothing of it lasts: the next call maps it again.
//! - Each fresh page of a segment faults when it is first touched. A guest may leave to its host for that, and then the
//!   faults are most of it. A thread's own stack has faulted once and stays.
//! - A frame holds the return address and saved registers; an explicit stack holds four bytes a level.
//!
//! Expected: at a depth of 100 hardly a difference, in either direction; at 10 000 within 2 MiB none, since nothing grows;
//! at 10 000 within 64 KiB and at 100 000 the trap loses by a multiple, through faults. The large stack should tie with the
//! explicit one.
//!
//! ## When the fix loses
//!
//! - Where recursion is shallow: a `Vec` asks the allocator several times until it is as long as a short chain. The point
//!   at a depth of 100 measures it.
//! - Where a level has many local variables: each becomes a field of what is pushed, and the code no longer reads as the
//!   grammar or the tree that it follows.
//! - Where the depth is not known: a large stack only moves the abort, while the explicit one ends with the memory. If input
//!   comes from strangers, a limit on its depth is the fix.
//! - Where threads are many: each large stack keeps the pages that it once touched for as long as the thread lives.
//!
//! ## What to measure it with
//!
//! Time, over depth and stack. Usage has the page faults and the peak of resident memory.
//! Heap counts are blind, for segments are mapped and never asked of the allocator; instructions are blind, for callgrind
//! takes a jump of the stack pointer for returns. `strace -c -f -e trace=mmap,munmap` counts segments.
//!
//! ## Sources
//!
//! - Randall, "Contiguous stacks", Go design document, 2013; `runtime/stack.go`
//! - Anderson, "Abandoning segmented stacks in Rust", rust-dev, November 2013
//! - The documentation of `stacker::maybe_grow` and of `std::thread`, "Stack size"; Linux manual, mmap(2)

use crate::trap::{Instrument, Point, Routine, Trap, Variant, on_stack, routine};
use crate::workload::{Shifted, rng, shared};

/// A node of a tree that lies in one array: a child further down, and a leaf beside it.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// What the hash is of.
    pub value: u64,
    /// The index of the next level's node; [`NONE`] at the last level and in a leaf.
    pub child: u32,
    /// The index of a node whose value counts at this level.
    pub leaf: u32,
}

/// The index of no node.
pub const NONE: u32 = u32::MAX;

/// What is below the last level.
const BOTTOM: u64 = 0x0061_7465_7273_6B69;

impl Node {
    /// The hash of a node from that of its child. It can't be reordered, so that no compiler makes a loop of the recursion by
    /// summing up on the way down. Leaves are read here and not by a call: a recursion into them would be inlined, and a
    /// level then be more than one frame or less.
    fn hash(&self, below: u64, nodes: &[Self]) -> u64 {
        #[cfg(test)]
        tests::note_stack();
        let leaf = nodes[self.leaf as usize].value;
        (below.rotate_left(5) ^ leaf ^ self.value).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

/// How much stack must be left at a level: far more than its frame, for `stacker` switches stacks on what is left.
pub const RED_ZONE: usize = 32 << 10;

/// How much stack is mapped when less is left. Both sizes are those of `stacker`'s documentation.
pub const SEGMENT: usize = 1 << 20;

/// The trap: recursion that grows its stack when it must.
#[must_use]
#[inline(never)]
pub fn grown(nodes: &[Node], at: u32) -> u64 {
    if at == NONE {
        return BOTTOM;
    }
    stacker::maybe_grow(RED_ZONE, SEGMENT, || {
        let node = &nodes[at as usize];
        node.hash(grown(nodes, node.child), nodes)
    })
}

/// The advice: the way down is kept in a `Vec`, and walked back.
#[must_use]
pub fn explicit_stack(nodes: &[Node], mut at: u32) -> u64 {
    let mut path = Vec::new();
    while at != NONE {
        path.push(at);
        at = nodes[at as usize].child;
    }
    path.into_iter().rev().fold(BOTTOM, |below, at| nodes[at as usize].hash(below, nodes))
}

/// Plain recursion, on a stack that is large enough: `thread::Builder::new().stack_size(LARGE)`. On one that is not, the
/// program is aborted.
#[must_use]
#[inline(never)]
pub fn recursed(nodes: &[Node], at: u32) -> u64 {
    if at == NONE {
        return BOTTOM;
    }
    let node = &nodes[at as usize];
    node.hash(recursed(nodes, node.child), nodes)
}

/// Enough for every point, also without optimisation. It is address space; memory is taken as it is touched.
pub const LARGE: usize = 64 << 20;

/// The floor: children lie behind their parents, so that the array itself is the way back.
#[must_use]
pub fn in_place(nodes: &[Node]) -> u64 {
    let levels = nodes.iter().rev().filter(|node| node.leaf != NONE);
    levels.fold(BOTTOM, |below, node| node.hash(below, nodes))
}

/// A chain of `n` levels: each level's node, then its leaf, then the next level.
fn chain(p: &Point) -> Shifted<Node> {
    let mut rng = rng(36);
    let depth = u32::try_from(p.n).expect("a depth is far below four thousand million");
    let level = |level| {
        let child = if level + 1 == depth { NONE } else { 2 * level + 2 };
        let node = Node { value: rng.u64(), child, leaf: 2 * level + 1 };
        [node, Node { value: rng.u64(), child: NONE, leaf: NONE }]
    };
    Shifted::new((0..depth).flat_map(level).collect())
}

/// The stack of the case.
fn stack(p: &Point) -> usize {
    if p.case == "stack=64KiB" { 64 << 10 } else { 2 << 20 }
}

/// An arm on a thread of this stack. The chain is made by the caller: to build it is nothing for a small stack.
fn arm(p: &Point, stack: usize, hash: impl Fn(&[Node]) -> u64 + Send + 'static) -> Box<dyn Routine> {
    let nodes = shared(p, chain);
    on_stack(stack, move || routine(nodes, move |nodes| hash(nodes)))
}

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "deep_recursion",
    title: "Recursion that must grow its stack",
    section: "control flow",
    habit: "recurse once a level of the input, on a stack that has to grow on the way down",
    claims: &["H2"],
    counts: "levels",
    op: "one level descended and returned from",
    points: &[
        Point::n(100).case("stack=2MiB"),
        Point::n(10_000).case("stack=2MiB"),
        Point::n(100_000).case("stack=2MiB").headline(),
        Point::n(10_000).case("stack=64KiB").headline(),
    ],
    cases: &[("stack", "size of the thread's stack, but `sized_thread` always has 64 MiB")],
    variants: &[
        Variant::trap("grown", |p| arm(p, stack(p), |nodes| grown(nodes, 0))),
        Variant::fix("explicit_stack", |p| arm(p, stack(p), |nodes| explicit_stack(nodes, 0))),
        Variant::fix("sized_thread", |p| arm(p, LARGE, |nodes| recursed(nodes, 0))),
        Variant::floor("in_place", |p| arm(p, stack(p), in_place)),
    ],
    blind: &[
        (Instrument::Heap, "stacker maps memory by itself, dhat does not see it"),
        (
            Instrument::Instructions,
            "the arms run on another thread and switch stacks: callgrind takes a jump of the stack pointer for returns",
        ),
        (Instrument::Latency, "a call has no tail of its own"),
    ],
};

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::trap::Work;

    thread_local! {
        // What was left of the stack at each level on the way back, the lowest level first.
        static LEFT: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn note_stack() {
        LEFT.with_borrow_mut(|left| left.extend(stacker::remaining_stack()));
    }

    /// What was left of a stack at each level.
    fn left(depth: u64, stack: usize, hash: fn(&[Node], u32) -> u64) -> Vec<usize> {
        let on_it = move || {
            std::hint::black_box(hash(&chain(&Point::n(depth)), 0));
            LEFT.take()
        };
        let thread = std::thread::Builder::new().stack_size(stack).spawn(on_it);
        thread.expect("a thread starts").join().expect("nobody panics")
    }

    /// How many segments were left again on the way back: in each there is much room at first and little at its end.
    fn segments(left: &[usize]) -> usize {
        left.windows(2).filter(|pair| pair[0] > pair[1] + SEGMENT / 2).count()
    }

    #[test]
    fn every_variant_hashes_alike_at_every_depth() {
        for (depth, case) in [1, 2, 99, 3_000].into_iter().flat_map(|n| [(n, "stack=2MiB"), (n, "stack=64KiB")]) {
            let p = Point::n(depth).case(case);
            let nodes = chain(&p);
            let expected = (0..p.len()).rev().fold(BOTTOM, |below, level| nodes[2 * level].hash(below, &nodes));
            for variant in TRAP.variants {
                assert_eq!((variant.batch)(&p).digest(), expected, "{} at {p}", variant.name);
            }
        }
    }

    #[test]
    fn the_hash_knows_every_value_and_its_place() {
        let p = Point::n(4);
        let nodes = chain(&p);
        for at in 0..nodes.len() {
            let mut other = nodes.to_vec();
            other[at].value ^= 1;
            assert_ne!(in_place(&other), in_place(&nodes), "node {at}");
        }
        let mut swapped = nodes.to_vec();
        (swapped[0].value, swapped[2].value) = (nodes[2].value, nodes[0].value);
        assert_ne!(in_place(&swapped), in_place(&nodes));
    }

    #[test]
    fn a_level_takes_the_same_stack_at_any_depth_and_the_large_one_holds_twice_the_deepest() {
        let a_level = |depth| {
            let left = left(depth, LARGE, recursed);
            (left[left.len() - 1] - left[0]) / (depth as usize - 1)
        };
        let (shallow, deep) = (a_level(100), a_level(10_000));
        assert_eq!(shallow, deep);
        assert!((16..LARGE / 200_000).contains(&deep), "{deep} bytes a level");
    }

    #[test]
    fn the_stack_grows_where_the_point_says_and_never_below_the_red_zone() {
        let small = left(10_000, 64 << 10, grown);
        assert!(segments(&small) >= 1, "64 KiB do not hold 10 000 levels");
        assert!(small.iter().all(|left| *left > RED_ZONE / 2), "a frame is small beside the red zone");
        assert_eq!(segments(&left(100, 2 << 20, grown)), 0, "2 MiB hold 100 levels");
    }

    #[test]
    fn a_block_of_any_arm_leaves_its_answer_as_it_was() {
        for variant in TRAP.variants {
            let mut routine = (variant.batch)(&Point::n(500).case("stack=64KiB"));
            let digest = routine.digest();
            assert_eq!(routine.block(Work::Runs(3)).runs, 3);
            assert_eq!(routine.digest(), digest, "{}", variant.name);
        }
    }
}
