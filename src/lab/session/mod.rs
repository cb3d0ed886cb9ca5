//! What all bench targets have in common: arguments, the check, records, the report and the exit code.

pub mod args;
pub mod check;
pub mod machine;
pub mod probe;
pub mod progress;
pub(super) mod relink;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use thiserror::Error;

use self::args::Args;
use self::check::Checked;
use self::progress::Progress;
use crate::record::{Record, Run, SCHEMA, Store, StoreError, TrapNote};
use crate::report;
use crate::trap::{Instrument, Point, Trap};

/// Exit code of a command that was wrong.
pub const WRONG_COMMAND: u8 = 2;
/// Exit code of an interrupted run, as shells have it.
pub const INTERRUPTED: u8 = 130;

/// Why a run can't go on.
#[derive(Debug, Error)]
pub enum SessionError {
    /// Records can't be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The report can't be written.
    #[error(transparent)]
    Report(#[from] report::ReportError),
    /// Criterion's process failed.
    #[error("criterion's part of the time target ended with {0}; what it said is above")]
    Criterion(std::process::ExitStatus),
    /// A file of the run can't be read or written.
    #[error("cannot {verb} {path}: {source}")]
    Io {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// One run of one bench target, open for measuring.
#[derive(Debug)]
pub struct Session<'a> {
    /// What was asked for.
    pub args: Args,
    /// The chosen traps that passed the check.
    pub traps: Vec<&'a Trap>,
    /// What the check found.
    pub checked: Checked<'a>,
    /// Where everything is written: `trapline` in the target directory.
    pub folder: PathBuf,
    /// The content of the running executable.
    pub executable: Vec<u8>,
    /// The circumstances; instruments fill in what they know.
    pub run: Run,
    /// Where progress is told.
    pub progress: Progress,
    store: Store,
    refused: Vec<Record>,
    failures: usize,
}

/// Runs a bench target: `measure` is called when all is ready, and puts its records into the session.
pub fn main<F>(instrument: Instrument, traps: &[Trap], measure: F) -> ExitCode
where
    F: FnOnce(&mut Session<'_>) -> Result<(), SessionError>,
{
    let args = match Args::parse(instrument, std::env::args().skip(1)) {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(error.exit_code() as u8);
        }
    };
    let faults: Vec<_> = traps.iter().flat_map(Trap::faults).collect();
    if !faults.is_empty() {
        return fail(1, faults.join("; "));
    }
    match args.choose(traps) {
        Err(why) => fail(WRONG_COMMAND, why),
        Ok(chosen) if args.list => list(instrument, &args, &chosen),
        Ok(chosen) if args.test => test(instrument, &chosen),
        Ok(chosen) => Session::conduct(instrument, args, chosen, measure).unwrap_or_else(|error| fail(1, error)),
    }
}

fn fail(code: u8, why: impl std::fmt::Display) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::from(code)
}

fn list(instrument: Instrument, args: &Args, traps: &[&Trap]) -> ExitCode {
    let mut out = io::stdout().lock();
    for trap in traps {
        for point in measured_points(instrument, args.quick, trap) {
            for variant in trap.variants {
                // A closed pipe is the reader's way to say that it has seen enough.
                let _ = writeln!(out, "{}/{}/{point}: benchmark", trap.name, variant.name);
            }
        }
    }
    ExitCode::SUCCESS
}

/// The points at which an instrument measures a trap: none if it is blind to it.
#[must_use]
pub fn measured_points(instrument: Instrument, quick: bool, trap: &Trap) -> Vec<Point> {
    let headlines = || trap.headlines().copied().collect();
    match instrument {
        _ if trap.blind_to(instrument).is_some() => Vec::new(),
        Instrument::Ratio if quick => headlines(),
        Instrument::Ratio | Instrument::Heap => trap.points.to_vec(),
        Instrument::Time => headlines(),
        Instrument::Instructions => trap.counted_point().copied().into_iter().collect(),
    }
}

fn test(instrument: Instrument, traps: &[&Trap]) -> ExitCode {
    let progress = Progress::new(instrument.word());
    let checked = check::all(traps, |trap| trap.points.to_vec(), &progress);
    progress.end();
    for (_, refusal) in &checked.refused {
        eprintln!("error: {refusal}");
    }
    println!(
        "{}: {} traps agree at all points, {} do not",
        instrument.word(),
        checked.digests.len(),
        checked.refused.len()
    );
    ExitCode::from(u8::from(!checked.refused.is_empty()))
}

impl<'a> Session<'a> {
    fn conduct<F>(
        instrument: Instrument,
        args: Args,
        chosen: Vec<&'a Trap>,
        measure: F,
    ) -> Result<ExitCode, SessionError>
    where
        F: FnOnce(&mut Self) -> Result<(), SessionError>,
    {
        let mut session = Self::open(instrument, args, chosen)?;
        session.refuse()?;
        let measured = measure(&mut session);
        session.progress.end();
        // What was measured before a fault is in the records, so the report is due all the same.
        let reported = session.report();
        measured?;
        reported?;
        Ok(session.exit_code())
    }

    fn open(instrument: Instrument, args: Args, chosen: Vec<&'a Trap>) -> Result<Self, SessionError> {
        let progress = Progress::new(instrument.word());
        if instrument != Instrument::Time && !args.criterion.is_empty() {
            progress.note(&format!("ignores {}: criterion's own, for the time target", args.criterion.join(" ")));
        }
        let executable = read_executable()?;
        let folder = target_folder().join("trapline");
        let store = open_store(&folder, instrument, &progress)?;
        let run = circumstances(instrument, &args, &chosen, &executable);
        let checked = check::all(&chosen, |trap| measured_points(instrument, args.quick, trap), &progress);
        let traps = chosen.into_iter().filter(|t| checked.digests.contains_key(t.name)).collect();
        let (refused, failures) = (Vec::new(), 0);
        Ok(Self { args, traps, checked, folder, executable, run, progress, store, refused, failures })
    }

    // A refused trap has a failed record in each of its cells: results of earlier runs are not its results any more.
    fn refuse(&mut self) -> Result<(), SessionError> {
        for (trap, refusal) in &self.checked.refused {
            self.progress.note(&format!("error: {refusal}"));
            let cells = self.cells(trap);
            self.refused.extend(cells.into_iter().map(|record| record.failed(refusal.to_string())));
        }
        self.put(Vec::new())
    }

    // A record without a value for each variant at each point that this run measures.
    fn cells(&self, trap: &Trap) -> Vec<Record> {
        self.cells_at(trap, &measured_points(self.run.instrument, self.run.quick, trap))
    }

    fn cells_at(&self, trap: &Trap, points: &[Point]) -> Vec<Record> {
        let cell = |p, v| Record::of_variant(trap, p, v, self.run.instrument, &self.run.run);
        points.iter().flat_map(|p| trap.variants.iter().map(move |v| cell(p, v))).collect()
    }

    /// The records of the chosen traps that this run's instrument can't see: each cell says why.
    #[must_use]
    pub fn blind(&self) -> Vec<Record> {
        let unseen = self.traps.iter().filter_map(|trap| Some((trap, trap.blind_to(self.run.instrument)?)));
        unseen.flat_map(|(trap, why)| self.cells_at(trap, trap.points).into_iter().map(move |r| r.blind(why))).collect()
    }

    /// Puts the records of the run so far into the store, in place of what an earlier call put.
    ///
    /// # Errors
    /// If the store can't be written.
    pub fn put(&mut self, mut records: Vec<Record>) -> Result<(), SessionError> {
        records.extend(self.refused.iter().cloned());
        self.failures = records.iter().filter(|r| r.failed.is_some()).count();
        Ok(self.store.put(&self.run, &records)?)
    }

    fn report(&self) -> Result<(), SessionError> {
        let measured = report::write(&self.folder)?.only(&self.run.run);
        let mut out = io::stdout().lock();
        // Criterion has printed what the time target measured.
        if self.run.instrument != Instrument::Time {
            let _ = writeln!(out, "{}", report::text(&report::document(&measured)));
        }
        let _ = writeln!(out, "The whole report: {}", self.folder.join("report.md").display());
        Ok(())
    }

    fn exit_code(&self) -> ExitCode {
        match (&self.run.partial, self.failures) {
            (Some(_), _) => ExitCode::from(INTERRUPTED),
            (None, 0) => ExitCode::SUCCESS,
            (None, _) => ExitCode::FAILURE,
        }
    }
}

fn read_executable() -> Result<Vec<u8>, SessionError> {
    let path = std::env::current_exe().unwrap_or_default();
    std::fs::read(&path).map_err(|source| SessionError::Io { verb: "read", path, source })
}

fn open_store(folder: &Path, instrument: Instrument, progress: &Progress) -> Result<Store, SessionError> {
    let mut store = Store::open(&folder.join("records"), instrument)?;
    for damage in store.damage() {
        progress.note(&format!("error: {damage}"));
    }
    if let Some(path) = store.set_aside()? {
        progress.note(&format!("the good lines are kept; the damaged file is set aside as {}", path.display()));
    }
    Ok(store)
}

fn circumstances(instrument: Instrument, args: &Args, traps: &[&Trap], executable: &[u8]) -> Run {
    let started = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    Run {
        schema: SCHEMA,
        run: format!("{}-{}-{}", instrument.word(), started.replace([':', '-'], ""), std::process::id()),
        instrument,
        started,
        command: std::env::args().collect::<Vec<_>>().join(" "),
        quick: args.quick,
        solo: args.solo,
        unpinned: false,
        target: target_name(),
        sweeps: None,
        layouts: None,
        partial: None,
        traps: traps.iter().map(|&t| TrapNote::from(t)).collect(),
        probes: vec![probe::cores()],
        stolen: None,
        provenance: machine::provenance(executable),
        source: String::new(),
    }
}

/// The name of the running bench target: that of its executable, without the hash that cargo puts behind it.
#[must_use]
pub fn target_name() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    stem.rsplit_once('-').map_or(stem.clone(), |(name, _)| name.to_owned())
}

/// The target directory: as the environment says, else the nearest folder above the executable that cargo has marked as a
/// cache, else `target`. A relative path in the environment is left to the mark: cargo takes it from where it was started,
/// and a bench target is started elsewhere.
#[must_use]
pub fn target_folder() -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    let executable = std::env::current_exe().unwrap_or_default();
    let marked = || executable.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists()).map(Path::to_path_buf);
    named.or_else(marked).unwrap_or_else(|| "target".into())
}
