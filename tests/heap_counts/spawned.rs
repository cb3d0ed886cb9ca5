//! Jobs that are handed to a pool.

use super::asked;
use rayon::ThreadPoolBuilder;
use std::sync::Arc;
use trapline::trap::{Point, Work};
use trapline::traps::closure_capture::{self, Job, WORDS, par_iter, scoped, spawn_shared, spawn_static, static_split};

/// A spawned job is a block, its clone another, and one job in 63 asks for a block of the pool's queue, or the first jobs of a
/// run fill what the last run left. Beyond these a run asks for its latch, if nothing else waits for the jobs.
pub(crate) fn a_spawned_job_is_a_block_and_a_clone_another() {
    const QUEUED: u64 = 63 * 24 + 8;
    const LATCH: (u64, u64) = (1, (8 + 3) * 128);
    let pool = ThreadPoolBuilder::new().num_threads(2).build().expect("two threads can be started");
    for n in [1, 100, 1_000] {
        let job = || Job { words: vec![7; WORDS], steps: 0 };
        let jobs: Arc<[Job]> = (0..n).map(|_| job()).collect();
        let counts = |what: &str, run: &dyn Fn() -> u64, a_job: (u64, u64), latch: (u64, u64)| {
            run();
            let (blocks, bytes) = asked(run);
            let queue = blocks - a_job.0 * n - latch.0;
            assert!((n / 63..=n / 63 + 1).contains(&queue), "{what}, {n} jobs: {blocks} blocks");
            assert_eq!(bytes, a_job.1 * n + QUEUED * queue + latch.1, "{what}, {n} jobs");
        };
        counts("a clone", &|| spawn_static(&pool, &jobs), (2, 1_024 + 48), LATCH);
        counts("a borrow", &|| scoped(&pool, &jobs), (1, 24), (0, 0));
        counts("a count", &|| spawn_shared(&pool, &jobs), (1, 40), LATCH);
        assert_eq!(asked(|| par_iter(&pool, &jobs)), (0, 0), "{n} jobs, by an iterator");
        assert_eq!(asked(|| static_split(&pool, &jobs)), (1, 80), "{n} jobs, in two parts");
    }
    closure_routines_call_their_pool_together();
}

/// Each run of the routines has three blocks more, before its clock starts: to call the pool's workers together.
fn closure_routines_call_their_pool_together() {
    let p = Point::n(100).threads(2).case("200ns");
    let expected = [201, 100, 101, 0, 1];
    for (variant, expected) in closure_capture::TRAP.variants.iter().zip(expected) {
        let mut routine = (variant.batch)(&p);
        routine.block(Work::Runs(2));
        let beyond = asked(|| routine.block(Work::Runs(1))).0 - expected;
        let spawns = expected >= 100;
        assert!((3 + u64::from(spawns)..=3 + 2 * u64::from(spawns)).contains(&beyond), "{}: {beyond}", variant.name);
    }
}
