//! A check of the instrument, and no lesson: does the length of a window decide a ratio?
//!
//! A team of threads is timed in windows of 2 ms. If that is long enough, windows of 10 and 40 ms give the same ratio. Runs
//! that are minutes apart can't show it, for a shared host moves more than that in a minute; so each process times all
//! three lengths in turns, and the intervals are over processes.
//!
//! Run it: `cargo run --release --example windows -- [PROCESSES] [TRAP]...`, 3 processes of `contended_map` by default. A
//! process takes about seven seconds a trap.

use std::io::{self, BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use trapline::catalog::find;
use trapline::lab::session::check::agreement;
use trapline::lab::stats::{geometric_interval, median};
use trapline::routine::place;
use trapline::trap::{Point, Routine, Shape, Trap, Work};

const WINDOWS: [u64; 3] = [2, 10, 40];
const ROUNDS: usize = 3;
const CHILD: &str = "--process";

/// A row, and its ratio at each window in each process.
type Rows = Vec<(String, [Vec<f64>; 3])>;

fn main() -> Result<(), String> {
    let mut names: Vec<String> = std::env::args().skip(1).collect();
    let child = names.first().is_some_and(|first| first == CHILD);
    let given: Option<usize> = names.first().and_then(|first| first.parse().ok());
    names.drain(..usize::from(child || given.is_some()));
    if names.is_empty() {
        names.push("contended_map".into());
    }
    let trap =
        |name: &String| find(name).ok_or_else(|| format!("there is no trap {name}: give a number and whole names"));
    let traps: Vec<&Trap> = names.iter().map(trap).collect::<Result<_, _>>()?;
    match given.unwrap_or(3) {
        _ if child => measure(&traps)?,
        0..3 => return Err("an interval over fewer than 3 processes says nothing: give 3 or more".into()),
        processes => repeat(processes, &names).map_err(|error| error.to_string())?,
    }
    Ok(())
}

// ---- in a process of its own ----

fn measure(traps: &[&Trap]) -> Result<(), String> {
    place::pin(true);
    for trap in traps {
        for point in trap.points.iter().filter(|p| p.threads > 1 && p.threads <= place::available()) {
            at(trap, point)?;
        }
    }
    Ok(())
}

fn at(trap: &Trap, point: &Point) -> Result<(), String> {
    let sound = agreement(trap, std::slice::from_ref(point)).map_err(|refusal| refusal.to_string())?;
    if sound.iter().any(|sound| sound.shape != Shape::Team) {
        return Ok(());
    }
    let arms = trap.variants_at(point);
    let mut arms: Vec<_> = arms.map(|v| (v.name, (v.batch)(point), [const { Vec::new() }; 3])).collect();
    for window in (0..ROUNDS).flat_map(|_| 0..WINDOWS.len()) {
        fastrand::shuffle(&mut arms);
        for (_, routine, logs) in &mut arms {
            logs[window].push(ln_ns(routine.as_mut(), WINDOWS[window]));
        }
    }
    let ln = |name: &str| arms.iter().find(|(other, ..)| *other == name).map(|(.., logs)| logs.clone());
    let base = ln(trap.baseline().name).unwrap_or_default();
    for (name, _, logs) in arms.iter().filter(|(name, ..)| *name != trap.baseline().name) {
        let ratio = |w: usize| median(&base[w].iter().zip(&logs[w]).map(|(b, v)| b - v).collect::<Vec<_>>()).exp();
        println!("{} {point} {name}\t{}\t{}\t{}", trap.name, ratio(0), ratio(1), ratio(2));
    }
    Ok(())
}

fn ln_ns(routine: &mut dyn Routine, ms: u64) -> f64 {
    routine.block(Work::Window(Duration::from_millis(ms))).ns_per_run.ln()
}

// ---- over all of them ----

fn repeat(processes: usize, names: &[String]) -> io::Result<()> {
    let mut rows = Rows::new();
    for process in 1..=processes {
        eprintln!("process {process} of {processes}");
        run(names, &mut rows)?;
    }
    if rows.is_empty() {
        println!("nothing to compare: no point of {} is timed in windows on this machine", names.join(", "));
        return Ok(());
    }
    println!("ratio at windows of 2, 10 and 40 ms, and at 2 ms ÷ at 40 ms of the same process");
    for (name, ratios) in &rows {
        let [short, middle, long] = ratios.each_ref().map(|ratios| interval(geometric_interval(ratios)));
        let apart: Vec<f64> = ratios[0].iter().zip(&ratios[2]).map(|(a, b)| a / b).collect();
        let apart = interval(geometric_interval(&apart));
        println!("{name}\n  {short}  {middle}  {long}   {apart}");
    }
    Ok(())
}

fn run(names: &[String], rows: &mut Rows) -> io::Result<()> {
    let mut child = Command::new(std::env::current_exe()?).arg(CHILD).args(names).stdout(Stdio::piped()).spawn()?;
    for line in child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines()) {
        let line = line?;
        let mut parts = line.split('\t');
        let name = parts.next().unwrap_or_default();
        let row = rows.iter().position(|(other, _)| other == name).unwrap_or_else(|| {
            rows.push((name.into(), Default::default()));
            rows.len() - 1
        });
        for (ratios, ratio) in rows[row].1.iter_mut().zip(parts) {
            ratios.push(ratio.parse().map_err(io::Error::other)?);
        }
    }
    if child.wait()?.success() { Ok(()) } else { Err(io::Error::other("a process failed")) }
}

fn interval(ends: Option<[f64; 3]>) -> String {
    ends.map_or("n/a: too few processes".into(), |[low, value, high]| format!("{value:.3} [{low:.3}, {high:.3}]"))
}
