//! The crew: worker threads that are parked until there is a job, one crew for all arms of a point.
//!
//! Handing out a job allocates nothing, so that what a routine allocates is its own. The job stamps its own clocks: waking
//! parked workers (60 to 140 µs for two) is in none of them.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{self, Builder, JoinHandle, Thread};

use super::layout::offset_heap;
use super::place::take_seat;

/// What each worker does for one block.
pub(super) type Job = Arc<dyn Fn(usize) + Send + Sync>;

/// Workers that wait for jobs.
pub(super) struct Crew {
    // Held by the caller whose job it is: routines on several threads, as in tests, take turns.
    caller: Mutex<()>,
    hall: Arc<Hall>,
    handles: Vec<JoinHandle<()>>,
}

/// Where workers and their caller meet.
struct Hall {
    job: Mutex<Option<(Job, Thread)>>,
    // Counts the jobs; workers wait for it to change.
    call: AtomicUsize,
    busy: AtomicUsize,
    closed: AtomicBool,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

static ALONE: AtomicBool = AtomicBool::new(false);

/// Gives every routine of this process a crew of its own from now on: what thread-locals hold is then no other routine's.
pub fn crews_alone() {
    ALONE.store(true, Ordering::Relaxed);
}

fn fresh(threads: usize) -> Arc<Crew> {
    let crew = Arc::new(Crew::start(threads));
    // Every worker is up before its first job: what a thread allocates when it starts is in no count.
    crew.work(&(Arc::new(|_| ()) as Job), |_| ());
    crew
}

/// The crew of so many workers that lives in this process, or a new one. It ends with the last routine that holds it.
pub(super) fn crew(threads: usize) -> Arc<Crew> {
    static CREWS: Mutex<Option<HashMap<usize, Weak<Crew>>>> = Mutex::new(None);
    if ALONE.load(Ordering::Relaxed) {
        return fresh(threads);
    }
    let mut crews = CREWS.lock().unwrap_or_else(PoisonError::into_inner);
    let crews = crews.get_or_insert_default();
    if let Some(crew) = crews.get(&threads).and_then(Weak::upgrade) {
        return crew;
    }
    let crew = fresh(threads);
    crews.insert(threads, Arc::downgrade(&crew));
    crew
}

impl Crew {
    fn start(threads: usize) -> Self {
        let hall = Arc::new(Hall {
            job: Mutex::new(None),
            call: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            panic: Mutex::new(None),
        });
        let hire = |worker| {
            let hall = Arc::clone(&hall);
            let handle = Builder::new().name(format!("crew-{worker}")).spawn(move || hall.serve(worker));
            handle.unwrap_or_else(|error| panic!("cannot start worker {worker} of {threads}: {error}"))
        };
        Self { caller: Mutex::new(()), handles: (0..threads).map(hire).collect(), hall }
    }

    /// How many workers there are.
    pub(super) fn threads(&self) -> usize {
        self.handles.len()
    }

    /// Has every worker do the job, and meanwhile does `own`; comes back when all are done.
    ///
    /// # Panics
    /// With what a worker said when it panicked.
    pub(super) fn work<R>(&self, job: &Job, own: impl FnOnce(&Finish<'_>) -> R) -> R {
        let turn = lock(&self.caller);
        *lock(&self.hall.job) = Some((Arc::clone(job), thread::current()));
        self.hall.busy.store(self.handles.len(), Ordering::Relaxed);
        self.hall.call.fetch_add(1, Ordering::Release);
        self.handles.iter().for_each(|handle| handle.thread().unpark());
        let finish = Finish { busy: &self.hall.busy };
        // A caller that falls must not leave workers behind in a job whose next caller takes them for its own.
        let result = catch_unwind(AssertUnwindSafe(|| own(&finish)));
        finish.wait();
        // What the job holds is its owner's to drop.
        *lock(&self.hall.job) = None;
        let panic = lock(&self.hall.panic).take();
        drop(turn);
        result.and_then(|result| panic.map_or(Ok(result), Err)).unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// The end of the workers' part, as their caller sees it.
#[derive(Debug)]
pub struct Finish<'a> {
    busy: &'a AtomicUsize,
}

impl Finish<'_> {
    /// Sleeps until every worker has done its part, as a wait group does. What they wrote is then visible.
    pub fn wait(&self) {
        while self.busy.load(Ordering::Acquire) > 0 {
            thread::park();
        }
    }
}

impl Hall {
    fn serve(&self, worker: usize) {
        offset_heap();
        let mut served = 0;
        loop {
            while self.call.load(Ordering::Acquire) == served {
                thread::park();
            }
            if self.closed.load(Ordering::Relaxed) {
                return;
            }
            served = served.wrapping_add(1);
            take_seat(worker);
            self.do_part(worker);
        }
    }

    // The job is let go before the caller hears of the end, so that what it holds is dropped by its owner.
    fn do_part(&self, worker: usize) {
        let Some((job, caller)) = lock(&self.job).clone() else { return };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| job(worker))) {
            lock(&self.panic).get_or_insert(panic);
        }
        drop(job);
        if self.busy.fetch_sub(1, Ordering::AcqRel) == 1 {
            caller.unpark();
        }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.hall.closed.store(true, Ordering::Relaxed);
        self.hall.call.fetch_add(1, Ordering::Release);
        for handle in self.handles.drain(..) {
            handle.thread().unpark();
            // A worker catches the panics of its jobs and hands them over, so there is nothing left to learn here.
            let _ = handle.join();
        }
    }
}

// A job that panicked has poisoned nothing that is not replaced by the next.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_worker_does_every_job_once() {
        let sum = Arc::new(AtomicUsize::new(0));
        let crew = crew(3);
        let mine = Arc::clone(&sum);
        let job: Job = Arc::new(move |worker| {
            mine.fetch_add(10_usize.pow(worker as u32), Ordering::Relaxed);
        });
        (0..5).for_each(|_| crew.work(&job, |_| ()));
        assert_eq!(sum.load(Ordering::Relaxed), 555);
    }

    #[test]
    fn a_crew_is_shared_while_somebody_holds_it() {
        let first = crew(5);
        assert!(Arc::ptr_eq(&first, &crew(5)));
        assert!(!Arc::ptr_eq(&first, &crew(6)));
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_crew_goes_on() {
        let crew = crew(2);
        let job: Job = Arc::new(|worker| assert!(worker == 0, "worker {worker} fell"));
        let panic = catch_unwind(AssertUnwindSafe(|| crew.work(&job, |_| ()))).expect_err("a worker panicked");
        assert_eq!(panic.downcast_ref::<String>().map(String::as_str), Some("worker 1 fell"));
        let job: Job = Arc::new(|_| ());
        crew.work(&job, |_| ());
    }
}
