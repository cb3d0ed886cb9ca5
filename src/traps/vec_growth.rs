//! # A slice grown without a size
//!
//! A buffer whose final length is known, or can be bounded, is left to find it by growing.
//!
//! ## In Go
//!
//! ```go
//! func keep(batch []Record) []Record {
//!     var kept []Record // capacity 0
//!     for _, r := range batch {
//!         kept = append(kept, r) // grows, and copies, now and then
//!     }
//!     return kept // make([]Record, 0, len(batch)) would allocate once
//! }
//! ```
//!
//! ## In Rust
//!
//! `Vec::new()` and `push`. The growth is alike: a geometric series of capacities, each one full when the next is asked
//! for. Two things differ. `Vec` doubles all the way, while `append` doubles small slices and grows large ones by about
//! a quarter, so Go takes more and smaller steps. And `Vec` grows by `realloc`, which the allocator may satisfy in
//! place; Go's runtime always takes a new block, copies, and leaves the old one to the collector.
//!
//! ## Why it costs
//!
//! The first push allocates four elements (of this size), and every doubling after it asks the allocator again. All
//! buffers together hold about twice the elements of the last one, which holds up to twice what is kept. A step that
//! can't be extended in place copies every element so far, so each is copied about once on average: as much traffic as
//! the work itself when the work is only a push. Large steps also touch fresh pages, and each one faults. And each push
//! asks whether there is room, pre-sized or not: of `Copy` records that alone keeps the loop from being one copy.
//!
//! The floor has no growth, no allocation of the buffer and no such question: it clones into a buffer of the right size,
//! allocated anew before each block. References are allocated and freed by all arms, the floor too: `Box<str>` has no
//! `clone_from` that keeps its block.
//!
//! ## When the fix loses
//!
//! - Where the estimate is a guess. Too high an estimate holds memory for as long as the `Vec` lives; here it is exact.
//! - Where it is overdone: `reserve_exact(1)` before each push asks the allocator each time. glibc mostly extends the
//!   block at the heap's top, and what it owns fills the hole that a move leaves, so that moves stay few; where each
//!   time moves, it is quadratic.
//! - Where nothing follows the buffer in the heap. glibc then extends it in place, or remaps its pages, and growing
//!   copies nothing. The case `plain` shows this luck: only records that own memory of their own (`owning`), as real
//!   ones do, put blocks behind the buffer.
//! - Where making one element costs far more than moving it. Growth is then lost in the noise at any size.
//! - In a long-lived buffer: clear it and use it again, and no estimate is needed, for memory held between batches.
//!
//! ## What to measure it with
//!
//! Heap counts see it exactly: blocks and bytes asked for. dhat counts each `realloc` as a new block, also one that was
//! extended in place, so the moves of the buffer are counted beside them. Instructions see the copies, but not page
//! faults nor a remap. Time sees all of it and is the one to judge by, for this allocator. Expect pre-sizing to win
//! where batches are small and plain, to win less the more each record owns, and to tie for large plain batches.
//!
//! Latency times whole batches of 50 000 owning records one by one, each built and dropped: growing is a part of every batch, so
//! that its p95 should tell what the time of a record tells, and no more. That is a guess.
//!
//! ## Sources
//!
//! - `std::vec::Vec`, sections "Capacity and reallocation" and "Guarantees"; `<[T]>::clone_into`
//! - Go runtime, `growslice` and `nextslicecap` in `runtime/slice.go`
//! - The Go Blog, "Go Slices: usage and internals"
//! - The GNU C Library manual, "The GNU Allocator", and `mremap(2)`

use std::array::from_fn;
use std::hash::Hash;
use std::hint::black_box;
use std::sync::Arc;

use crate::trap::{Ended, Instrument, Point, Routine, Stream, Trap, Variant, in_place, routine, staged, stream};
use crate::workload::{Shifted, rng, shared};

/// An order as an extract job keeps it: 64 bytes that own nothing.
#[derive(Clone, Copy, Debug, Hash)]
#[expect(missing_docs, reason = "the fields are there to have a size")]
pub struct PlainOrder {
    pub id: u64,
    pub customer: u64,
    pub product: u64,
    pub quantity: u64,
    pub cents: u64,
    pub discount: u64,
    pub placed: u64,
    pub shipped: u64,
}

/// An order of the same 64 bytes that owns its reference, a block of 16 bytes.
#[derive(Clone, Debug, Hash)]
#[expect(missing_docs, reason = "the fields are there to have a size")]
pub struct OwningOrder {
    pub id: u64,
    pub customer: u64,
    pub product: u64,
    pub quantity: u64,
    pub cents: u64,
    pub placed: u64,
    pub reference: Box<str>,
}

/// The trap: grows from nothing.
pub fn push_unsized<T: Clone>(records: &[T]) -> Vec<T> {
    let mut kept = Vec::new();
    for record in records {
        kept.push(record.clone());
    }
    kept
}

/// The advice: states the size first.
pub fn push_presized<T: Clone>(records: &[T]) -> Vec<T> {
    let mut kept = Vec::with_capacity(records.len());
    for record in records {
        kept.push(record.clone());
    }
    kept
}

/// A cautious estimate, half of what comes: grows once.
pub fn push_half_sized<T: Clone>(records: &[T]) -> Vec<T> {
    let mut kept = Vec::with_capacity(records.len() / 2);
    for record in records {
        kept.push(record.clone());
    }
    kept
}

/// The idiom: the iterator knows its length, so the size is stated for the caller and no push checks the capacity.
#[expect(clippy::iter_cloned_collect, reason = "what people write, and to_vec takes another path for Copy types")]
pub fn collect_exact<T: Clone>(records: &[T]) -> Vec<T> {
    records.iter().cloned().collect()
}

/// The other fix: a buffer that has been as large before.
pub fn push_reused<T: Clone>(records: &[T], kept: &mut Vec<T>) {
    kept.clear();
    for record in records {
        kept.push(record.clone());
    }
}

/// The advice overdone: room for one more, each time.
pub fn reserve_exact_one<T: Clone>(records: &[T]) -> Vec<T> {
    let mut kept = Vec::new();
    for record in records {
        push_exact(&mut kept, record.clone());
    }
    kept
}

fn push_exact<T>(kept: &mut Vec<T>, record: T) {
    kept.reserve_exact(1);
    kept.push(record);
}

/// The floor: the records and nothing else. Of `Copy` records this is `extend_from_slice`, one copy; of others it is
/// `clone_from`, each record in place of the last run's.
pub fn clone_into_staged<T: Clone>(records: &[T], kept: &mut Vec<T>) {
    records.clone_into(kept);
}

/// The loop of the trap and the fixes with a count: how often the buffer moved with elements in it.
pub fn count_moves<T: Clone>(records: &[T], capacity: usize) -> u64 {
    moves_while(records, Vec::with_capacity(capacity), Vec::push)
}

fn moves_while<T: Clone>(records: &[T], mut kept: Vec<T>, push: impl Fn(&mut Vec<T>, T)) -> u64 {
    let mut moves = 0;
    for record in records {
        let (before, filled) = (kept.as_ptr(), !kept.is_empty());
        push(&mut kept, record.clone());
        moves += u64::from(filled && kept.as_ptr() != before);
    }
    moves
}

fn plain_orders(p: &Point) -> Shifted<PlainOrder> {
    let mut rng = rng(1);
    let mut order = |id| {
        let [customer, product, quantity, cents, discount, placed, shipped] = from_fn(|_| rng.u64());
        PlainOrder { id, customer, product, quantity, cents, discount, placed, shipped }
    };
    Shifted::new((0..p.n).map(&mut order).collect())
}

fn owning_orders(p: &Point) -> Shifted<OwningOrder> {
    let mut rng = rng(1);
    let mut order = |id| {
        let [customer, product, quantity, cents, placed, reference] = from_fn(|_| rng.u64());
        let reference = format!("{reference:016x}").into_boxed_str();
        OwningOrder { id, customer, product, quantity, cents, placed, reference }
    };
    Shifted::new((0..p.n).map(&mut order).collect())
}

type Orders<T> = Arc<Shifted<T>>;

fn either<R>(p: &Point, plain: fn(Orders<PlainOrder>) -> R, owning: fn(Orders<OwningOrder>) -> R) -> R {
    match p.case {
        "owning" => owning(shared(p, owning_orders)),
        _ => plain(shared(p, plain_orders)),
    }
}

fn fresh<T: Hash + 'static>(orders: Orders<T>, keep: impl Fn(&[T]) -> Vec<T> + 'static) -> Box<dyn Routine> {
    routine(orders, move |orders| keep(orders))
}

fn reused<T: Clone + Hash + 'static>(orders: Orders<T>) -> Box<dyn Routine> {
    in_place((orders, Vec::new()), |(orders, kept)| push_reused(orders, kept), |(_, kept)| kept)
}

// The buffer and its first records are no part of the work, and lie where the other arms' output lies.
fn floor<T: Clone + Hash + 'static>(orders: Orders<T>) -> Box<dyn Routine> {
    staged(orders, |orders| push_presized(orders), |orders, kept| clone_into_staged(orders, kept))
}

fn moves_exact<T: Clone>(records: &[T]) -> u64 {
    moves_while(records, Vec::new(), push_exact)
}

/// One op is a batch of 50 000 owning records: built, looked at, and dropped.
fn batches(build: fn(&[OwningOrder], &mut Vec<OwningOrder>) -> u64) -> Box<dyn Stream> {
    let orders = shared(&Point::n(50_000).case("owning"), owning_orders);
    let batch = move |(orders, kept, sum): &mut (Orders<_>, _, u64), _| *sum = sum.wrapping_add(build(orders, kept));
    stream((orders, Vec::new(), 0), batch, |(_, _, sum)| Ended::answer(sum))
}

// Its length and its last record; what else is in it all arms have shown in the case `owning`.
fn look(kept: &[OwningOrder]) -> u64 {
    black_box(kept).last().map_or(0, |order| order.product).wrapping_add(kept.len() as u64)
}

fn reused_batch(orders: &[OwningOrder], kept: &mut Vec<OwningOrder>) -> u64 {
    push_reused(orders, kept);
    let seen = look(kept);
    kept.clear();
    seen
}

const NO_BATCHES: &[(Instrument, &str)] =
    &[(Instrument::Latency, "the claim is of the trap, the advice and the kept buffer")];

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "vec_growth",
    title: "A slice grown without a size",
    section: "memory",
    habit: "append in a loop to a slice that starts with no capacity, though the number of elements is known",
    claims: &["A1", "A2", "A3", "A4", "A5", "A6"],
    counts: "records",
    op: "one record cloned and pushed",
    points: &[
        Point::n(16).case("plain"),
        Point::n(100).case("plain").headline(),
        Point::n(10_000).case("plain"),
        Point::n(50_000).case("plain").headline(),
        Point::n(100_000).case("plain"),
        Point::n(16).case("owning"),
        Point::n(100).case("owning").headline(),
        Point::n(10_000).case("owning"),
        Point::n(50_000).case("owning").headline(),
        // dhat follows each of its 100 000 blocks, in every arm and count, to say what 50 000 have said.
        Point::n(100_000).case("owning").only(&[Instrument::Ratio]),
        Point::n(125).case("batch=50000").every(5_000_000).headline(),
    ],
    cases: &[
        ("plain", "a record owns no memory"),
        ("owning", "each record owns a heap string of 16 bytes, which is cloned too"),
        ("batch", "records of one op: owning ones, pushed, looked at and dropped; a batch is due each 5 ms"),
    ],
    variants: &[
        Variant::trap("push_unsized", |p| either(p, |o| fresh(o, push_unsized), |o| fresh(o, push_unsized)))
            .moves(|p| either(p, |o| count_moves(&o, 0), |o| count_moves(&o, 0)))
            .stream(|_| batches(|orders, _| look(&push_unsized(orders)))),
        Variant::fix("push_presized", |p| either(p, |o| fresh(o, push_presized), |o| fresh(o, push_presized)))
            .moves(|p| either(p, |o| count_moves(&o, o.len()), |o| count_moves(&o, o.len())))
            .stream(|_| batches(|orders, _| look(&push_presized(orders)))),
        Variant::fix("push_half_sized", |p| either(p, |o| fresh(o, push_half_sized), |o| fresh(o, push_half_sized)))
            .moves(|p| either(p, |o| count_moves(&o, o.len() / 2), |o| count_moves(&o, o.len() / 2)))
            .blind(NO_BATCHES),
        Variant::fix("collect_exact", |p| either(p, |o| fresh(o, collect_exact), |o| fresh(o, collect_exact)))
            .blind(NO_BATCHES),
        Variant::fix("push_reused", |p| either(p, reused, reused)).stream(|_| batches(reused_batch)),
        Variant::opposite("reserve_exact_one", |p| {
            either(p, |o| fresh(o, reserve_exact_one), |o| fresh(o, reserve_exact_one))
        })
        .moves(|p| either(p, |o| moves_exact(&o), |o| moves_exact(&o)))
        // Not under glibc, see above; but there, too, asking a hundred thousand times takes longer than all other arms.
        .up_to(10_000, "quadratic where blocks move")
        .blind(NO_BATCHES),
        Variant::floor("clone_into_staged", |p| either(p, floor, floor)).blind(NO_BATCHES),
    ],
    blind: &[(Instrument::Usage, "one thread that never waits: its CPU time is its time")],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_says_how_each_one_grew() {
        assert_eq!((size_of::<PlainOrder>(), size_of::<OwningOrder>()), (64, 64));
        let orders = plain_orders(&Point::n(10_000));
        assert_eq!(push_unsized(&orders).capacity(), 16_384);
        for keep in [push_presized, push_half_sized, collect_exact, reserve_exact_one] {
            assert_eq!(keep(&orders).capacity(), 10_000);
        }
    }

    #[test]
    fn a_reused_buffer_and_the_floors_keep_their_block() {
        let orders = owning_orders(&Point::n(1_000));
        let mut kept = push_presized(&orders);
        let block = kept.as_ptr();
        for keep in [push_reused, clone_into_staged] {
            keep(&orders, &mut kept);
            assert_eq!((kept.as_ptr(), kept.len(), kept.capacity()), (block, 1_000, 1_000));
        }
    }

    #[test]
    fn batches_are_told_by_their_records_and_dropped_in_every_arm() {
        let orders = owning_orders(&Point::n(10));
        let mut kept = Vec::new();
        let answers = [look(&push_unsized(&orders)), look(&push_presized(&orders)), reused_batch(&orders, &mut kept)];
        assert_eq!(answers, [orders[9].product.wrapping_add(10); 3]);
        assert_eq!((kept.len(), kept.capacity() >= 10), (0, true));
        assert_ne!(look(&orders[..9]), look(&orders));
    }

    #[test]
    fn three_arms_have_a_stream_of_batches_and_answer_alike() {
        let p = Point::n(125).case("batch=50000").every(5_000_000);
        let answer = |variant: &Variant| {
            let mut stream = (variant.stream?)(&p);
            (0..2).for_each(|_| stream.op(std::time::Instant::now()));
            Some(stream.end().answer)
        };
        let answers: Vec<u64> = TRAP.variants.iter().filter_map(answer).collect();
        assert_eq!((answers.len(), answers.iter().all(|answer| *answer == answers[0])), (3, true));
    }

    #[test]
    fn a_buffer_moves_only_while_it_is_too_small() {
        let orders = owning_orders(&Point::n(1_000));
        assert_eq!(count_moves(&orders, 1_000), 0);
        assert!(count_moves(&orders, 500) <= 1);
        assert!(count_moves(&orders, 0) <= 8);
        assert!(moves_exact(&orders) < 1_000);
    }
}
