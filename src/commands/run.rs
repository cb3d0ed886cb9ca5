//! `run`: measures by the library itself, without cargo.

use std::process::{Command, ExitCode, Stdio};

use clap::Args;
use trapline::catalog::TRAPS;
use trapline::lab;

use super::fault::Fault;

/// Says in the environment which target this executable plays.
pub(crate) const PLAYS: &str = "TRAPLINE_PLAYS";

/// What to measure.
#[derive(Args)]
#[command(after_help = "Example: trapline run vec_growth --quick\n\n\
    An installed trapline can't link itself again: its ratios are of one code layout, and say so. In a checkout use cargo bench.")]
pub(crate) struct Run {
    /// Parts of names of traps; none means all
    filters: Vec<String>,
    /// The first headline point of each trap, in fewer processes
    #[arg(long)]
    quick: bool,
}

/// Plays a target, where the environment says which: this executable is started again as one, and as each of its processes.
pub(crate) fn played() -> Option<ExitCode> {
    match std::env::var(PLAYS).ok()?.as_str() {
        "usage" => Some(lab::usage::main(TRAPS)),
        "latency" => Some(lab::latency::main(TRAPS)),
        "ratio" => Some(lab::ratio::main(TRAPS)),
        _ => None,
    }
}

/// Measures with each instrument that needs nothing but the executable.
pub(crate) fn run(wanted: &Run) -> Result<(), Fault> {
    let mut worst = None;
    for target in ["usage", "latency", "ratio"] {
        let quick = wanted.quick.then_some("--quick");
        let mut command = target_of(target)?;
        let status = command.args(&wanted.filters).args(quick).status().map_err(Fault::failed)?;
        match status.code() {
            Some(0) => {}
            Some(1) => worst = Some(1),
            // A wrong command is wrong for all of them, and whoever interrupts wants no more.
            other => return Err(Fault::passed_on(other)),
        }
    }
    worst.map_or(Ok(()), |code| Err(Fault::passed_on(Some(code))))
}

/// This executable as a target. It links nothing again: cargo did not start it as a bench target.
pub(crate) fn target_of(target: &str) -> Result<Command, Fault> {
    let mut command = Command::new(std::env::current_exe().map_err(Fault::failed)?);
    command.env(PLAYS, target).env_remove("CARGO").stdin(Stdio::null());
    Ok(command)
}
