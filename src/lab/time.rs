//! The time instrument: criterion over the block of the ratio instrument, at the headline points.
//!
//! One group a trap, one function a variant, so that criterion's own report compares the variants in one plot and draws
//! lines over `n`. What a sample takes is k × the ns of one run, from a block of k runs with one untimed run before it, or from a window of 2 ms where workers do not wait
//! for each other.
//!
//! A trap has a share of time that its benchmarks divide among them; plots come on top. Quick runs draw none and have a
//! folder of their own, `criterion-quick` beside `criterion`, so that neither is ever compared with the other. Nothing is
//! compared at all unless a baseline is named (`--save-baseline`, `--baseline`): criterion's default holds each run against
//! the one before, and found "improved, −14 % (p = 0.00)" where nothing had been changed.
//!
//! Criterion reads its flags from the command line by itself and stops at ours, so the target starts itself again with
//! criterion's flags only, hands ours over in the environment, and prints one line of each benchmark's several; all of them
//! with `--verbose`.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, PlottingBackend, Throughput};

use super::session::{self, Session, SessionError};
use crate::routine::place;
use crate::trap::{Instrument, Point, Shape, Trap, Variant, Work};

/// Set in the process that criterion runs in: the chosen traps, whether it is to be quick, whether threads stay unpinned.
const CHOSEN: &str = "TRAPLINE_TIME_CHOSEN";
const QUICK: &str = "TRAPLINE_TIME_QUICK";
const UNPINNED: &str = "TRAPLINE_TIME_UNPINNED";

// What the benchmarks of one trap share, warm-up and samples together. Criterion's analysis and plots come on top.
const SHARE: Duration = Duration::from_millis(1_600);
const QUICK_SHARE: Duration = Duration::from_millis(300);
// As in the ratio instrument.
const WINDOW: Duration = Duration::from_millis(2);
// The fewest that criterion takes.
const SAMPLES: usize = 10;
// Plots take time for each of them. Criterion warns of 1000 or less.
const RESAMPLES: usize = 1_001;
// Two processes of one executable have differed by a fifth without a change (METHODOLOGY.md): less is no verdict.
const NOISE: f64 = 0.25;
// Looked for and never there: so nothing is compared, and the samples are kept for the plots all the same. It must be a flag:
// criterion's own default for a flag that is not given, `--save-baseline base`, wins over what was set before.
const NO_BASELINE: [&str; 2] = ["--baseline-lenient", "none-was-named"];
const SCOPE: &str = "One process, one link: it may be off by a third and more. To cite, take ratio's.";

/// The main function of a `time` bench target over these traps.
#[must_use]
pub fn main(traps: &[Trap]) -> ExitCode {
    let Ok(chosen) = std::env::var(CHOSEN) else {
        return session::main(Instrument::Time, traps, start_again);
    };
    let quick = std::env::var_os(QUICK).is_some();
    place::pin(std::env::var_os(UNPINNED).is_none());
    let mut criterion = configured(quick);
    for trap in traps.iter().filter(|t| chosen.split(',').any(|name| name == t.name)) {
        measure(&mut criterion, trap, quick);
    }
    criterion.final_summary();
    ExitCode::SUCCESS
}

// Flags come last, so they win.
fn configured(quick: bool) -> Criterion {
    let criterion = Criterion::default()
        .sample_size(SAMPLES)
        .nresamples(RESAMPLES)
        .noise_threshold(NOISE)
        .output_directory(&home(quick))
        // Always this one: gnuplot is a process a plot.
        .plotting_backend(PlottingBackend::Plotters);
    let criterion = if quick { criterion.without_plots() } else { criterion };
    criterion.configure_from_args()
}

fn home(quick: bool) -> PathBuf {
    let named = std::env::var_os("CRITERION_HOME").map(PathBuf::from);
    let mut home = OsString::from(named.unwrap_or_else(|| session::target_folder().join("criterion")));
    if quick {
        home.push("-quick");
    }
    home.into()
}

fn measure(criterion: &mut Criterion, trap: &Trap, quick: bool) {
    let share = if quick { QUICK_SHARE } else { SHARE };
    let points = session::measured_points(Instrument::Time, quick, trap);
    let seen = |point: &Point| trap.variants_seen(point, Instrument::Time).collect::<Vec<_>>();
    let benchmarks = points.iter().map(|point| seen(point).len()).sum::<usize>();
    let each = share / u32::try_from(benchmarks.max(1)).unwrap_or(u32::MAX);
    let mut group = criterion.benchmark_group(trap.name);
    // What is set for a group goes before criterion's flags, and here too a flag is to win.
    if !is_flagged("--warm-up-time") {
        group.warm_up_time(each / 4);
    }
    if !is_flagged("--measurement-time") {
        group.measurement_time(each * 3 / 4);
    }
    for point in &points {
        group.throughput(Throughput::Elements(point.n));
        seen(point).into_iter().for_each(|variant| bench(&mut group, variant, point));
    }
    group.finish();
}

fn is_flagged(flag: &str) -> bool {
    std::env::args().any(|arg| arg == flag)
}

fn bench(group: &mut BenchmarkGroup<'_, WallTime>, variant: &Variant, point: &Point) {
    let mut routine = None;
    group.bench_function(BenchmarkId::new(variant.name, point), |bencher| {
        // Built where criterion runs the benchmark, and not where it passes it over.
        let routine = routine.get_or_insert_with(|| (variant.batch)(point));
        bencher.iter_custom(|runs| {
            routine.block(Work::Runs(1));
            let pace = routine.block(work(routine.shape(), point.threads, runs));
            routine.rest();
            Duration::from_secs_f64(pace.ns_per_run * runs as f64 / 1e9)
        });
    });
}

// A team is timed as ratio times it, where a window has as many runs as there is time for.
fn work(shape: Shape, threads: usize, runs: u64) -> Work {
    let team = shape == Shape::Team && threads <= place::available();
    if team { Work::Window(WINDOW) } else { Work::Runs(runs) }
}

// From here on: the bench target, which starts the process that criterion runs in.

fn start_again(session: &mut Session<'_>) -> Result<(), SessionError> {
    session.progress.end();
    let executable = std::env::current_exe().unwrap_or_default();
    let verbose = session.args.criterion.iter().any(|flag| flag == "--verbose");
    let mut command = itself(&executable, session);
    let status = if verbose { command.status() } else { briefly(&mut command, &mut io::stdout()) };
    let status = status.map_err(|source| SessionError::Io { verb: "start", path: executable, source })?;
    session.put(Vec::new())?;
    println!("{SCOPE}");
    let page = home(session.args.quick).join("report/index.html");
    // There is none without plots.
    if page.exists() {
        println!("Criterion's report: {}", page.display());
    }
    if status.success() { Ok(()) } else { Err(SessionError::Criterion(status)) }
}

fn itself(executable: &std::path::Path, session: &Session<'_>) -> Command {
    let seen = session.traps.iter().filter(|t| t.blind_to(Instrument::Time).is_none());
    let names: Vec<_> = seen.map(|t| t.name).collect();
    let mut command = Command::new(executable);
    command.arg("--bench").args(&session.args.criterion).args(no_comparison(&session.args.criterion));
    command.env(CHOSEN, names.join(","));
    let set = [(QUICK, session.args.quick), (UNPINNED, session.args.unpinned)];
    command.envs(set.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| (name, "1")));
    command
}

// The flags that keep criterion from comparing, unless the user has named a baseline.
fn no_comparison(flags: &[String]) -> &'static [&'static str] {
    if flags.iter().any(|flag| flag.contains("baseline")) { &[] } else { &NO_BASELINE }
}

// Its lines are read as they come, and they come between measurements.
fn briefly(command: &mut Command, out: &mut impl Write) -> io::Result<ExitStatus> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let complaints = complaints(&mut child);
    let mut lines = Lines::default();
    for line in lines_of(child.stdout.take()) {
        if let Some(line) = lines.brief(&line) {
            // A closed pipe is the reader's way to say that it has seen enough.
            let _ = writeln!(out, "{line}");
        }
    }
    let status = child.wait()?;
    let _ = complaints.join();
    Ok(status)
}

const NOISES: &[&str] = &["Benchmarking ", "Warning: Unable to complete", "Gnuplot not found"];

// What is said on standard error is passed on, but for what criterion is doing, that it would like more time, and a plotter
// that it does without.
fn complaints(child: &mut Child) -> thread::JoinHandle<()> {
    let errors = child.stderr.take();
    let noise = |line: &String| NOISES.iter().any(|noise| line.starts_with(noise));
    thread::spawn(move || {
        lines_of(errors).filter(|line| !line.trim().is_empty() && !noise(line)).for_each(|line| eprintln!("{line}"));
    })
}

fn lines_of(output: Option<impl Read>) -> impl Iterator<Item = String> {
    output.into_iter().flat_map(|output| BufReader::new(output).lines()).map_while(Result::ok)
}

/// Makes one line of the lines that criterion prints of a benchmark; what it does not know, it passes on.
#[derive(Debug, Default)]
struct Lines {
    id: String,
    changes: bool,
}

impl Lines {
    fn brief(&mut self, line: &str) -> Option<String> {
        let said = line.trim();
        match said.split_once("time:") {
            Some((id, times)) => return self.timed(id.trim(), times.trim()),
            None if said.starts_with("thrpt:") || said.is_empty() || is_of_outliers(said) => return None,
            None => (),
        }
        if said == "change:" {
            self.changes = true;
            return None;
        }
        // A name that is too long for criterion's columns has a line of its own.
        if said.contains('/') && !said.contains(' ') {
            said.clone_into(&mut self.id);
            return None;
        }
        Some(if line.starts_with(' ') { format!("    {said}") } else { line.to_owned() })
    }

    fn timed(&mut self, id: &str, times: &str) -> Option<String> {
        if std::mem::take(&mut self.changes) {
            return Some(format!("    change: {times}"));
        }
        let known = std::mem::take(&mut self.id);
        Some(fitted(if id.is_empty() { &known } else { id }, times))
    }
}

// In 80 columns, with the estimate alone where the interval does not fit.
fn fitted(id: &str, times: &str) -> String {
    let whole = format!("{id:<48} {times}");
    if whole.chars().count() <= 80 {
        return whole;
    }
    let words: Vec<_> = times.trim_matches(['[', ']']).split(' ').collect();
    match words[..] {
        [_, _, estimate, unit, _, _] => format!("{id} {estimate} {unit}"),
        _ => whole,
    }
}

fn is_of_outliers(said: &str) -> bool {
    let ends = ["low severe", "low mild", "high mild", "high severe"];
    (said.starts_with("Found ") && said.contains("outliers among")) || ends.iter().any(|end| said.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_compared_unless_a_baseline_is_named() {
        let given =
            |flags: &[&str]| no_comparison(&flags.iter().map(|flag| (*flag).to_owned()).collect::<Vec<_>>()).len();
        assert_eq!((given(&[]), given(&["--noplot"])), (2, 2));
        assert_eq!(
            [given(&["--save-baseline", "old"]), given(&["--baseline", "old"]), given(&["--discard-baseline"])],
            [0; 3]
        );
    }

    fn brief(text: &str) -> Vec<String> {
        let mut lines = Lines::default();
        text.lines().filter_map(|line| lines.brief(line)).collect()
    }

    #[test]
    fn a_benchmark_is_one_line_whatever_the_length_of_its_name() {
        let short =
            "t/v/n=10                time:   [1.0 ns 1.1 ns 1.2 ns]\n   thrpt:  [1.0 Gelem/s 1.1 Gelem/s 1.2 Gelem/s]";
        assert_eq!(brief(short), [format!("{:<48} [1.0 ns 1.1 ns 1.2 ns]", "t/v/n=10")]);
        let long = "vec_growth/push_unsized/n=50000,plain\n             time:   [1.0 ms 1.1 ms 1.2 ms]\n\
            Found 2 outliers among 10 measurements (20.00%)\n  2 (20.00%) high mild\n\n";
        assert_eq!(brief(long), [format!("{:<48} [1.0 ms 1.1 ms 1.2 ms]", "vec_growth/push_unsized/n=50000,plain")]);
    }

    #[test]
    fn a_line_that_is_too_wide_keeps_the_estimate() {
        let id = "contended_map/hand_sharded_mutexes/n=1000,threads=8,reads=99,work=500ns";
        assert_eq!(brief(&format!("{id}\n    time:   [1.0 ms 1.1 ms 1.2 ms]")), [format!("{id} 1.1 ms")]);
    }

    #[test]
    fn a_comparison_with_a_named_baseline_is_kept() {
        let text = "t/v/n=10                time:   [1.0 ns 1.1 ns 1.2 ns]\n                 change:\n\
            \x20                       time:   [-1.0% +0.1% +1.2%] (p = 0.80 > 0.05)\n\
            \x20                       thrpt:  [-1.0% +0.1% +1.2%]\n\
            \x20                       No change in performance detected.";
        let expected = ["    change: [-1.0% +0.1% +1.2%] (p = 0.80 > 0.05)", "    No change in performance detected."];
        assert_eq!(brief(text)[1..], expected);
    }

    #[test]
    fn what_is_not_known_is_passed_on() {
        assert_eq!(brief("error: something else"), ["error: something else"]);
    }

    #[test]
    fn a_failure_keeps_its_status_and_what_was_measured() {
        let mut out = Vec::new();
        let script = "echo 'a/b/n=1   time:   [1 ns 2 ns 3 ns]'; exit 3";
        let status = briefly(Command::new("sh").args(["-c", script]), &mut out).expect("sh is there");
        assert_eq!(status.code(), Some(3));
        assert_eq!(String::from_utf8_lossy(&out), format!("{:<48} [1 ns 2 ns 3 ns]\n", "a/b/n=1"));
    }
}
