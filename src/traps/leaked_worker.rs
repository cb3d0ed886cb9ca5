//! # A worker nobody ends
//!
//! A request starts a worker and is answered, and the worker waits for a next job that nobody will send.
//!
//! ## In Go
//!
//! ```go
//! func (s *server) serve(order uint64) uint64 {
//!     jobs, answers := make(chan uint64, 1), make(chan uint64, 1)
//!     go work(jobs, answers)        // for order := range jobs { answers <- ... }
//!     s.open = append(s.open, jobs) // and nobody closes it
//!     jobs <- order
//!     return <-answers
//! }
//! ```
//!
//! ## In Rust
//!
//! Half prevented, and dearer. When the last `Sender` goes, `recv` ends, so that nobody can forget to close. In Go a
//! worker whose channel nobody knows any more waits for ever as well: the collector takes no goroutine that is blocked.
//! What leaks in Rust is a *living* sender: in a registry that nobody removes from, as here, or a clone that the worker
//! itself has. Alike: the worker keeps its stack and all that it references. Only similar: in Rust it is a thread of
//! the system, with 2 MiB of address space for a stack that the kernel fills page by page; a goroutine begins with
//! 2 KiB, and the collector scans it in each cycle.
//!
//! ## Why it costs
//!
//! A thread that sleeps takes no CPU time, so that nothing looks wrong. It keeps the pages of its stack that it has
//! touched, its thread-local state, two channels, and what its body owns: here 64 KiB, or nothing. The kernel keeps
//! some 25 KiB more for it, which no resident size shows. At some point `pids.max` or `ulimit -u` is
//! reached, and the process can't start a thread.
//!
//! Expected: a thread an op against none, exactly; 76 to 90 KiB resident an op with 64 KiB held, 10 to 20 KiB with
//! nothing. Ten leaks a minute are 28 800 in two days: that is arithmetic, and no measurement.
//!
//! ## When the fix loses
//!
//! - When a worker is meant to stay: a registry of connections is no leak, as long as who hangs up is removed.
//! - When joining makes the caller wait for a worker that is busy: `closed` returns when the worker has ended.
//! - When `done` is all that ends a worker and it is busy: it looks only between two jobs.
//! - When a job takes less than a thread takes to start: then neither, and the caller does it.
//!
//! ## What to measure it with
//!
//! Usage: threads and resident bytes an op, over what is held. The heap's counts see what a worker owns, and no stack.
//! At test time a leak check sees it before any of these (`lab::leak`). Ratio, time and instructions are blind, for
//! starting a thread is most of a run and the trap's cost comes later; so is latency, for a request is served before it
//! leaks.
//!
//! ## Sources
//!
//! - Go specification, "Close" and "Receive operator"; Go runtime, `gopark` in `runtime/proc.go`; go.uber.org/goleak
//! - `std::thread`, "Stack size"; prctl(2), on the name of a thread; cgroups(7), on the controller `pids`
//! - crossbeam-channel, `src/flavors/array.rs` and `src/context.rs`
//! - Saioc, Lee, Møller and Chabbi, "Dynamic Partial Deadlock Detection and Recovery via Garbage Collection",
//!   ASPLOS 2025

use std::convert::Infallible;
use std::hint::black_box;
use std::io;
use std::iter::from_fn;
use std::panic::resume_unwind;
use std::thread::{self, Builder, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded, select};

use crate::trap::{Hold, Instrument, Point, Routine, Trap, Variant, routine};
use crate::workload::{POOL, Shifted, Windows, rng, shared};

/// What an order is answered with. What is kept for the work takes a part in it.
fn answer(order: u64, kept: &[u8]) -> u64 {
    order.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ kept.last().copied().map_or(0, u64::from)
}

/// A worker's life: it ends when no job can come any more. What it keeps it makes itself, and fills: pages of zeros
/// would not be resident.
pub fn work(jobs: impl Iterator<Item = u64>, answers: &Sender<u64>, keeps: usize) {
    let kept = vec![1; keeps];
    for order in jobs {
        // Who asked may have gone.
        let _ = answers.send(answer(order, &kept));
    }
    // Read here, so that it lives as long as the worker.
    black_box(kept.last());
}

/// A worker, and what its caller has of it.
#[derive(Debug)]
pub struct Worker {
    jobs: Sender<u64>,
    answers: Receiver<u64>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// Starts one. It is given no name: so it has that of the thread that started it, by which a leak check knows whose
    /// it is.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub fn start(keeps: usize) -> io::Result<Self> {
        let ((jobs, orders), (reply, answers)) = (bounded(1), bounded(1));
        let thread = Builder::new().spawn(move || work(orders.iter(), &reply, keeps))?;
        Ok(Self { jobs, answers, thread })
    }

    /// Gives it a job and waits for the answer.
    fn ask(&self, order: u64) -> u64 {
        // If it can't be sent, no answer comes either.
        let _ = self.jobs.send(order);
        self.answers.recv().unwrap_or_else(|_| panic!("the worker fell before it had answered"))
    }
}

/// Waits for the end of a thread. Its fall is ours.
fn join(thread: JoinHandle<()>) {
    if let Err(panic) = thread.join()
        && !thread::panicking()
    {
        resume_unwind(panic);
    }
}

/// Where the trap keeps the ways to its workers. Dropping it closes all and waits until all have ended, in the order of
/// its fields. A service would have no handles, and would not wait.
#[derive(Debug, Default)]
pub struct Registry {
    open: Vec<Sender<u64>>,
    workers: Threads,
}

impl Registry {
    /// How many workers can still be sent a job.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.len()
    }
}

#[derive(Debug, Default)]
struct Threads(Vec<JoinHandle<()>>);

impl Drop for Threads {
    fn drop(&mut self) {
        self.0.drain(..).for_each(join);
    }
}

/// The trap: the sender stays in the registry, and the worker waits for what it may send.
///
/// # Errors
/// If the system has no thread left.
pub fn never_closed(registry: &mut Registry, order: u64, keeps: usize) -> io::Result<u64> {
    let worker = Worker::start(keeps)?;
    let answer = worker.ask(order);
    registry.open.push(worker.jobs);
    registry.workers.0.push(worker.thread);
    Ok(answer)
}

/// The advice: the sender goes, and the worker is waited for.
///
/// # Errors
/// If the system has no thread left.
pub fn closed(order: u64, keeps: usize) -> io::Result<u64> {
    let worker = Worker::start(keeps)?;
    let answer = worker.ask(order);
    drop(worker.jobs);
    join(worker.thread);
    Ok(answer)
}

/// For a worker that has a sender of its own channel, such as one that puts back what it can't do yet: nobody can close
/// that, so it looks at a second channel, which its caller drops.
///
/// # Errors
/// If the system has no thread left.
pub fn cancelled(order: u64, keeps: usize) -> io::Result<u64> {
    let ((jobs, orders), (reply, answers)) = (bounded(1), bounded(1));
    let (cancel, done) = bounded::<Infallible>(0);
    let again = jobs.clone();
    let thread = Builder::new().spawn(move || {
        let _again = again;
        work(from_fn(|| next(&orders, &done)), &reply, keeps);
    })?;
    let worker = Worker { jobs, answers, thread };
    let answer = worker.ask(order);
    drop(cancel);
    join(worker.thread);
    Ok(answer)
}

/// The next order, or none if there is to be no other.
fn next(orders: &Receiver<u64>, done: &Receiver<Infallible>) -> Option<u64> {
    select! {
        recv(orders) -> order => order.ok(),
        recv(done) -> _ => None,
    }
}

/// The floor: no worker. The caller keeps for the time of the work what the worker would.
pub fn inline(order: u64, keeps: usize) -> u64 {
    answer(order, black_box(&vec![1; keeps]))
}

type Serve = fn(&mut Registry, u64, usize) -> io::Result<u64>;

/// What a worker keeps.
fn keeps(p: &Point) -> usize {
    if p.case == "bare" { 0 } else { 64 << 10 }
}

/// Each run has the next orders of a supply.
fn orders(p: &Point) -> Windows<u64> {
    let mut rng = rng(42);
    Windows::of(Shifted::new((0..POOL.max(p.len())).map(|_| rng.u64()).collect()), p.len())
}

/// Serves an order. A system without a thread left is told of here, on the caller's thread, with the number of the
/// worker.
fn served(serve: Serve, registry: &mut Registry, number: u64, order: u64, keeps: usize) -> u64 {
    serve(registry, order, keeps).unwrap_or_else(|error| panic!("cannot start worker {number}: {error}"))
}

/// An arm: the registry ends with the run, and all workers with it, so that none is left behind.
fn arm(p: &Point, serve: Serve) -> Box<dyn Routine> {
    let input = (shared(p, orders), keeps(p), 0);
    routine(input, move |(orders, keeps, at)| {
        let mut registry = Registry::default();
        let numbered = (1..).zip(orders.advance(at));
        numbered
            .fold(0_u64, |sum, (number, order)| sum.wrapping_add(served(serve, &mut registry, number, *order, *keeps)))
    })
}

/// The same, kept: the registry goes with the closure.
fn hold(p: &Point, serve: Serve) -> Hold {
    let (mut registry, keeps, mut before) = (Registry::default(), keeps(p), 0);
    Box::new(move |ops| {
        for number in before + 1..=before + ops {
            black_box(served(serve, &mut registry, number, number, keeps));
        }
        before += ops;
    })
}

const CLOSED: Serve = |_, order, keeps| closed(order, keeps);
const CANCELLED: Serve = |_, order, keeps| cancelled(order, keeps);
const INLINE: Serve = |_, order, keeps| Ok(inline(order, keeps));

const LATER: &str = "starting a thread is most of the run; the trap's cost comes later";

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "leaked_worker",
    title: "A worker nobody ends",
    section: "concurrency",
    habit: "start a goroutine that ranges over a channel, and never close the channel",
    claims: &["F1", "F2", "F3"],
    counts: "requests",
    op: "one request that has a worker answer it",
    points: &[
        Point::n(64).case("held=64KiB").only(&[Instrument::Heap]),
        Point::n(1_000).case("held=64KiB").held().headline(),
        Point::n(64).case("bare").only(&[Instrument::Heap]),
        Point::n(1_000).case("bare").held(),
    ],
    cases: &[("held", "size of the buffer that a worker fills and keeps"), ("bare", "a worker keeps no buffer")],
    variants: &[
        Variant::trap("never_closed", |p| arm(p, never_closed)).hold(|p| hold(p, never_closed)),
        Variant::fix("closed", |p| arm(p, CLOSED)).hold(|p| hold(p, CLOSED)),
        Variant::fix("cancelled", |p| arm(p, CANCELLED)).hold(|p| hold(p, CANCELLED)),
        Variant::floor("inline", |p| arm(p, INLINE)).hold(|p| hold(p, INLINE)),
    ],
    blind: &[
        (Instrument::Ratio, LATER),
        (Instrument::Time, LATER),
        (Instrument::Instructions, "its cost is threads, and callgrind counts none"),
        (Instrument::Latency, "a request is served before it leaks"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_variants_answer_every_order_in_both_cases() {
        for (n, case) in [(1, "bare"), (9, "bare"), (1, "held=64KiB"), (9, "held=64KiB")] {
            let p = Point::n(n).case(case);
            let kept = vec![1; keeps(&p)];
            let window = orders(&p);
            let expected = window.window(0).iter().map(|order| answer(*order, &kept)).fold(0, u64::wrapping_add);
            for variant in TRAP.variants {
                assert_eq!((variant.batch)(&p).digest(), expected, "{} at {p}", variant.name);
            }
        }
    }

    #[test]
    fn the_trap_keeps_its_workers_and_they_still_answer() {
        let mut registry = Registry::default();
        for order in 0..5 {
            assert_eq!(never_closed(&mut registry, order, 8).expect("a thread"), answer(order, &[1]));
        }
        assert_eq!(registry.open(), 5);
        assert!(registry.workers.0.iter().all(|worker| !worker.is_finished()));
        registry.open.iter().for_each(|jobs| jobs.send(7).expect("it lives"));
        // Joins: a deadlock if the senders went after the threads.
        drop(registry);
    }

    #[test]
    fn a_worker_ends_with_its_last_sender_or_when_it_is_cancelled() {
        // Both join: a deadlock if the worker did not end.
        assert_eq!(closed(3, 0).expect("a thread"), answer(3, &[]));
        assert_eq!(cancelled(3, 1).expect("a thread"), answer(3, &[1]));
        let (jobs, orders) = bounded(1);
        let (cancel, done) = bounded(0);
        jobs.send(7).expect("there is room");
        assert_eq!(next(&orders, &done), Some(7));
        drop(cancel);
        assert_eq!(next(&orders, &done), None);
    }

    #[test]
    fn a_worker_keeps_64_kib_or_nothing() {
        let kept: Vec<usize> = TRAP.points.iter().map(keeps).collect();
        assert_eq!(kept, [65_536, 65_536, 0, 0]);
    }

    #[test]
    #[should_panic(expected = "cannot start worker 412: no thread is left")]
    fn a_system_without_a_thread_left_is_told_of_with_the_number_of_the_worker() {
        let refuses: Serve = |_, _, _| Err(io::Error::other("no thread is left"));
        served(refuses, &mut Registry::default(), 412, 7, 0);
    }

    #[test]
    fn what_is_held_goes_with_the_closure() {
        for variant in TRAP.variants {
            let mut hold = variant.hold.expect("it can be held")(&Point::n(1_000).case("bare"));
            (0..2).for_each(|_| hold(3));
        }
    }
}
