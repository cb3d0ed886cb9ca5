//! What a thread used and what was taken from it, read by the thread itself and without allocating.

use std::time::{Duration, Instant};

use super::block::CrewTime;

/// One reading of a thread's clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) at: Instant,
    cpu: Option<Duration>,
    delayed: Option<Duration>,
}

impl Reading {
    /// At the start of a stretch: the wall clock is read last.
    pub(super) fn start() -> Self {
        let (delayed, cpu) = (system::delayed(), system::cpu());
        Self { at: Instant::now(), cpu, delayed }
    }

    /// At its end: the wall clock is read first.
    pub(super) fn end() -> Self {
        let at = Instant::now();
        Self { at, cpu: system::cpu(), delayed: system::delayed() }
    }

    /// What the thread used since an earlier reading.
    pub(super) fn since(&self, start: &Self) -> CrewTime {
        CrewTime {
            cpu: between(start.cpu, self.cpu),
            wall: self.at - start.at,
            delayed: between(start.delayed, self.delayed),
        }
    }
}

fn between(start: Option<Duration>, end: Option<Duration>) -> Option<Duration> {
    start.zip(end).map(|(start, end)| end.saturating_sub(start))
}

impl std::iter::Sum for CrewTime {
    fn sum<I: Iterator<Item = Self>>(times: I) -> Self {
        let nothing = Some(Duration::ZERO);
        let zero = Self { cpu: nothing, wall: Duration::ZERO, delayed: nothing };
        let both = |a: Option<Duration>, b: Option<Duration>| a.zip(b).map(|(a, b)| a + b);
        times.fold(zero, |sum, one| Self {
            cpu: both(sum.cpu, one.cpu),
            wall: sum.wall + one.wall,
            delayed: both(sum.delayed, one.delayed),
        })
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs::File;
    use std::os::unix::fs::FileExt;
    use std::time::Duration;

    use nix::time::{ClockId, clock_gettime};

    /// The CPU time of the calling thread.
    pub(super) fn cpu() -> Option<Duration> {
        clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).ok().map(Duration::from)
    }

    thread_local! {
        // Kept open: opening allocates, and costs more than reading.
        static SCHEDSTAT: Option<File> = File::open("/proc/thread-self/schedstat").ok();
    }

    /// How long the calling thread has waited for a CPU: the second number of its schedstat, see
    /// Documentation/scheduler/sched-stats.rst of the kernel.
    pub(super) fn delayed() -> Option<Duration> {
        let mut text = [0; 64];
        let length = SCHEDSTAT.with(|file| file.as_ref()?.read_at(&mut text, 0).ok())?;
        let text = std::str::from_utf8(&text[..length]).ok()?;
        let mut fields = text.split_ascii_whitespace().map_while(|field| field.parse::<u64>().ok());
        let (delayed, slices) = (fields.nth(1)?, fields.next()?);
        // A kernel that keeps no such account prints zeros: a thread that runs has had a time slice.
        (slices > 0).then(|| Duration::from_nanos(delayed))
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::time::Duration;

    pub(super) fn cpu() -> Option<Duration> {
        None
    }

    pub(super) fn delayed() -> Option<Duration> {
        None
    }
}
