//! A leak check for anybody's tests: which threads does a piece of work leave behind? What goleak is to Go.
//!
//! ```
//! use trapline::lab::leak::Guard;
//!
//! # fn serve() { std::thread::spawn(|| ()).join().expect("it ends") }
//! Guard::new().watch(serve).expect("no thread is left behind");
//! ```
//!
//! A count of threads before and after is wrong under `cargo test`, whose tests run side by side. So the work runs on a
//! thread with a name of its own. On Linux a thread that is given no name inherits its maker's (`comm`, prctl(2)), so that exactly
//! the unnamed descendants of the work carry it, through any number of generations. Threads with names of their own can be
//! anybody's: of these only the ones that are asked for ([`Guard::and_named`]) and were not there before count.
//!
//! It needs /proc, and so is there on Linux only.

use std::fs;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

use thiserror::Error;

/// How long threads have to end by themselves, unless another time is given.
pub const SETTLING: Duration = Duration::from_secs(1);
const GLANCE: Duration = Duration::from_millis(5);

/// Watches for threads that outlive the work that started them.
#[derive(Clone, Debug)]
pub struct Guard {
    named: Vec<String>,
    ignored: Vec<String>,
    settling: Duration,
}

impl Default for Guard {
    fn default() -> Self {
        Self::new()
    }
}

impl Guard {
    /// A guard over the threads that inherit the work's name.
    #[must_use]
    pub const fn new() -> Self {
        Self { named: Vec::new(), ignored: Vec::new(), settling: SETTLING }
    }

    /// Watches also for new threads whose name begins so, whoever started them. The kernel keeps 15 bytes of a name.
    #[must_use]
    pub fn and_named(mut self, prefix: &str) -> Self {
        self.named.push(prefix.into());
        self
    }

    /// Lets threads be that wait in this function of the kernel (`wchan`), or whose name begins so: a pool that is meant to stay.
    #[must_use]
    pub fn ignore(mut self, what: &str) -> Self {
        self.ignored.push(what.into());
        self
    }

    /// Gives threads so long to end, instead of [`SETTLING`].
    #[must_use]
    pub const fn settle(mut self, settling: Duration) -> Self {
        self.settling = settling;
        self
    }

    /// Does the work on a thread of its own and returns what it returns, when the threads that it started have ended.
    ///
    /// # Errors
    /// If some have not within the settling time: which, and where they wait.
    ///
    /// # Panics
    /// As the work does, or if the system has no thread for it.
    pub fn watch<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, Leaks> {
        let own = own_name();
        let before: Vec<u64> = threads().iter().map(|thread| thread.id).collect();
        let done = thread::scope(|scope| {
            let worker = Builder::new().name(own.clone()).spawn_scoped(scope, work);
            worker.unwrap_or_else(|error| panic!("cannot start a thread to watch: {error}")).join()
        });
        let value = done.unwrap_or_else(|panic| resume_unwind(panic));
        let left = self.left(&own, &before);
        if left.is_empty() { Ok(value) } else { Err(Leaks { threads: left, settling: self.settling }) }
    }

    // Looks until nothing is left or the time is over.
    fn left(&self, own: &str, before: &[u64]) -> Vec<Thread> {
        let start = Instant::now();
        loop {
            let left: Vec<Thread> = threads().into_iter().filter(|t| self.counts(t, own, before)).collect();
            if left.is_empty() || start.elapsed() >= self.settling {
                return left;
            }
            thread::sleep(GLANCE);
        }
    }

    fn counts(&self, thread: &Thread, own: &str, before: &[u64]) -> bool {
        let begins = |with: &String| thread.name.starts_with(&with[..with.len().min(NAME)]);
        let named = self.named.iter().any(begins) && !before.contains(&thread.id);
        let ignored = self.ignored.iter().any(|what| begins(what) || thread.waits_in.as_ref() == Some(what));
        (thread.name == own || named) && !ignored
    }
}

// What the kernel keeps of a name.
const NAME: usize = 15;

// One that no other thread of the process has had: ten digits and the prefix are 15 bytes.
fn own_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("leak-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Threads that were left behind.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{} left behind after {settling:?}: {}", count(threads.len()), list(threads))]
pub struct Leaks {
    /// Each of them.
    pub threads: Vec<Thread>,
    /// How long they had to end.
    pub settling: Duration,
}

/// A thread of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    /// Its id, as tools such as `gdb` and `perf` name it.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// The function of the kernel that it waits in, where that can be read.
    pub waits_in: Option<String>,
}

fn count(threads: usize) -> String {
    if threads == 1 { "a thread was".into() } else { format!("{threads} threads were") }
}

fn list(threads: &[Thread]) -> String {
    let said = |t: &Thread| format!("{} ({}) in {}", t.id, t.name, t.waits_in.as_deref().unwrap_or("an unknown place"));
    threads.iter().map(said).collect::<Vec<_>>().join(", ")
}

// A thread that ends while it is looked at is not there.
fn threads() -> Vec<Thread> {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    tasks
        .filter_map(|task| {
            let line = |file: &str| fs::read_to_string(task.path().join(file)).ok().map(|text| text.trim().to_owned());
            let waits_in = line("wchan").filter(|place| !place.is_empty() && place != "0");
            Some(Thread { id: task.file_name().to_str()?.parse().ok()?, name: line("comm")?, waits_in })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc::{Sender, channel};
    use std::sync::{Arc, Mutex};

    use super::*;

    // Long enough for a thread that is about to end, short enough for one that is not.
    fn guard() -> Guard {
        Guard::new().settle(Duration::from_millis(100))
    }

    fn worker() -> Sender<u64> {
        let (send, receive) = channel();
        thread::spawn(move || receive.into_iter().sum::<u64>());
        send
    }

    // Other tests' threads, which come and go all the time.
    fn beside<T>(work: impl FnOnce() -> T) -> T {
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        let _ = thread::spawn(|| thread::sleep(Duration::from_millis(1))).join();
                    }
                });
            }
            let value = catch_unwind(AssertUnwindSafe(work));
            done.store(true, Ordering::Relaxed);
            value.unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    #[test]
    fn a_worker_that_nobody_ends_is_found_also_beside_others_threads() {
        let kept = Mutex::new(Vec::new());
        let leaks = beside(|| guard().watch(|| kept.lock().expect("nobody fell").push(worker())));
        let leaks = leaks.expect_err("its sender lives");
        assert_eq!(leaks.threads.len(), 1, "{leaks}");
        assert!(leaks.to_string().starts_with("a thread was left behind after 100ms: "), "{leaks}");
        drop(kept);
    }

    #[test]
    fn what_ends_within_the_settling_time_is_no_leak() {
        let value = beside(|| {
            Guard::new().watch(|| {
                drop(worker());
                thread::spawn(|| thread::sleep(Duration::from_millis(50)));
                7
            })
        });
        assert_eq!(value, Ok(7));
    }

    #[test]
    fn named_threads_are_anybodys_unless_they_are_asked_for() {
        let (hold, wait) = channel::<()>();
        let wait = Arc::new(Mutex::new(wait));
        let start = |name: &str| {
            let wait = Arc::clone(&wait);
            let waits = move || drop(wait.lock().map(|wait| wait.recv()));
            Builder::new().name(name.into()).spawn(waits).expect("a thread");
        };
        assert_eq!(guard().watch(|| start("pool-of-one")), Ok(()));
        let leaks = guard().and_named("pool-of-two").watch(|| start("pool-of-two")).expect_err("it stays");
        assert_eq!((leaks.threads.len(), leaks.threads[0].name.as_str()), (1, "pool-of-two"));
        assert_eq!(guard().and_named("pool-of-two").watch(|| ()), Ok(()), "it was there before");
        assert_eq!(guard().and_named("pool-of-3").ignore("pool").watch(|| start("pool-of-3")), Ok(()));
        drop(hold);
    }

    #[test]
    fn what_the_work_panics_with_comes_through() {
        let fall = catch_unwind(|| guard().watch(|| panic!("the work fell")));
        assert_eq!(fall.expect_err("it fell").downcast_ref::<&str>(), Some(&"the work fell"));
    }
}
