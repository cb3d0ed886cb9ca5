//! The fourth builder: a job that is handed out to workers and collected by the caller, again and again.
//!
//! Each run: the caller makes the call's state and wakes the workers, outside the clock; when all are awake they stamp and
//! work, and the run ends when the caller has everything. The caller works too, so it has a CPU like a worker: the next one,
//! wrapping round.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossbeam_utils::CachePadded;

use super::block::{CrewTime, Pace, Routine, Shape, Work, digest_of, runs_of};
pub use super::crew::Finish;
use super::crew::{Crew, Job, crew};
use super::place;
use super::thread_time::Reading;
use super::window::meet;

/// Runs of one job each: `call` makes what the run shares, each of `threads` workers does `part` of it, and the caller does
/// `collect`, which returns the answer. It may wait for the workers' end, or hear of results some other way.
pub fn gather<I, C, M, P, G>(threads: usize, input: I, call: M, part: P, collect: G) -> Box<dyn Routine>
where
    I: Send + Sync + 'static,
    C: Send + Sync + 'static,
    M: Fn(&I) -> C + 'static,
    P: Fn(&I, &C, usize) + Send + Sync + 'static,
    G: FnMut(&I, &C, &Finish<'_>) -> u64 + 'static,
{
    let desk =
        Arc::new(Desk { input, part, call: Mutex::new(None), arrived: CachePadded::default(), spans: spans(threads) });
    let mine = Arc::clone(&desk);
    Box::new(Gather { crew: crew(threads), job: Arc::new(move |worker| mine.work(worker)), desk, call, collect })
}

type Span = CachePadded<Mutex<Option<(Reading, Reading)>>>;

fn spans(threads: usize) -> Vec<Span> {
    (0..threads).map(|_| CachePadded::default()).collect()
}

/// What the workers see of a run.
struct Desk<I, C, P> {
    input: I,
    part: P,
    call: Mutex<Option<Arc<C>>>,
    arrived: CachePadded<AtomicUsize>,
    spans: Vec<Span>,
}

impl<I, C, P> Desk<I, C, P> {
    fn spans(&self) -> impl Iterator<Item = (Reading, Reading)> {
        self.spans.iter().filter_map(|span| *span.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<I, C, P: Fn(&I, &C, usize)> Desk<I, C, P> {
    fn work(&self, worker: usize) {
        let call = self.call.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let call = call.unwrap_or_else(|| panic!("worker {worker} was called without a job"));
        meet(&self.arrived, self.spans.len());
        let start = Reading::start();
        (self.part)(&self.input, &call, worker);
        *self.spans[worker].lock().unwrap_or_else(PoisonError::into_inner) = Some((start, Reading::end()));
    }
}

struct Gather<I, C, M, P, G> {
    crew: Arc<Crew>,
    job: Job,
    desk: Arc<Desk<I, C, P>>,
    call: M,
    collect: G,
}

/// What one run took.
struct Lap {
    wall: Duration,
    crew: CrewTime,
    answer: u64,
}

impl<I, C, M, P, G> Gather<I, C, M, P, G>
where
    M: Fn(&I) -> C,
    G: FnMut(&I, &C, &Finish<'_>) -> u64,
{
    // With the caller there may be more threads than CPUs. Then they wait for each other's, and nobody took them.
    fn without_own_delay(&self, crew: CrewTime) -> CrewTime {
        let delayed = crew.delayed.filter(|_| self.crew.threads() < place::available());
        CrewTime { delayed, ..crew }
    }

    fn lap(&mut self) -> Lap {
        let (desk, collect) = (&self.desk, &mut self.collect);
        let call = Arc::new((self.call)(&desk.input));
        *desk.call.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&call));
        desk.arrived.store(0, Ordering::Relaxed);
        let (answer, own) = self.crew.work(&self.job, |finish| {
            let start = Reading::start();
            let answer = collect(&desk.input, &call, finish);
            (answer, (start, Reading::end()))
        });
        *desk.call.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let start = desk.spans().map(|(start, _)| start.at).min().unwrap_or(own.0.at);
        // The caller's part counts from where it was called, so that its wait for the workers to wake is in the crew's time and not
        // in the run's: some µs, which runs of a few hundred hardly show.
        let crew = desk.spans().chain([own]).map(|(start, end)| end.since(&start)).sum();
        Lap { wall: own.1.at - start, crew, answer }
    }
}

impl<I, C, M, P, G> Routine for Gather<I, C, M, P, G>
where
    M: Fn(&I) -> C,
    G: FnMut(&I, &C, &Finish<'_>) -> u64,
{
    fn block(&mut self, work: Work) -> Pace {
        let runs = runs_of(work);
        place::take_seat(self.crew.threads());
        let (mut wall, mut crew) = (Duration::ZERO, [].into_iter().sum::<CrewTime>());
        for _ in 0..runs {
            let lap = self.lap();
            std::hint::black_box(lap.answer);
            wall += lap.wall;
            crew = [crew, lap.crew].into_iter().sum();
        }
        // Of workers that are not the crew's, such as another pool's, nothing is known.
        let crew = (self.crew.threads() > 0).then(|| self.without_own_delay(crew));
        Pace { crew, ..Pace::alone(runs, wall) }
    }

    fn digest(&mut self) -> u64 {
        digest_of(&self.lap().answer)
    }

    fn shape(&self) -> Shape {
        Shape::Gather
    }
}
