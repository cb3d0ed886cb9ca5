//! The circumstances of a measurement: no provenance, no number.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::trap::{Instrument, Trap};

/// The version of the records' shape.
pub const SCHEMA: u32 = 3;

/// One run of one bench target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The version of the records' shape; also what tells a run's line from a record's.
    pub schema: u32,
    /// The run's id.
    pub run: String,
    /// What measured.
    pub instrument: Instrument,
    /// When it started, in UTC (RFC 3339).
    pub started: String,
    /// The name of the bench target.
    pub target: String,
    /// The command line.
    pub command: String,
    /// Whether it was a `--quick` one.
    pub quick: bool,
    /// Whether each arm had a process of its own (`--solo`).
    pub solo: bool,
    /// Whether its threads ran wherever the kernel put them (`--unpinned`).
    pub unpinned: bool,
    /// How many layouts and processes, where the instrument forks.
    pub sweeps: Option<Sweeps>,
    /// Which code layouts, where the instrument relinks.
    pub layouts: Option<Layouts>,
    /// Why it ended early, if it did.
    pub partial: Option<String>,
    /// What the chosen traps say of themselves.
    pub traps: Vec<TrapNote>,
    /// The core probe before the first pass and after each one.
    pub probes: Vec<CoreProbe>,
    /// The share of the machine's CPU time that its host gave to others (steal) while forks ran; null where it can't be read.
    pub stolen: Option<f64>,
    /// The machine, the build and the commit.
    pub provenance: Provenance,
    /// The folder that it was read from, where several were read; not kept in the file.
    #[serde(skip)]
    pub source: String,
}

impl Run {
    /// Whether results of both belong in one column of the report: one machine, one allocator, one way of forking, one sitting.
    #[must_use]
    pub fn same_column(&self, other: &Self) -> bool {
        let ground = |r: &Self| (r.provenance.cpu.clone(), r.provenance.allocator.clone());
        let column = |r: &Self| (ground(r), r.solo, r.unpinned, r.source.clone());
        column(self) == column(other)
    }
}

/// How many processes were asked for, and how many have finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sweeps {
    /// Layouts that were asked for.
    pub layouts: usize,
    /// Processes of each, which are as many passes over all layouts.
    pub processes: usize,
    /// Sweeps over all chosen traps that have finished, of `layouts` × `processes`.
    pub finished: usize,
}

impl Sweeps {
    /// Layouts of a full run, unless others are asked for.
    pub const LAYOUTS: usize = 10;
    /// Processes of each, so that each of the four places that a block of glibc's can have in a cache line has one or two.
    pub const PROCESSES: usize = 6;

    /// How many sweeps were asked for.
    #[must_use]
    pub const fn planned(&self) -> usize {
        self.layouts * self.processes
    }
}

impl Run {
    /// How many different code layouts it drew from; none where there was only the one that cargo linked.
    #[must_use]
    pub fn links(&self) -> usize {
        self.layouts.as_ref().filter(|layouts| layouts.one.is_none()).map_or(0, |layouts| layouts.distinct)
    }
}

impl Layouts {
    /// Fewer are no sample of the links to come: with two, t(0.975, 1) is 12.7.
    pub const FEWEST: usize = 3;
}

/// The code layouts that the forks ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layouts {
    /// The seed of the first one; the next ones follow it.
    pub seed: u64,
    /// How many different ones there were.
    pub distinct: usize,
    /// Why there was only the one that cargo linked, if so.
    pub one: Option<String>,
}

/// What a trap says of itself, so that a report needs records only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrapNote {
    /// Its name.
    pub name: String,
    /// The habit in five words.
    pub title: String,
    /// The section of the catalog.
    pub section: String,
    /// The Go habit, in one sentence.
    pub habit: String,
    /// Ids of the claims that it tests.
    pub claims: Vec<String>,
    /// What `n` counts.
    pub counts: String,
    /// What one op is.
    pub op: String,
    /// What each word of its cases means; nothing in records that were written before traps said so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<(String, String)>,
    /// The instruments that have no results of it, each with the reason.
    #[serde(default)]
    pub unseen: Vec<(Instrument, String)>,
}

impl From<&Trap> for TrapNote {
    fn from(trap: &Trap) -> Self {
        Self {
            name: trap.name.into(),
            title: trap.title.into(),
            section: trap.section.into(),
            habit: trap.habit.into(),
            claims: trap.claims.iter().map(|&c| c.into()).collect(),
            counts: trap.counts.into(),
            op: trap.op.into(),
            cases: trap.cases.iter().map(|&(word, what)| (word.into(), what.into())).collect(),
            unseen: Instrument::ALL.iter().filter_map(|&i| Some((i, trap.blind_to(i)?.into()))).collect(),
        }
    }
}

/// Where a number comes from. What could not be found out is null.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The version of trapline.
    pub trapline: String,
    /// The measured package and its version.
    pub package: Option<String>,
    /// The commit of the measured package.
    pub commit: Option<String>,
    /// Whether its work tree had changes.
    pub dirty: Option<bool>,
    /// `rustc -vV`, on one line.
    pub rustc: Option<String>,
    /// The profile that it was built with, as far as the executable can tell.
    pub profile: Option<String>,
    /// The linker that relinks.
    pub linker: Option<String>,
    /// Target features beyond the default (`-Ctarget-cpu`), as compiled in.
    pub target_cpu: Option<String>,
    /// The allocator under the measured code.
    pub allocator: Option<String>,
    /// `MALLOC_*` and `GLIBC_TUNABLES`, as set.
    pub allocator_env: BTreeMap<String, String>,
    /// Transparent huge pages.
    pub huge_pages: Option<String>,
    /// SHA-256 of Cargo.lock.
    pub lock: Option<String>,
    /// The CPU's model.
    pub cpu: Option<String>,
    /// Cores that the process may use.
    pub cores: Option<usize>,
    /// cgroup `cpu.max`.
    pub quota: Option<String>,
    /// Bytes in a cache line.
    pub cache_line: Option<u64>,
    /// The kernel.
    pub kernel: Option<String>,
    /// The frequency governor, or `unavailable`.
    pub governor: String,
    /// Turbo, or `unavailable`.
    pub turbo: String,
    /// Load average of the last minute, before the run.
    pub load_before: Option<f64>,
    /// The Go toolchain, where it measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub go: Option<GoProvenance>,
}

/// What a number of Go's depends on besides the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoProvenance {
    /// `go version`.
    pub version: String,
    /// GOAMD64, the level of instructions that it compiles for.
    pub goamd64: Option<String>,
    /// GOGC, where it is set.
    pub gogc: Option<String>,
    /// GOMAXPROCS, where it is set.
    pub gomaxprocs: Option<String>,
}

/// Whether two threads get two cores, and what the machine's own costs are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoreProbe {
    /// The same dependent chain on two threads at once ÷ alone: 1 means two cores.
    pub slowdown: f64,
    /// The same with four independent chains a thread: hyperthreads that share a core show only here.
    pub busy_slowdown: Option<f64>,
    /// ns for a cache line to go to the other thread and come back, both pinned.
    pub line_bounce_ns: f64,
    /// ns for one step of own work.
    pub step_ns: f64,
    /// ns from unparking a thread to its running; the median.
    pub wake_ns: Option<f64>,
    /// ns for the first touch of a page; the median.
    pub fault_ns: Option<f64>,
}
