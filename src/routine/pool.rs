//! A pool of rayon's whose workers sit where a crew's do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::yield_now;

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
