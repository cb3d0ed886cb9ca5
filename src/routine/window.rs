//! How workers begin together, and when a window ends.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::yield_now;
use std::time::{Duration, Instant};

/// Waits until all have arrived. Spins, and yields now and then: with more threads than cores the others must get a chance to arrive.
pub(super) fn meet(arrived: &AtomicUsize, all: usize) {
    arrived.fetch_add(1, Ordering::AcqRel);
    for spins in 1_u32.. {
        if arrived.load(Ordering::Acquire) >= all {
            return;
        }
        if spins.is_multiple_of(64) { yield_now() } else { spin_loop() }
    }
}

/// Says when time is up, and reads the clock only so often that it does not show.
pub(super) struct Timer {
    start: Instant,
    length: Duration,
    runs: u32,
    next: u32,
}

impl Timer {
    // How far apart two readings are: 1 % of the shortest window.
    const STRIDE: Duration = Duration::from_micros(20);

    pub(super) fn new(start: Instant, length: Duration) -> Self {
        Self { start, length, runs: 0, next: 1 }
    }

    // A worker that lost its CPU for the whole window keeps it open until it has a run, or for so many windows: then it fails.
    pub(super) const PATIENCE: u32 = 100;

    pub(super) fn is_up(&mut self, all_have_run: impl FnOnce() -> bool) -> bool {
        self.runs += 1;
        if self.runs < self.next {
            return false;
        }
        let elapsed = self.start.elapsed();
        let stride = Self::STRIDE.as_nanos() * u128::from(self.runs) / elapsed.as_nanos().max(1);
        self.next = self.runs + u32::try_from(stride).unwrap_or(u32::MAX / 2).clamp(1, u32::MAX / 2);
        elapsed >= self.length && (all_have_run() || elapsed >= Self::PATIENCE * self.length)
    }
}
