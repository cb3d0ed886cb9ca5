//! The heap instrument on a terminal: a pty must change what is seen, and nothing of what is counted.
//!
//! This executable is its own subject: started with `TRAPLINE_COUNTED` it is a `heap` target over the traps below.
//! Otherwise it is a test runner that starts it piped, and under `script`, which gives it a terminal.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::process::{Command, ExitCode, Output, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};
use trapline::record::{Archive, Record};
use trapline::trap::{Point, Trap, Variant, in_place, routine, team};
use trapline::traps::vec_growth;
use trapline::workload::own_work;

#[global_allocator]
static ALLOCATOR: trapline::lab::heap::Alloc = trapline::lab::heap::Alloc;

const COUNTED: &str = "TRAPLINE_COUNTED";
// How often each way: with a ticker in the process, four runs of five on a terminal were wrong.
const TIMES: usize = 3;

fn main() -> ExitCode {
    if std::env::var_os(COUNTED).is_some() {
        return trapline::lab::heap::main(TRAPS);
    }
    let trials = CHECKS.iter().map(|&(name, check)| Trial::test(name, move || check(&Lab::new()?)));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

// The traps.

const fn trap(name: &'static str, points: &'static [Point], variants: &'static [Variant]) -> Trap {
    let (title, section, habit, counts, op) = ("Counted", "tests", "none", "numbers", "one number");
    Trap { name, title, section, habit, claims: &[], counts, op, points, cases: &[], variants, blind: &[] }
}

// The catalog's own, at points that a debug build counts in little time.
const GROWTH: Trap = Trap {
    points: &[
        Point::n(100).case("plain"),
        Point::n(10_000).case("plain").headline(),
        Point::n(100).case("owning"),
        Point::n(1_000).case("owning"),
    ],
    cases: &[("plain", "a record owns no memory"), ("owning", "each record owns a heap string")],
    ..vec_growth::TRAP
};

const ON_TWO: &[Point] = &[Point::n(2).threads(2).headline()];
const SMALL_AND_LARGE: &[Point] = &[Point::n(1_000).headline(), Point::n(2_000)];
const MANY: &[Point] = &{
    let mut points = [Point::n(1).headline(); 200];
    let mut at = 0;
    while at < points.len() {
        points[at].n = at as u64 + 1;
        at += 1;
    }
    points
};

static TRAPS: &[Trap] = &[
    GROWTH,
    trap(
        "idle_team",
        ON_TWO,
        &[
            Variant::trap("idle", |p| team(p.threads, (), |(), _| 1, |(), sum| sum)),
            Variant::fix("boxing", |p| team(p.threads, (), |(), _| *std::hint::black_box(Box::new(1)), |(), sum| sum)),
        ],
    ),
    trap(
        "kept",
        SMALL_AND_LARGE,
        &[
            Variant::trap("fresh", |p| routine(p.n, |n| numbers(*n, Vec::new()))),
            Variant::fix("reused", |p| in_place((p.n, Vec::new()), refill, |(_, kept)| kept)),
            Variant::fix("filled_before", |p| in_place((p.n, numbers(p.n, Vec::new())), refill, |(_, kept)| kept))
                .up_to(1_000, "quadratic"),
            Variant::fix("replaced", |p| {
                in_place((p.n, numbers(p.n, Vec::new())), |(n, kept)| *kept = numbers(*n, Vec::new()), |(_, kept)| kept)
            }),
        ],
    ),
    trap(
        "slow",
        MANY,
        &[
            Variant::trap("once", |_| routine(1_000_000, |steps| own_work(*steps, 1))),
            Variant::fix("again", |_| routine(1_000_000, |steps| own_work(*steps, 1))),
        ],
    ),
];

fn refill((n, kept): &mut (u64, Vec<u64>)) {
    *kept = numbers(*n, std::mem::take(kept));
}

fn numbers(n: u64, mut kept: Vec<u64>) -> Vec<u64> {
    kept.clear();
    kept.reserve_exact(n as usize);
    kept.extend(0..n);
    kept
}

// The lab: a target directory of its own.

struct Lab {
    target: tempfile::TempDir,
}

type Checked = Result<(), Failed>;
type Check = (&'static str, fn(&Lab) -> Checked);

impl Lab {
    fn new() -> std::io::Result<Self> {
        Ok(Self { target: tempfile::tempdir()? })
    }

    fn piped(&self, filter: &str) -> Result<Output, Failed> {
        let mut command = Command::new(std::env::current_exe()?);
        Ok(self.at_home(command.arg(filter)).output()?)
    }

    // Under a terminal of 80 columns, whose keyboard is the standard input of what is returned.
    fn on_a_terminal(&self, filter: &str) -> Result<Command, Failed> {
        let exe = std::env::current_exe()?;
        let line = format!("stty cols 80 rows 24; exec '{}' {filter}", exe.display());
        let mut command = Command::new("script");
        self.at_home(command.args(["-qec", &line, "/dev/null"])).stdin(Stdio::piped()).stdout(Stdio::piped());
        Ok(command)
    }

    fn at_home<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env(COUNTED, "1").env("CARGO_TARGET_DIR", self.target.path()).env("TERM", "xterm")
    }

    fn archive(&self) -> Result<Archive, Failed> {
        Ok(Archive::read_folder(&self.target.path().join("trapline/records"))?)
    }

    // As they stand in the file, but for the name of the run; of moves only that they are there. They are the heap's doing:
    // piped, three runs in a row gave 1, 0 and between 1 and 3 for one cell.
    fn records(&self) -> Result<Vec<String>, Failed> {
        let nameless = |record: &Record| Record { run: String::new(), ..record.clone() };
        let told = |record: Record| match record.metric.as_deref() {
            Some("moves") => Record { value: None, low: None, high: None, samples: Vec::new(), ..record },
            _ => record,
        };
        let text = |record: &Record| serde_json::to_string(&told(nameless(record)));
        Ok(self.archive()?.records.iter().map(text).collect::<Result<_, _>>()?)
    }
}

fn started(command: &mut Command) -> Result<std::process::Child, Failed> {
    command.spawn().map_err(|e| {
        let how = "on Debian or Ubuntu: apt-get install bsdutils; elsewhere: util-linux";
        format!("`script`, which gives a program a terminal, does not start: {e}; {how}").into()
    })
}

fn holds(truth: bool, what: &str) -> Checked {
    if truth { Ok(()) } else { Err(what.into()) }
}

fn is_equal<T: PartialEq + std::fmt::Debug>(got: &T, expected: &T, what: &str) -> Checked {
    holds(got == expected, &format!("{what}: expected {expected:?}, got {got:?}"))
}

fn are_equal(got: &[String], expected: &[String], where_from: &str) -> Checked {
    is_equal(&got.len(), &expected.len(), &format!("records {where_from}"))?;
    got.iter().zip(expected).try_for_each(|(got, expected)| is_equal(got, expected, where_from))
}

// The progress line is the last thing that was drawn, and then it was cleared.
fn leaves_no_progress_behind(screen: &str) -> Checked {
    holds(!screen.contains("\x1b[?25l"), "the cursor is never hidden")?;
    let drawn = screen.rfind(" left: ").ok_or_else(|| format!("no bar was drawn on the terminal:\n{screen:?}"))?;
    holds(screen[drawn..].contains("\x1b[2K"), &format!("the bar is left behind: {:?}", &screen[drawn..]))
}

/// The counts of each variant at the point of that n, by metric.
fn counts(archive: &Archive, trap: &str, n: u64) -> BTreeMap<String, BTreeMap<String, Vec<f64>>> {
    let mut counts: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for record in archive.records.iter().filter(|r| r.trap == trap && r.n == n) {
        let metric = record.metric.clone().or_else(|| record.blind.clone()).unwrap_or_default();
        counts.entry(record.variant.clone()).or_default().insert(metric, record.samples.clone());
    }
    counts
}

// The checks.

const CHECKS: &[Check] = &[
    ("a_terminal_changes_no_count", same_counts),
    ("piped_there_is_one_line_a_trap_and_no_bar", piped_lines),
    ("handing_work_to_a_team_allocates_nothing", idle_team),
    ("what_a_run_leaves_behind_is_held", held),
    ("ctrl_c_leaves_the_terminal_as_it_was", ctrl_c),
];

fn same_counts(_: &Lab) -> Checked {
    let piped = Lab::new()?;
    holds(piped.piped("vec_growth")?.status.success(), "the piped run succeeds")?;
    let expected = piped.records()?;
    holds(expected.len() > 50, "the records are there")?;
    for _ in 0..TIMES {
        let (piped, terminal) = (Lab::new()?, Lab::new()?);
        holds(piped.piped("vec_growth")?.status.success(), "the piped run succeeds")?;
        let output = started(&mut terminal.on_a_terminal("vec_growth")?)?.wait_with_output()?;
        let screen = String::from_utf8_lossy(&output.stdout);
        holds(output.status.success(), &format!("the run on the terminal succeeds:\n{screen}"))?;
        leaves_no_progress_behind(&screen)?;
        are_equal(&piped.records()?, &expected, "piped again")?;
        are_equal(&terminal.records()?, &expected, "on a terminal")?;
    }
    Ok(())
}

fn piped_lines(lab: &Lab) -> Checked {
    let output = lab.piped("idle")?;
    let said = String::from_utf8_lossy(&output.stderr);
    is_equal(&said.as_ref(), &"heap: counting the blocks of idle_team\n", "standard error")
}

fn idle_team(lab: &Lab) -> Checked {
    holds(lab.piped("idle")?.status.success(), "it is counted")?;
    let counts = counts(&lab.archive()?, "idle_team", 2);
    is_equal(&counts["idle"]["blocks"], &vec![0.0; 3], "blocks of a team that does nothing")?;
    is_equal(&counts["idle"]["held_bytes"], &vec![0.0; 3], "bytes held by a team that does nothing")?;
    is_equal(&counts["boxing"]["blocks"], &vec![2.0; 3], "blocks of a team of two that box")
}

fn held(lab: &Lab) -> Checked {
    holds(lab.piped("kept")?.status.success(), "it is counted")?;
    let archive = lab.archive()?;
    let (small, large) = (counts(&archive, "kept", 1_000), counts(&archive, "kept", 2_000));
    let bytes = |variant: &str| (small[variant]["peak_bytes"].clone(), small[variant]["held_bytes"].clone());
    let thrice = |peak, held| (vec![peak; 3], vec![held; 3]);
    is_equal(&bytes("fresh"), &thrice(8_000.0, 0.0), "a fresh buffer is dropped")?;
    is_equal(&bytes("reused"), &thrice(0.0, 8_000.0), "a reused one is held")?;
    is_equal(&bytes("filled_before"), &thrice(0.0, 0.0), "what it was built with is not its own doing")?;
    is_equal(&bytes("replaced"), &thrice(8_000.0, 0.0), "what takes the place of an equal one adds nothing")?;
    is_equal(
        &large["filled_before"].keys().cloned().collect::<Vec<_>>(),
        &vec!["quadratic".to_owned()],
        "why it is left out",
    )
}

// Typed on the keyboard of the terminal: what reaches the process is what a user's Ctrl-C does.
fn ctrl_c(lab: &Lab) -> Checked {
    let mut run = started(&mut lab.on_a_terminal("slow")?)?;
    let (mut keyboard, mut screen) = (run.stdin.take().ok_or("stdin")?, run.stdout.take().ok_or("stdout")?);
    let mut shown = Vec::new();
    while !String::from_utf8_lossy(&shown).contains("slow at n=2:") {
        let mut some = [0; 256];
        let length = screen.read(&mut some)?;
        holds(length > 0, &format!("it ended too early: {}", String::from_utf8_lossy(&shown)))?;
        shown.extend(&some[..length]);
    }
    keyboard.write_all(b"\x03")?;
    screen.read_to_end(&mut shown)?;
    is_equal(&run.wait()?.code(), &Some(130), "the exit code")?;
    leaves_no_progress_behind(&String::from_utf8_lossy(&shown))?;
    let run = lab.archive()?.runs.pop().ok_or("the run is there")?;
    is_equal(&run.partial.as_deref(), &Some("interrupted while slow was counted"), "what the run says")
}
