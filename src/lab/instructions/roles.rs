//! The parts that one executable plays, so that there is nothing to install.
//!
//! 1. The **bench target** starts, for each case, this executable as
//! 2. the **harness** of iai-callgrind (`--trapline-count TRAP VARIANT`), a process of its own because it ends with the
//!    runner's exit code. It builds one benchmark and starts this executable as
//! 3. the **runner** (`VERSION --bin-bench …`, iai-callgrind's own protocol), which starts valgrind with this executable as
//! 4. the **case** (`--trapline-case TRAP VARIANT`), which does the work.
//!
//! A runner a case costs a tenth of a second, and lets a case that crashes fail alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use iai_callgrind::__internal::bin_bench::GroupsBuilder;
use iai_callgrind::__internal::{BenchmarkKind, Runner};
use iai_callgrind::{
    Bench, BinaryBenchmark, BinaryBenchmarkConfig, BinaryBenchmarkGroup, Callgrind, EntryPoint, bincode,
};

use super::process::run_to_log;
use super::summary::{self, Counts};
use super::valgrind::{PROBE, Tool};
use crate::routine::Routine;
use crate::trap::{Trap, Variant, Work};

const COUNT: &str = "--trapline-count";
const CASE: &str = "--trapline-case";

// Ten thousand ops take seconds at valgrind's fiftyfold slow-down; what takes longer hangs.
const LIMIT: Duration = Duration::from_secs(180);

pub(super) fn play(traps: &[Trap]) -> Option<ExitCode> {
    let args: Vec<String> = std::env::args_os().map(|arg| arg.to_string_lossy().into()).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        [_, PROBE, ..] => Some(ExitCode::SUCCESS),
        [_, COUNT, trap, variant] => Some(exit(harness(trap, variant))),
        [_, CASE, trap, variant] => Some(exit(case(traps, trap, variant))),
        [_, _, "--bin-bench", ..] => Some(exit(iai_callgrind_runner::runner::run())),
        _ => None,
    }
}

fn exit<E: std::fmt::Display>(outcome: Result<(), E>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // All causes, if the error knows any.
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Has one variant counted, by a harness of its own.
///
/// # Errors
/// A sentence: what went wrong.
pub(super) fn count(tool: &Tool, folder: &Path, trap: &Trap, variant: &Variant) -> Result<Counts, String> {
    let home = folder.join("callgrind").join(trap.name).join(variant.name);
    make_empty(&home).map_err(|e| format!("cannot empty the folder {}: {e}", home.display()))?;
    let mut harness = Command::new(&tool.exe);
    harness.args([COUNT, trap.name, variant.name]).current_dir(package().0);
    run_to_log(clean(&mut harness, &home, tool), &home.join("runner.log"), LIMIT)
        .map_err(|why| format!("the case under valgrind {why}"))?;
    summary::counts(&read_summary(&home)?)
}

// An earlier profile in the same place would be compared with.
fn make_empty(home: &Path) -> std::io::Result<()> {
    if home.exists() {
        fs::remove_dir_all(home)?;
    }
    fs::create_dir_all(home)
}

// Whatever a user has set for benchmarks of their own would change the counts. Cargo's library path would be passed on to
// the case, and its length is part of the stack.
fn clean<'a>(harness: &'a mut Command, home: &Path, tool: &Tool) -> &'a mut Command {
    let theirs = |name: &str| name.starts_with("IAI_") || name.starts_with("LD_") || name == "CARGO_PKG_NAME";
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(theirs)) {
        harness.env_remove(name);
    }
    harness.env(HOME, home).env("IAI_CALLGRIND_SAVE_SUMMARY", "json");
    harness.env("IAI_CALLGRIND_ALLOW_ASLR", if tool.fixed_addresses { "no" } else { "yes" });
    // A failure's last lines go into its record, and a backtrace would push the message out.
    harness.env("RUST_BACKTRACE", "0").env(PACKAGE, package().1)
}

const HOME: &str = "IAI_CALLGRIND_HOME";
const PACKAGE: &str = "TRAPLINE_PACKAGE";

// The runner asks cargo for a package with a bench target: the one that cargo runs, else this one.
fn package() -> (PathBuf, String) {
    match (std::env::var_os("CARGO_MANIFEST_DIR"), std::env::var("CARGO_PKG_NAME")) {
        (Some(folder), Ok(name)) => (folder.into(), name),
        _ => (env!("CARGO_MANIFEST_DIR").into(), env!("CARGO_PKG_NAME").into()),
    }
}

// Its depth below the home is the runner's affair.
fn read_summary(home: &Path) -> Result<String, String> {
    let found = find(home, "summary.json").ok_or_else(|| format!("no summary.json was left in {}", home.display()))?;
    fs::read_to_string(&found).map_err(|e| format!("cannot read {}: {e}", found.display()))
}

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries: Vec<PathBuf> = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    let here = entries.iter().find(|path| path.ends_with(name)).cloned();
    here.or_else(|| entries.iter().find_map(|path| find(path, name)))
}

// Nothing of this executable's own arguments is passed on: the third argument of the builder would be parsed by the runner.
fn harness(trap: &str, variant: &str) -> Result<(), String> {
    let exe = std::env::current_exe().map_err(|e| format!("cannot tell where this executable is: {e}"))?;
    let exe = exe.to_str().ok_or_else(|| format!("the path {} is not UTF-8; build elsewhere", exe.display()))?;
    let mut groups = GroupsBuilder::new(Some(config().into()), Vec::new(), false, false);
    let group = group(exe, trap, variant);
    groups.add_group(group, "counts".into(), "trapline", false, None, false, false, None, &[]);
    let groups = groups.build().map_err(|e| e.to_string())?;
    let encoded = bincode::serialize(&groups).map_err(|e| format!("cannot encode the case: {e}"))?;
    runner(exe).exec(encoded).map_err(|e| e.to_string())
}

// The runner takes the first bench target whose path ends with the file it is given: the empty one, so any.
fn runner(exe: &str) -> Runner {
    let name = std::env::var(PACKAGE).unwrap_or_default();
    Runner::new(Some(exe), &BenchmarkKind::BinaryBenchmark, "", &name, "", "trapline", exe.into())
}

fn group(exe: &str, trap: &str, variant: &str) -> BinaryBenchmarkGroup {
    let command = iai_callgrind::Command::new(exe).args([CASE, trap, variant]).build();
    let mut group = BinaryBenchmarkGroup::default();
    group.binary_benchmark(BinaryBenchmark::new(trap).bench(Bench::new(variant).command(command)));
    group
}

// VALGRIND_LIB is how a valgrind that was unpacked rather than installed finds its tools.
// The folder is one that can hold no `.valgrindrc`.
fn config() -> BinaryBenchmarkConfig {
    let callgrind = Callgrind::default().entry_point(EntryPoint::Custom("*counted_region*".into())).clone();
    let mut config = BinaryBenchmarkConfig::default();
    config.env_clear(true).pass_through_env("VALGRIND_LIB").tool(callgrind);
    config.current_dir(std::env::var_os(HOME).unwrap_or_default()).clone()
}

fn case(traps: &[Trap], trap: &str, variant: &str) -> Result<(), String> {
    let found = traps.iter().find(|t| t.name == trap);
    let found = found.ok_or_else(|| format!("no trap {trap} in this executable; it has a bench target of its own"))?;
    let variant = found.variant(variant).ok_or_else(|| format!("no variant {variant} of the trap {trap}"))?;
    let point = found.counted_point().ok_or_else(|| format!("no point of the trap {trap} to count at"))?;
    let mut routine = (variant.batch)(point);
    routine.block(Work::Runs(1));
    counted_region(routine.as_mut());
    Ok(())
}

/// What callgrind counts: one block of one run. Callgrind finds it by its name.
// The `black_box` after the call keeps it a call: a jump to the block would leave callgrind without a return to stop at.
#[inline(never)]
fn counted_region(routine: &mut dyn Routine) {
    std::hint::black_box(routine.block(Work::Runs(1)));
}
