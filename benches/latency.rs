//! The tail of single operations: p50 to p99.9 and the time in a queue, at a constant rate.
use std::process::ExitCode;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    trapline::lab::latency::main(trapline::catalog::TRAPS)
}
