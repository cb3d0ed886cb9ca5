//! One reading of what the process has used and holds.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeVal;
use nix::time::{ClockId, clock_gettime};
use procfs::process::Process;
use serde::{Deserialize, Serialize};

use super::quota::Throttled;

/// What the process has used since it started, and what it holds. What can't be read is null.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Reading {
    pub(super) used: Used,
    pub(super) held: Held,
}

/// Times in ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Used {
    pub(super) wall: Option<f64>,
    pub(super) cpu: Option<f64>,
    pub(super) user: Option<f64>,
    pub(super) system: Option<f64>,
    pub(super) delayed: Option<f64>,
    pub(super) voluntary: Option<f64>,
    pub(super) involuntary: Option<f64>,
    pub(super) minor_faults: Option<f64>,
    pub(super) quota: Throttled,
}

/// Sizes in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Held {
    pub(super) rss: Option<f64>,
    pub(super) peak_rss: Option<f64>,
    pub(super) threads: Option<f64>,
    pub(super) open_files: Option<f64>,
}

impl Reading {
    /// Before a block: what is used is read last, and the peak starts anew.
    pub(super) fn before(group: Option<&Path>) -> Self {
        // Where it can't be reset, the peak is that of the process.
        let _ = fs::write("/proc/self/clear_refs", "5");
        let held = Held::now();
        Self { used: Used::now(group), held }
    }

    /// After a block: what is used is read first.
    pub(super) fn after(group: Option<&Path>) -> Self {
        let used = Used::now(group);
        Self { used, held: Held::now() }
    }
}

impl Used {
    // In one order at the start and at the end, so that what a reading costs is in the difference once: some µs of 50 ms.
    fn now(group: Option<&Path>) -> Self {
        let clock = |id| clock_gettime(id).ok().map(|time| ns(Duration::from(time)));
        let usage = getrusage(UsageWho::RUSAGE_SELF).ok();
        let time = |of: fn(&Usage) -> TimeVal| {
            usage.map(|u| of(&u)).map(|t| 1e9 * t.tv_sec() as f64 + 1e3 * t.tv_usec() as f64)
        };
        let count = |of: fn(&Usage) -> i64| usage.map(|u| of(&u) as f64);
        Self {
            wall: clock(ClockId::CLOCK_MONOTONIC),
            cpu: clock(ClockId::CLOCK_PROCESS_CPUTIME_ID),
            user: time(Usage::user_time),
            system: time(Usage::system_time),
            delayed: delayed(),
            voluntary: count(Usage::voluntary_context_switches),
            involuntary: count(Usage::involuntary_context_switches),
            minor_faults: count(Usage::minor_page_faults),
            quota: group.map(Throttled::now).unwrap_or_default(),
        }
    }
}

impl Held {
    fn now() -> Self {
        let me = Process::myself().ok();
        let status = me.as_ref().and_then(|me| me.status().ok());
        Self {
            rss: me.as_ref().and_then(rss),
            peak_rss: status.as_ref().and_then(|status| status.vmhwm).map(|kib| 1024.0 * kib as f64),
            threads: status.map(|status| status.threads as f64),
            open_files: open_files(),
        }
    }
}

/// The number of live threads.
pub(super) fn threads() -> Option<usize> {
    Some(fs::read_dir("/proc/self/task").ok()?.count())
}

fn ns(time: Duration) -> f64 {
    time.as_nanos() as f64
}

fn rss(me: &Process) -> Option<f64> {
    let maps = me.smaps_rollup().ok()?.memory_map_rollup;
    let bytes = maps.into_iter().next()?.extension.map.get("Rss").copied();
    bytes.map(|bytes| bytes as f64)
}

// Without the folder that is read here.
fn open_files() -> Option<f64> {
    Some(fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1) as f64)
}

// The second number of schedstat, ns that a task was ready and did not run, of all live threads.
fn delayed() -> Option<f64> {
    let of = |task: fs::DirEntry| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().nth(1)?.parse::<f64>().ok()
    };
    fs::read_dir("/proc/self/task").ok()?.map(|task| of(task.ok()?)).sum()
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn everything_can_be_read_here() {
        let reading = Reading::before(None);
        let used = reading.used;
        for (what, value) in [
            ("wall", used.wall),
            ("cpu", used.cpu),
            ("user", used.user),
            ("system", used.system),
            ("delayed", used.delayed),
            ("voluntary", used.voluntary),
            ("involuntary", used.involuntary),
            ("minor faults", used.minor_faults),
            ("rss", reading.held.rss),
            ("peak", reading.held.peak_rss),
            ("threads", reading.held.threads),
            ("open files", reading.held.open_files),
        ] {
            assert!(value.is_some(), "{what}");
        }
        assert!(reading.held.rss > Some(100_000.0), "{:?}", reading.held);
    }

    #[test]
    fn work_and_memory_are_seen() {
        let before = Reading::before(None);
        let bytes = std::hint::black_box(vec![1_u8; 32 << 20]);
        let file = File::open("/proc/self/stat").expect("a file to open");
        let after = Reading::after(None);
        let more = |of: fn(&Reading) -> Option<f64>| of(&after).expect("read") - of(&before).expect("read");
        assert!(more(|r| r.held.rss) > 30e6 && more(|r| r.held.peak_rss) > 30e6);
        assert!(more(|r| r.used.minor_faults) > 0.0 && more(|r| r.used.cpu) > 0.0);
        drop((bytes, file));
    }
}
