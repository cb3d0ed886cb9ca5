//! The order of events: pass by pass, a process a trap, in random order.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::format::{Line, parse};
use super::rows::Rows;
use super::toolchain::{Binary, Toolchain};
use super::twin::Twin;
use crate::lab::session::args::Args;
use crate::lab::session::process::{self, End};
use crate::lab::session::{self, Session, SessionError, signals, target_folder};
use crate::record::{Record, Sweeps};
use crate::report::benchmark;
use crate::trap::{Instrument, Trap};

/// Passes of a full run, and of a quick one.
const PASSES: usize = 8;
const QUICK: usize = 5;
/// Rounds in a process, and how long an arm runs in each.
const ROUNDS: &str = "3";
const ROUND: &str = "20ms";

/// The main function of a `go` bench target: of these traps the Go module in a folder has twins.
///
/// Without a Go toolchain it says so and ends well, for nothing is wrong.
#[must_use]
pub fn main(traps: &[Trap], module: &Path) -> ExitCode {
    // Wrong arguments are session::main's to tell, whether there is a toolchain or not.
    let Ok(args) = Args::parse(Instrument::Go, std::env::args().skip(1)) else {
        return session::main(Instrument::Go, traps, |_| Ok(()));
    };
    match Toolchain::find() {
        Err(why) => {
            println!("go: skipped: {why}");
            ExitCode::SUCCESS
        }
        Ok(go) if args.list || args.test => show(&go, module, &args, traps).unwrap_or_else(|why| fail(&why)),
        Ok(go) => session::main(Instrument::Go, traps, |session| measure(session, &go, module)),
    }
}

fn fail(why: &str) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::FAILURE
}

// What there is, or whether each arm runs.
fn show(go: &Toolchain, module: &Path, args: &Args, traps: &[Trap]) -> Result<ExitCode, String> {
    if let Err(why) = args.choose(traps) {
        eprintln!("error: {why}");
        return Ok(ExitCode::from(session::WRONG_COMMAND));
    }
    let binary = built(go, module)?;
    let twins = binary.ask("list")?;
    let chosen: Vec<&Twin> = twins.iter().filter(|twin| args.wants(&twin.trap)).collect();
    if args.list {
        chosen.iter().for_each(|twin| println!("{}/{}/{}: benchmark", twin.trap, twin.variant, twin.point()));
        return Ok(ExitCode::SUCCESS);
    }
    for name in names(&chosen) {
        run_once(&binary, name)?;
    }
    println!("go: each arm of {} traps ran once", names(&chosen).len());
    Ok(ExitCode::SUCCESS)
}

fn run_once(binary: &Binary, name: &str) -> Result<(), String> {
    let output = binary.benchmark(name, "1x").output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{name} in Go: {said}")) }
}

fn built(go: &Toolchain, module: &Path) -> Result<Binary, String> {
    let folder = target_folder().join("trapline").join("go");
    std::fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    go.build(module, &folder)
}

fn names<'a>(twins: &[&'a Twin]) -> Vec<&'a str> {
    let mut names: Vec<&str> = twins.iter().map(|twin| twin.trap.as_str()).collect();
    names.dedup();
    names
}

fn measure(session: &mut Session<'_>, go: &Toolchain, module: &Path) -> Result<(), SessionError> {
    session.progress.say("building the Go module");
    let binary = built(go, module).map_err(SessionError::Go)?;
    let twins = binary.ask("list").map_err(SessionError::Go)?;
    session.keep_only(|record| twins.iter().any(|twin| twin.is_of(record)));
    session.run.provenance.go = Some(go.provenance());
    let passes = session.args.processes.unwrap_or(if session.args.quick { QUICK } else { PASSES });
    let mut sampler = Sampler::new(session, binary, &twins);
    let mut cells: Vec<&str> = sampler.rows.keys().copied().collect();
    session.progress.steps(passes * cells.len());
    for pass in 0..passes {
        let whole = process::pass(&session.progress, pass, &mut cells, |name| sampler.measure(session, name, pass))?;
        let finished = pass + usize::from(whole);
        session.run.sweeps = Some(Sweeps { layouts: 1, processes: passes, finished });
        session.run.partial = (!whole).then(|| format!("interrupted after {finished} of {passes} passes"));
        session.put(sampler.records(&session.run.run))?;
        if !whole {
            break;
        }
    }
    Ok(())
}

struct Sampler<'a> {
    binary: Binary,
    interrupted: Arc<AtomicBool>,
    patience: Duration,
    twins: Vec<&'a Twin>,
    rows: BTreeMap<&'a str, Rows>,
}

impl<'a> Sampler<'a> {
    fn new(session: &Session<'_>, binary: Binary, twins: &'a [Twin]) -> Self {
        let chosen = twins.iter().filter(|twin| session.args.wants(&twin.trap));
        let twins: Vec<&Twin> = chosen.filter(|twin| !session.args.quick || is_first(twin, twins)).collect();
        let rows = names(&twins).into_iter().map(|name| (name, Rows::default())).collect();
        let patience = Duration::from_secs(session.args.fork_timeout);
        Self { binary, interrupted: signals::heed(), patience, twins, rows }
    }

    // False if it was interrupted. A trap that has failed is measured no more.
    fn measure(&mut self, session: &Session<'_>, name: &'a str, pass: usize) -> Result<bool, SessionError> {
        session.progress.say(&format!("{name}, pass {}", pass + 1));
        let Some(rows) = self.rows.get_mut(name).filter(|rows| !rows.is_settled()) else { return Ok(true) };
        let mut lines: Vec<Line> = Vec::new();
        let mut command = self.binary.benchmark(name, ROUND);
        command.env("TRAPLINE_ROUNDS", ROUNDS).env("TRAPLINE_POINTS", if session.args.quick { "1" } else { "" });
        let hear = |line: &str| parse(line).map(|line| lines.extend(line));
        let fault = |source| SessionError::Io { verb: "start", path: self.binary.path.clone(), source };
        let child = command.spawn().map_err(fault)?;
        let failed = match process::attend(child, self.patience, &self.interrupted, hear).map_err(fault)? {
            End::Interrupted => return Ok(false),
            End::Died(why) => Err(why),
            End::Done => rows.add(pass, &lines),
        };
        if let Err(why) = failed {
            session.progress.note(&format!("error: {name} in Go: {why}"));
            rows.fail(why);
        }
        Ok(true)
    }

    fn records(&self, run: &str) -> Vec<Record> {
        let of = |(name, rows): (&&str, &Rows)| {
            let twins: Vec<&Twin> = self.twins.iter().copied().filter(|twin| twin.trap == *name).collect();
            rows.records(&twins, run)
        };
        self.rows.iter().flat_map(of).collect()
    }
}

// Of the first headline of its trap, or its first point where it has none, which is what a quick run measures.
fn is_first(twin: &Twin, all: &[Twin]) -> bool {
    let mut same = all.iter().filter(|other| other.trap == twin.trap);
    let headline = same.clone().find(|other| other.headline);
    headline.or_else(|| same.next()).is_some_and(|first| first.is_beside(twin))
}

impl Binary {
    fn benchmark(&self, trap: &str, time: &str) -> Command {
        let mut command = Command::new(&self.path);
        command.args(["-test.run=^$", &format!("-test.bench=^Benchmark{}$", benchmark(trap))]);
        command.arg(format!("-test.benchtime={time}"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}
