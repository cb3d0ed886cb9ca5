//! The third builder: work that several threads share.
//!
//! The workers start when the routine is built and end when it is dropped. For a block, each worker is told the number of
//! runs, meets the others at a barrier, stamps its start, does its runs and stamps its end; the block took
//! min(start) … max(end). Waking parked workers (60 to 140 µs for two) falls before the barrier, so what is left of it in the
//! block is the skew with which they leave the barrier.

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use super::layout::offset_heap;
use super::{Routine, digest_of};

/// Whose turn it is: which worker, and its how-manieth run since the team was built.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// From 0 to threads − 1.
    pub worker: usize,
    /// From 0; the same for all workers of a block, but they do not wait for each other between runs.
    pub run: usize,
}

/// Work that `threads` workers share: each run of each worker is one call of `run`, which returns that worker's part of the
/// answer. `view` makes the digest from the shared state after one run and the wrapping sum of the parts.
///
/// A team of one works on the calling thread: nothing is woken, and single-threaded instruments can see it.
pub fn team<S, F, V>(threads: usize, shared: S, run: F, view: V) -> Box<dyn Routine>
where
    S: Send + Sync + 'static,
    F: Fn(&S, Turn) -> u64 + Send + Sync + 'static,
    V: Fn(&S, u64) -> u64 + 'static,
{
    if threads == 1 {
        return Box::new(Solo { shared, run, view, runs: 0 });
    }
    Box::new(Team { crew: Crew::start(threads, Arc::new((shared, run))), view })
}

/// When a worker began and ended its runs, and the sum of its answers.
struct Stint {
    start: Instant,
    end: Instant,
    answer: u64,
}

fn stint<S, F: Fn(&S, Turn) -> u64>(shared: &S, run: &F, worker: usize, from: usize, runs: usize) -> Stint {
    let mut answer = 0_u64;
    let start = Instant::now();
    for run_now in from..from + runs {
        answer = answer.wrapping_add(black_box(run(black_box(shared), Turn { worker, run: run_now })));
    }
    Stint { start, end: Instant::now(), answer }
}

struct Solo<S, F, V> {
    shared: S,
    run: F,
    view: V,
    runs: usize,
}

impl<S, F: Fn(&S, Turn) -> u64, V> Solo<S, F, V> {
    fn work(&mut self, runs: u64) -> Stint {
        let stint = stint(&self.shared, &self.run, 0, self.runs, runs as usize);
        self.runs += runs as usize;
        stint
    }
}

impl<S, F: Fn(&S, Turn) -> u64, V: Fn(&S, u64) -> u64> Routine for Solo<S, F, V> {
    fn block(&mut self, runs: u64) -> Duration {
        let stint = self.work(runs);
        stint.end - stint.start
    }

    fn digest(&mut self) -> u64 {
        let answer = self.work(1).answer;
        digest_of(&(self.view)(&self.shared, answer))
    }
}

struct Team<S, F, V> {
    crew: Crew<S, F>,
    view: V,
}

impl<S, F, V: Fn(&S, u64) -> u64> Routine for Team<S, F, V> {
    fn block(&mut self, runs: u64) -> Duration {
        let stints = self.crew.work(runs as usize);
        let start = stints.iter().map(|s| s.start).min();
        let end = stints.iter().map(|s| s.end).max();
        start.zip(end).map_or(Duration::ZERO, |(start, end)| end - start)
    }

    fn digest(&mut self) -> u64 {
        let stints = self.crew.work(1);
        let answer = stints.iter().fold(0_u64, |sum, s| sum.wrapping_add(s.answer));
        digest_of(&(self.view)(&self.crew.job.0, answer))
    }
}

type Outcome = std::thread::Result<Stint>;

/// The workers of a team, parked until they are told how many runs to do.
struct Crew<S, F> {
    job: Arc<(S, F)>,
    orders: Vec<Sender<usize>>,
    outcomes: Receiver<Outcome>,
    handles: Vec<JoinHandle<()>>,
}

impl<S, F> Crew<S, F>
where
    S: Send + Sync + 'static,
    F: Fn(&S, Turn) -> u64 + Send + Sync + 'static,
{
    fn start(threads: usize, job: Arc<(S, F)>) -> Self {
        let (report, outcomes) = channel();
        let barrier = Arc::new(Barrier::new(threads));
        let hire = |worker| {
            let (order, orders) = channel();
            let (job, barrier, report) = (Arc::clone(&job), Arc::clone(&barrier), report.clone());
            let serve = move || serve(worker, &job, &barrier, &orders, &report);
            let handle = Builder::new().name(format!("team-{worker}")).spawn(serve);
            (order, handle.unwrap_or_else(|error| panic!("cannot start worker {worker} of {threads}: {error}")))
        };
        let (orders, handles) = (0..threads).map(hire).unzip();
        Self { job, orders, outcomes, handles }
    }
}

impl<S, F> Crew<S, F> {
    fn work(&self, runs: usize) -> Vec<Stint> {
        for order in &self.orders {
            order.send(runs).unwrap_or_else(|_| panic!("a worker of the team has ended"));
        }
        let next = |_| self.outcomes.recv().unwrap_or_else(|_| panic!("the workers of the team have ended"));
        (0..self.orders.len()).map(next).map(|o| o.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    }
}

impl<S, F> Drop for Crew<S, F> {
    fn drop(&mut self) {
        self.orders.clear();
        for handle in self.handles.drain(..) {
            // A worker catches the panics of its work and hands them over, so there is nothing left to learn here.
            let _ = handle.join();
        }
    }
}

fn serve<S, F: Fn(&S, Turn) -> u64>(
    worker: usize,
    job: &(S, F),
    barrier: &Barrier,
    orders: &Receiver<usize>,
    report: &Sender<Outcome>,
) {
    offset_heap();
    let mut done = 0;
    while let Ok(runs) = orders.recv() {
        barrier.wait();
        let outcome = catch_unwind(AssertUnwindSafe(|| stint(&job.0, &job.1, worker, done, runs)));
        done += runs;
        if report.send(outcome).is_err() {
            return;
        }
    }
}
