//! The core probe: do two threads get two cores, what does a cache line cost to hand over, and how long is a step of own
//! work. About 60 ms; its figures go into the provenance of every run.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use crate::lab::stats::median;
use crate::record::CoreProbe;
use crate::workload::own_work;

const PART: Duration = Duration::from_millis(20);
// About 1 ms at 3 GHz: long against waking a thread, short enough for a score of them.
const STEPS: u32 = 600_000;

/// Probes the machine.
#[must_use]
pub fn cores() -> CoreProbe {
    let alone = median(&laps());
    let together = on_two(laps);
    let together = median(&together.concat());
    CoreProbe {
        slowdown: together / alone,
        busy_slowdown: None,
        line_bounce_ns: bounce(),
        step_ns: alone / f64::from(STEPS),
        wake_ns: None,
        fault_ns: None,
    }
}

// ns of each lap of own work, for as long as a part of the probe takes.
fn laps() -> Vec<f64> {
    let end = Instant::now() + PART;
    let mut laps = Vec::new();
    while Instant::now() < end {
        let start = Instant::now();
        let _ = own_work(STEPS, laps.len() as u64);
        laps.push(start.elapsed().as_nanos() as f64);
    }
    laps
}

fn on_two<T: Send + 'static>(work: fn() -> T) -> Vec<T> {
    let barrier = Arc::new(Barrier::new(2));
    let start = |_| {
        let barrier = Arc::clone(&barrier);
        thread::spawn(move || {
            barrier.wait();
            work()
        })
    };
    let threads: Vec<_> = (0..2).map(start).collect();
    threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
}

// ns for a line to go to the other thread and come back. Each side yields now and then, for machines with one core.
fn bounce() -> f64 {
    let line = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let theirs = Arc::clone(&line);
    let other = thread::spawn(move || answer(&theirs, start));
    let mut trips = 0;
    while start.elapsed() < PART {
        line.store(2 * trips + 1, Ordering::Release);
        if !wait_for(&line, 2 * trips + 2, start) {
            break;
        }
        trips += 1;
    }
    let elapsed = start.elapsed();
    let _ = other.join();
    elapsed.as_nanos() as f64 / (trips.max(1)) as f64
}

fn answer(line: &AtomicU64, start: Instant) {
    let mut trips = 0;
    while wait_for(line, 2 * trips + 1, start) {
        line.store(2 * trips + 2, Ordering::Release);
        trips += 1;
    }
}

fn wait_for(line: &AtomicU64, value: u64, start: Instant) -> bool {
    for spins in 1_u32.. {
        if line.load(Ordering::Acquire) == value {
            return true;
        }
        if spins % 1024 == 0 {
            if start.elapsed() > PART {
                return false;
            }
            thread::yield_now();
        }
    }
    false
}
