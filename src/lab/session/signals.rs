//! Ctrl-C, heeded between measurements.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Says in the environment after how many seconds a run is to end, as if its user wanted no more.
#[cfg(target_os = "linux")]
const WITHIN: &str = "TRAPLINE_WITHIN";

/// A flag that is set when the user wants no more (SIGINT) or is told to go (SIGTERM): whoever measures looks at it between
/// two measurements, keeps what there is and takes the progress away. The second such signal ends the process at once. If
/// the flag can't be had the first one does, and what was put into the store stays.
#[must_use]
pub(in crate::lab) fn heed() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    for (signal, code) in [(signal_hook::consts::SIGINT, 130), (signal_hook::consts::SIGTERM, 143)] {
        // In this order: the flag is looked at before it is set.
        let _ = signal_hook::flag::register_conditional_shutdown(signal, code, Arc::clone(&flag));
        let _ = signal_hook::flag::register(signal, Arc::clone(&flag));
    }
    end_in_time(&flag);
    flag
}

// By a signal: a thread that waits would be one that measuring has left behind.
#[cfg(target_os = "linux")]
fn end_in_time(flag: &Arc<AtomicBool>) {
    let seconds = std::env::var(WITHIN).ok().and_then(|seconds| seconds.parse().ok());
    if let Some(seconds) = seconds.filter(|seconds| *seconds > 0) {
        let _ = signal_hook::flag::register(signal_hook::consts::SIGALRM, Arc::clone(flag));
        nix::unistd::alarm::set(seconds);
    }
}

#[cfg(not(target_os = "linux"))]
const fn end_in_time(_: &Arc<AtomicBool>) {}
