//! # A closure that owns a copy
//!
//! A job for a pool is a closure that is stored and run later, and what it reads moves into it: a clone for every job.
//!
//! ## In Go
//!
//! ```go
//! for _, job := range jobs {
//!     wg.Add(1)
//!     tasks <- func() { // the closure and what it captures move to the heap
//!         defer wg.Done()
//!         sum.Add(job.Fold())
//!     }
//! }
//! wg.Wait()
//! ```
//!
//! ## In Rust
//!
//! `pool.spawn(move || job.work())`, where the job is a clone. Only similar, and stronger: in Go a captured variable moves to
//! the heap and nothing else is copied, for the collector lets the closure and its maker share it. In Rust a job that may
//! outlive its maker must be `'static`: it is boxed, and what it reads is cloned or counted. Only a scope, which waits for
//! its jobs, lets them borrow. rayon boxes a spawned job in either case.
//!
//! All arms share one pinned pool of rayon's, made before the clock and mustered before each run, so that it is awake. The
//! caller is pinned as the next worker: beside two workers on two cores it shares the first one's. A run goes from the
//! first clone to the last job's end, and wakes whoever fell asleep meanwhile.
//!
//! ## Why it costs
//!
//! The clone asks for one block more a job and copies its contents, and the copy is allocated on one thread and freed on
//! another. glibc keeps freed blocks in a cache of the thread that frees them, seven of a size; a worker never allocates
//! such blocks, so that its cache is full after seven jobs. From then on every free takes the lock of the *caller's* arena,
//! and meets there the caller's next `malloc`.
//!
//! What remains without the clone is the hand-out. Each spawned job is boxed, goes through one queue that all workers read,
//! and is counted: by the pool when nothing waits for it, by the scope when one does. A worker that finds the queue empty
//! goes to sleep, and the caller pays for waking it. An iterator in parallel spawns nothing: it splits the slice where a
//! worker runs dry. Expect the clone to be a multiple of a borrow, a borrow a multiple of the iterator, and all of it to
//! vanish behind jobs of ten microseconds.
//!
//! ## When the fix loses
//!
//! - When jobs must outlive their maker: a handler that answers before the work is done can't wait at the end of a scope.
//! - When a job changes what it was given: then it needs a copy of its own, and a clone is no waste.
//! - When what is captured is small: two words are copied into the closure's own block, and nothing more is allocated.
//! - When the maker can give its value away: a `move` without a clone costs what a borrow does.
//! - When a job takes long: its hand-out is nothing beside it.
//! - With an `Arc` for many tiny jobs: its counter is one line that all threads write, twice a job.
//!
//! ## What to measure it with
//!
//! Heap counts say it: blocks and bytes a job, as a range, for the pool's queue asks for a block now and then. Time says what
//! the blocks cost when two threads meet in the allocator. Instructions are blind to two threads, latency to jobs that
//! nobody waits for. Usage has the sleeps, and the CPU time of both sides.
//!
//! ## Sources
//!
//! - The Go FAQ, "How do I know whether a variable is allocated on the heap or the stack?"
//! - rayon-core, `src/spawn/mod.rs`, `src/scope/mod.rs` and `src/sleep/README.md`; crossbeam-deque, `Injector`
//! - The GNU C Library's `malloc/malloc.c` (`tcache_put`, `_int_free`) and its wiki, "Overview of Malloc"
//! - Leijen, Zorn and de Moura, "Mimalloc: Free List Sharding in Action", APLAS 2019, on blocks freed by another thread

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, Thread};

use crossbeam_utils::CachePadded;
use rayon::prelude::*;
use rayon::{BroadcastContext, ThreadPool, current_thread_index};

use crate::routine::place;
use crate::routine::pool::{muster, pool};
use crate::trap::{Instrument, Point, Routine, Trap, Variant, gather};
use crate::workload::{STEPS_PER_MICROSECOND, own_work, rng, shared};

/// Words that a job reads: a KiB, which is in the largest class of sizes that glibc keeps in a thread's cache.
pub const WORDS: usize = 128;

/// What is done to some words, and how much own work follows.
#[derive(Clone, Debug)]
pub struct Job {
    /// What is folded.
    pub words: Vec<u64>,
    /// Steps of [`own_work`] behind it.
    pub steps: u32,
}

impl Job {
    /// Folds the words, each multiplication waiting for the one before. It is never inlined: all arms run the same code.
    #[inline(never)]
    #[must_use]
    pub fn work(&self) -> u64 {
        let fold = |x: u64, word: &u64| (x ^ word).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        own_work(self.steps, self.words.iter().fold(1, fold))
    }
}

/// A sum for each worker, on lines of their own: one sum for all would be a trap of its own. They lie in line, so that
/// they are no block; a ninth worker would share the first one's.
#[derive(Debug, Default)]
pub struct Sums([CachePadded<AtomicU64>; 8]);

impl Sums {
    fn add(&self, value: u64) {
        let slot = current_thread_index().unwrap_or_default() % self.0.len();
        self.0[slot].fetch_add(value, Ordering::Relaxed);
    }

    fn total(&self) -> u64 {
        self.0.iter().fold(0, |total, sum| total.wrapping_add(sum.load(Ordering::Relaxed)))
    }
}

/// The sums of jobs that nobody else waits for, how many are still to come, and who is to be woken after the last. It is what
/// a scope of rayon's has: one counter, and no lock. All in one, so that a job counts one `Arc` for it.
#[derive(Debug)]
pub struct Latch {
    sums: Sums,
    left: CachePadded<AtomicUsize>,
    caller: Thread,
}

impl Latch {
    fn new(jobs: usize) -> Arc<Self> {
        let left = CachePadded::new(AtomicUsize::new(jobs));
        Arc::new(Self { sums: Sums::default(), left, caller: thread::current() })
    }

    fn done(&self, value: u64) {
        self.sums.add(value);
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.caller.unpark();
        }
    }

    /// Sleeps until the last job is done. What the jobs wrote is then visible.
    fn wait(&self) -> u64 {
        while self.left.load(Ordering::Acquire) > 0 {
            thread::park();
        }
        self.sums.total()
    }
}

/// The trap: each job is a clone that its closure owns. It is dropped before it counts as done, so that a run has all of
/// the frees that it causes.
pub fn spawn_static(pool: &ThreadPool, jobs: &[Job]) -> u64 {
    let latch = Latch::new(jobs.len());
    for job in jobs {
        let (job, latch) = (job.clone(), Arc::clone(&latch));
        pool.spawn(move || {
            let value = job.work();
            drop(job);
            latch.done(value);
        });
    }
    latch.wait()
}

/// The advice: a scope waits for its jobs, so that they may borrow. The caller spawns from outside the pool, as above.
pub fn scoped(pool: &ThreadPool, jobs: &[Job]) -> u64 {
    let sums = Sums::default();
    pool.in_place_scope(|scope| {
        for job in jobs {
            scope.spawn(|_| sums.add(job.work()));
        }
    });
    sums.total()
}

/// The jobs are counted and not cloned. For those that must outlive their maker.
pub fn spawn_shared(pool: &ThreadPool, jobs: &Arc<[Job]>) -> u64 {
    let latch = Latch::new(jobs.len());
    for at in 0..jobs.len() {
        let (jobs, latch) = (Arc::clone(jobs), Arc::clone(&latch));
        pool.spawn(move || {
            let value = jobs[at].work();
            drop(jobs);
            latch.done(value);
        });
    }
    latch.wait()
}

/// No closure a job: rayon splits the slice as its workers run dry.
pub fn par_iter(pool: &ThreadPool, jobs: &[Job]) -> u64 {
    pool.install(|| jobs.par_iter().map(Job::work).reduce(|| 0, u64::wrapping_add))
}

/// The floor: each worker has its part before it starts. A plain loop would be none, for it has one core and the pool two.
pub fn static_split(pool: &ThreadPool, jobs: &[Job]) -> u64 {
    let share = jobs.len().div_ceil(pool.current_num_threads()).max(1);
    let part = |worker: BroadcastContext<'_>| jobs.chunks(share).nth(worker.index()).unwrap_or_default();
    let sum = |values: &mut dyn Iterator<Item = u64>| values.fold(0, u64::wrapping_add);
    let sums = pool.broadcast(|worker| sum(&mut part(worker).iter().map(Job::work)));
    sum(&mut sums.into_iter())
}

/// What all arms of a point share: the jobs, and the pool that does them.
struct Site {
    jobs: Arc<[Job]>,
    pool: ThreadPool,
}

impl Site {
    fn new(p: &Point) -> Self {
        let mut rng = rng(24);
        let steps = if p.case == "10us" { 10 * STEPS_PER_MICROSECOND } else { 0 };
        let mut job = |_| Job { words: (0..WORDS).map(|_| rng.u64()).collect(), steps };
        Self { jobs: (0..p.n).map(&mut job).collect(), pool: pool(p.threads) }
    }
}

/// An arm: a crew of nobody, and a caller that sits where the next worker would. The pool is mustered before the clock: a
/// thousand short jobs are as long as it takes to wake two threads.
fn arm(p: &Point, run: impl Fn(&ThreadPool, &Arc<[Job]>) -> u64 + 'static) -> Box<dyn Routine> {
    let threads = p.threads;
    let call = move |site: &Arc<Site>| {
        place::take_seat(threads);
        muster(&site.pool)
    };
    gather(
        0,
        shared(p, Site::new),
        call,
        |_, _, _| (),
        move |site, muster, _| {
            muster.fetch_add(1, Ordering::AcqRel);
            run(&site.pool, &site.jobs)
        },
    )
}

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "closure_capture",
    title: "A closure that owns a copy",
    section: "memory",
    habit: "start a closure for every job, and let it capture what the job reads",
    claims: &["B4"],
    counts: "jobs",
    op: "one job handed out and done",
    points: &[
        Point::n(1_000).threads(2).case("200ns"),
        Point::n(10_000).threads(2).case("200ns").headline(),
        Point::n(1_000).threads(2).case("10us"),
    ],
    cases: &[
        ("200ns", "a job folds 128 words of its own: about 200 ns"),
        ("10us", "a job folds 128 words of its own, then does about 10 µs of own work"),
    ],
    variants: &[
        Variant::trap("spawn_static", |p| arm(p, |pool, jobs| spawn_static(pool, jobs))),
        Variant::fix("scoped", |p| arm(p, |pool, jobs| scoped(pool, jobs))),
        Variant::fix("spawn_shared", |p| arm(p, spawn_shared)),
        Variant::fix("par_iter", |p| arm(p, |pool, jobs| par_iter(pool, jobs))),
        Variant::floor("static_split", |p| arm(p, |pool, jobs| static_split(pool, jobs))),
    ],
    blind: &[
        (Instrument::Instructions, "two threads: callgrind runs one at a time and sees no waiting"),
        (Instrument::Latency, "jobs have no caller who waits for one of them"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routine::{Shape, Work};

    #[test]
    fn every_variant_does_every_job_once_also_when_there_are_fewer_than_workers() {
        for (n, threads) in [(1, 1), (1, 2), (3, 2), (2, 8), (9, 9), (64, 2), (257, 3)] {
            let p = Point::n(n).threads(threads).case("200ns");
            let expected = Site::new(&p).jobs.iter().map(Job::work).fold(0, u64::wrapping_add);
            for variant in TRAP.variants {
                assert_eq!((variant.batch)(&p).digest(), expected, "{} at {p}", variant.name);
            }
        }
    }

    #[test]
    fn no_job_is_no_work_and_no_wait() {
        let (pool, none) = (pool(2), Arc::from([]));
        assert_eq!((spawn_static(&pool, &none), scoped(&pool, &none), spawn_shared(&pool, &none)), (0, 0, 0));
        assert_eq!((par_iter(&pool, &none), static_split(&pool, &none)), (0, 0));
    }

    #[test]
    fn the_answer_knows_a_word_that_is_changed_or_moved() {
        let job = |words: [u64; 3]| Job { words: words.to_vec(), steps: 0 }.work();
        assert!(job([1, 2, 3]) != job([1, 2, 4]) && job([1, 2, 3]) != job([2, 1, 3]));
    }

    #[test]
    fn the_case_decides_how_long_a_job_is() {
        let steps = |case| Site::new(&Point::n(1).case(case)).jobs[0].steps;
        assert_eq!((steps("200ns"), steps("10us")), (0, 6_000));
    }

    #[test]
    fn jobs_are_shared_and_given_back_before_the_run_ends() {
        let (pool, site) = (pool(2), Site::new(&Point::n(100)));
        spawn_shared(&pool, &site.jobs);
        assert_eq!(Arc::strong_count(&site.jobs), 1);
    }

    #[test]
    fn all_arms_of_a_point_do_fixed_work_and_share_one_pool() {
        let p = Point::n(20).threads(2).case("10us");
        let site = shared(&p, Site::new);
        for variant in TRAP.variants {
            let mut routine = (variant.batch)(&p);
            let digest = routine.digest();
            assert_eq!((routine.shape(), routine.block(Work::Runs(3)).runs), (Shape::Gather, 3));
            assert_eq!(routine.digest(), digest, "{}", variant.name);
        }
        assert_eq!(Arc::strong_count(&site), 1);
    }
}
