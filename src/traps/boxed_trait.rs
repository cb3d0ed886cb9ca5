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
//! `Vec<Box<dyn Rule>>`. The parts are the same: two words an element, one to the value and one to its methods. Go's
//! interface points to an itab and Rust's fat pointer to a vtable, and both boxes lie wherever the allocator put them.
//! Neither allocates for a rule without fields. Two things differ: Go can devirtualise a hot call site from a profile
//! (PGO), which rustc does not; and Rust has the enum, a closed set of kinds stored in line, which Go has no word for.
//!
//! ## Why it costs
//!
//! Three costs come together, and they are worth keeping apart.
//! - The call can't be inlined, so nothing is hoisted out of it, vectorised or folded into the sum.
//! - The target is predicted from history. With kinds in random order a prediction often fails, and each failure
//!   flushes the pipeline. The enum does not escape this: its `match` over four kinds compiles to a jump table (rustc
//!   1.95, x86-64), one indirect jump an element. The sorted boxes do, though they are as dynamic as the trap.
//! - The value is behind a pointer. In the case `sequential` the boxes lie in the order of the vector, and the
//!   prefetcher hides it; in `shuffled`, as after hours of inserts and removals, each load is a cache miss of its own.
//!
//! ## When the fix loses
//!
//! - When the method does real work: a call costs a few cycles, and a database round trip does not notice.
//! - When one kind is far larger than the others: every enum element is as large as the largest, and the loop pays in
//!   cache lines for what it saves in calls.
//! - When the set of kinds is open, as for plug-ins. Sorting by kind then still helps, and it needs no change of types.
//! - When the kinds come in a short repeating pattern: the predictor learns it, and dynamic calls look free. So does a
//!   benchmark that replays a few thousand random elements, which is why small points here draw from a large pool.
//!
//! ## What to measure it with
//!
//! Time, over sizes and both memory orders. Instructions see the calls and what inlining removes, but mispredictions
//! and most of the memory's latency only by callgrind's model. Heap counts are blind: the boxes are built outside the
//! clock. The layout of the code matters more here than anywhere else in the lab: trust no ratio that comes from one
//! link.
//!
//! ## Sources
//!
//! - Driesen and Hölzle, "The Direct Cost of Virtual Function Calls in C++", OOPSLA 1996
//! - Agner Fog, "The microarchitecture of Intel, AMD and VIA CPUs", the chapter on branch prediction
//! - The Rust Reference, "Trait objects" in "Dynamically Sized Types"
//! - Russ Cox, "Go Data Structures: Interfaces"; the Go documentation, "Profile-guided optimization"

use crate::trap::{Instrument, Point, Trap, Variant, routine};
use crate::workload::{POOL, Windows, rng};

/// What a payment costs its sender.
pub trait Rule {
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

/// Both. The other three are this one with zeros in it.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "named after the two kinds that it joins")]
pub struct FlatAndRate {
    pub flat: u64,
    pub rate: u64,
}

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

impl Rule for FlatAndRate {
    fn fee(&self, amount: u64) -> u64 {
        self.flat + (amount.wrapping_mul(self.rate) >> 14)
    }
}

/// The closed set of kinds, stored in line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "named after the four structs")]
pub enum Fee {
    Free,
    Flat(u64),
    Rate(u64),
    FlatAndRate { flat: u64, rate: u64 },
}

impl Fee {
    /// The fee for an amount, in cents.
    #[must_use]
    pub fn fee(&self, amount: u64) -> u64 {
        match *self {
            Self::Free => 0,
            Self::Flat(flat) => flat,
            Self::Rate(rate) => amount.wrapping_mul(rate) >> 14,
            Self::FlatAndRate { flat, rate } => flat + (amount.wrapping_mul(rate) >> 14),
        }
    }

    fn boxed(self) -> Box<dyn Rule> {
        match self {
            Self::Free => Box::new(Free),
            Self::Flat(flat) => Box::new(Flat(flat)),
            Self::Rate(rate) => Box::new(Rate(rate)),
            Self::FlatAndRate { flat, rate } => Box::new(FlatAndRate { flat, rate }),
        }
    }

    const fn general(self) -> FlatAndRate {
        match self {
            Self::Free => FlatAndRate { flat: 0, rate: 0 },
            Self::Flat(flat) => FlatAndRate { flat, rate: 0 },
            Self::Rate(rate) => FlatAndRate { flat: 0, rate },
            Self::FlatAndRate { flat, rate } => FlatAndRate { flat, rate },
        }
    }
}

/// The trap: a dynamic call an element. Given boxes grouped by kind, the same loop is the second fix.
#[must_use]
pub fn sum_boxed(rules: &[Box<dyn Rule>], amount: u64) -> u64 {
    rules.iter().fold(0, |sum, rule| sum.wrapping_add(rule.fee(amount)))
}

/// The advice: a match an element, on values in line.
#[must_use]
pub fn sum_enum(fees: &[Fee], amount: u64) -> u64 {
    fees.iter().fold(0, |sum, fee| sum.wrapping_add(fee.fee(amount)))
}

/// The floor: one kind, known when the loop is compiled.
pub fn sum_one_kind<R: Rule>(rules: &[R], amount: u64) -> u64 {
    rules.iter().fold(0, |sum, rule| sum.wrapping_add(rule.fee(amount)))
}

/// The amount lies beside the rules, so that the optimiser can't know it.
struct Book<T> {
    rules: Windows<T>,
    amount: u64,
}

fn book<T>(p: &Point, rules: Vec<T>) -> Book<T> {
    Book { rules: Windows::new(rules, p.len()), amount: 1_234_567 }
}

/// Whole windows of random kinds, in the order of the vector: the same for every arm and both cases.
fn fees(p: &Point) -> Vec<Fee> {
    let mut rng = rng(2);
    let mut fee = |_| {
        let (flat, rate) = (rng.u64(1..500), rng.u64(1..1_000));
        [Fee::Free, Fee::Flat(flat), Fee::Rate(rate), Fee::FlatAndRate { flat, rate }][rng.usize(..4)]
    };
    (0..(POOL / p.len()).max(1) * p.len()).map(&mut fee).collect()
}

/// Sorted within each window, so that a window holds what the other arms' window holds.
fn sorted_fees(p: &Point) -> Vec<Fee> {
    let rank = |fee: &Fee| match fee {
        Fee::Free => 0,
        Fee::Flat(_) => 1,
        Fee::Rate(_) => 2,
        Fee::FlatAndRate { .. } => 3,
    };
    let mut fees = fees(p);
    fees.chunks_mut(p.len()).for_each(|window| window.sort_by_key(rank));
    fees
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
        Point::n(1_000_000).case("sequential"),
        Point::n(100).case("shuffled"),
        Point::n(100_000).case("shuffled").headline(),
        Point::n(1_000_000).case("shuffled"),
    ],
    variants: &[
        Variant::trap("boxed_dyn", |p| {
            routine(book(p, boxes(p, &fees(p))), |b| sum_boxed(b.rules.advance(), b.amount))
        }),
        Variant::fix("enum_kinds", |p| routine(book(p, fees(p)), |b| sum_enum(b.rules.advance(), b.amount))),
        Variant::fix("boxed_sorted", |p| {
            routine(book(p, boxes(p, &sorted_fees(p))), |b| sum_boxed(b.rules.advance(), b.amount))
        }),
        Variant::floor("one_kind", |p| {
            let general = fees(p).into_iter().map(Fee::general).collect();
            routine(book(p, general), |b| sum_one_kind(b.rules.advance(), b.amount))
        }),
    ],
    blind: &[(Instrument::Heap, "the boxes are built outside the clock; the loop allocates nothing")],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_and_its_general_form_charge_the_same() {
        for fee in fees(&Point::n(1_000)) {
            for amount in [0, 1, 99, 1_234_567, u64::MAX] {
                assert_eq!(fee.boxed().fee(amount), fee.fee(amount));
                assert_eq!(fee.general().fee(amount), fee.fee(amount));
            }
        }
    }

    #[test]
    fn every_window_sums_alike_in_any_order() {
        let p = Point::n(100).case("shuffled");
        let (fees, sorted) = (fees(&p), sorted_fees(&p));
        let (boxes, grouped) = (boxes(&p, &fees), boxes(&p, &sorted));
        for at in (0..fees.len()).step_by(100) {
            let window = at..at + 100;
            let sum = sum_enum(&fees[window.clone()], 77);
            assert_eq!(sum_boxed(&boxes[window.clone()], 77), sum);
            assert_eq!(sum_boxed(&grouped[window], 77), sum);
        }
    }

    #[test]
    fn the_four_kinds_are_equally_common() {
        let fees = fees(&Point::n(100_000));
        let free = fees.iter().filter(|f| **f == Fee::Free).count();
        assert!((24_000..26_000).contains(&free), "{free} of {} rules are free", fees.len());
    }
}
