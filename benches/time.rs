//! Criterion over the same blocks, at the headline points: throughput, baselines and its own HTML report.
use std::process::ExitCode;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    trapline::lab::time::main(trapline::catalog::TRAPS)
}
