//! The core probe: do two threads get two cores, and what do a cache line, a wake-up and a page cost here. About 150 ms; its
//! figures explain half of the catalog on any machine.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use crate::lab::stats::median;
use crate::record::CoreProbe;
use crate::routine::place;
use crate::workload::own_work;

const PART: Duration = Duration::from_millis(20);
// About 1 ms at 3 GHz: long against waking a thread, short enough for a score of them.
const STEPS: u32 = 600_000;
const WAKES: usize = 100;
const PAGE: usize = 4096;
const PAGES: usize = 256;

/// Probes the machine, on threads that are pinned like a crew's; the calling thread stays where it is.
#[must_use]
pub fn cores() -> CoreProbe {
    let alone = median(&on_one(chain));
    let busy = median(&on_one(four_chains));
    CoreProbe {
        slowdown: median(&on_two(chain)) / alone,
        busy_slowdown: Some(median(&on_two(four_chains)) / busy),
        line_bounce_ns: bounce(),
        step_ns: alone / f64::from(STEPS),
        wake_ns: Some(wake()),
        fault_ns: Some(fault()),
    }
}

fn chain(seed: u64) {
    let _ = own_work(STEPS, seed);
}

// Four independent chains keep the core's multiplier busy: two hyperthreads then get in each other's way.
fn four_chains(seed: u64) {
    let mut x = [seed | 1, seed | 3, seed | 5, seed | 7];
    for _ in 0..STEPS / 4 {
        x = x.map(|x| (x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9));
    }
    black_box(x);
}

// ns of each lap of work, for as long as a part of the probe takes.
fn laps(work: fn(u64)) -> Vec<f64> {
    let end = Instant::now() + PART;
    let mut laps = Vec::new();
    while Instant::now() < end {
        let start = Instant::now();
        work(laps.len() as u64);
        laps.push(start.elapsed().as_nanos() as f64);
    }
    laps
}

fn on_one(work: fn(u64)) -> Vec<f64> {
    on_seats(1, work)
}

fn on_two(work: fn(u64)) -> Vec<f64> {
    on_seats(2, work)
}

fn on_seats(seats: usize, work: fn(u64)) -> Vec<f64> {
    let barrier = Arc::new(Barrier::new(seats));
    let start = |seat| {
        let barrier = Arc::clone(&barrier);
        thread::spawn(move || {
            place::sit(seat);
            barrier.wait();
            laps(work)
        })
    };
    let threads: Vec<_> = (0..seats).map(start).collect();
    threads.into_iter().filter_map(|thread| thread.join().ok()).flatten().collect()
}

// ns for a line to go to the other thread and come back. Each side yields now and then, for machines with one core.
fn bounce() -> f64 {
    let line = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let [theirs, ours] = [Arc::clone(&line), line];
    let other = thread::spawn(move || {
        place::sit(1);
        answer(&theirs, start);
    });
    let mine = thread::spawn(move || {
        place::sit(0);
        ask(&ours, start)
    });
    let _ = other.join();
    mine.join().unwrap_or(f64::NAN)
}

fn ask(line: &AtomicU64, start: Instant) -> f64 {
    // The first answer waits for the other thread to start.
    line.store(1, Ordering::Release);
    let met = wait_for(line, 2, start);
    let begun = Instant::now();
    let mut trips = 0;
    while met && start.elapsed() < PART {
        line.store(2 * trips + 3, Ordering::Release);
        if !wait_for(line, 2 * trips + 4, start) {
            break;
        }
        trips += 1;
    }
    begun.elapsed().as_nanos() as f64 / trips.max(1) as f64
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
        if spins.is_multiple_of(1024) {
            if start.elapsed() > PART {
                return false;
            }
            thread::yield_now();
        }
    }
    false
}

// Median ns from unparking a thread on the other CPU to its running.
fn wake() -> f64 {
    let (called, woken) = (Arc::new(AtomicBool::new(false)), channel());
    let theirs = Arc::clone(&called);
    let sleeper = thread::spawn(move || {
        place::sit(1);
        for _ in 0..WAKES {
            while !theirs.swap(false, Ordering::Acquire) {
                thread::park();
            }
            if woken.0.send(Instant::now()).is_err() {
                return;
            }
        }
    });
    let other = sleeper.thread().clone();
    let caller = thread::spawn(move || {
        place::sit(0);
        (0..WAKES).filter_map(|_| one_wake(&called, &other, &woken.1)).collect::<Vec<_>>()
    });
    let times = caller.join().unwrap_or_default();
    let _ = sleeper.join();
    median(&times)
}

fn one_wake(called: &AtomicBool, sleeper: &thread::Thread, woken: &Receiver<Instant>) -> Option<f64> {
    // Long enough for the other to be parked, and its CPU idle.
    thread::sleep(Duration::from_micros(50));
    let start = Instant::now();
    called.store(true, Ordering::Release);
    sleeper.unpark();
    let at = woken.recv().ok()?;
    Some((at - start).as_nanos() as f64)
}

// Median ns for the first touch of a page. A block this large is always mapped afresh: glibc's threshold for `mmap` learns, up to
// 32 MiB.
fn fault() -> f64 {
    let mut pages: Vec<u8> = Vec::with_capacity(64 << 20);
    let fresh = pages.spare_capacity_mut();
    let touch = |page: usize, fresh: &mut [std::mem::MaybeUninit<u8>]| {
        let start = Instant::now();
        black_box(fresh[page * PAGE].write(1));
        start.elapsed().as_nanos() as f64
    };
    let times: Vec<f64> = (0..PAGES).map(|page| touch(page, fresh)).collect();
    median(&times)
}
