//! A leak check at test time finds the worker that nobody ends, and has nothing to say of the one that is closed (claim
//! F3). A count of threads before and after could tell neither: other tests start and stop threads all the while.

#![cfg(target_os = "linux")]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Builder};
use std::time::Duration;

use trapline::lab::leak::Guard;
use trapline::trap::Point;
use trapline::traps::leaked_worker::{Registry, TRAP, cancelled, closed, inline, never_closed};

/// What a worker keeps.
const KEPT: usize = 64 << 10;

/// Does the work while eight other tests run. Each is on a named thread, as libtest's are, starts unnamed ones that
/// end, and has a worker of its own that it has not closed yet: none of that is the work's.
fn beside_eight_others<T>(work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for test in 0..8 {
            let other = || another_test(&done);
            Builder::new().name(format!("test_{test}")).spawn_scoped(scope, other).expect("a thread");
        }
        let value = catch_unwind(AssertUnwindSafe(work));
        done.store(true, Ordering::Relaxed);
        value.unwrap_or_else(|panic| resume_unwind(panic))
    })
}

fn another_test(done: &AtomicBool) {
    while !done.load(Ordering::Relaxed) {
        let mut registry = Registry::default();
        never_closed(&mut registry, 1, 0).expect("a thread");
        closed(2, 0).expect("a thread");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn the_worker_that_is_never_closed_is_found() {
    let mut registry = Registry::default();
    let served =
        || (1..=3).map(|order| never_closed(&mut registry, order, KEPT).expect("a thread")).collect::<Vec<_>>();
    let leaks = beside_eight_others(|| Guard::new().watch(served)).expect_err("three senders live");
    assert_eq!(leaks.threads.len(), 3, "{leaks}");
    assert!(leaks.to_string().starts_with("3 threads were left behind after 1s: "), "{leaks}");
    assert_eq!(registry.open(), 3);
}

#[test]
fn workers_that_are_closed_or_cancelled_are_no_leak() {
    let served = || {
        let by_closed = closed(7, KEPT).expect("a thread");
        (by_closed, cancelled(7, KEPT).expect("a thread"))
    };
    let answers = beside_eight_others(|| Guard::new().watch(served)).expect("nothing is left behind");
    assert_eq!(answers, (inline(7, KEPT), inline(7, KEPT)));
}

#[test]
fn closing_them_all_at_the_end_is_early_enough() {
    let served = || {
        let mut registry = Registry::default();
        (1..=3).for_each(|order| assert!(never_closed(&mut registry, order, KEPT).is_ok()));
    };
    assert_eq!(beside_eight_others(|| Guard::new().watch(served)), Ok(()));
}

/// What the lab itself runs of the trap leaves nobody behind, in no arm.
#[test]
fn no_arm_leaves_a_thread_behind_when_its_routine_or_its_hold_has_gone() {
    let p = Point::n(8).case("bare");
    for variant in TRAP.variants {
        let ran = Guard::new().watch(|| (variant.batch)(&p).digest());
        assert!(ran.is_ok(), "{}: {ran:?}", variant.name);
        let held = Guard::new().watch(|| variant.hold.expect("it can be held")(&p)(8));
        assert_eq!(held, Ok(()), "{}", variant.name);
    }
}
