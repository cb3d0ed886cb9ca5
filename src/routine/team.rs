//! The third builder: work that several threads share without waiting for each other.
//!
//! Up to the number of cores a block is a *window*: all workers meet at a spin barrier, run until all of them run and for 3 ms
//! more, stamp, and go on until the first of them says that time is up, and all have a run; each stamps again at the
//! end of its own last run. The rate is the sum of the workers' rates, so that neither the skew at the start nor the lonely
//! end of a faster worker is in it. With more threads than cores a window of a few ms leaves workers without a run, and the
//! block is fixed work: min(start) … max(end).
//!
//! Workers that wait for each other or for a helper do fixed work always: where one goes when another sleeps, the rates of
//! both can't be added up. They take their runs from one supply, so that none works on alone, and unhindered, at the end.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;

use super::block::{CrewTime, Pace, Routine, Shape, Work, digest_of, runs_of};
use super::crew::{Crew, Job, crew};
use super::place;
use super::solo::{Turn, solo};
use super::thread_time::Reading;
use super::window::{Timer, meet};

/// How long workers run before a window begins. A mutexed map of 10 000 keys that other arms had evicted takes so long until it is
/// within a few per cent of its speed: see METHODOLOGY.md.
pub const WARM_UP: Duration = Duration::from_millis(3);

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
    of_shape(Shape::Team, threads, 0, shared, run, view)
}

/// The same for workers that wait for each other or for a [`Helper`](super::Helper): fixed work in every block. Each worker
/// takes its next run when it has done its last, so that the workers end together and may do unequal parts; in a digest
/// each does one. A point has one mode: if one arm's workers wait, build all of them with this, with the number of helpers
/// that are busy in each.
pub fn waiting_team<S, F, V>(threads: usize, helpers: usize, shared: S, run: F, view: V) -> Box<dyn Routine>
where
    S: Send + Sync + 'static,
    F: Fn(&S, Turn) -> u64 + Send + Sync + 'static,
    V: Fn(&S, u64) -> u64 + 'static,
{
    of_shape(Shape::Waiting, threads, helpers, shared, run, view)
}

fn of_shape<S, F, V>(shape: Shape, threads: usize, helpers: usize, shared: S, run: F, view: V) -> Box<dyn Routine>
where
    S: Send + Sync + 'static,
    F: Fn(&S, Turn) -> u64 + Send + Sync + 'static,
    V: Fn(&S, u64) -> u64 + 'static,
{
    if threads == 1 {
        return solo(shared, run, view);
    }
    let bench = Arc::new(Bench::new(threads, shared, run));
    let mine = Arc::clone(&bench);
    Box::new(Team { crew: crew(threads), job: Arc::new(move |worker| mine.work(worker)), bench, view, shape, helpers })
}

struct Team<S, F, V> {
    crew: Arc<Crew>,
    job: Job,
    bench: Arc<Bench<S, F>>,
    view: V,
    shape: Shape,
    helpers: usize,
}

impl<S, F, V> Team<S, F, V> {
    fn waits(&self) -> bool {
        self.shape == Shape::Waiting
    }

    // With helpers there may be more threads than CPUs. Then they wait for each other's, and nobody took them.
    fn without_own_delay(&self, pace: Pace) -> Pace {
        let counts = self.helpers == 0 || self.crew.threads() + self.helpers <= place::available();
        let of = |crew: CrewTime| CrewTime { delayed: crew.delayed.filter(|_| counts), ..crew };
        Pace { crew: pace.crew.map(of), ..pace }
    }
}

impl<S, F, V: Fn(&S, u64) -> u64> Routine for Team<S, F, V> {
    fn block(&mut self, work: Work) -> Pace {
        let order = if self.waits() {
            Order::Together(runs_of(work) as usize * self.crew.threads())
        } else {
            Order::from(work)
        };
        self.bench.open(order);
        self.crew.work(&self.job, |_| ());
        self.without_own_delay(self.bench.pace(work))
    }

    fn digest(&mut self) -> u64 {
        self.bench.open(Order::Each(1));
        self.crew.work(&self.job, |_| ());
        digest_of(&(self.view)(&self.bench.shared, self.bench.answer()))
    }

    fn shape(&self) -> Shape {
        self.shape
    }
}

/// What the workers do in a block.
#[derive(Clone, Copy, Debug)]
enum Order {
    /// So many runs each.
    Each(usize),
    /// So many runs together: who is free takes the next.
    Together(usize),
    /// As many as there is time for.
    Window(Duration),
}

impl From<Work> for Order {
    fn from(work: Work) -> Self {
        match work {
            Work::Runs(runs) => Self::Each(runs as usize),
            Work::Window(length) => Self::Window(length),
        }
    }
}

/// Where the workers of a team do their runs.
struct Bench<S, F> {
    shared: S,
    run: F,
    order: Mutex<Order>,
    arrived: CachePadded<AtomicUsize>,
    running: CachePadded<AtomicUsize>,
    // Runs of a common supply that were taken.
    taken: CachePadded<AtomicUsize>,
    // How many have done a run that counts.
    counted: CachePadded<AtomicUsize>,
    // Read by all after every run and written once a window: on a line of its own.
    stop: CachePadded<AtomicBool>,
    stints: Vec<CachePadded<Mutex<Stint>>>,
}

/// What one worker did in a block.
#[derive(Clone, Copy, Debug, Default)]
struct Stint {
    span: Option<(Reading, Reading)>,
    runs: usize,
    // Of all blocks, so that no run is numbered twice.
    total: usize,
    answer: u64,
}

impl<S, F> Bench<S, F> {
    fn new(threads: usize, shared: S, run: F) -> Self {
        Self {
            shared,
            run,
            order: Mutex::new(Order::Each(0)),
            arrived: CachePadded::default(),
            running: CachePadded::default(),
            taken: CachePadded::default(),
            counted: CachePadded::default(),
            stop: CachePadded::default(),
            stints: (0..threads).map(|_| CachePadded::default()).collect(),
        }
    }

    // Before the workers are called: what they see of it is ordered by that call.
    fn open(&self, order: Order) {
        *self.order.lock().unwrap_or_else(PoisonError::into_inner) = order;
        self.arrived.store(0, Ordering::Relaxed);
        self.running.store(0, Ordering::Relaxed);
        self.taken.store(0, Ordering::Relaxed);
        self.counted.store(0, Ordering::Relaxed);
        self.stop.store(false, Ordering::Relaxed);
    }

    fn stints(&self) -> impl Iterator<Item = Stint> {
        self.stints.iter().map(|stint| *stint.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn answer(&self) -> u64 {
        self.stints().fold(0, |sum, stint| sum.wrapping_add(stint.answer))
    }

    // Allocates nothing, for the heap instrument counts what a block allocates.
    fn pace(&self, work: Work) -> Pace {
        let spans = || self.stints().filter_map(|stint| Some((stint.span?, stint.runs)));
        let crew: CrewTime = spans().map(|((start, end), _)| end.since(&start)).sum();
        match work {
            Work::Runs(runs) => {
                let start = spans().map(|((start, _), _)| start.at).min();
                let end = spans().map(|((_, end), _)| end.at).max();
                let wall = start.zip(end).map_or(Duration::ZERO, |(start, end)| end - start);
                Pace { crew: Some(crew), ..Pace::alone(runs, wall) }
            }
            Work::Window(_) => {
                let workers = spans().count();
                let rate: f64 = spans().map(|(span, runs)| runs as f64 / ns(&span)).sum();
                let runs = spans().map(|(_, runs)| runs as u64).sum::<u64>() / workers as u64;
                let wall = crew.wall / workers as u32;
                Pace { ns_per_run: workers as f64 / rate, runs, wall, crew: Some(crew) }
            }
        }
    }
}

fn ns((start, end): &(Reading, Reading)) -> f64 {
    (end.at - start.at).as_nanos() as f64
}

impl<S, F: Fn(&S, Turn) -> u64> Bench<S, F> {
    fn work(&self, worker: usize) {
        let order = *self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stint = self.stints[worker].lock().unwrap_or_else(PoisonError::into_inner);
        stint.answer = 0;
        meet(&self.arrived, self.stints.len());
        match order {
            Order::Each(runs) => self.fixed(&mut stint, worker, |done| done < runs),
            // A run takes tens of µs: taking one is nothing beside it.
            Order::Together(runs) => {
                self.fixed(&mut stint, worker, |_| self.taken.fetch_add(1, Ordering::Relaxed) < runs);
            }
            Order::Window(length) => self.window(&mut stint, worker, length),
        }
    }

    fn run_once(&self, stint: &mut Stint, worker: usize) {
        let turn = Turn { worker, run: stint.total };
        stint.answer = stint.answer.wrapping_add(black_box((self.run)(black_box(&self.shared), turn)));
        stint.total += 1;
    }

    fn fixed(&self, stint: &mut Stint, worker: usize, another: impl Fn(usize) -> bool) {
        // A copy, so that the loop does not write through the lock's guard.
        let mut own = *stint;
        let before = own.total;
        let start = Reading::start();
        while another(own.total - before) {
            self.run_once(&mut own, worker);
        }
        *stint = Stint { span: Some((start, Reading::end())), runs: own.total - before, ..own };
    }

    fn window(&self, stint: &mut Stint, worker: usize, length: Duration) {
        let mut own = *stint;
        self.warm_up(&mut own, worker);
        let before = own.total;
        let start = Reading::start();
        let mut timer = Timer::new(start.at, length);
        while !self.stop.load(Ordering::Relaxed) {
            self.run_once(&mut own, worker);
            if own.total == before + 1 {
                self.counted.fetch_add(1, Ordering::Relaxed);
            }
            if worker == 0 && timer.is_up(|| self.counted.load(Ordering::Relaxed) == self.stints.len()) {
                self.stop.store(true, Ordering::Relaxed);
            }
        }
        let end = Reading::end();
        let runs = own.total - before;
        assert!(runs > 0, "worker {worker} did no run in {} windows of {length:?}: it gets no CPU", Timer::PATIENCE);
        *stint = Stint { span: Some((start, end)), runs, ..own };
    }

    // Until all of them run, and `WARM_UP` more: a run touches a small part of a large map, and what the other arms left in the
    // caches would be in the window.
    fn warm_up(&self, stint: &mut Stint, worker: usize) {
        self.running.fetch_add(1, Ordering::Relaxed);
        let mut timer = Timer::new(Instant::now(), WARM_UP);
        let all_run = || self.running.load(Ordering::Relaxed) == self.stints.len();
        loop {
            self.run_once(stint, worker);
            if timer.is_up(all_run) {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    fn counting(threads: usize) -> Box<dyn Routine> {
        let count = |n: &AtomicU64, _| {
            n.fetch_add(1, Ordering::Relaxed);
            1
        };
        team(threads, AtomicU64::new(0), count, |n, sum| n.load(Ordering::Relaxed) + 1_000 * sum)
    }

    #[test]
    fn a_team_of_any_size_digests_one_run_of_every_worker() {
        for threads in [1, 2, 5] {
            let all = threads as u64;
            assert_eq!(counting(threads).digest(), digest_of(&(1_001 * all)), "{threads} threads");
        }
    }

    #[test]
    fn fixed_work_does_what_it_is_told_and_a_window_at_least_one_run_each() {
        let mut routine = counting(2);
        assert_eq!(routine.block(Work::Runs(7)).runs, 7);
        let pace = routine.block(Work::Window(Duration::from_millis(2)));
        let crew = pace.crew.expect("two threads");
        assert!(pace.runs >= 1 && pace.ns_per_run > 0.0 && crew.wall >= Duration::from_millis(2));
    }

    #[test]
    fn a_team_that_waits_does_fixed_work_together_and_one_run_each_in_a_digest() {
        // After the digest worker 1 is held in a run until the other has done three.
        let count = |n: &[AtomicU64; 2], turn: Turn| {
            n[turn.worker].fetch_add(1, Ordering::Relaxed);
            let (start, is_held) = (Instant::now(), turn.worker == 1 && turn.run > 0);
            while is_held && n[0].load(Ordering::Relaxed) < 1 + 3 {
                assert!(start.elapsed() < Duration::from_secs(60), "nobody took its runs");
                std::thread::yield_now();
            }
            0
        };
        let done = |n: &[AtomicU64; 2], _| n.iter().map(|n| n.load(Ordering::Relaxed)).sum();
        let mut routine = waiting_team(2, 0, <[AtomicU64; 2]>::default(), count, done);
        assert_eq!((routine.digest(), routine.shape()), (2, Shape::Waiting));
        assert_eq!(routine.block(Work::Runs(2)).runs, 2);
        assert_eq!(routine.digest(), 2 + 2 * 2 + 2);
    }

    #[test]
    #[should_panic(expected = "this routine does fixed work")]
    fn a_team_that_waits_refuses_a_window() {
        waiting_team(2, 0, (), |(), _| 0, |(), _| 0).block(Work::Window(Duration::from_millis(1)));
    }

    #[test]
    fn run_delay_is_told_unless_a_helper_may_have_caused_it() {
        let delayed = |helpers| {
            let pace = waiting_team(2, helpers, (), |(), _| 0, |(), _| 0).block(Work::Runs(10));
            pace.crew.expect("two threads").delayed
        };
        let told = delayed(0).is_some();
        assert_eq!(delayed(place::available()), None);
        assert_eq!(told, Reading::start().since(&Reading::start()).delayed.is_some());
    }

    #[test]
    fn no_run_is_numbered_twice() {
        let seen = Mutex::new(Vec::new());
        let mut routine = team(
            2,
            seen,
            |seen, turn| {
                seen.lock().expect("nobody panics").push((turn.worker, turn.run));
                0
            },
            |seen, _| seen.lock().expect("nobody panics").len() as u64,
        );
        routine.block(Work::Runs(3));
        routine.block(Work::Runs(2));
        assert_eq!(routine.digest(), digest_of(&12_u64));
    }

    #[test]
    #[should_panic(expected = "did no run in 100 windows")]
    fn a_worker_without_a_run_fails_the_block() {
        // As if the others had let the whole window pass while this one was not on a CPU.
        let bench = Bench::new(1, (), |(): &(), _: Turn| 0);
        bench.stop.store(true, Ordering::Relaxed);
        bench.window(&mut Stint::default(), 0, Duration::from_millis(1));
    }
}
