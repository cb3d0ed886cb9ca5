//! The habits themselves, measured by Go's own toolchain where there is one.
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    trapline::lab::go::main(trapline::catalog::TRAPS, &Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/go"))
}
