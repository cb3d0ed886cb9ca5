//! Memory and code layout: what one process and one link decide, and a fork must therefore vary.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

static OFFSETS: AtomicBool = AtomicBool::new(false);
static CLASS: AtomicUsize = AtomicUsize::new(0);

/// How many places a block of the allocator can have in a cache line: glibc's lie 16 bytes apart.
pub const CLASSES: usize = 4;

/// Makes [`offset_heap`] work from now on in this process. Only forks of the ratio instrument ask for it: instruments that
/// count want the same heap in every run.
///
/// Where blocks lie within a line is drawn by turns and not by chance, a `class` a process: a layout whose processes all had the same
/// luck would tell of that luck.
pub fn vary_heap(class: usize) {
    OFFSETS.store(true, Ordering::Relaxed);
    CLASS.store(class % CLASSES, Ordering::Relaxed);
    offset_heap();
}

/// A random number below `end` in such a process, 0 in all others.
#[must_use]
pub fn random_below(end: usize) -> usize {
    if OFFSETS.load(Ordering::Relaxed) { fastrand::usize(..end) } else { 0 }
}

/// Leaks a block of random size from this thread's arena, so that what follows lies elsewhere than in the last process:
/// the low 12 bits of the main heap and of each worker's arena are otherwise the same in all of them.
pub fn offset_heap() {
    if OFFSETS.load(Ordering::Relaxed) {
        let bytes = 64 * fastrand::usize(1..64) + 16 * CLASS.load(Ordering::Relaxed);
        std::mem::forget(std::hint::black_box(vec![Cell::new(0_u8); bytes]));
    }
}
