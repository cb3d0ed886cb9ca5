//! Which CPU a thread runs on. A guest's kernel may pack two busy threads onto one core for seconds, so the lab's own processes
//! pin theirs: worker i takes the i-th CPU that the process may use, wrapping round.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

static PINNED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static SEAT: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Pins threads from now on in this process, or no longer does. Call it only in a process that the lab owns: children and
/// threads inherit where their maker is pinned.
pub fn pin(yes: bool) {
    if yes {
        // Read before anybody is pinned: afterwards the set is one CPU.
        let _ = cpus();
    }
    PINNED.store(yes, Ordering::Relaxed);
}

/// Whether threads are pinned.
#[must_use]
pub fn pinned() -> bool {
    PINNED.load(Ordering::Relaxed)
}

/// Moves the calling thread to its CPU, if threads are pinned and it is not there already.
pub(crate) fn take_seat(seat: usize) {
    if pinned() && SEAT.get() != Some(seat) {
        move_to(seat);
        SEAT.set(Some(seat));
    }
}

/// Lets the calling thread run anywhere again.
pub fn release() {
    if SEAT.take().is_some() {
        set(cpus());
    }
}

/// How many CPUs the process may use.
#[must_use]
pub fn available() -> usize {
    cpus().len().max(1)
}

/// Moves the calling thread to the CPU of this seat, whether threads are pinned in this process or not: for threads that end
/// soon.
pub fn sit(seat: usize) {
    move_to(seat);
    SEAT.set(Some(seat));
}

fn move_to(seat: usize) {
    let cpus = cpus();
    if let Some(cpu) = cpus.get(seat % cpus.len().max(1)) {
        set(std::slice::from_ref(cpu));
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::sync::OnceLock;

    use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
    use nix::unistd::Pid;

    /// The CPUs that the process may use, as found at the first call.
    pub(super) fn cpus() -> &'static [usize] {
        static CPUS: OnceLock<Vec<usize>> = OnceLock::new();
        CPUS.get_or_init(|| {
            let set = sched_getaffinity(Pid::from_raw(0)).unwrap_or_default();
            (0..CpuSet::count()).filter(|&cpu| set.is_set(cpu).unwrap_or(false)).collect()
        })
    }

    /// A refusal leaves the thread where it is; `cpus` of the row then tells what that did.
    pub(super) fn set(cpus: &[usize]) {
        let mut set = CpuSet::new();
        for &cpu in cpus {
            let _ = set.set(cpu);
        }
        let _ = sched_setaffinity(Pid::from_raw(0), &set);
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::sync::OnceLock;

    pub(super) fn cpus() -> &'static [usize] {
        static CPUS: OnceLock<Vec<usize>> = OnceLock::new();
        CPUS.get_or_init(|| (0..std::thread::available_parallelism().map_or(1, usize::from)).collect())
    }

    /// Nothing but Linux is pinned.
    pub(super) fn set(_: &[usize]) {}
}

use system::{cpus, set};
