//! # An actor for a counter
//!
//! One thread owns the counters, and everybody who counts sends it a message.
//!
//! ## In Go
//!
//! ```go
//! asks := make(chan add, 128)
//! go func() {
//!     for a := range asks {
//!         counts[a.label] += a.by // nobody else touches counts
//!     }
//! }()
//! // wherever something is counted
//! asks <- add{label, by}
//! ```
//!
//! ## In Rust
//!
//! A bounded `crossbeam_channel` of 128 and a thread that receives from it, against a lock around sixteen integers. The habit
//! is the same: share memory by communicating. Alike: a message costs a synchronised hand-over, and its line travels from
//! the sender's core to the owner's. Only similar: Go's send to a receiver that waits puts a goroutine on a run queue, and only
//! where a processor idles does a thread have to be woken; here each send to a parked owner is a call into the kernel, which
//! the *sender* pays. While the owner is busy, Rust's send takes no lock.
//!
//! ## Why it costs
//!
//! An addition takes less than a nanosecond. A message takes a compare-and-swap on the channel's tail, a slot, and two
//! transfers of lines; a mutex takes a compare-and-swap and one transfer, and none if nobody else asks. The owner is one
//! thread more: on two cores beside two workers it takes its time from one of them, and where senders wait for room in
//! the channel, it decides the pace of all. That is the price of this habit and is left in.
//!
//! The rarer an increment, the less the work around it suffers from the lock, and the deeper the owner sleeps: it spins for
//! some µs, then parks, and from then on each increment wakes it. So it turns the other way round than hammering suggests.
//!
//! Expected: the actor is slower than the mutex by 3 to 6 times on one thread and by 1.5 to 4 on two; at 500 ns of own work
//! hardly slower, but with a core more; at 20 µs slower by some µs an increment.
//!
//! ## When the fix loses
//!
//! - When what is owned is more than a number: an actor that does I/O or keeps rules serialises them without holding a lock.
//! - When senders must never wait: a channel with room takes a message and lets them go, a holder that loses its core does
//!   not.
//! - When many threads hammer it on few cores: sends may batch while holders of a lock sleep.
//! - The atomics lose where several labels must be read as of one moment: they are read one after the other.
//!
//! ## What to measure it with
//!
//! Time, over threads and the work between increments; a run's clock holds the sends, and at most 128 increments are still
//! under way when it stops. The core that the owner takes shows in usage: the time of one thread hides it, and ratio's
//! `cpu_ns_per_op` counts the workers only. Heap counts are blind, for the channel is allocated once; so are instructions,
//! for the owner is another thread, and latency: an increment has no caller that waits.
//!
//! ## Sources
//!
//! - "Effective Go", on sharing by communicating, and the Go wiki's "Use a sync.Mutex or a channel?"
//! - crossbeam-channel, `src/flavors/array.rs` and `src/waker.rs`; crossbeam-utils, `src/backoff.rs`
//! - Go runtime, `chansend` in `runtime/chan.go`
//! - Hewitt, Bishop and Steiger, "A Universal Modular ACTOR Formalism for Artificial Intelligence", IJCAI 1973

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};
use crossbeam_utils::CachePadded;

use crate::trap::{Helper, Instrument, Point, Routine, Trap, Turn, Variant, waiting_team};
use crate::workload::{POOL, STEPS_PER_MICROSECOND, Shifted, Turns, Windows, rng, shared};

/// How many labels there are.
pub const LABELS: usize = 16;

/// A count for each label.
pub type Counts = [u64; LABELS];

/// Counters that many threads count on.
pub trait SharedCounter: Send + Sync {
    /// Adds to the counter of a label.
    fn add(&self, label: usize, by: u64);

    /// All counters, with every addition that came before.
    fn read(&self) -> Counts;
}

/// What the owner is asked. A read goes through the channel as well, and so comes behind all additions.
#[derive(Debug)]
pub enum Ask {
    /// Add to the counter of this label.
    Add(u8, u64),
    /// Send all counters here.
    Read(Sender<Counts>),
}

// Code of actor.
/// The owner's life: it ends when nobody can ask any more.
pub fn own(asks: &Receiver<Ask>) {
    let mut counts = Counts::default();
    for ask in asks {
        match ask {
            Ask::Add(label, by) => counts[usize::from(label)] += by,
            // Who asked may have gone.
            Ask::Read(reply) => drop(reply.send(counts)),
        }
    }
}

/// The trap: counters that belong to a thread, and the way to ask it.
#[derive(Debug)]
pub struct Actor {
    // Dropped before its helper, which waits for that.
    asks: Sender<Ask>,
    _owner: Helper,
}

impl Actor {
    // Code of actor.
    /// Starts the owner, beside so many workers.
    #[must_use]
    pub fn start(workers: usize) -> Self {
        let (asks, asked) = bounded(128);
        Self { asks, _owner: Helper::beside(workers, move || own(&asked)) }
    }
}

// Code of actor.
impl SharedCounter for Actor {
    fn add(&self, label: usize, by: u64) {
        self.asks.send(Ask::Add(label as u8, by)).expect("the owner lives");
    }

    fn read(&self) -> Counts {
        let (reply, counts) = bounded(1);
        self.asks.send(Ask::Read(reply)).expect("the owner lives");
        counts.recv().expect("the owner answers")
    }
}

// Code of parking_lot_mutex.
/// The advice: a small lock around plain integers.
impl SharedCounter for parking_lot::Mutex<Counts> {
    fn add(&self, label: usize, by: u64) {
        self.lock()[label] += by;
    }

    fn read(&self) -> Counts {
        *self.lock()
    }
}

/// The standard lock. Its `expect` looks at a flag in the line that the lock has brought: less than a nanosecond.
impl SharedCounter for Mutex<Counts> {
    fn add(&self, label: usize, by: u64) {
        self.lock().expect("no holder panics")[label] += by;
    }

    fn read(&self) -> Counts {
        *self.lock().expect("no holder panics")
    }
}

/// No lock: atomics side by side, on two lines, as services have them.
impl SharedCounter for [AtomicU64; LABELS] {
    fn add(&self, label: usize, by: u64) {
        self[label].fetch_add(by, Ordering::Relaxed);
    }

    fn read(&self) -> Counts {
        std::array::from_fn(|label| self[label].load(Ordering::Relaxed))
    }
}

/// An increment: a label and an amount.
type Increment = (u8, u32);

/// What workers count, and their work in between.
struct Load {
    increments: Windows<Increment>,
    threads: usize,
    steps: u32,
}

impl Load {
    /// Labels and amounts are data: with one label the compiler would make one addition of the floor's loop.
    fn new(p: &Point) -> Self {
        let (mut rng, share) = (rng(29), p.len() / p.threads);
        let increments = (0..POOL).map(|_| (rng.below(LABELS as u64) as u8, rng.below(1_000) as u32)).collect();
        let steps = match p.case {
            "work=500ns" => STEPS_PER_MICROSECOND / 2,
            "work=20us" => 20 * STEPS_PER_MICROSECOND,
            _ => 0,
        };
        Self { increments: Windows::of(Shifted::new(increments), share), threads: p.threads, steps }
    }

    /// Counts a worker's increments of this turn.
    fn run(&self, turn: Turn, mut add: impl FnMut(usize, u64)) {
        let work = Turns::of(self.steps);
        for &(label, by) in self.increments.window(turn.run * self.threads + turn.worker) {
            add(usize::from(label), u64::from(by));
            work.take(u64::from(by));
        }
    }
}

/// Σ (label + 1) · count: a count of another label, or a lost one, changes it.
fn weigh(counts: &Counts) -> u64 {
    (1..).zip(counts).fold(0, |sum, (weight, count)| sum.wrapping_add(count.wrapping_mul(weight)))
}

/// An arm: a counter on lines of its own, so that it does not slow the reading of the load. All do fixed work, for in one
/// the workers wait for its owner. One thread is a team of itself, and the owner then has a core of its own.
fn arm<C: SharedCounter + 'static>(p: &Point, helpers: usize, counter: C) -> Box<dyn Routine> {
    let run = |(load, counter): &(Arc<Load>, CachePadded<C>), turn: Turn| {
        load.run(turn, |label, by| counter.add(label, by));
        0
    };
    let state = (shared(p, Load::new), CachePadded::new(counter));
    waiting_team(p.threads, helpers, state, run, |(_, counter), _| weigh(&counter.read()))
}

/// Counts that one worker has for itself, on lines of their own. Locked once a run, and nobody else asks for it: it is a lock
/// because a team's state is shared.
type Own = CachePadded<Mutex<Counts>>;

/// The floor: each worker counts on its own, and who reads adds up.
fn own_counters(p: &Point) -> Box<dyn Routine> {
    let run = |(load, all): &(Arc<Load>, Vec<Own>), turn: Turn| {
        let mut counts = all[turn.worker].lock().unwrap_or_else(PoisonError::into_inner);
        load.run(turn, |label, by| counts[label] += by);
        0
    };
    let state = (shared(p, Load::new), (0..p.threads).map(|_| Own::default()).collect::<Vec<_>>());
    waiting_team(p.threads, 0, state, run, |(_, all), _| all.iter().map(|own| weigh(&own.read())).sum())
}

/// So few increments that a run of one worker takes some hundred µs: the last one, which another waits for, is a small part
/// of a block.
const fn at(n: u64, threads: usize) -> Point {
    Point::n(n).threads(threads)
}

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "shared_counter",
    title: "An actor for a counter",
    section: "concurrency",
    habit: "let one goroutine own the counters, and send it every increment through a channel",
    claims: &["E1"],
    counts: "increments",
    op: "one increment sent or made",
    points: &[
        at(4_096, 1),
        at(4_096, 2).headline(),
        at(4_096, 8),
        at(512, 2).case("work=500ns"),
        at(64, 1).case("work=20us"),
    ],
    cases: &[("work", "own work after each increment")],
    variants: &[
        Variant::trap("actor", |p| arm(p, 1, Actor::start(p.threads))),
        Variant::fix("parking_lot_mutex", |p| arm(p, 0, parking_lot::Mutex::new(Counts::default()))),
        Variant::fix("std_mutex", |p| arm(p, 0, Mutex::new(Counts::default()))),
        Variant::fix("atomics", |p| arm(p, 0, <[AtomicU64; LABELS]>::default())),
        Variant::floor("own_counters", own_counters),
    ],
    blind: &[
        (Instrument::Heap, "the channel is allocated once, outside the clock"),
        (
            Instrument::Instructions,
            "the owner is another thread, which callgrind runs in turn: nobody waits or is woken",
        ),
        (Instrument::Latency, "an increment has no caller who waits; the wake-up shows in `saved` at work=20us"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routine::{Shape, Work};

    #[test]
    fn every_arm_counts_every_increment_under_its_label() {
        for (n, threads) in [(1, 1), (8, 8), (2, 2), (2_048, 2), (512, 1), (256, 8)] {
            let p = at(n, threads);
            let load = Load::new(&p);
            let of = |worker| load.increments.window(worker).iter();
            let weight = |(label, by): &Increment| (u64::from(*label) + 1) * u64::from(*by);
            let expected: u64 = (0..threads).flat_map(of).map(weight).sum();
            for variant in TRAP.variants {
                assert_eq!((variant.batch)(&p).digest(), expected, "{} at {p}", variant.name);
            }
        }
    }

    #[test]
    fn a_read_comes_behind_all_additions_and_the_owner_ends_with_the_last_sender() {
        let actor = Actor::start(1);
        (0..1_000).for_each(|by| actor.add(3, by));
        let mut expected = Counts::default();
        expected[3] = 499_500;
        assert_eq!(actor.read(), expected);
        // Joins: a deadlock if the sender went after its helper.
        drop(actor);
    }

    #[test]
    fn the_answer_knows_a_count_under_another_label_and_the_first_label() {
        let one = |label: usize| std::array::from_fn(|at| u64::from(at == label));
        assert_eq!((weigh(&one(0)), weigh(&one(15))), (1, 16));
    }

    #[test]
    fn all_labels_come_and_all_increments_are_whole_runs_of_every_point() {
        let load = Load::new(&at(2_048, 1));
        let labels = load.increments.window(0).iter().map(|(label, _)| *label);
        assert_eq!(labels.collect::<std::collections::BTreeSet<_>>(), (0..LABELS as u8).collect());
        for p in TRAP.points {
            assert!(POOL.is_multiple_of(p.len()) && p.len().is_multiple_of(p.threads), "{p}");
        }
    }

    #[test]
    fn all_arms_of_several_threads_do_fixed_work_and_lose_nothing_on_the_way() {
        for variant in TRAP.variants {
            let mut routine = (variant.batch)(&at(64, 2));
            assert_eq!((routine.shape(), routine.block(Work::Runs(3)).runs), (Shape::Waiting, 3), "{}", variant.name);
        }
        let alone = (TRAP.baseline().batch)(&at(64, 1));
        assert_eq!(alone.shape(), Shape::Alone);
    }
}
