//! # A pool sized for another machine
//!
//! A service fans its requests out over a pool whose size comes from a file, written for a machine with more CPUs.
//!
//! ## In Go
//!
//! ```go
//! func init() {
//!     runtime.GOMAXPROCS(64) // from the settings of the old machine
//! }
//!
//! func handle(units []Unit) {
//!     var next atomic.Int64
//!     for range runtime.GOMAXPROCS(0) {
//!         go drain(&next, units) // 64 goroutines, of which two run
//!     }
//! }
//! ```
//!
//! ## In Rust
//!
//! `ThreadPoolBuilder::new().num_threads(64)`. Alike: more threads to wake for every fan-out than there are CPUs to run them.
//! Only similar, and weaker: in Go the collector's workers multiply with `GOMAXPROCS`, and here there is no collector. Go
//! asks the system unless it is told, since version 1.25 for the cgroup's quota as well; `available_parallelism` reads the
//! affinity and the quota of both versions of cgroups. A number in a file reads nothing.
//!
//! The pools are rayon's own, made before the clock, one of each size for all arms, and pinned: worker i to the i-th CPU,
//! wrapping round, and the caller in one place. A run starts with all workers asleep, as a request finds them, and has in
//! it the hand-out, the waking, all units and the end of the last worker. Before a run, outside the clock, the lab waits
//! until that is so: workers that run dry yield 32 times before they sleep, which takes 64 of them some ms.
//!
//! ## Why it costs
//!
//! The caller wakes one worker after another, by a system call each, and the call ends when the last of them has run, also if
//! there was nothing left to do. That is a price a *fan-out*: a large part of one that takes half a millisecond, and little
//! of one that takes ten. Threads that take turns on a core also take it from whoever holds a lock, and then all who want it
//! queue, each to be put to sleep and woken by the kernel. Where units wait and do not compute, the cores are free while
//! they do, and it is the small pool that is too small.
//!
//! ## When the fix loses
//!
//! - **When units wait**, for a disk or another service: as many run at once as there are threads. The case `wait` is that.
//! - When some workers block now and then, though most of the work computes: with a worker a CPU, a CPU is idle meanwhile.
//! - When fan-outs are long: the price is one a fan-out.
//! - When the number of CPUs changes while the process runs: a pool is sized once, by what was asked then.
//!
//! ## What to measure it with
//!
//! Time over forks, where the regime is the finding. With more threads than CPUs a block holds some time slices and no more,
//! so that its rows are about two threads at a time, in turn, and `lock` least of all about 64 that contend. Time from one
//! process is blind, for it cannot average what the scheduler does; heap counts see nothing, nor does callgrind. Usage
//! counts the waits, and in the case `quota=1cpu` the periods in which the kernel stopped the process for the rest.
//!
//! ## Sources
//!
//! - The documentation of `std::thread::available_parallelism`, and the Go 1.25 release notes on `GOMAXPROCS`
//! - rayon-core, `src/sleep/README.md` and `src/broadcast/mod.rs`; `parking_lot_core`, `src/parking_lot.rs`
//! - Ousterhout, "Scheduling Techniques for Concurrent Systems", ICDCS 1982, on spinning and on processes that wait
//! - The Linux kernel's documentation, "CFS Bandwidth Control"

use std::num::NonZero;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{available_parallelism, sleep};
use std::time::Duration;

use crossbeam_utils::CachePadded;
use parking_lot::Mutex;
use rayon::ThreadPool;

use crate::routine::place;
use crate::routine::pool::{pool, settle};
use crate::trap::{Instrument, Point, Routine, Trap, Variant, gather};
use crate::workload::{STEPS_PER_MICROSECOND, Shifted, own_work, rng, shared};

/// What a unit does besides its microsecond of own work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Besides {
    /// Nothing.
    Nothing,
    /// It holds a lock that all units share, for a tenth of a microsecond.
    Lock,
    /// It waits, as for an answer from elsewhere.
    Wait,
}

/// How long a unit waits, in that case: well above the 50 µs by which the kernel may let a sleeper lie longer.
pub const WAIT: Duration = Duration::from_micros(100);

/// Units of work of one kind.
#[derive(Debug)]
pub struct Units {
    seeds: Shifted<u64>,
    besides: Besides,
}

/// The word under the lock, on lines of its own.
type Locked = CachePadded<Mutex<u64>>;

impl Units {
    fn new(p: &Point) -> Self {
        let mut rng = rng(25);
        let besides = match p.case {
            "lock" => Besides::Lock,
            "wait" => Besides::Wait,
            _ => Besides::Nothing,
        };
        Self { seeds: Shifted::new((0..p.n).map(|_| rng.u64()).collect()), besides }
    }

    /// Does a unit. The word under the lock is read and written in the section, and is part of the answer: else the optimiser
    /// could take the work out of it.
    fn work(&self, at: usize, locked: &Locked) -> u64 {
        let value = own_work(STEPS_PER_MICROSECOND, self.seeds[at]);
        match self.besides {
            Besides::Nothing => (),
            Besides::Lock => {
                let mut sum = locked.lock();
                *sum = sum.wrapping_add(own_work(STEPS_PER_MICROSECOND / 10, value));
            }
            Besides::Wait => sleep(WAIT),
        }
        value
    }

    fn sum(&self, range: Range<usize>, locked: &Locked) -> u64 {
        range.fold(0, |sum, at| sum.wrapping_add(self.work(at, locked)))
    }
}

/// The trap: as many workers as the file says.
#[must_use]
pub fn pool_of_threads(threads: usize) -> ThreadPool {
    pool(threads)
}

/// The advice: as many workers as there are CPUs.
#[must_use]
pub fn pool_of_cpus() -> ThreadPool {
    pool(cpus())
}

/// How many CPUs the process may use, by affinity and quota. Ask before a thread is pinned, as is done here: a pinned thread
/// hears of one.
#[must_use]
pub fn cpus() -> usize {
    place::release();
    available_parallelism().map_or(1, NonZero::get)
}

/// Fans units out, one task a worker: each takes the next unit until none is left. It is one counter, and not rayon's iterator,
/// which would make as many more parts of the units as there are more workers: two things would differ.
pub fn fan_out(pool: &ThreadPool, units: &Units) -> u64 {
    let (next, locked) = (CachePadded::new(AtomicUsize::new(0)), Locked::default());
    let all = units.seeds.len();
    let task = || {
        let claims = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        claims.take_while(|at| *at < all).fold(0, |sum: u64, at| sum.wrapping_add(units.work(at, &locked)))
    };
    total(pool.broadcast(|_| task()), &locked)
}

/// The floor: each worker knows its part before it starts.
pub fn static_split(pool: &ThreadPool, units: &Units) -> u64 {
    let (all, locked) = (units.seeds.len(), Locked::default());
    let share = all.div_ceil(pool.current_num_threads());
    let part = |worker: usize| all.min(worker * share)..all.min((worker + 1) * share);
    total(pool.broadcast(|worker| units.sum(part(worker.index()), &locked)), &locked)
}

/// The sum of what the workers have, and of what is under the lock.
fn total(sums: Vec<u64>, locked: &Locked) -> u64 {
    sums.into_iter().fold(*locked.lock(), u64::wrapping_add)
}

/// One pool of each size for all routines of a point: what is asleep is in nobody's way.
fn large(p: &Point) -> ThreadPool {
    pool_of_threads(p.threads)
}

fn small(_: &Point) -> ThreadPool {
    pool_of_cpus()
}

/// An arm: a crew of nobody, and a caller that sits in one place for all arms.
fn arm(p: &Point, pool: Arc<ThreadPool>, run: fn(&ThreadPool, &Units) -> u64) -> Box<dyn Routine> {
    type Input = (Arc<Units>, Arc<ThreadPool>);
    let seat = p.threads;
    let call = move |_: &Input| {
        place::take_seat(seat);
        settle();
    };
    let nobody = |_: &Input, (): &(), _: usize| ();
    gather(0, (shared(p, Units::new), pool), call, nobody, move |(units, pool), (), _| run(pool, units))
}

/// So many units of a case, on so many threads in the trap.
const fn at(n: u64, threads: usize, case: &'static str) -> Point {
    Point::n(n).threads(threads).case(case)
}

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "oversubscription",
    title: "A pool sized for another machine",
    section: "concurrency",
    habit: "size the pool by a number in a file, which was right for a machine with more CPUs",
    claims: &["F4"],
    counts: "units",
    op: "one unit done, and its share of waking the pool",
    points: &[
        at(1_000, 64, "cpu").headline(),
        at(20_000, 64, "cpu"),
        at(20_000, 64, "lock"),
        at(256, 64, "wait"),
        at(1_000, 8, "cpu"),
        at(200_000, 64, "quota=1cpu").quota(1),
    ],
    cases: &[
        ("cpu", "a unit is about 1 µs of own work"),
        ("lock", "a unit is about 1 µs of own work, and 0.1 µs more under a lock that all share"),
        ("wait", "a unit is about 1 µs of own work, and a sleep of 100 µs"),
        ("quota", "CPUs whose time the process may have, by a quota of the kernel's; units as in `cpu`"),
    ],
    variants: &[
        Variant::trap("pool_of_threads", |p| arm(p, shared(p, large), fan_out)),
        Variant::fix("pool_of_cpus", |p| arm(p, shared(p, small), fan_out)),
        Variant::floor("static_split", |p| arm(p, shared(p, small), static_split)),
    ],
    blind: &[
        (Instrument::Heap, "the pools exist before the clock; a fan-out asks for some blocks, whatever its units"),
        (Instrument::Instructions, "many threads: callgrind runs one at a time and sees no waiting"),
        (
            Instrument::Latency,
            "a request's tail under a quota depends on the load around it: usage counts throttled periods",
        ),
        (Instrument::Time, "64 threads on few cores: one process cannot average the scheduler"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routine::{Shape, Work};

    const CASES: [&str; 3] = ["cpu", "lock", "wait"];

    #[test]
    fn every_variant_does_every_unit_once_also_when_most_workers_get_none() {
        for (n, threads) in [(1, 1), (1, 64), (3, 2), (63, 64), (65, 64), (257, 8)] {
            for p in CASES.map(|case| at(n, threads, case)) {
                let (units, locked) = (Units::new(&p), Locked::default());
                let sum = units.sum(0..p.len(), &locked);
                let expected = total(vec![sum], &locked);
                for variant in TRAP.variants {
                    assert_eq!((variant.batch)(&p).digest(), expected, "{} at {p}", variant.name);
                }
            }
        }
    }

    #[test]
    fn the_lock_is_part_of_the_answer_and_only_where_it_is_taken() {
        let under_lock = |case| {
            let locked = Locked::default();
            Units::new(&at(5, 2, case)).sum(0..5, &locked);
            locked.into_inner().into_inner()
        };
        assert_eq!([under_lock("cpu"), under_lock("wait")], [0, 0]);
        assert_ne!(under_lock("lock"), 0);
    }

    #[test]
    fn every_worker_of_a_pool_is_called() {
        let pool = pool_of_threads(64);
        assert_eq!((pool.broadcast(|_| ()).len(), pool_of_cpus().current_num_threads()), (64, cpus()));
    }

    #[test]
    fn parts_are_whole_and_do_not_overlap_whatever_the_pool() {
        for (n, threads) in [(1, 5), (7, 3), (10, 4), (64, 64)] {
            let p = at(n, threads, "cpu");
            let units = Units::new(&p);
            assert_eq!(static_split(&pool(threads), &units), units.sum(0..p.len(), &Locked::default()), "{p}");
        }
    }

    #[test]
    fn all_arms_of_a_point_do_fixed_work_and_share_two_pools() {
        let p = at(20, 3, "lock");
        let pools = [shared(&p, large), shared(&p, small)];
        let mut routines: Vec<_> = TRAP.variants.iter().map(|v| (v.batch)(&p)).collect();
        assert_eq!(pools.map(|pool| Arc::strong_count(&pool)), [2, 3]);
        for routine in &mut routines {
            let digest = routine.digest();
            assert_eq!((routine.shape(), routine.block(Work::Runs(2)).runs), (Shape::Gather, 2));
            assert_eq!(routine.digest(), digest);
        }
    }
}
