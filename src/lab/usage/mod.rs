//! The usage instrument: what a process used for the work, and what it still holds after it.
//!
//! Each arm at each point has a process of its own, five of them, and in it nothing else runs: CPU time, context switches and
//! faults are the kernel's counts of the whole process, hand-outs and helpers with it. Where a routine runs, it is warm, and a
//! block of 50 ms or more lies between two readings; where ops are held ([`Hold`](crate::trap::Hold)), there are eight
//! readings on the way to `n`, and what an op adds is the slope of the line through the last five: a bounded thing has
//! filled up by then.
//!
//! | metric | what it is |
//! |---|---|
//! | `cpu_ns_per_op`, `user_ns_per_op`, `system_ns_per_op` | CPU time; the two parts of it are sampled by the kernel, their sum is exact |
//! | `cpu_share` | CPU time ÷ wall time: how many CPUs were busy |
//! | `delay_share` | time that threads were ready and did not run ÷ wall time |
//! | `voluntary_switches_per_op`, `involuntary_switches_per_op` | a thread gave its CPU up, or lost it |
//! | `minor_faults_per_op` | first touches of a page |
//! | `throttled_share`, `throttled_ns_per_op` | under a quota ([`Point::quota`](crate::trap::Point::quota)): periods in which the time ran out ÷ periods, and the time that its CPUs then stood still, added up over them |
//! | `rss_bytes`, `peak_rss_bytes` | resident memory after the block, and the most during it |
//! | `threads`, `open_files` | after the block |
//! | `rss_bytes_per_op`, `threads_per_op`, `open_files_per_op` | what an op adds to what is held |
//! | `rss_residual` | the largest distance of a reading from that line ÷ what the line rises: hash tables rise in stairs |
//!
//! An interval is t(0.975, 4) over the processes, of `cpu_ns_per_op` and `cpu_share` over their logarithms. Sources: getrusage(2), `clock_gettime`(2), proc(5): `smaps_rollup` for resident
//! memory, for `statm` and `status` may be off by hundreds of KiB since Linux 6.2; `VmHWM`, reset by `clear_refs`, for the
//! peak, for a child inherits `ru_maxrss`.

#[cfg(target_os = "linux")]
mod fork;
#[cfg(target_os = "linux")]
mod protocol;
#[cfg(target_os = "linux")]
mod quota;
#[cfg(target_os = "linux")]
mod reading;
#[cfg(target_os = "linux")]
mod rows;
#[cfg(target_os = "linux")]
mod sampler;

#[cfg(target_os = "linux")]
pub use sampler::main;

/// The main function of a `usage` bench target over these traps: nothing but Linux has /proc, so it measures nothing and says so.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn main(traps: &[crate::trap::Trap]) -> std::process::ExitCode {
    super::session::main(crate::trap::Instrument::Usage, traps, |session| session.put(session.unseen()))
}
