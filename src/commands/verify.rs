//! `verify`: the committed headlines, on this machine.

use std::path::Path;
use std::process::{Command, Stdio};

use clap::Args;
use trapline::catalog::{self, TRAPS};
use trapline::lab::session::{self, args};
use trapline::record::Archive;
use trapline::report::{self, Verification};
use trapline::trap::{Instrument, Trap};

use super::fault::{Fault, print};
use super::run;

/// What is left of a minute for measuring. Links, checks and the report take the rest.
const SECONDS: &str = "55";
/// The exit code of a run that ended early.
const INTERRUPTED: i32 = session::INTERRUPTED as i32;

/// Which headlines.
#[derive(Args)]
#[command(after_help = "Example: trapline verify vec_growth\n\n\
    In a checkout it links three code layouts or more; elsewhere there is one, and all that it says is inconclusive.")]
pub(crate) struct Verify {
    /// The trap's whole name; without it the first headline of each trap of at most two threads
    trap: Option<String>,
}

/// Measures the headlines and holds them against the committed ones.
pub(crate) fn verify(wanted: &Verify) -> Result<(), Fault> {
    let chosen = chosen(wanted.trap.as_deref())?;
    let folder = tempfile::tempdir().map_err(Fault::failed)?;
    measure(&chosen, wanted.trap.is_none(), folder.path())?;
    let own = Archive::read_folder(&folder.path().join("records")).map_err(Fault::failed)?;
    let verification = Verification::of(&report::shipped(), &own);
    if verification.is_empty() {
        return Err(Fault::failed("nothing that is committed was measured here; what can be: trapline show TRAP"));
    }
    print(&report::text(&verification.document()))?;
    if verification.disagrees() { Err(Fault::failed("a headline disagrees with the committed one")) } else { Ok(()) }
}

fn chosen(trap: Option<&str>) -> Result<Vec<&'static Trap>, Fault> {
    if let Some(name) = trap {
        return catalog::find(name).map(|trap| vec![trap]).ok_or_else(|| Fault::wrong(args::unknown(name, TRAPS)));
    }
    let (chosen, others): (Vec<&Trap>, Vec<&Trap>) = TRAPS.iter().partition(|trap| is_small(trap));
    let others: Vec<&str> = others.iter().map(|trap| trap.name).collect();
    if !others.is_empty() {
        eprintln!(
            "left out, for time is not what shows them or they have more than two threads: {}",
            others.join(", ")
        );
    }
    Ok(chosen)
}

// Whether time sees it, at a first headline of at most two threads.
fn is_small(trap: &Trap) -> bool {
    let first = trap.points.iter().find(|point| point.headline && point.not_for(Instrument::Ratio).is_none());
    trap.blind_to(Instrument::Ratio).is_none() && first.is_some_and(|point| point.threads <= 2)
}

// Many traps in fewer processes, one trap at all its points. On a slow machine it ends early, with what it has.
fn measure(traps: &[&Trap], quick: bool, folder: &Path) -> Result<(), Fault> {
    let mut command = if is_checkout() { built()? } else { run::target_of("ratio")? };
    command.args(traps.iter().map(|trap| trap.name));
    command.args(if quick {
        &["--quick", "--layouts", "5", "--processes", "2"][..]
    } else {
        &["--layouts", "4", "--processes", "3"]
    });
    command.env("TRAPLINE_WITHIN", SECONDS).env("TRAPLINE_FOLDER", folder).stdin(Stdio::null()).stdout(Stdio::null());
    let status = command.status().map_err(Fault::failed)?;
    match status.code() {
        Some(0 | 1 | INTERRUPTED) => Ok(()),
        other => Err(Fault::passed_on(other)),
    }
}

// Built first: that is no part of the minute.
fn built() -> Result<Command, Fault> {
    let status = cargo(&["--no-run"]).status().map_err(Fault::failed)?;
    if status.success() { Ok(cargo(&["--"])) } else { Err(Fault::passed_on(status.code())) }
}

fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["bench", "--quiet", "--bench", "ratio"]).args(words);
    command
}

// Whether cargo would build this very package here.
fn is_checkout() -> bool {
    let manifest = std::fs::read_to_string("Cargo.toml").unwrap_or_default();
    manifest.starts_with("[package]\nname = \"trapline\"")
}
