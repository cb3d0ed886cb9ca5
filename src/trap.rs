//! The vocabulary: a [`Trap`] is constant data, stated once and read by every instrument.
//!
//! A trap names its [`Point`]s (where it is measured) and its [`Variant`]s (what is measured there). Each variant builds a
//! [`Routine`] for a point; the routine holds the loop and the clock. A trap knows nothing of instruments, apart from the
//! ones that are blind to it.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use crate::routine::{
    Ended, Finish, Helper, Hold, Routine, Shape, Stream, Turn, Work, gather, in_place, on_stack, routine, staged,
    stream, team, waiting_team,
};

/// One hidden performance trap: what it is, where it is measured, and the variants that are compared.
#[derive(Clone, Copy, Debug)]
pub struct Trap {
    /// The name that is used everywhere: file, filter, record and report.
    pub name: &'static str,
    /// The habit in five words.
    pub title: &'static str,
    /// The section of the catalog, such as `memory` or `concurrency`.
    pub section: &'static str,
    /// The Go habit, in one sentence.
    pub habit: &'static str,
    /// Ids of the claims that it tests (`docs/src/CLAIMS.md`).
    pub claims: &'static [&'static str],
    /// What `n` counts, as a plural: `records`. One op is always one unit of `n`.
    pub counts: &'static str,
    /// What one op is: `one record pushed`.
    pub op: &'static str,
    /// Where it is measured, in ascending `n` within one thread count and case.
    pub points: &'static [Point],
    /// What each word of its points' cases means, in a phrase: `("owning", "each record owns a heap string")`. A case is
    /// split at commas, and of `reads=90` the word is `reads`.
    pub cases: &'static [(&'static str, &'static str)],
    /// What is compared: exactly one trap, one or more fixes, at most one floor.
    pub variants: &'static [Variant],
    /// The instruments that can't see it, each with its reason.
    pub blind: &'static [(Instrument, &'static str)],
}

impl Trap {
    /// The variant that falls into the trap: the one that all others are compared with.
    ///
    /// # Panics
    /// If the trap states no variant of role [`Role::Trap`]; [`Trap::faults`] says so before anything is measured.
    #[must_use]
    pub fn baseline(&self) -> &Variant {
        let found = self.variants.iter().find(|v| v.role == Role::Trap);
        found.unwrap_or_else(|| panic!("the trap {} states no variant of role trap", self.name))
    }

    /// The variant of that name.
    #[must_use]
    pub fn variant(&self, name: &str) -> Option<&Variant> {
        self.variants.iter().find(|v| v.name == name)
    }

    /// Why this instrument has nothing of the trap, if so: it can't see it, or it measures nothing here.
    #[must_use]
    pub fn blind_to(&self, instrument: Instrument) -> Option<&'static str> {
        self.blind.iter().find(|(i, _)| *i == instrument).map(|(_, why)| *why).or(instrument.missing())
    }

    /// The variants that run at a point, whoever looks.
    pub fn variants_at(&self, point: &Point) -> impl Iterator<Item = &Variant> {
        self.variants.iter().filter(|v| v.left_out(point).is_none())
    }

    /// The variants of which this instrument has a value at a point.
    pub fn variants_seen(&self, point: &Point, by: Instrument) -> impl Iterator<Item = &Variant> {
        self.variants.iter().filter(move |v| v.unseen(point, by).is_none())
    }

    /// The points that carry claims.
    pub fn headlines(&self) -> impl Iterator<Item = &Point> {
        self.points.iter().filter(|p| p.headline)
    }

    /// The one point whose instructions are counted: single-threaded, n of 10 000 at most, a headline if there is one,
    /// else the largest.
    #[must_use]
    pub fn counted_point(&self) -> Option<&Point> {
        let counted = |p: &&Point| p.threads == 1 && p.n <= 10_000 && p.is_for(Instrument::Instructions);
        let small = || self.points.iter().filter(counted);
        small().find(|p| p.headline).or_else(|| small().rev().max_by_key(|p| p.n))
    }

    fn baseline_is_left_out(&self) -> bool {
        let trap = self.variants.iter().find(|v| v.role == Role::Trap);
        trap.is_some_and(|trap| self.points.iter().any(|p| trap.left_out(p).is_some()))
    }

    // Whether an arm can't be built at a point where an instrument would see it.
    fn lacks_a_builder(&self) -> bool {
        let sees =
            |p: &Point| [Instrument::Latency, Instrument::Usage].into_iter().find(|&i| !p.is_batch() && p.is_for(i));
        let seen = |p, by| self.variants_seen(p, by).any(|v| !v.is_built_at(p));
        self.points.iter().any(|p| sees(p).is_some_and(|by| self.blind_to(by).is_none() && seen(p, by)))
    }

    // Words that a reader could look up nowhere, and meanings of nothing.
    fn case_faults(&self) -> Vec<String> {
        let used: BTreeSet<_> = self.points.iter().flat_map(Point::words).collect();
        let told: BTreeSet<_> = self.cases.iter().map(|(word, _)| *word).collect();
        let unknown =
            used.difference(&told).map(|word| format!("does not say in `cases` what `{word}` of its points means"));
        let idle =
            told.difference(&used).map(|word| format!("says in `cases` what `{word}` means, and no point has it"));
        unknown.chain(idle).collect()
    }

    /// What is wrong with the statement of this trap: an empty list if nothing is.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let count = |role| self.variants.iter().filter(|v| v.role == role).count();
        let twice = |v: &&Variant| self.variants.iter().filter(|w| w.name == v.name).count() > 1;
        let mut faults = Vec::new();
        let mut fault = |wrong: bool, what: &str| {
            if wrong {
                faults.push(format!("the trap {} {what}", self.name));
            }
        };
        fault(count(Role::Trap) != 1, "must state exactly one variant of role trap");
        fault(count(Role::Fix) == 0, "must state at least one fix");
        fault(count(Role::Floor) > 1, "must state at most one floor");
        fault(count(Role::Control) > 0, "states a variant of role control, which is the lab's own");
        fault(self.headlines().next().is_none(), "must state at least one headline point");
        fault(self.points.iter().any(|p| p.n == 0 || p.threads == 0), "has a point with no work or no thread");
        fault(self.variants.iter().any(|v| twice(&v)), "states two variants of one name");
        let alike = |p: &&Point| self.points.iter().filter(|q| q.to_string() == p.to_string()).count() > 1;
        if let Some(point) = self.points.iter().find(alike) {
            fault(true, &format!("states the point {point} twice"));
        }
        fault(self.baseline_is_left_out(), "leaves its own trap out at a point");
        fault(self.points.iter().any(|p| p.every == Some(0)), "has a point whose ops are all due at once");
        fault(self.points.iter().any(|p| p.every.is_some() && p.held), "has a point that is both paced and held");
        fault(
            self.lacks_a_builder(),
            "has a paced point and an arm without a stream, or a held one and an arm without a hold",
        );
        self.case_faults().iter().for_each(|what| fault(true, what));
        faults
    }
}

/// Where a trap is measured: a size, a number of threads and a case.
///
/// `n` is never the thing that the fix changes: a channel's capacity is a variant. The number of threads is a constant,
/// never a function of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Point {
    /// How many ops one run does.
    pub n: u64,
    /// How many threads share them.
    pub threads: usize,
    /// What else distinguishes the point, such as `owning` or `reads=90`; empty if nothing does.
    pub case: &'static str,
    /// Whether claims are judged here.
    pub headline: bool,
    /// The instruments that measure it; empty if all do that can see the trap.
    pub only: &'static [Instrument],
    /// ns between the intended starts of two ops: a paced point, which latency alone measures.
    pub every: Option<u32>,
    /// Whether what is still held after the ops is measured here, and nothing is timed.
    pub held: bool,
    /// The CPUs whose time the process may have in usage, by a quota of the kernel's.
    pub quota: Option<u32>,
}

impl Point {
    /// A point of `n` ops on one thread.
    #[must_use]
    pub const fn n(n: u64) -> Self {
        Self { n, threads: 1, case: "", headline: false, only: &[], every: None, held: false, quota: None }
    }

    /// The same point on this many threads.
    #[must_use]
    pub const fn threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// The same point in this case.
    #[must_use]
    pub const fn case(self, case: &'static str) -> Self {
        Self { case, ..self }
    }

    /// The same point, as one that carries claims.
    #[must_use]
    pub const fn headline(self) -> Self {
        Self { headline: true, ..self }
    }

    /// The same point, for these instruments alone: `400 000 in heap and usage only`.
    #[must_use]
    pub const fn only(self, by: &'static [Instrument]) -> Self {
        Self { only: by, ..self }
    }

    /// The same point, as `n` ops that are timed one by one, due each so many ns: latency measures exactly these points. The
    /// rate is a constant, for all arms and machines, and no share of what one of them can carry.
    #[must_use]
    pub const fn every(self, ns: u32) -> Self {
        Self { every: Some(ns), ..self }
    }

    /// The same point, where usage and heap measure what is still held after `n` ops ([`Variant::hold`]), and nobody runs the
    /// batch.
    #[must_use]
    pub const fn held(self) -> Self {
        Self { held: true, ..self }
    }

    /// The same point in usage alone, whose process may have the time of so many CPUs and no more, by a quota of the kernel's.
    #[must_use]
    pub const fn quota(self, cpus: u32) -> Self {
        Self { quota: Some(cpus), only: &[Instrument::Usage], ..self }
    }

    // What its case is made of: `reads` and `work` of `reads=99,work=500ns`.
    fn words(&self) -> impl Iterator<Item = &'static str> + use<> {
        let parts = self.case.split(',').filter(|part| !part.is_empty());
        parts.map(|part| part.split_once('=').map_or(part, |(key, _)| key))
    }

    /// Whether this instrument measures here, if it can see the trap.
    #[must_use]
    pub fn is_for(&self, instrument: Instrument) -> bool {
        self.not_for(instrument).is_none()
    }

    /// Why this instrument does not measure here, if it does not.
    #[must_use]
    pub fn not_for(&self, instrument: Instrument) -> Option<String> {
        let paced = instrument == Instrument::Latency;
        let holds = matches!(instrument, Instrument::Usage | Instrument::Heap);
        if instrument == Instrument::Go {
            return Some("Go's own points stand in its files".into());
        }
        if !self.only.is_empty() && !self.only.contains(&instrument) {
            let words: Vec<&str> = self.only.iter().map(|instrument| instrument.word()).collect();
            return Some(format!("a point of {} alone", words.join(" and ")));
        }
        match self.every {
            Some(_) if !paced => Some("a paced point, of latency alone".into()),
            None if paced => Some("no rate: latency measures paced points".into()),
            None if self.held && !holds => Some("a point of what is held, of heap and usage alone".into()),
            _ => None,
        }
    }

    /// Whether a routine runs here: neither paced nor held.
    #[must_use]
    pub const fn is_batch(&self) -> bool {
        self.every.is_none() && !self.held
    }

    /// `n` as a length or an index.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.n as usize
    }

    /// Whether the point has no work; a stated point always has.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.n == 0
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n={}", self.n)?;
        if self.threads > 1 {
            write!(f, ",threads={}", self.threads)?;
        }
        if !self.case.is_empty() {
            write!(f, ",{}", self.case)?;
        }
        Ok(())
    }
}

/// What part a variant plays in the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The habit itself. Exactly one.
    Trap,
    /// What people do instead. The first one is the advice.
    Fix,
    /// The advice overdone.
    Opposite,
    /// The work with the trap's cost gone altogether, on the same cores. At most one.
    Floor,
    /// The lab's check of itself, such as A/A. No trap states one.
    Control,
}

impl Role {
    /// The word that records and reports use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::Fix => "fix",
            Self::Opposite => "opposite",
            Self::Floor => "floor",
            Self::Control => "control",
        }
    }
}

/// What measures: one bench target each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Instrument {
    /// Forked, relinked ratio of times.
    Ratio,
    /// Criterion's throughput.
    Time,
    /// dhat's counts of heap blocks and bytes.
    Heap,
    /// callgrind's count of instructions.
    Instructions,
    /// The tail of single operations.
    Latency,
    /// What the process used: CPU time, switches, memory.
    Usage,
    /// Go's own toolchain, over the same habit and the same inputs.
    Go,
}

impl Instrument {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Ratio, Self::Time, Self::Heap, Self::Instructions, Self::Latency, Self::Usage, Self::Go];

    /// Why it has no results of any trap, if so.
    #[must_use]
    pub const fn missing(self) -> Option<&'static str> {
        match self {
            Self::Usage if !cfg!(target_os = "linux") => Some("needs Linux"),
            _ => None,
        }
    }

    /// The name of the bench target, the records file and the filter.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ratio => "ratio",
            Self::Time => "time",
            Self::Heap => "heap",
            Self::Instructions => "instructions",
            Self::Latency => "latency",
            Self::Usage => "usage",
            Self::Go => "go",
        }
    }
}

/// Builds a routine for a point: input and threads are made here, outside every clock.
pub type Build = fn(&Point) -> Box<dyn Routine>;

/// Builds a stream for a paced point: state and helpers are made here, outside the clock.
pub type BuildStream = fn(&Point) -> Box<dyn Stream>;

/// One way to do the work.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// What the function does: `push_presized`, never `good`.
    pub name: &'static str,
    /// Its part in the comparison.
    pub role: Role,
    /// Builds its routine.
    pub batch: Build,
    /// Builds what latency times one by one, where there are paced points.
    pub stream: Option<BuildStream>,
    /// Builds what usage and heap fill, where there are points of what is held.
    pub hold: Option<fn(&Point) -> Hold>,
    /// How often its buffer moves in one run (`as_ptr` changed), where it has one that can.
    pub moves: Option<fn(&Point) -> u64>,
    /// The largest `n` that it is run at, and why it goes no further.
    pub up_to: Option<(u64, &'static str)>,
    /// The case that it is not run in, and why.
    pub not_in: Option<(&'static str, &'static str)>,
    /// The instruments that can't see this one arm, each with its reason.
    pub blind: &'static [(Instrument, &'static str)],
}

impl Variant {
    const fn new(name: &'static str, role: Role, batch: Build) -> Self {
        Self { name, role, batch, stream: None, hold: None, moves: None, up_to: None, not_in: None, blind: &[] }
    }

    /// The habit itself.
    #[must_use]
    pub const fn trap(name: &'static str, batch: Build) -> Self {
        Self::new(name, Role::Trap, batch)
    }

    /// What people do instead.
    #[must_use]
    pub const fn fix(name: &'static str, batch: Build) -> Self {
        Self::new(name, Role::Fix, batch)
    }

    /// The advice overdone.
    #[must_use]
    pub const fn opposite(name: &'static str, batch: Build) -> Self {
        Self::new(name, Role::Opposite, batch)
    }

    /// The work with the trap's cost gone altogether.
    #[must_use]
    pub const fn floor(name: &'static str, batch: Build) -> Self {
        Self::new(name, Role::Floor, batch)
    }

    /// The same variant, whose ops can be timed one by one at paced points ([`Point::every`]).
    #[must_use]
    pub const fn stream(self, build: BuildStream) -> Self {
        Self { stream: Some(build), ..self }
    }

    /// The same variant, of which can be asked what it still holds after some ops ([`Point::held`]).
    #[must_use]
    pub const fn hold(self, build: fn(&Point) -> Hold) -> Self {
        Self { hold: Some(build), ..self }
    }

    /// The same variant with a count of its buffer's moves: dhat calls every `realloc` a new block, also one that was
    /// extended in place.
    #[must_use]
    pub const fn moves(self, count: fn(&Point) -> u64) -> Self {
        Self { moves: Some(count), ..self }
    }

    /// The same variant, left out above this `n` for a reason such as `quadratic`.
    #[must_use]
    pub const fn up_to(self, n: u64, why: &'static str) -> Self {
        Self { up_to: Some((n, why)), ..self }
    }

    /// The same variant, left out in this case for a reason such as `a fixed set of keys`.
    #[must_use]
    pub const fn not_in(self, case: &'static str, why: &'static str) -> Self {
        Self { not_in: Some((case, why)), ..self }
    }

    /// The same variant, which these instruments can't see, for a reason such as `its work is on another thread`.
    #[must_use]
    pub const fn blind(self, to: &'static [(Instrument, &'static str)]) -> Self {
        Self { blind: to, ..self }
    }

    /// Why this instrument has no value for it at a point, if it has none.
    #[must_use]
    pub fn unseen(&self, point: &Point, by: Instrument) -> Option<&'static str> {
        self.left_out(point).or(self.blind.iter().find(|(i, _)| *i == by).map(|(_, why)| *why))
    }

    /// Whether it has a builder for what is measured at this point.
    #[must_use]
    pub const fn is_built_at(&self, point: &Point) -> bool {
        match (point.every, point.held) {
            (Some(_), _) => self.stream.is_some(),
            (None, true) => self.hold.is_some(),
            (None, false) => true,
        }
    }

    /// Why it is left out at a point, if it is.
    #[must_use]
    pub fn left_out(&self, point: &Point) -> Option<&'static str> {
        let too_large = self.up_to.filter(|(n, _)| point.n > *n).map(|(_, why)| why);
        too_large.or(self.not_in.filter(|(case, _)| point.case == *case).map(|(_, why)| why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: Trap = Trap {
        name: "made_up",
        title: "Made up",
        section: "tests",
        habit: "None.",
        claims: &[],
        counts: "ops",
        op: "one op",
        points: &[Point::n(10).headline(), Point::n(1_000)],
        cases: &[],
        variants: &[
            Variant::trap("slow", |_| routine((), |()| 1)),
            Variant::fix("fast", |_| routine((), |()| 1)),
            Variant::opposite("quadratic", |_| routine((), |()| 1)).up_to(100, "quadratic"),
        ],
        blind: &[],
    };

    #[test]
    fn a_sound_trap_has_no_fault() {
        assert_eq!(SOUND.faults(), [""; 0]);
    }

    #[test]
    fn a_point_that_is_stated_twice_is_a_fault_also_as_a_headline() {
        const TWICE: &[Point] = &[Point::n(10).headline(), Point::n(10)];
        assert_eq!(Trap { points: TWICE, ..SOUND }.faults(), ["the trap made_up states the point n=10 twice"]);
    }

    #[test]
    fn each_word_of_a_case_is_defined_and_each_definition_is_of_one() {
        const POINTS: &[Point] = &[
            Point::n(10).case("plain").headline(),
            Point::n(10).case("reads=99,work=1us"),
            Point::n(10).case("reads=90"),
        ];
        const CASES: &[(&str, &str)] = &[("plain", "no more"), ("reads", "percent of reads"), ("work", "own work")];
        let faults = |cases| Trap { points: POINTS, cases, ..SOUND }.faults();
        assert_eq!(faults(CASES), [""; 0]);
        assert_eq!(faults(&CASES[..2]), ["the trap made_up does not say in `cases` what `work` of its points means"]);
        let faults = Trap { cases: &CASES[..1], ..SOUND }.faults();
        assert_eq!(faults, ["the trap made_up says in `cases` what `plain` means, and no point has it"]);
    }

    #[test]
    fn a_paced_or_held_point_asks_for_the_builder_of_every_arm_that_is_seen() {
        const HELD: &[Point] = &[Point::n(10).headline(), Point::n(100).held()];
        const VARIANTS: &[Variant] = &[
            Variant::trap("slow", |_| routine((), |()| 1)).hold(|_| Box::new(|_| ())),
            Variant::fix("fast", |_| routine((), |()| 1)),
        ];
        const BLIND: &[(Instrument, &str)] = &[(Instrument::Usage, "made up")];
        let lacks =
            "the trap made_up has a paced point and an arm without a stream, or a held one and an arm without a hold";
        assert_eq!(Trap { points: HELD, variants: VARIANTS, ..SOUND }.faults(), [lacks]);
        assert_eq!(Trap { points: HELD, blind: BLIND, ..SOUND }.faults(), [""; 0]);
        const PACED: &[Point] = &[Point::n(10).headline(), Point::n(100).every(1_000)];
        assert_eq!(Trap { points: PACED, ..SOUND }.faults(), [lacks]);
        const BOTH: &[Point] = &[Point::n(10).headline(), Point::n(100).every(0).held()];
        let faults = Trap { points: BOTH, blind: &[(Instrument::Latency, "made up")], ..SOUND }.faults();
        assert_eq!(faults.len(), 2, "{faults:?}");
    }

    #[test]
    fn paced_points_are_latencys_and_held_ones_those_of_heap_and_usage() {
        let sees = |point: Point| Instrument::ALL.into_iter().filter(|&i| point.is_for(i)).collect::<Vec<_>>();
        assert_eq!(sees(Point::n(9).every(50)), [Instrument::Latency]);
        assert_eq!(sees(Point::n(9).held()), [Instrument::Heap, Instrument::Usage]);
        assert_eq!(sees(Point::n(9).held().only(&[Instrument::Usage])), [Instrument::Usage]);
        assert!(!sees(Point::n(9)).contains(&Instrument::Latency));
        assert_eq!(sees(Point::n(9).only(&[Instrument::Heap])), [Instrument::Heap]);
    }

    #[test]
    fn a_trap_that_leaves_itself_out_is_a_fault() {
        const VARIANTS: &[Variant] = &[
            Variant::trap("slow", |_| routine((), |()| 1)).up_to(100, "quadratic"),
            Variant::fix("fast", |_| routine((), |()| 1)),
        ];
        let faults = Trap { variants: VARIANTS, ..SOUND }.faults();
        assert_eq!(faults, ["the trap made_up leaves its own trap out at a point"]);
    }

    #[test]
    fn an_instrument_sees_its_own_points_and_the_arms_that_are_not_hidden_from_it() {
        const POINTS: &[Point] = &[Point::n(10).headline(), Point::n(100).only(&[Instrument::Heap])];
        const VARIANTS: &[Variant] = &[
            Variant::trap("slow", |_| routine((), |()| 1)),
            Variant::fix("elsewhere", |_| routine((), |()| 1))
                .blind(&[(Instrument::Instructions, "it works elsewhere")]),
        ];
        let trap = Trap { points: POINTS, variants: VARIANTS, ..SOUND };
        assert_eq!(trap.counted_point(), Some(&POINTS[0]), "and not the larger one, which is for heap alone");
        assert!(POINTS[1].is_for(Instrument::Heap) && !POINTS[1].is_for(Instrument::Ratio));
        let seen = |by| trap.variants_seen(&POINTS[0], by).map(|v| v.name).collect::<Vec<_>>();
        assert_eq!(seen(Instrument::Ratio), ["slow", "elsewhere"]);
        assert_eq!(seen(Instrument::Instructions), ["slow"]);
        assert_eq!(VARIANTS[1].unseen(&POINTS[0], Instrument::Instructions), Some("it works elsewhere"));
    }

    #[test]
    fn a_variant_is_left_out_above_its_limit_with_the_reason() {
        let named = |p: &Point| SOUND.variants_at(p).map(|v| v.name).collect::<Vec<_>>();
        assert_eq!(named(&SOUND.points[0]), ["slow", "fast", "quadratic"]);
        assert_eq!(named(&SOUND.points[1]), ["slow", "fast"]);
        assert_eq!(SOUND.variants[2].left_out(&SOUND.points[1]), Some("quadratic"));
    }
}
