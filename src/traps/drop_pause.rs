//! # Many short-lived objects a request
//!
//! Each request builds thousands of small objects on the heap, and lets them go when it has answered.
//!
//! ## In Go
//!
//! ```go
//! func handle(w io.Writer, doc []uint64) {
//!     tree := parse(doc) // a node a value, each an object of its own
//!     body := make([]byte, 0, 4096)
//!     body = binary.LittleEndian.AppendUint64(body, tree.fold())
//!     w.Write(body)
//! } // garbage: the collector finds it during some other request
//! ```
//!
//! ## In Rust
//!
//! `Option<Box<Node>>` twice a node. The trap is absent as such: Go's garbage is collected in the background, and some other
//! request pays. Here each request frees its own, in proportion, before it is done. Only similar is what is left of a pause in
//! *another* request, and it is the allocator's: glibc keeps small freed blocks unmerged, and the next larger request for
//! memory may have to merge them all. So every arm asks for a response of 4 KiB, as services do.
//!
//! ## Why it costs
//!
//! A node is a call of `malloc` and one of `free`, with a cache of seven blocks a size before the arena. A big request leaves
//! thousands of blocks in the fast bins, and the next response of 4 KiB runs `malloc_consolidate` over them. What is freed at
//! the heap's top may go back to the system, and is faulted in again. An arena takes a few chunks, moves a pointer, and gives
//! back chunks and no nodes. Dropping elsewhere moves the frees to another core; but they write to the caller's arena.
//!
//! Expected: the advice wins by 1.6 to 2.5 times at the median, and by about as much at p99: the cost is in every request, and
//! not only in the tail. If p99 gains more than 1.5 times what p50 does, it is merging or faults.
//!
//! ## When the fix loses
//!
//! - When objects must be let go one by one, or own something: an arena keeps all of them, and `Bump` runs no destructors.
//! - When requests are small: a few boxes come from the thread's cache, and an arena asks for its first chunk all the same.
//! - When it is kept, as in the floor: it stays as large as the largest request made it.
//! - `dropped_elsewhere` loses where its frees get in the way of the caller's, and it takes a second core.
//!
//! ## What to measure it with
//!
//! Latency, which the habit is said to spoil: p50 is the small requests, p99 the middle of the big ones. Time beside it, heap
//! counts for the blocks, instructions for malloc's share. Usage has the page faults, and the CPU time on the second core,
//! which flatters the times of `dropped_elsewhere`. In `ratio` all arms share one heap, whose thresholds have learnt from all of
//! them; each process of latency has one arm.
//!
//! ## Sources
//!
//! - glibc 2.36, `malloc_consolidate`, `_int_malloc`, `_int_free` and `systrim` in `malloc/malloc.c`; mallopt(3)
//! - Go, "A Guide to the Go Garbage Collector"; `gcAssistAlloc` in `runtime/mgcmark.go`
//! - Hanson, "Fast allocation and deallocation of memory based on object lifetimes", Software: Practice and Experience, 1990
//! - bumpalo, `Bump::reset` and `alloc_layout_slow` in `src/lib.rs`

use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;

use bumpalo::Bump;
use crossbeam_channel::{Sender, bounded};

use crate::routine::Pace;
use crate::trap::{Ended, Helper, Instrument, Point, Routine, Stream, Trap, Variant, Work, routine, stream};
use crate::workload::{POOL, Shifted, Windows, rng, shared};

/// What a node says: its value, where it stands in the document, and how many nodes it heads, itself among them.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    value: u64,
    at: u64,
    len: u64,
}

impl Item {
    /// The middle of this part of a document, the part before it and the part behind it; none of an empty part. Halving keeps
    /// the tree flat: one that degenerates into a list overflows the stack when it is dropped.
    fn split(doc: &[u64], at: u64) -> Option<(Self, &[u64], &[u64])> {
        let (before, rest) = doc.split_at(doc.len() / 2);
        let (&value, behind) = rest.split_first()?;
        Some((Self { value, at: at + before.len() as u64, len: doc.len() as u64 }, before, behind))
    }

    fn join(&self, before: u64, behind: u64) -> u64 {
        let own = self.value ^ self.at.rotate_left(32);
        before.rotate_left(7).wrapping_add(behind ^ own).wrapping_mul(2 * self.len + 1)
    }
}

/// A node, and links to two more: 40 bytes, or 32 where a link is a place in a list.
#[derive(Debug)]
pub struct Node<L> {
    item: Item,
    before: L,
    behind: L,
}

/// Builds the tree of a part of a document that begins at this place; `link` keeps a node. Never inlined, nor is [`fold`]: in one
/// function the compiler could fold without building.
#[inline(never)]
pub fn build<L>(doc: &[u64], at: u64, link: &mut impl FnMut(Option<Node<L>>) -> L) -> L {
    let Some((item, before, behind)) = Item::split(doc, at) else { return link(None) };
    let (before, behind) = (build(before, at, link), build(behind, item.at + 1, link));
    link(Some(Node { item, before, behind }))
}

/// Folds a tree; `node` follows a link.
#[inline(never)]
pub fn fold<'t, L>(tree: &'t L, node: &impl Fn(&'t L) -> Option<&'t Node<L>>) -> u64 {
    node(tree).map_or(0, |n| n.item.join(fold(&n.before, node), fold(&n.behind, node)))
}

/// Answers: a response of 4 KiB, as services make them. It is let go before the nodes are. Let go after them it could border
/// the heap's top, and its own free would merge them within the same request.
#[inline(never)]
fn respond(answer: u64) -> u64 {
    let mut response = Vec::<u8>::with_capacity(4096);
    response.extend_from_slice(&answer.to_le_bytes());
    black_box(&*response).first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// A link that owns its node.
#[derive(Debug)]
pub struct Boxed(Option<Box<Node<Boxed>>>);

fn boxed(doc: &[u64]) -> Boxed {
    build(doc, 0, &mut |node| Boxed(node.map(Box::new)))
}

/// The trap: a box a node, dropped at the end.
pub fn boxed_tree(doc: &[u64]) -> u64 {
    let tree = boxed(doc);
    respond(fold(&tree, &|tree| tree.0.as_deref()))
}

/// A link to a node in an arena.
#[derive(Debug)]
pub struct Placed<'a>(Option<&'a Node<Placed<'a>>>);

fn in_arena(arena: &Bump, doc: &[u64]) -> u64 {
    let tree = build(doc, 0, &mut |node| Placed(node.map(|node| &*arena.alloc(node))));
    respond(fold(&tree, &|tree| tree.0))
}

/// The advice: an arena a request. Its chunks are let go, and no node is.
pub fn bump_arena(doc: &[u64]) -> u64 {
    in_arena(&Bump::new(), doc)
}

/// The floor: an arena that outlives the request. A reset keeps its largest chunk.
pub fn arena_kept(arena: &mut Bump, doc: &[u64]) -> u64 {
    let answer = in_arena(arena, doc);
    arena.reset();
    answer
}

/// No crate and one block: a list of the right size, and places in it for links. Where there is no node, no list reaches.
pub fn indexed_vec(doc: &[u64]) -> u64 {
    let mut nodes: Vec<Node<u32>> = Vec::with_capacity(doc.len());
    let mut push = |node| {
        nodes.push(node);
        nodes.len() as u32 - 1
    };
    let tree = build(doc, 0, &mut |node| node.map_or(u32::MAX, &mut push));
    respond(fold(&tree, &|tree| nodes.get(*tree as usize)))
}

/// A thread that drops trees.
#[derive(Debug)]
pub struct Dropper {
    // Dropped before its helper, which waits for that.
    trees: Sender<Boxed>,
    _helper: Helper,
}

/// How many trees may wait. Who sends one more waits, too: a channel without bound would hold all that is not dropped in time.
const WAITING: usize = 64;

impl Dropper {
    /// Starts it.
    pub fn start() -> Self {
        let (trees, to_drop) = bounded::<Boxed>(WAITING);
        Self { trees, _helper: Helper::beside(1, move || to_drop.into_iter().for_each(drop)) }
    }
}

/// Boxes again, which somebody else drops.
pub fn dropped_elsewhere(dropper: &Dropper, doc: &[u64]) -> u64 {
    let tree = boxed(doc);
    let answer = respond(fold(&tree, &|tree| tree.0.as_deref()));
    dropper.trees.send(tree).expect("the dropper lives");
    answer
}

/// Nodes of a small request and of a big one, and of how many requests one is big: 2 %. With 1 % the p99 would be the jump
/// between the two kinds, and flip from process to process.
const SMALL: usize = 100;
const BIG: usize = 5_000;
const ONE_IN: usize = 50;

/// What is requested: parts of one long document.
struct Documents {
    values: Shifted<u64>,
    // Where each begins, and how many values it has.
    requests: Windows<(usize, usize)>,
}

impl Documents {
    /// One request of each fifty is big, at a random place among them: all runs do the same work.
    fn new(p: &Point) -> Self {
        let mut rng = rng(41);
        let values = Shifted::new((0..POOL).map(|_| rng.u64()).collect());
        let (whole, mut requests) = ((10_000 / p.len()).max(1) * p.len(), Vec::new());
        while requests.len() < whole {
            let big = rng.index(ONE_IN);
            let len = |at| if at == big { BIG } else { SMALL };
            requests.extend((0..ONE_IN).map(|at| (rng.index(POOL - BIG), len(at))));
        }
        requests.truncate(whole);
        Self { values, requests: Windows::new(requests, p.len()) }
    }

    fn document(&self, (from, len): (usize, usize)) -> &[u64] {
        &self.values[from..][..len]
    }
}

/// An arm: the next `n` requests a run. The answer is the wrapping sum of all answers.
fn arm(p: &Point, mut serve: impl FnMut(&[u64]) -> u64 + 'static) -> Box<dyn Routine> {
    routine((shared(p, Documents::new), 0), move |(documents, at)| {
        let answers = documents.requests.advance(at).iter().map(|request| serve(documents.document(*request)));
        answers.fold(0, u64::wrapping_add)
    })
}

/// A stream: one request an op. What is dropped in it is dropped by then, or it would make the next op late: another service.
fn paced(p: &Point, mut serve: impl FnMut(&[u64]) -> u64 + 'static) -> Box<dyn Stream> {
    let op = move |(documents, at, sum): &mut (Arc<Documents>, usize, u64), _| {
        let requests = documents.requests.window(0);
        *sum = sum.wrapping_add(serve(documents.document(requests[*at % requests.len()])));
        *at += 1;
    };
    stream((shared(p, Documents::new), 0, 0), op, |(_, _, sum)| Ended::answer(sum))
}

/// A routine whose trees have all been dropped when the next arm's block begins.
struct Settled(Box<dyn Routine>, Rc<Dropper>);

impl Routine for Settled {
    fn block(&mut self, work: Work) -> Pace {
        self.0.block(work)
    }

    fn digest(&mut self) -> u64 {
        self.0.digest()
    }

    // Once there was room for one empty tree more than may wait, the first of them has been received.
    fn rest(&mut self) {
        (0..=WAITING).for_each(|_| drop(self.1.trees.send(Boxed(None))));
    }
}

fn elsewhere(p: &Point) -> Box<dyn Routine> {
    let dropper = Rc::new(Dropper::start());
    let its = Rc::clone(&dropper);
    Box::new(Settled(arm(p, move |doc| dropped_elsewhere(&its, doc)), dropper))
}

fn in_kept_arena() -> impl FnMut(&[u64]) -> u64 {
    let mut arena = Bump::new();
    move |doc| arena_kept(&mut arena, doc)
}

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "drop_pause",
    title: "Many short-lived objects a request",
    section: "memory",
    habit: "build thousands of small objects for a request, and leave them to the collector when it is answered",
    claims: &["D1"],
    counts: "requests",
    op: "one request: a tree built, folded, answered from and let go",
    points: &[Point::n(100), Point::n(1_000).headline(), Point::n(10_000).every(50_000).headline()],
    cases: &[],
    variants: &[
        Variant::trap("boxed_tree", |p| arm(p, boxed_tree)).stream(|p| paced(p, boxed_tree)),
        Variant::fix("bump_arena", |p| arm(p, bump_arena)).stream(|p| paced(p, bump_arena)),
        Variant::fix("indexed_vec", |p| arm(p, indexed_vec)).stream(|p| paced(p, indexed_vec)),
        Variant::fix("dropped_elsewhere", elsewhere)
            .stream(|p| {
                let dropper = Dropper::start();
                paced(p, move |doc| dropped_elsewhere(&dropper, doc))
            })
            .blind(&[(Instrument::Instructions, "the drop runs on another thread")]),
        Variant::floor("arena_kept", |p| arm(p, in_kept_arena())).stream(|p| paced(p, in_kept_arena())),
    ],
    blind: &[],
};

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn folded(doc: &[u64], at: u64) -> u64 {
        let parts = Item::split(doc, at);
        parts.map_or(0, |(item, before, behind)| item.join(folded(before, at), folded(behind, item.at + 1)))
    }

    #[test]
    fn every_arm_answers_the_fold_of_every_document() {
        let (mut kept, dropper) = (Bump::new(), Dropper::start());
        for n in [0, 1, 2, 3, 100, 5_000, 99] {
            let doc: Vec<u64> = (0..n).map(|at| at * at + 1).collect();
            let answers = [
                boxed_tree(&doc),
                bump_arena(&doc),
                indexed_vec(&doc),
                dropped_elsewhere(&dropper, &doc),
                arena_kept(&mut kept, &doc),
            ];
            assert_eq!(answers, [folded(&doc, 0); 5], "{n} values");
        }
    }

    #[test]
    fn the_answer_knows_every_value_and_its_place() {
        let doc: Vec<u64> = (0..20).collect();
        for at in 0..20 {
            let mut other = doc.clone();
            other[at] += 1;
            assert_ne!(boxed_tree(&other), boxed_tree(&doc), "the value at {at}");
            other.clone_from(&doc);
            other.swap(at, (at + 1) % 20);
            assert_ne!(boxed_tree(&other), boxed_tree(&doc), "the place {at}");
        }
    }

    #[test]
    fn a_node_has_40_bytes_and_32_in_a_list() {
        assert_eq!([size_of::<Node<Boxed>>(), size_of::<Node<Placed<'_>>>(), size_of::<Node<u32>>()], [40, 40, 32]);
    }

    #[test]
    fn a_tree_is_as_flat_as_can_be() {
        fn depth(tree: &Boxed) -> usize {
            tree.0.as_deref().map_or(0, |node| 1 + depth(&node.before).max(depth(&node.behind)))
        }
        for n in [1, 100, 5_000] {
            assert_eq!(depth(&boxed(&vec![7; n])), n.ilog2() as usize + 1, "{n} nodes");
        }
    }

    #[test]
    fn two_requests_of_a_hundred_are_big_at_every_point() {
        for p in TRAP.points {
            let documents = Documents::new(p);
            for number in 0..10_000 / p.len() {
                let requests = documents.requests.window(number);
                let big = requests.iter().filter(|(_, len)| *len == BIG).count();
                assert_eq!(50 * big, p.len(), "{p}");
                assert!(requests.iter().all(|request| [SMALL, BIG].contains(&documents.document(*request).len())));
            }
        }
    }

    #[test]
    fn a_stream_answers_as_a_run_of_as_many_requests_does() {
        let p = Point::n(60);
        let expected = (TRAP.baseline().batch)(&p).digest();
        for variant in TRAP.variants {
            assert_eq!((variant.batch)(&p).digest(), expected, "{}", variant.name);
            let mut stream = variant.stream.expect("all have one")(&p);
            (0..60).for_each(|_| stream.op(Instant::now()));
            assert_eq!(stream.end(), Ended::answer(expected), "{}", variant.name);
        }
    }

    #[test]
    fn nothing_is_left_to_drop_when_an_arm_rests() {
        let dropper = Rc::new(Dropper::start());
        let its = Rc::clone(&dropper);
        let mut arm = Settled(arm(&Point::n(100), move |doc| dropped_elsewhere(&its, doc)), Rc::clone(&dropper));
        arm.block(Work::Runs(2));
        arm.rest();
        assert!(dropper.trees.len() <= WAITING, "only the empty ones can be left");
    }

    #[test]
    fn a_kept_arena_has_one_chunk_once_it_has_seen_two_big_requests() {
        let (mut arena, doc) = (Bump::new(), vec![7; BIG]);
        let mut after = || {
            arena_kept(&mut arena, &doc);
            arena.allocated_bytes()
        };
        let [_, second, third] = [after(), after(), after()];
        assert!(second >= 40 * BIG && second == third, "{second} and {third} bytes");
        arena_kept(&mut arena, &doc[..SMALL]);
        assert_eq!(arena.allocated_bytes(), second);
    }
}
