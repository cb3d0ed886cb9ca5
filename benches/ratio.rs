//! Trap ÷ variant over relinked forks: the number that people cite.
use std::process::ExitCode;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    trapline::lab::ratio::main(trapline::catalog::TRAPS)
}
