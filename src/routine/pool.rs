//! A pool of rayon's whose workers sit where a crew's do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{sleep, yield_now};
use std::time::Duration;

use crossbeam_utils::CachePadded;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::layout::offset_heap;
use super::place::take_seat;

/// How many of a pool's workers have been called together, on lines of its own.
pub(crate) type Muster = Arc<CachePadded<AtomicUsize>>;

/// A pool of so many workers.
pub(crate) fn pool(threads: usize) -> ThreadPool {
    let pool = ThreadPoolBuilder::new().num_threads(threads).start_handler(|worker| {
        offset_heap();
        take_seat(worker);
    });
    pool.build().unwrap_or_else(|error| panic!("cannot start {threads} workers: {error}"))
}

/// Calls the workers and holds them until the caller counts itself, too: none is asleep when the clock starts.
pub(crate) fn muster(pool: &ThreadPool) -> Muster {
    let (arrived, all) = (Muster::default(), pool.current_num_threads());
    let theirs = Arc::clone(&arrived);
    pool.spawn_broadcast(move |_| {
        theirs.fetch_add(1, Ordering::AcqRel);
        while theirs.load(Ordering::Acquire) <= all {
            yield_now();
        }
    });
    while arrived.load(Ordering::Acquire) < all {
        yield_now();
    }
    arrived
}

// A process that uses less than a tenth of this has nobody at work but who asks.
const A_WHILE: Duration = Duration::from_micros(500);
// What else the process may have to do, as in tests, is not waited for longer.
const PATIENCE: usize = 40;

/// Sleeps until the whole process does. Workers that run dry yield a while before they sleep: 64 that take turns at it on two
/// cores are awake for some ms, and would answer the next call as if nobody had to wake them.
pub(crate) fn settle() {
    for _ in 0..PATIENCE {
        let before = used();
        sleep(A_WHILE);
        let busy = |(before, after): (Duration, Duration)| after.saturating_sub(before) >= A_WHILE / 10;
        // Where the system doesn't say, it is taken for busy.
        if !before.zip(used()).is_none_or(busy) {
            return;
        }
    }
}

/// The CPU time of all threads of the process.
#[cfg(target_os = "linux")]
fn used() -> Option<Duration> {
    use nix::time::{ClockId, clock_gettime};
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).ok().map(Duration::from)
}

#[cfg(not(target_os = "linux"))]
fn used() -> Option<Duration> {
    None
}
