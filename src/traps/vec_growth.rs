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
//! The first push allocates four elements (for elements of this size), and every doubling after it asks the allocator
//! again. All buffers together hold about twice the elements of the last one, and the last one holds up to twice what
//! is kept. A step that can't be extended in place copies every element so far, so each element is copied about once on
//! average: amortised constant, and still as much memory traffic as the work itself when the work is only a push. Large
//! steps also touch fresh pages, and each one faults.
//!
//! ## When the fix loses
//!
//! - Where the estimate is a guess. Too high an estimate holds memory for as long as the `Vec` lives; here it is exact.
//! - Where nothing follows the buffer in the heap. glibc then extends it in place, or remaps its pages, and growing
//!   copies nothing. The case `plain` shows this luck: only records that own memory of their own (`owning`), as real
//!   ones do, put blocks behind the buffer.
//! - Where making one element costs far more than moving it. Growth is then lost in the noise at any size.
//! - In a long-lived buffer: clear it and use it again (the floor), and no estimate is needed after the first batch.
//!
//! ## What to measure it with
//!
//! Heap counts see it exactly: blocks and bytes asked for. dhat counts each `realloc` as a new block, also one that was
//! extended in place, so the moves of the buffer are counted beside them. Instructions see the copies, but not page
//! faults nor a remap done by the kernel. Time sees all of it and is the one to judge by; what it says is about this
//! allocator.
//!
//! ## Sources
//!
//! - `std::vec::Vec`, sections "Capacity and reallocation" and "Guarantees"
//! - Go runtime, `growslice` and `nextslicecap` in `runtime/slice.go`
//! - The Go Blog, "Go Slices: usage and internals"
//! - The GNU C Library manual, "The GNU Allocator", and `mremap(2)`

use crate::trap::{Point, Trap, Variant, in_place, routine};
use crate::workload::rng;

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

/// The floor: a buffer that has been as large before.
pub fn push_reused<T: Clone>(records: &[T], kept: &mut Vec<T>) {
    kept.clear();
    for record in records {
        kept.push(record.clone());
    }
}

/// The loop of the trap and the fixes with a count: how often the buffer moved with elements in it.
pub fn count_moves<T: Clone>(records: &[T], capacity: usize) -> u64 {
    let mut kept = Vec::with_capacity(capacity);
    let mut moves = 0;
    for record in records {
        let (before, filled) = (kept.as_ptr(), !kept.is_empty());
        kept.push(record.clone());
        moves += u64::from(filled && kept.as_ptr() != before);
    }
    moves
}

fn plain_orders(p: &Point) -> Vec<PlainOrder> {
    let mut rng = rng(1);
    let mut next = || rng.u64(..);
    let mut order = |id| PlainOrder {
        id,
        customer: next(),
        product: next(),
        quantity: next(),
        cents: next(),
        discount: next(),
        placed: next(),
        shipped: next(),
    };
    (0..p.n).map(&mut order).collect()
}

fn owning_orders(p: &Point) -> Vec<OwningOrder> {
    let mut rng = rng(1);
    let mut next = || rng.u64(..);
    let mut order = |id| OwningOrder {
        id,
        customer: next(),
        product: next(),
        quantity: next(),
        cents: next(),
        placed: next(),
        reference: format!("{:016x}", next()).into_boxed_str(),
    };
    (0..p.n).map(&mut order).collect()
}

fn moves(p: &Point, capacity: usize) -> u64 {
    match p.case {
        "owning" => count_moves(&owning_orders(p), capacity),
        _ => count_moves(&plain_orders(p), capacity),
    }
}

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "vec_growth",
    title: "A slice grown without a size",
    section: "memory",
    habit: "append in a loop to a slice that starts with no capacity, though the number of elements is known",
    claims: &["A1", "A2", "A3", "A5", "A6"],
    counts: "records",
    op: "one record cloned and pushed",
    points: &[
        Point::n(100).case("plain"),
        Point::n(10_000).case("plain"),
        Point::n(50_000).case("plain").headline(),
        Point::n(100_000).case("plain"),
        Point::n(100).case("owning"),
        Point::n(10_000).case("owning"),
        Point::n(50_000).case("owning").headline(),
        Point::n(100_000).case("owning"),
    ],
    variants: &[
        Variant::trap("push_unsized", |p| match p.case {
            "owning" => routine(owning_orders(p), |o| push_unsized(o)),
            _ => routine(plain_orders(p), |o| push_unsized(o)),
        })
        .moves(|p| moves(p, 0)),
        Variant::fix("push_presized", |p| match p.case {
            "owning" => routine(owning_orders(p), |o| push_presized(o)),
            _ => routine(plain_orders(p), |o| push_presized(o)),
        })
        .moves(|p| moves(p, p.len())),
        Variant::fix("push_half_sized", |p| match p.case {
            "owning" => routine(owning_orders(p), |o| push_half_sized(o)),
            _ => routine(plain_orders(p), |o| push_half_sized(o)),
        })
        .moves(|p| moves(p, p.len() / 2)),
        Variant::fix("collect_exact", |p| match p.case {
            "owning" => routine(owning_orders(p), |o| collect_exact(o)),
            _ => routine(plain_orders(p), |o| collect_exact(o)),
        }),
        Variant::floor("push_reused", |p| match p.case {
            "owning" => in_place((owning_orders(p), Vec::new()), |(o, kept)| push_reused(o, kept), |(_, kept)| kept),
            _ => in_place((plain_orders(p), Vec::new()), |(o, kept)| push_reused(o, kept), |(_, kept)| kept),
        }),
    ],
    blind: &[],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_are_of_one_size() {
        assert_eq!(size_of::<PlainOrder>(), 64);
        assert_eq!(size_of::<OwningOrder>(), 64);
    }

    #[test]
    fn capacity_says_how_each_one_grew() {
        let orders = plain_orders(&Point::n(10_000));
        assert_eq!(push_unsized(&orders).capacity(), 16_384);
        assert_eq!(push_presized(&orders).capacity(), 10_000);
        assert_eq!(push_half_sized(&orders).capacity(), 10_000);
        assert_eq!(collect_exact(&orders).capacity(), 10_000);
    }

    #[test]
    fn a_reused_buffer_keeps_its_block() {
        let orders = plain_orders(&Point::n(1_000));
        let mut kept = Vec::new();
        push_reused(&orders, &mut kept);
        let block = kept.as_ptr();
        push_reused(&orders, &mut kept);
        assert_eq!((kept.as_ptr(), kept.len()), (block, 1_000));
    }

    #[test]
    fn a_buffer_moves_only_while_it_is_too_small() {
        let orders = owning_orders(&Point::n(1_000));
        assert_eq!(count_moves(&orders, 1_000), 0);
        assert!(count_moves(&orders, 500) <= 1);
        assert!(count_moves(&orders, 0) <= 8);
    }
}
