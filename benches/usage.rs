//! What a process uses for the work and holds after it: CPU time, switches, faults, memory, threads, open files.
use std::process::ExitCode;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    trapline::lab::usage::main(trapline::catalog::TRAPS)
}
