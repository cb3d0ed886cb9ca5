//! Blocks, bytes and peak bytes of one run: exact, and nothing is timed here.
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: trapline::lab::heap::Alloc = trapline::lab::heap::Alloc;

fn main() -> ExitCode {
    trapline::lab::heap::main(trapline::catalog::TRAPS)
}
