//! Planted truths for the usage instrument, by running a bench target over traps that were made for it: what an op adds to what is
//! held is known to the byte, the thread and the file.
//!
//! This executable is its own subject: started with `TRAPLINE_PLANTED` it is a `usage` target over the traps below, and its processes
//! are started from it in turn. Otherwise it is a test runner.

use std::fs::File;
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use trapline::record::{Archive, Record};
use trapline::trap::{Hold, Point, Trap, Variant, routine};

const PLANTED: &str = "TRAPLINE_PLANTED";

fn main() -> ExitCode {
    if std::env::var_os(PLANTED).is_some() {
        return trapline::lab::usage::main(TRAPS);
    }
    let trials = CHECKS.iter().map(|&(name, check)| Trial::test(name, check));
    let trials = trials.map(|trial| trial.with_ignored_flag(cfg!(not(target_os = "linux"))));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

// The traps.

const fn trap(name: &'static str, points: &'static [Point], variants: &'static [Variant]) -> Trap {
    Trap {
        name,
        title: "Planted",
        section: "tests",
        habit: "none",
        claims: &[],
        counts: "ops",
        op: "one op",
        points,
        cases: &[],
        variants,
        blind: &[],
    }
}

const fn arm(variant: Variant, hold: fn(&Point) -> Hold) -> Variant {
    variant.hold(hold)
}

const LEAK: usize = 64 << 10;
// Of bytes there are enough to drown what else the process does.
const MANY: &[Point] = &[Point::n(800).held().headline()];
const FEW: &[Point] = &[Point::n(80).held().headline()];

static TRAPS: &[Trap] = &[
    trap(
        "bytes",
        MANY,
        &[
            arm(Variant::trap("leaks", |_| routine((), |()| 1)), |_| holding(|| vec![1_u8; LEAK])),
            arm(Variant::fix("keeps", |_| routine((), |()| 1)), |_| Box::new(|_| ())),
        ],
    ),
    trap(
        "threads",
        FEW,
        &[
            arm(Variant::trap("leaks", |_| routine((), |()| 1)), |_| holding(|| std::thread::spawn(std::thread::park))),
            arm(Variant::fix("keeps", |_| routine((), |()| 1)), |_| Box::new(|_| ())),
        ],
    ),
    trap(
        "files",
        FEW,
        &[
            arm(Variant::trap("leaks", |_| routine((), |()| 1)), |_| holding(|| File::open("/proc/self/stat"))),
            arm(Variant::fix("keeps", |_| routine((), |()| 1)), |_| Box::new(|_| ())),
        ],
    ),
    trap(
        "falls",
        FEW,
        &[
            arm(Variant::trap("stands", |_| routine((), |()| 1)), |_| Box::new(|_| ())),
            arm(Variant::fix("falls", |_| routine((), |()| 1)), |_| in_process(20)),
        ],
    ),
];

// Keeps what each op makes.
fn holding<T: 'static>(make: impl Fn() -> T + 'static) -> Hold {
    let mut kept = Vec::new();
    Box::new(move |ops| kept.extend((0..ops).map(|_| make())))
}

// The check, which does 8 ops, must pass, so that the fault comes where it is looked for.
fn in_process(last: u64) -> Hold {
    let mut done = 0;
    Box::new(move |ops| {
        done += ops;
        assert!(done <= last, "cannot start worker {last}: no thread is left");
    })
}

// The checks.

type Checked = Result<(), Failed>;

fn measured(filter: &str) -> Result<(i32, Vec<Record>), Failed> {
    let target = tempfile::tempdir()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args([filter, "--quick"]).env(PLANTED, "1").env("CARGO_TARGET_DIR", target.path()).env_remove("CARGO");
    let status = command.output()?.status.code().ok_or("it was killed")?;
    let archive = Archive::read_tree(&target.path().join("trapline/records"))?;
    Ok((status, archive.records))
}

fn value(records: &[Record], variant: &str, metric: &str) -> Result<f64, Failed> {
    let found = records.iter().find(|r| r.variant == variant && r.metric.as_deref() == Some(metric));
    Ok(found.and_then(|r| r.value).ok_or_else(|| format!("no {metric} of {variant}"))?)
}

fn within(value: f64, low: f64, high: f64) -> Checked {
    if (low..=high).contains(&value) { Ok(()) } else { Err(format!("{value} is not within {low} and {high}").into()) }
}

type Check = (&'static str, fn() -> Checked);

const CHECKS: &[Check] = &[
    ("a_leak_of_64_kib_an_op_has_that_slope_within_two_parts_in_a_hundred", || {
        let (status, records) = measured("bytes")?;
        within(f64::from(status), 0.0, 0.0)?;
        let leak = LEAK as f64;
        within(value(&records, "leaks", "rss_bytes_per_op")?, 0.98 * leak, 1.02 * leak)?;
        within(value(&records, "keeps", "rss_bytes_per_op")?, -0.01 * leak, 0.01 * leak)
    }),
    ("a_thread_an_op_is_one_and_none_is_none", || {
        let (_, records) = measured("threads")?;
        within(value(&records, "leaks", "threads_per_op")?, 1.0, 1.0)?;
        within(value(&records, "keeps", "threads_per_op")?, 0.0, 0.0)
    }),
    ("a_file_an_op_is_one_and_none_is_none", || {
        let (_, records) = measured("files")?;
        within(value(&records, "leaks", "open_files_per_op")?, 1.0, 1.0)?;
        within(value(&records, "keeps", "open_files_per_op")?, 0.0, 0.0)
    }),
    ("an_arm_that_falls_has_failed_in_its_own_words_and_the_others_are_measured", || {
        let (status, records) = measured("falls")?;
        within(f64::from(status), 1.0, 1.0)?;
        let why = records.iter().find_map(|r| r.failed.as_deref()).ok_or("nothing failed")?;
        if !why.contains("cannot start worker 20: no thread is left") {
            return Err(why.into());
        }
        within(value(&records, "stands", "threads_per_op")?, 0.0, 0.0)
    }),
];
