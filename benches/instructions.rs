//! Instructions and simulated cache hits of one run, counted under valgrind.
use std::process::ExitCode;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    trapline::lab::instructions::main(trapline::catalog::TRAPS)
}
