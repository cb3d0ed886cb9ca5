//! A thread that serves the workers of a routine, such as the owner of what they share.

use std::panic::resume_unwind;
use std::sync::mpsc::sync_channel;
use std::thread::{self, Builder, JoinHandle};

use super::layout::offset_heap;
use super::place::take_seat;

/// A thread beside the workers, joined when this is dropped. It must end by itself by then: what owns a helper drops what the
/// helper waits for first, and so states its sender *before* it, for fields are dropped in their order.
///
/// Between blocks it must sleep, as in a receive: a helper that acts by itself slows all other arms.
#[derive(Debug)]
pub struct Helper(Option<JoinHandle<()>>);

impl Helper {
    /// Starts a helper of so many workers. It has the CPU that the next worker would have, wrapping round, and what it allocates
    /// lies where a worker's would. It runs when this comes back: what a thread allocates to start is in no count.
    ///
    /// # Panics
    /// If the system has no thread left.
    #[must_use]
    pub fn beside(workers: usize, serve: impl FnOnce() + Send + 'static) -> Self {
        let (up, is_up) = sync_channel(1);
        let body = move || {
            offset_heap();
            take_seat(workers);
            // It can't fail: the other end waits for it.
            let _ = up.send(());
            serve();
        };
        let handle = Builder::new().name(format!("helper-{workers}")).spawn(body);
        let handle = handle.unwrap_or_else(|error| panic!("cannot start a helper of {workers} workers: {error}"));
        let _ = is_up.recv();
        Self(Some(handle))
    }
}

impl Drop for Helper {
    // A helper that fell has not done its work: that must not pass unseen.
    fn drop(&mut self) {
        let ended = self.0.take().map_or(Ok(()), JoinHandle::join);
        if let Err(panic) = ended
            && !thread::panicking()
        {
            resume_unwind(panic);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    // In the order that the documentation asks for.
    struct Owned {
        numbers: Sender<u64>,
        _helper: Helper,
    }

    fn summing(sum: &Arc<AtomicU64>) -> Owned {
        let (numbers, receive) = channel();
        let sum = Arc::clone(sum);
        let serve = move || {
            for number in receive {
                sum.fetch_add(number, Ordering::Relaxed);
            }
        };
        Owned { numbers, _helper: Helper::beside(2, serve) }
    }

    #[test]
    fn a_helper_is_joined_on_drop_and_has_then_served_all() {
        let sum = Arc::new(AtomicU64::new(0));
        let owned = summing(&sum);
        (1..=1_000).for_each(|number| owned.numbers.send(number).expect("the helper lives"));
        drop(owned);
        assert_eq!((sum.load(Ordering::Relaxed), Arc::strong_count(&sum)), (500_500, 1));
    }

    #[test]
    fn the_fall_of_a_helper_is_its_owners() {
        let fall = catch_unwind(|| drop(Helper::beside(1, || panic!("the helper fell"))));
        let panic = fall.expect_err("it fell");
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"the helper fell"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_helper_has_a_name_of_its_own() {
        let (say, hear) = channel();
        let helper = Helper::beside(7, move || {
            let _ = say.send(thread::current().name().map(str::to_owned));
        });
        assert_eq!(hear.recv().expect("it says so").as_deref(), Some("helper-7"));
        drop(helper);
    }
}
