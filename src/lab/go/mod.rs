//! The Go instrument: the habit itself, measured with Go's own toolchain on the same machine, over the same inputs.
//!
//! What is measured stands in a folder of Go (`benches/go`), one file a trap, which says of itself what arms it has. Its test
//! binary is built once and started in a process a trap and pass, in which the arms of a point run round by round in random
//! order, and the trap twice: the base of a ratio is the mean of both, and the one over the other is the A/A. A process gives
//! one value a metric, the median of its rounds; of the processes the median is told, with its interval by order statistics. Go's linker has one
//! layout, so these intervals cover re-runs and no re-links.
//!
//! | metric | what it is |
//! |---|---|
//! | `ratio` | time of the trap ÷ time of the arm |
//! | `ns_per_op` | ns of one op, with what the collector took meanwhile |
//! | `bytes`, `blocks` | allocated in one run of `n` ops (`B/op`, `allocs/op`) |
//! | `p99_ns`, `rss_bytes_per_op`, … | what an arm measures by itself, by the name of Go's unit (`p99-ns`, `rss-bytes/request`) |
//! | `p99_ratio`, … | of each of these that is a time: trap ÷ arm |
//!
//! Ratios may be held beside those of Rust. Times may not: they are of two runtimes.

mod format;
mod rows;
mod sampler;
mod toolchain;
mod twin;

pub use format::{Line, parse};
pub use sampler::main;
pub use toolchain::{Binary, Toolchain};
pub use twin::Twin;
