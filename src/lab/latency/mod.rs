//! The latency instrument: the tail of single operations, which a mean does not show.
//!
//! Ops are due at a constant rate of the point, and each is timed from when it was *due*: an op that had to wait for the one
//! before it is late, however fast it was itself. The measured thread paces itself, by reading the clock until an op is due. That is an open
//! loop with one server and no generator: no other thread takes a core, and nothing has to be woken. Arms with a helper have
//! two threads, each pinned to a CPU of its own.
//!
//! A pass is a process for each arm at each paced point, in random order; each pass runs another executable,
//! linked again as the ratio instrument does, from the same seeds. In every pass the *empty* op is paced as well, with each rate and number of threads: what the machine itself
//! adds. It is told beside the arms as the control `hiccups`, and subtracted from nothing.
//!
//! | metric | what it is |
//! |---|---|
//! | `p50_ns`, `p95_ns`, `p99_ns`, `p999_ns`, `max_ns`, `mean_ns` | from due to done |
//! | `p50_ratio` … `p999_ratio` | trap ÷ arm, pass by pass |
//! | `queue_p50_ns`, `queue_p99_ns`, `queue_mean_ns` | time in a queue, where there is one |
//! | `busy_share` | time in ops ÷ time |
//! | `switched_share` | ops in which the kernel took the CPU away, at most |
//! | `drop_rate` | ops that were turned away |
//! | `behind_share` | processes in which it could not carry the rate, where there is one |
//! | `histogram_ns` | all passes together, as pairs of value and count, to two digits |
//!
//! A quantile of a process is one value, and the interval is over the processes, that of
//! their median, by order statistics, for a quantile has a long tail itself. An arm that can't carry the rate in
//! half of the processes or more has failed; where it could not in fewer, they are in the values as they were. A quantile is given only
//! where enough ops lie beyond it: five in each process, 48 in all, and these in twenty *episodes*, runs of ops one after the
//! other, in half of the processes or more. One theft of 4 ms is two hundred late ops and one event. Else it is `n/a: too few`.

mod fork;
mod pace;
mod protocol;
mod quantile;
mod rows;
mod sampler;

pub use sampler::main;
