//! The builder for work that depends on the size of the stack that it runs on.
//!
//! The routine lives on a thread of its own, from its building to its drop, and its clock with it: the two wake-ups that hand
//! a block over are in no clock. Between blocks the thread sleeps in a receive. The first hand-over may allocate, no
//! other does.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use super::block::{Pace, Routine, Shape, Work};
use super::layout::offset_heap;

/// A routine that is built on, run by and dropped on a thread with a stack of so many bytes; its own clock stays inside it.
/// The thread begins on the CPU of the calling one, and then sits where the routine's blocks sit.
///
/// # Panics
/// If the thread can't be started, or with what `build` says when it panics.
pub fn on_stack(bytes: usize, build: impl FnOnce() -> Box<dyn Routine> + Send + 'static) -> Box<dyn Routine> {
    let (orders, their_orders) = sync_channel(1);
    let (their_answers, answers) = sync_channel(1);
    let (ready, built) = sync_channel(1);
    let live = move || {
        offset_heap();
        let mut routine = build();
        // A send fails only when the caller has let go of all this already.
        let _ = ready.send(routine.shape());
        serve(&mut *routine, &their_orders, &their_answers);
    };
    let thread = Builder::new().name("on-stack".to_owned()).stack_size(bytes).spawn(live);
    let thread = thread.unwrap_or_else(|error| panic!("cannot start a thread with a stack of {bytes} bytes: {error}"));
    match built.recv() {
        Ok(shape) => Box::new(OnStack { orders: Some(orders), answers, thread: Some(thread), shape }),
        Err(_) => fell(Some(thread)),
    }
}

#[derive(Clone, Copy)]
enum Order {
    Block(Work),
    Digest,
    Rest,
}

/// What came of an order; what it did not ask for is left at nothing.
#[derive(Clone, Copy, Default)]
struct Answer {
    pace: Pace,
    digest: u64,
}

fn serve(routine: &mut dyn Routine, orders: &Receiver<Order>, answers: &SyncSender<Answer>) {
    for order in orders {
        let mut answer = Answer::default();
        match order {
            Order::Block(work) => answer.pace = routine.block(work),
            Order::Digest => answer.digest = routine.digest(),
            Order::Rest => routine.rest(),
        }
        if answers.send(answer).is_err() {
            return;
        }
    }
}

struct OnStack {
    // None once it hangs up, which is what ends the thread.
    orders: Option<SyncSender<Order>>,
    answers: Receiver<Answer>,
    thread: Option<JoinHandle<()>>,
    shape: Shape,
}

impl OnStack {
    fn ask(&mut self, order: Order) -> Answer {
        let sent = self.orders.as_ref().and_then(|orders| orders.send(order).ok());
        sent.and_then(|()| self.answers.recv().ok()).unwrap_or_else(|| fell(self.thread.take()))
    }
}

/// Goes on with the panic that ended the thread.
fn fell(thread: Option<JoinHandle<()>>) -> ! {
    match thread.map(JoinHandle::join) {
        Some(Err(panic)) => resume_unwind(panic),
        _ => panic!("the thread of this routine has ended before"),
    }
}

impl Routine for OnStack {
    fn block(&mut self, work: Work) -> Pace {
        self.ask(Order::Block(work)).pace
    }

    fn digest(&mut self) -> u64 {
        self.ask(Order::Digest).digest
    }

    fn rest(&mut self) {
        self.ask(Order::Rest);
    }

    fn shape(&self) -> Shape {
        self.shape
    }
}

impl Drop for OnStack {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // A panic in a block has reached the caller already.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::routine::{routine, staged};

    const SMALL: usize = 64 << 10;

    #[test]
    fn a_block_is_done_on_the_other_thread_and_timed_there() {
        let ids = Arc::new(AtomicU64::new(0));
        let (count, caller) = (Arc::clone(&ids), thread::current().id());
        let mut routine = on_stack(SMALL, move || {
            routine(count, move |count| {
                assert_ne!(thread::current().id(), caller);
                thread::sleep(Duration::from_millis(2));
                count.fetch_add(1, Ordering::Relaxed)
            })
        });
        let start = Instant::now();
        let pace = routine.block(Work::Runs(3));
        assert!(pace.wall >= Duration::from_millis(6) && pace.wall <= start.elapsed());
        assert_eq!((pace.runs, pace.crew, routine.shape()), (3, None, Shape::Alone));
        assert_eq!((routine.digest(), ids.load(Ordering::Relaxed)), (3, 4));
    }

    #[test]
    fn the_stack_has_the_size_that_was_asked_for() {
        for bytes in [SMALL, 2 << 20, 64 << 20] {
            let left = || routine((), |()| stacker::remaining_stack().expect("it is known here") as u64);
            let left = on_stack(bytes, left).digest() as usize;
            assert!(left < bytes && left > bytes / 2, "{left} bytes are left of {bytes}");
        }
    }

    #[test]
    fn rest_reaches_the_routine_and_drop_waits_for_the_thread() {
        struct Gone(Arc<AtomicU64>);
        impl Drop for Gone {
            fn drop(&mut self) {
                thread::sleep(Duration::from_millis(5));
                self.0.fetch_add(100, Ordering::Relaxed);
            }
        }
        let made = Arc::new(AtomicU64::new(0));
        let gone = Gone(Arc::clone(&made));
        let set = |gone: &Gone| gone.0.fetch_add(1, Ordering::Relaxed);
        let mut routine = on_stack(SMALL, move || staged(gone, set, |_, _| ()));
        let mut block = |rests: bool| {
            routine.block(Work::Runs(1));
            if rests {
                routine.rest();
            }
            made.load(Ordering::Relaxed)
        };
        assert_eq!([block(false), block(true), block(false)], [1, 1, 2]);
        drop(routine);
        assert_eq!(made.load(Ordering::Relaxed), 102, "the routine was dropped before its owner went on");
    }

    #[test]
    fn a_panic_in_a_block_or_in_the_building_reaches_the_caller() {
        let said = |panic: Box<dyn std::any::Any + Send>| panic.downcast_ref::<&str>().map(|said| (*said).to_owned());
        let mut falls = on_stack(SMALL, || routine((), |()| -> u64 { panic!("it fell") }));
        let panic = catch_unwind(AssertUnwindSafe(|| falls.digest())).expect_err("it panics");
        assert_eq!(said(panic).as_deref(), Some("it fell"));
        let panic = catch_unwind(AssertUnwindSafe(|| falls.digest())).expect_err("it is gone");
        assert_eq!(said(panic).as_deref(), Some("the thread of this routine has ended before"));
        let panic = catch_unwind(|| drop(on_stack(SMALL, || panic!("not built")))).expect_err("it panics");
        assert_eq!(said(panic).as_deref(), Some("not built"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_thread_begins_where_the_calling_one_is_pinned() {
        use nix::sched::{CpuSet, sched_getaffinity};
        use nix::unistd::Pid;

        let cpus = || {
            let set = sched_getaffinity(Pid::from_raw(0)).expect("a thread may ask for its own");
            (0..CpuSet::count())
                .filter(|&cpu| set.is_set(cpu) == Ok(true))
                .fold(0, |sum, cpu| 31 * sum + cpu as u64 + 1)
        };
        let pinned = move |seat| {
            crate::routine::place::sit(seat);
            (cpus(), on_stack(SMALL, move || routine((), move |()| cpus())).digest())
        };
        for seat in [0, 1] {
            let (mine, theirs) = thread::spawn(move || pinned(seat)).join().expect("nobody panics");
            assert_eq!(mine, theirs, "seat {seat}");
        }
    }
}
