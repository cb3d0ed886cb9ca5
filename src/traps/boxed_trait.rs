//! # A boxed trait object per element
//!
//! A tight loop calls a small method through a pointer to a box and a pointer to a table, once an element.
//!
//! ## In Go
//!
//! ```go
//! type Rule interface{ Fee(amount uint64) uint64 }
//!
//! func total(rules []Rule, amount uint64) (sum uint64) {
//!     for _, r := range rules {
//!         sum += r.Fee(amount) // an indirect call on a boxed value
//!     }
//!     return sum
//! }
//! ```
//!
//! ## In Rust
//!
//! `Vec<Box<dyn Rule>>`. The parts are the same: two words an element, one to the value and one to its methods, and the
//! boxes lie where the allocator put them. Two things differ: Go can devirtualise a hot call site from a profile (PGO),
//! which rustc does not; and Rust has the enum, a closed set of kinds in line, which Go has no word for.
//!
//! ## Why it costs
//!
//! Three costs come together, and the points and variants keep them apart.
//! - The call can't be inlined, so nothing is hoisted out of it, vectorised or folded into the sum. In the case
//!   `one_kind` the boxes lie in order and every target is the same: there it is nearly alone.
//! - The target is predicted from history. With kinds in random order a prediction often fails, and each failure
//!   flushes the pipeline. The enum does not escape this: its `match` compiles to a jump table (rustc 1.95, x86-64).
//!   Sorted by kind, both do. In `kinds=90:10` nine in ten are of one kind, and most guesses right.
//! - The value is behind a pointer. In the case `sequential` the boxes lie in the order of the vector, and the
//!   prefetcher hides it; in `shuffled`, as after hours of inserts and removals, each load is a cache miss of its own.
//!   `boxed_sorted` against `enum_sorted` is the pointer and the call without the guessing.
//!
//! Expect the enum to win clearly only where boxes are shuffled, sorting wherever kinds are mixed, and one `Vec` a
//! kind, four loops without dispatch, everywhere.
//!
//! ## When the fix loses
//!
//! - When the method does real work: a call costs a few cycles, and a database round trip does not notice.
//! - When one kind is far larger than the others: every enum element is as large as the largest.
//! - When the set of kinds is open, as for plug-ins. Sorting then still helps, unless order matters.
//! - When the kinds come in a short repeating pattern, or are nearly all one: the predictor learns it, and dynamic calls
//!   look free. So does a benchmark that replays a few thousand random elements: small points draw from a large pool.
//!
//! ## What to measure it with
//!
//! Time. Instructions see the calls and what inlining removes, but mispredictions and most of the memory's latency only by
//! callgrind's model. Heap counts are blind: the boxes are built outside the clock. Code layout matters more here than
//! elsewhere: trust no ratio from one link.
//!
//! ## Sources
//!
//! - Driesen and Hölzle, "The Direct Cost of Virtual Function Calls in C++", OOPSLA 1996
//! - Agner Fog, "The microarchitecture of Intel, AMD and VIA CPUs", the chapter on branch prediction
//! - The Rust Reference, "Trait objects" in "Dynamically Sized Types"
//! - Russ Cox, "Go Data Structures: Interfaces"; the Go documentation, "Profile-guided optimization"

use crate::trap::{Instrument, Point, Routine, Trap, Variant, routine};
use crate::workload::{POOL, Shifted, Windows, rng, shared};

// Code of boxed_dyn.
/// What a payment costs its sender.
pub trait Rule: Send + Sync {
    /// The fee for an amount, in cents.
    fn fee(&self, amount: u64) -> u64;
}

/// Nothing is charged.
#[derive(Clone, Copy, Debug)]
pub struct Free;

/// The same for every amount.
#[derive(Clone, Copy, Debug)]
pub struct Flat(pub u64);

/// A share of the amount, in units of 2⁻¹⁴.
#[derive(Clone, Copy, Debug)]
pub struct Rate(pub u64);

// Code of boxed_dyn.
/// Both: a flat part and a share.
#[derive(Clone, Copy, Debug)]
pub struct FlatAndRate(pub u64, pub u64);

impl Rule for Free {
    fn fee(&self, _: u64) -> u64 {
        0
    }
}

impl Rule for Flat {
    fn fee(&self, _: u64) -> u64 {
        self.0
    }
}

impl Rule for Rate {
    fn fee(&self, amount: u64) -> u64 {
        amount.wrapping_mul(self.0) >> 14
    }
}

// Code of boxed_dyn.
impl Rule for FlatAndRate {
    fn fee(&self, amount: u64) -> u64 {
        self.0 + (amount.wrapping_mul(self.1) >> 14)
    }
}

// Code of enum_kinds.
/// The closed set of kinds, stored in line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "named after the four structs")]
pub enum Fee {
    Free,
    Flat(u64),
    Rate(u64),
    FlatAndRate(u64, u64),
}

// Code of enum_kinds.
impl Rule for Fee {
    fn fee(&self, amount: u64) -> u64 {
        match *self {
            Self::Free => 0,
            Self::Flat(flat) => flat,
            Self::Rate(rate) => amount.wrapping_mul(rate) >> 14,
            Self::FlatAndRate(flat, rate) => flat + (amount.wrapping_mul(rate) >> 14),
        }
    }
}

impl Fee {
    fn boxed(self) -> Box<dyn Rule> {
        match self {
            Self::Free => Box::new(Free),
            Self::Flat(flat) => Box::new(Flat(flat)),
            Self::Rate(rate) => Box::new(Rate(rate)),
            Self::FlatAndRate(flat, rate) => Box::new(FlatAndRate(flat, rate)),
        }
    }
}

/// The open set taken apart: a `Vec` for each kind.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "named after the four structs")]
pub struct ByKind {
    pub free: Vec<Free>,
    pub flat: Vec<Flat>,
    pub rate: Vec<Rate>,
    pub flat_and_rate: Vec<FlatAndRate>,
}

impl ByKind {
    /// The same rules, each beside the others of its kind.
    pub fn new(fees: &[Fee]) -> Self {
        let mut kinds = Self::default();
        for fee in fees {
            match *fee {
                Fee::Free => kinds.free.push(Free),
                Fee::Flat(flat) => kinds.flat.push(Flat(flat)),
                Fee::Rate(rate) => kinds.rate.push(Rate(rate)),
                Fee::FlatAndRate(flat, rate) => kinds.flat_and_rate.push(FlatAndRate(flat, rate)),
            }
        }
        kinds
    }
}

// Code of boxed_dyn.
/// The trap: a dynamic call an element. Given boxes grouped by kind, the same loop is a fix.
pub fn sum_boxed(rules: &[Box<dyn Rule>], amount: u64) -> u64 {
    rules.iter().fold(0, |sum, rule| sum.wrapping_add(rule.fee(amount)))
}

// Code of enum_kinds.
/// The advice, where `R` is the enum: a match an element, in line. Where it is one kind, no dispatch is left.
pub fn sum_inline<R: Rule>(rules: &[R], amount: u64) -> u64 {
    rules.iter().fold(0, |sum, rule| sum.wrapping_add(rule.fee(amount)))
}

/// The floor: a loop a kind, and no dispatch left.
pub fn sum_by_kind(kinds: &ByKind, amount: u64) -> u64 {
    sum_inline(&kinds.free, amount)
        .wrapping_add(sum_inline(&kinds.flat, amount))
        .wrapping_add(sum_inline(&kinds.rate, amount))
        .wrapping_add(sum_inline(&kinds.flat_and_rate, amount))
}

/// Whole windows of random kinds, in the order of the vector: the same for every arm and both memory orders.
fn fees(p: &Point) -> Vec<Fee> {
    let mut rng = rng(2);
    let mut fee = |_| {
        let (flat, rate) = (rng.within(1..500), rng.within(1..1_000));
        let kinds = [Fee::Rate(rate), Fee::Free, Fee::Flat(flat), Fee::FlatAndRate(flat, rate)];
        match p.case {
            "one_kind" => kinds[0],
            "kinds=90:10" if rng.below(10) < 9 => kinds[0],
            "kinds=90:10" => kinds[1 + rng.index(3)],
            _ => kinds[rng.index(4)],
        }
    };
    (0..(POOL / p.len()).max(1) * p.len()).map(&mut fee).collect()
}

/// Boxes in the order of `fees`, allocated in that order or in a shuffled one.
fn boxes(p: &Point, fees: &[Fee]) -> Vec<Box<dyn Rule>> {
    let mut order: Vec<usize> = (0..fees.len()).collect();
    if p.case == "shuffled" {
        rng(3).shuffle(&mut order);
    }
    let mut slots: Vec<Option<Box<dyn Rule>>> = fees.iter().map(|_| None).collect();
    for at in order {
        slots[at] = Some(fees[at].boxed());
    }
    slots.into_iter().flatten().collect()
}

/// What all arms read at a point. The amount lies beside the rules, so that the optimiser can't know it.
struct Books {
    boxes: Windows<Box<dyn Rule>>,
    boxes_sorted: Windows<Box<dyn Rule>>,
    enums: Windows<Fee>,
    enums_sorted: Windows<Fee>,
    by_kind: Windows<ByKind>,
    amount: u64,
}

/// Each window is sorted by itself, so that it holds what the others' window holds.
fn books(p: &Point) -> Books {
    let (n, fees) = (p.len(), fees(p));
    let mut sorted = fees.clone();
    sorted.chunks_mut(n).for_each(<[Fee]>::sort_unstable);
    let boxes = |fees: &[Fee]| Windows::of(Shifted::behind(boxes(p, fees), || [Fee::Free.boxed()]), n);
    Books {
        boxes: boxes(&fees),
        boxes_sorted: boxes(&sorted),
        by_kind: Windows::new(fees.chunks(n).map(ByKind::new).collect(), 1),
        enums: Windows::of(Shifted::new(fees), n),
        enums_sorted: Windows::of(Shifted::new(sorted), n),
        amount: 1_234_567,
    }
}

/// Each run sums up the next window.
fn arm<F: Fn(&Books, &mut usize) -> u64 + 'static>(p: &Point, sum: F) -> Box<dyn Routine> {
    routine((shared(p, books), 0), move |(books, at)| sum(books, at))
}

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "boxed_trait",
    title: "A boxed trait object per element",
    section: "dispatch",
    habit: "keep a slice of interface values and call a small method of each in a tight loop",
    claims: &["B2"],
    counts: "rules",
    op: "one fee computed and added",
    points: &[
        Point::n(100).case("sequential"),
        Point::n(100_000).case("sequential").headline(),
        Point::n(100).case("shuffled"),
        Point::n(100_000).case("shuffled").headline(),
        Point::n(100_000).case("one_kind"),
        Point::n(100_000).case("kinds=90:10"),
    ],
    cases: &[
        ("sequential", "four kinds, equally often; boxes lie in memory in the order of the slice"),
        ("shuffled", "four kinds, equally often; boxes lie in memory in a random order"),
        ("one_kind", "all rules are of one kind; boxes lie in order"),
        ("kinds", "percent of rules of one kind, and of the three others together; boxes lie in order"),
    ],
    variants: &[
        Variant::trap("boxed_dyn", |p| arm(p, |b, at| sum_boxed(b.boxes.advance(at), b.amount))),
        Variant::fix("enum_kinds", |p| arm(p, |b, at| sum_inline(b.enums.advance(at), b.amount))),
        Variant::fix("enum_sorted", |p| arm(p, |b, at| sum_inline(b.enums_sorted.advance(at), b.amount))),
        Variant::fix("boxed_sorted", |p| arm(p, |b, at| sum_boxed(b.boxes_sorted.advance(at), b.amount))),
        Variant::floor("vec_a_kind", |p| arm(p, |b, at| sum_by_kind(&b.by_kind.advance(at)[0], b.amount))),
    ],
    blind: &[
        (Instrument::Heap, "the boxes are built outside the clock; the loop allocates nothing"),
        (Instrument::Latency, "some ns an element: no tail of its own"),
        (Instrument::Usage, "one thread that never waits: its CPU time is its time"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    const CASES: [&str; 4] = ["sequential", "shuffled", "one_kind", "kinds=90:10"];

    #[test]
    fn every_window_sums_alike_in_any_order() {
        for b in CASES.map(|case| books(&Point::n(100).case(case))) {
            for (at, amount) in (0..POOL / 100).zip([0, 1, 1_234_567, u64::MAX].into_iter().cycle()) {
                let sum = sum_inline(b.enums.window(at), amount);
                assert_eq!(sum_inline(b.enums_sorted.window(at), amount), sum);
                assert_eq!(sum_boxed(b.boxes.window(at), amount), sum);
                assert_eq!(sum_boxed(b.boxes_sorted.window(at), amount), sum);
                assert_eq!(sum_by_kind(&b.by_kind.window(at)[0], amount), sum);
            }
        }
    }

    #[test]
    fn kinds_are_as_common_as_the_case_says() {
        for (case, expected) in CASES.iter().zip([250, 250, 1_000, 900]) {
            let fees = fees(&Point::n(100).case(case));
            let rates = 1_000 * fees.iter().filter(|fee| matches!(fee, Fee::Rate(_))).count() / fees.len();
            assert!(rates.abs_diff(expected) <= 5, "{case}: {rates} of a thousand are rates");
        }
    }
}
