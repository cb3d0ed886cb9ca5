//! Bad input and faults, by running a bench target over traps that were doctored for it.
//!
//! This executable is its own subject: started with `TRAPLINE_DOCTORED` it is a `ratio` target over the traps below, and its
//! forks are started from it in turn. Otherwise it is a test runner.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use trapline::record::{Archive, Record, Sweeps};
use trapline::trap::{Point, Trap, Variant, routine};

const DOCTORED: &str = "TRAPLINE_DOCTORED";

fn main() -> ExitCode {
    if std::env::var_os(DOCTORED).is_some() {
        return trapline::lab::ratio::main(TRAPS);
    }
    let trials = CHECKS.iter().map(|&(name, check)| Trial::test(name, move || check(&Lab::new()?)));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

// The traps.

const POINTS: &[Point] = &[Point::n(1_000).headline(), Point::n(20_000)];

const fn trap(name: &'static str, variants: &'static [Variant]) -> Trap {
    Trap {
        name,
        title: "Doctored",
        section: "tests",
        habit: "none",
        claims: &[],
        counts: "numbers",
        op: "one number mixed",
        points: POINTS,
        cases: &[],
        variants,
        blind: &[],
    }
}

static TRAPS: &[Trap] = &[
    trap(
        "sound",
        &[
            Variant::trap("forwards", |p| routine(p.n, |n| mix(*n))),
            Variant::fix("again", |p| routine(p.n, |n| mix(*n))),
        ],
    ),
    trap(
        "sound_too",
        &[
            Variant::trap("forwards", |p| routine(p.n, |n| mix(*n))),
            Variant::fix("again", |p| routine(p.n, |n| mix(*n))),
        ],
    ),
    trap(
        "skips_last",
        &[
            Variant::trap("whole", |p| routine(p.n, |n| mix(*n))),
            Variant::fix("short", |p| routine(p.n, |n| mix(*n - 1))),
        ],
    ),
    trap(
        "crashes",
        &[
            Variant::trap("stands", |p| routine(p.n, |n| mix(*n))),
            Variant::fix("falls", |p| routine(p.n, |n| in_fork(*n, std::process::abort))),
        ],
    ),
    trap(
        "hangs",
        &[
            Variant::trap("moves", |p| routine(p.n, |n| mix(*n))),
            Variant::fix("stays", |p| routine(p.n, |n| in_fork(*n, wait))),
        ],
    ),
    trap("removed", &[Variant::trap("works", |p| routine(p.n, |_| 7)), Variant::fix("idles", |p| routine(p.n, |_| 7))]),
    Trap {
        points: &[Point::n(20_000).headline(), Point::n(1_000)],
        ..trap(
            "never_grows",
            &[
                Variant::trap("works", |p| routine(p.n, |_| mix(1_000))),
                Variant::fix("idles", |p| routine(p.n, |_| mix(1_000))),
            ],
        )
    },
];

fn mix(n: u64) -> u64 {
    (1..=n).fold(0, |sum: u64, k| std::hint::black_box(sum ^ k).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

// The check in the parent must pass, so that the fault comes where it is looked for.
fn in_fork(n: u64, fault: fn() -> !) -> u64 {
    if std::env::args().any(|arg| arg == "--trapline-fork") { fault() } else { mix(n) }
}

fn wait() -> ! {
    loop {
        std::thread::park();
    }
}

// The lab: a target directory of its own.

struct Lab {
    target: tempfile::TempDir,
}

type Checked = Result<(), Failed>;

impl Lab {
    fn new() -> std::io::Result<Self> {
        Ok(Self { target: tempfile::tempdir()? })
    }

    fn command(&self, line: &str) -> std::io::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(line.split_whitespace()).env(DOCTORED, "1").env("CARGO_TARGET_DIR", self.target.path());
        // Without a cargo to link again there is one layout, which is what these checks want.
        command.env_remove("CARGO");
        Ok(command)
    }

    fn run(&self, line: &str) -> std::io::Result<Output> {
        self.command(line)?.output()
    }

    fn folder(&self) -> PathBuf {
        self.target.path().join("trapline/records")
    }

    fn file(&self) -> PathBuf {
        self.folder().join("ratio.jsonl")
    }

    fn archive(&self) -> Result<Archive, Failed> {
        Ok(Archive::read_folder(&self.folder())?)
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn exits(output: &Output, code: i32) -> Checked {
    if output.status.code() == Some(code) {
        return Ok(());
    }
    Err(format!("expected exit code {code}, got {}; it said:\n{}", output.status, said(output)).into())
}

fn tells(text: &str, words: &[&str]) -> Checked {
    match words.iter().find(|word| !text.contains(**word)) {
        Some(word) => Err(format!("'{word}' is not in:\n{text}").into()),
        None => Ok(()),
    }
}

fn holds(truth: bool, what: &str) -> Checked {
    if truth { Ok(()) } else { Err(what.into()) }
}

fn rows<'a>(archive: &'a Archive, trap: &str, variant: &str) -> Vec<&'a Record> {
    archive.records.iter().filter(|r| r.trap == trap && r.variant == variant).collect()
}

fn is_measured(rows: &[&Record]) -> bool {
    !rows.is_empty() && rows.iter().all(|r| r.value.is_some() && r.failed.is_none())
}

fn is_failed(rows: &[&Record], words: &[&str]) -> Checked {
    holds(!rows.is_empty() && rows.iter().all(|r| r.value.is_none()), "a failed row must have no value")?;
    rows.iter().try_for_each(|row| tells(row.failed.as_deref().unwrap_or_default(), words))
}

// The checks.

type Check = (&'static str, fn(&Lab) -> Checked);

const CHECKS: &[Check] = &[
    ("a_fix_that_skips_the_last_element_is_refused_before_timing", skipping),
    ("a_run_with_nothing_left_to_measure_ends_at_once", nothing_left),
    ("a_crash_fails_its_row_and_the_rest_is_measured", crash),
    ("a_hang_fails_its_row_and_the_rest_is_measured", hang),
    ("work_that_the_compiler_removed_is_refused", removed),
    ("an_n_that_costs_nothing_is_refused_after_it_was_measured", never_grows),
    ("an_unknown_filter_names_what_is_near", unknown_filter),
    ("too_few_layouts_are_refused_with_a_reason", too_few_layouts),
    ("a_damaged_file_is_set_aside_and_its_good_lines_kept", damaged),
    ("a_target_directory_that_cannot_be_written_is_named", unwritable),
    ("an_interrupted_run_keeps_its_finished_forks", interrupted),
    ("a_run_that_is_to_end_in_time_ends_as_if_it_was_interrupted", in_time),
    ("without_a_relink_there_is_one_layout_and_a_caveat", one_layout),
    ("rows_of_traps_that_were_not_chosen_stay", not_chosen),
    ("solo_measures_every_arm_in_a_process_of_its_own", solo),
    ("list_and_test_measure_nothing", list_and_test),
    ("criterions_flags_are_ignored_with_one_line", criterions_flags),
];

fn skipping(lab: &Lab) -> Checked {
    let output = lab.run("skips sound_too --quick --layouts 3")?;
    exits(&output, 1)?;
    let digests: Vec<_> = [1_000, 999].map(|n| format!("{:016x}", trapline::routine::digest_of(&mix(n)))).into();
    tells(&said(&output), &["skips_last at n=1000", "short", "whole", &digests[0], &digests[1]])?;
    let archive = lab.archive()?;
    is_failed(&rows(&archive, "skips_last", "whole"), &["nothing of skips_last is timed"])?;
    holds(is_measured(&rows(&archive, "sound_too", "again")), "the other trap is measured")
}

fn nothing_left(lab: &Lab) -> Checked {
    let output = lab.run("skips --quick")?;
    exits(&output, 1)?;
    holds(!said(&output).contains("layout"), "nothing is linked where nothing is measured")
}

fn crash(lab: &Lab) -> Checked {
    let output = lab.run("crashes --quick --layouts 3")?;
    exits(&output, 1)?;
    let archive = lab.archive()?;
    is_failed(&rows(&archive, "crashes", "falls"), &["signal 6", "SIGABRT"])?;
    holds(is_measured(&rows(&archive, "crashes", "stands")), "the trap is measured")?;
    holds(is_measured(&rows(&archive, "crashes", "same")), "the control is measured")
}

fn hang(lab: &Lab) -> Checked {
    let output = lab.run("hangs --quick --layouts 3 --fork-timeout 2")?;
    exits(&output, 1)?;
    let archive = lab.archive()?;
    is_failed(&rows(&archive, "hangs", "stays"), &["no word for 2 s"])?;
    holds(is_measured(&rows(&archive, "hangs", "moves")), "the trap is measured")
}

fn removed(lab: &Lab) -> Checked {
    let output = lab.run("removed --layouts 3 --processes 1")?;
    exits(&output, 1)?;
    let archive = lab.archive()?;
    is_failed(&at(&archive, "removed", 20_000), &["refused", "the compiler removed the work"])
}

// Also where the larger n comes first, as headline points do: then it is refused after it was measured.
fn never_grows(lab: &Lab) -> Checked {
    let output = lab.run("never_grows --layouts 3 --processes 2")?;
    exits(&output, 1)?;
    let archive = lab.archive()?;
    is_failed(
        &at(&archive, "never_grows", 20_000),
        &["20000 numbers take", "1000 take", "the compiler removed the work"],
    )?;
    holds(at(&archive, "never_grows", 1_000).iter().all(|r| r.failed.is_none()), "the smaller n is measured")
}

fn at<'a>(archive: &'a Archive, trap: &str, n: u64) -> Vec<&'a Record> {
    rows(archive, trap, "works").into_iter().filter(|r| r.n == n).collect()
}

fn unknown_filter(lab: &Lab) -> Checked {
    let output = lab.run("sond --quick")?;
    exits(&output, 2)?;
    tells(&said(&output), &["sond", "near names", "sound"])?;
    holds(!lab.folder().exists(), "nothing is written")
}

fn too_few_layouts(lab: &Lab) -> Checked {
    for line in ["--layouts 1", "--layouts 2", "--layouts x"] {
        let output = lab.run(line)?;
        exits(&output, 2)?;
        tells(&said(&output), &["--layouts", "3 or more"])?;
    }
    let output = lab.run("--forks 10")?;
    exits(&output, 2)?;
    tells(&said(&output), &["--layouts", "--processes"])
}

fn damaged(lab: &Lab) -> Checked {
    exits(&lab.run("sound_too --quick --layouts 3")?, 0)?;
    let good = fs::read_to_string(lab.file())?;
    let broken = good.replacen('\n', "\n{\"trap\": \"half a li\n", 1);
    fs::write(lab.file(), &broken)?;
    let output = lab.run("crashes --test")?;
    exits(&output, 0)?;
    let output = lab.run("skips_last --quick --layouts 3")?;
    tells(&said(&output), &["ratio.jsonl:2:", "set aside", "ratio.jsonl.damaged-1"])?;
    holds(fs::read_to_string(lab.folder().join("ratio.jsonl.damaged-1"))? == broken, "the damaged file is untouched")?;
    let archive = lab.archive()?;
    holds(archive.damage.is_empty(), "the new file is sound")?;
    holds(is_measured(&rows(&archive, "sound_too", "again")), "the good lines are kept")
}

fn unwritable(lab: &Lab) -> Checked {
    let file = lab.target.path().join("a file");
    fs::write(&file, "in the way")?;
    let output = lab.command("sound_too --quick --layouts 3")?.env("CARGO_TARGET_DIR", &file).output()?;
    exits(&output, 1)?;
    tells(&said(&output), &["cannot make the folder", "a file"])?;
    holds(fs::read_to_string(&file)? == "in the way", "what was there is untouched")
}

fn interrupted(lab: &Lab) -> Checked {
    // One trap, so that a sweep is one process: of several, those that were done with the last sweep would count as well.
    let mut run = lab.command("sound_too --layouts 500")?.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    wait_for_a_fork(&lab.file())?;
    let kill = Command::new("kill").args(["-INT", &run.id().to_string()]).status()?;
    holds(kill.success(), "the signal is sent")?;
    let status = run.wait()?;
    holds(status.code() == Some(130), &format!("an interrupted run exits with 130, not {status}"))?;
    let archive = lab.archive()?;
    let run = archive.runs.last().ok_or("the run is there")?;
    let sweeps = run.sweeps.ok_or("the sweeps are counted")?;
    let planned = 500 * Sweeps::PROCESSES;
    holds(sweeps.planned() == planned && (1..planned).contains(&sweeps.finished), "some sweeps have finished")?;
    let complete = |r: &Record| r.samples.len() == sweeps.finished;
    holds(archive.records.iter().filter(|r| r.headline).all(complete), "headlines rest on all finished sweeps")?;
    let report = fs::read_to_string(lab.target.path().join("trapline/report.md"))?;
    tells(&report.to_lowercase(), &["partial", &sweeps.finished.to_string()])
}

fn in_time(lab: &Lab) -> Checked {
    let output = lab.command("sound_too --layouts 500")?.env("TRAPLINE_WITHIN", "2").output()?;
    exits(&output, 130)?;
    holds(!said(&output).contains("left behind"), "the clock is nobody's thread")?;
    let archive = lab.archive()?;
    let partial = archive.runs.last().and_then(|run| run.partial.as_deref()).unwrap_or_default();
    holds(partial.starts_with("interrupted "), "the run says that it ended early")
}

fn wait_for_a_fork(file: &Path) -> Checked {
    let start = Instant::now();
    while !fs::read_to_string(file).is_ok_and(|text| text.contains("ns_per_op")) {
        holds(start.elapsed() < Duration::from_secs(120), "a fork finishes at last")?;
        std::thread::yield_now();
    }
    Ok(())
}

fn one_layout(lab: &Lab) -> Checked {
    let output = lab.run("sound_too --quick --layouts 3")?;
    exits(&output, 0)?;
    tells(&said(&output), &["one code layout only", "not started by cargo"])?;
    let archive = lab.archive()?;
    let layouts = archive.runs[0].layouts.clone().ok_or("the layouts are told")?;
    holds(layouts.distinct == 1 && layouts.one.is_some(), "there is one layout, and why")?;
    tells(&fs::read_to_string(lab.target.path().join("trapline/report.md"))?, &["one code layout"])
}

fn not_chosen(lab: &Lab) -> Checked {
    exits(&lab.run("sound_too --quick --layouts 3")?, 0)?;
    let before = lab.archive()?;
    exits(&lab.run("crashes --quick --layouts 3")?, 1)?;
    let after = lab.archive()?;
    holds(after.runs.len() == 2, "both runs are there")?;
    let kept: Vec<_> = after.records.iter().filter(|r| r.trap == "sound_too").cloned().collect();
    holds(kept == before.records, "the rows of the first are as they were, with their own run id")
}

fn solo(lab: &Lab) -> Checked {
    exits(&lab.run("sound_too --quick --layouts 3 --solo")?, 0)?;
    let archive = lab.archive()?;
    holds(archive.runs[0].solo, "the run says so")?;
    holds(is_measured(&rows(&archive, "sound_too", "again")), "the fix is measured")?;
    holds(is_measured(&rows(&archive, "sound_too", "same")), "the control is measured")
}

fn list_and_test(lab: &Lab) -> Checked {
    let listed = lab.run("sound --list")?;
    exits(&listed, 0)?;
    tells(
        &String::from_utf8_lossy(&listed.stdout),
        &["sound/again/n=1000: benchmark", "sound/again/n=20000: benchmark"],
    )?;
    let tested = lab.run("skips --test")?;
    exits(&tested, 1)?;
    tells(&said(&tested), &["skips_last", "short", "whole"])?;
    exits(&lab.run("sound --test")?, 0)?;
    holds(!lab.folder().exists(), "nothing is written")
}

fn criterions_flags(lab: &Lab) -> Checked {
    let output = lab.run("sound_too --quick --layouts 3 --save-baseline old --noplot")?;
    exits(&output, 0)?;
    let told = said(&output);
    tells(&told, &["ignores --save-baseline old --noplot"])?;
    holds(told.matches("ignores").count() == 1, "it says so once")
}
