//! The third builder: work that several threads share without waiting for each other.
//!
//! Up to the number of cores a block is a *window*: all workers meet at a spin barrier, run until all of them run and for 3 ms
//! more, stamp, and go on until the first of them says that time is up, and all have a run; each stamps again at the
//! end of its own last run. The rate is the sum of the workers' rates, so that neither the skew at the start nor the lonely
//! end of a faster worker is in it. With more threads than cores a window of a few ms leaves workers without a run, and the
//! block is fixed work: min(start) … max(end).

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;

use super::block::{CrewTime, Pace, Routine, Shape, Work, digest_of, runs_of};
use super::crew::{Crew, Job, crew};
use super::place;
use super::thread_time::Reading;
use super::window::{Timer, meet};

/// How long workers run before a window begins. A mutexed map of 10 000 keys that other arms had evicted takes so long until it is
/// within a few per cent of its speed: see METHODOLOGY.md.
pub const WARM_UP: Duration = Duration::from_millis(3);

/// Whose turn it is: which worker, and its how-manieth run since the team was built.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// From 0 to threads − 1.
    pub worker: usize,
    /// From 0. Workers do not wait for each other between runs, and after a window each has done as many as it could.
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
    let bench = Arc::new(Bench::new(threads, shared, run));
    let mine = Arc::clone(&bench);
    Box::new(Team { crew: crew(threads), job: Arc::new(move |worker| mine.work(worker)), bench, view })
}

struct Solo<S, F, V> {
    shared: S,
    run: F,
    view: V,
    runs: usize,
}

impl<S, F: Fn(&S, Turn) -> u64, V> Solo<S, F, V> {
    fn work(&mut self, runs: u64) -> u64 {
        let mut answer = 0_u64;
        for run in self.runs..self.runs + runs as usize {
            answer = answer.wrapping_add(black_box((self.run)(black_box(&self.shared), Turn { worker: 0, run })));
        }
        self.runs += runs as usize;
        answer
    }
}

impl<S, F: Fn(&S, Turn) -> u64, V: Fn(&S, u64) -> u64> Routine for Solo<S, F, V> {
    fn block(&mut self, work: Work) -> Pace {
        let runs = runs_of(work);
        place::take_seat(0);
        let start = Instant::now();
        black_box(self.work(runs));
        Pace::alone(runs, start.elapsed())
    }

    fn digest(&mut self) -> u64 {
        let answer = self.work(1);
        digest_of(&(self.view)(&self.shared, answer))
    }
}

struct Team<S, F, V> {
    crew: Arc<Crew>,
    job: Job,
    bench: Arc<Bench<S, F>>,
    view: V,
}

impl<S, F, V: Fn(&S, u64) -> u64> Routine for Team<S, F, V> {
    fn block(&mut self, work: Work) -> Pace {
        self.bench.open(work);
        self.crew.work(&self.job, |_| ());
        self.bench.pace(work)
    }

    fn digest(&mut self) -> u64 {
        self.bench.open(Work::Runs(1));
        self.crew.work(&self.job, |_| ());
        digest_of(&(self.view)(&self.bench.shared, self.bench.answer()))
    }

    fn shape(&self) -> Shape {
        Shape::Team
    }
}

/// Where the workers of a team do their runs.
struct Bench<S, F> {
    shared: S,
    run: F,
    order: Mutex<Work>,
    arrived: CachePadded<AtomicUsize>,
    running: CachePadded<AtomicUsize>,
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
            order: Mutex::new(Work::Runs(0)),
            arrived: CachePadded::default(),
            running: CachePadded::default(),
            counted: CachePadded::default(),
            stop: CachePadded::default(),
            stints: (0..threads).map(|_| CachePadded::default()).collect(),
        }
    }

    // Before the workers are called: what they see of it is ordered by that call.
    fn open(&self, work: Work) {
        *self.order.lock().unwrap_or_else(PoisonError::into_inner) = work;
        self.arrived.store(0, Ordering::Relaxed);
        self.running.store(0, Ordering::Relaxed);
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
            Work::Runs(runs) => self.fixed(&mut stint, worker, runs as usize),
            Work::Window(length) => self.window(&mut stint, worker, length),
        }
    }

    fn run_once(&self, stint: &mut Stint, worker: usize) {
        let turn = Turn { worker, run: stint.total };
        stint.answer = stint.answer.wrapping_add(black_box((self.run)(black_box(&self.shared), turn)));
        stint.total += 1;
    }

    fn fixed(&self, stint: &mut Stint, worker: usize, runs: usize) {
        // A copy, so that the loop does not write through the lock's guard.
        let mut own = *stint;
        let start = Reading::start();
        for _ in 0..runs {
            self.run_once(&mut own, worker);
        }
        *stint = Stint { span: Some((start, Reading::end())), runs, ..own };
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
