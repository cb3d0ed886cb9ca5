//! One run of one bench target, from its arguments to its exit code.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::args::Args;
use super::check::{self, Checked};
use super::error::SessionError;
use super::footprint::Footprint;
use super::last;
use super::listing::{list, measured_points, test};
use super::opening::{circumstances, drop_others, forget, open_store, read_executable};
use super::paths;
use super::progress::Progress;
use crate::record::{Record, Run, Store};
use crate::report;
use crate::trap::{Instrument, Point, Trap};

/// Exit code of a command that was wrong.
pub const WRONG_COMMAND: u8 = 2;
/// Exit code of an interrupted run, as shells have it.
pub const INTERRUPTED: u8 = 130;

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
    let faults: Vec<_> = traps.iter().flat_map(Trap::faults).chain(twice(traps)).collect();
    if !faults.is_empty() {
        return fail(1, faults.join("; "));
    }
    match args.choose(traps) {
        Err(why) => fail(WRONG_COMMAND, why),
        Ok(chosen) if args.list => list(instrument, &args, &chosen),
        Ok(chosen) if args.test => test(instrument, &chosen),
        Ok(chosen) => Session::conduct(instrument, args, traps, chosen, measure).unwrap_or_else(|error| fail(1, error)),
    }
}

// The names that are listed more than once.
fn twice(traps: &[Trap]) -> Vec<String> {
    let again = |at: &usize| traps[..*at].iter().any(|t| t.name == traps[*at].name);
    (0..traps.len()).filter(again).map(|at| format!("the trap {} is listed twice", traps[at].name)).collect()
}

fn fail(code: u8, why: impl std::fmt::Display) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::from(code)
}

impl<'a> Session<'a> {
    fn conduct<F>(
        instrument: Instrument,
        args: Args,
        known: &[Trap],
        chosen: Vec<&'a Trap>,
        measure: F,
    ) -> Result<ExitCode, SessionError>
    where
        F: FnOnce(&mut Self) -> Result<(), SessionError>,
    {
        let mut session = Self::open(instrument, args, known, chosen)?;
        session.refuse()?;
        // After the check, in which this thread has opened what it keeps for life, such as the file that its run delay is read from.
        let before = Footprint::now();
        let measured = measure(&mut session);
        session.progress.end();
        if let Some(left) = before.and_then(Footprint::left_behind) {
            session.progress.note(&format!("error: {left}"));
            session.failures += 1;
        }
        // What was measured before a fault is in the records, so the report is due all the same.
        let reported = session.report();
        measured?;
        reported?;
        Ok(session.exit_code())
    }

    fn open(instrument: Instrument, args: Args, known: &[Trap], chosen: Vec<&'a Trap>) -> Result<Self, SessionError> {
        let progress = Progress::new(instrument.word());
        if instrument != Instrument::Time && !args.criterion.is_empty() {
            progress.note(&format!("ignores {}: criterion's own, for the time target", args.criterion.join(" ")));
        }
        let executable = read_executable()?;
        let folder = paths::folder();
        let mut store = open_store(&folder, instrument, &progress)?;
        if instrument != Instrument::Go {
            forget(&mut store, known, &progress);
        }
        let run = circumstances(instrument, &args, &chosen, &executable);
        let checked = check::all(&chosen, |trap| measured_points(instrument, args.quick, trap), &progress);
        let traps = chosen.into_iter().filter(|t| checked.sound.contains_key(t.name)).collect();
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

    /// The chosen traps that this run's instrument can see.
    #[must_use]
    pub fn seen_traps(&self) -> Vec<&'a Trap> {
        self.traps.iter().copied().filter(|t| t.blind_to(self.run.instrument).is_none()).collect()
    }

    /// The records of what this run does not measure of the chosen traps, each with the reason: traps that the instrument can't
    /// see, and variants that are left out at a point.
    #[must_use]
    pub fn unseen(&self) -> Vec<Record> {
        self.traps.iter().flat_map(|trap| self.unseen_of(trap)).collect()
    }

    fn unseen_of(&self, trap: &Trap) -> Vec<Record> {
        let instrument = self.run.instrument;
        if let Some(why) = trap.blind_to(instrument) {
            return self.cells_at(trap, trap.points).into_iter().map(|cell| cell.blind(why)).collect();
        }
        let points = measured_points(instrument, self.run.quick, trap);
        let unseen = points
            .iter()
            .flat_map(|p| trap.variants.iter().filter_map(move |v| Some((p, v, v.unseen(p, instrument)?))))
            .map(|(p, v, why)| Record::of_variant(trap, p, v, instrument, &self.run.run).blind(why));
        unseen.chain(self.others(trap)).collect()
    }

    // The cells of points that are for other instruments.
    fn others(&self, trap: &Trap) -> Vec<Record> {
        let others = trap.points.iter().filter_map(|p| Some((p, p.not_for(self.run.instrument)?)));
        others.flat_map(|(p, why)| self.cells_at(trap, &[*p]).into_iter().map(move |cell| cell.blind(&*why))).collect()
    }

    /// Drops this target's earlier records that are not of what is stated now.
    pub(in crate::lab) fn keep_only(&mut self, is_stated: impl Fn(&Record) -> bool) {
        drop_others(&mut self.store, is_stated, &self.progress);
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

    // Each target prints what it has measured, and the last one the summary over all.
    fn report(&self) -> Result<(), SessionError> {
        let archive = report::write(&self.folder)?;
        let said = if last::is_last(&self.run, &archive.runs) {
            report::summary(&archive)
        } else {
            report::screen(&archive.only(&self.run.run), self.run.instrument, !self.args.filters.is_empty())
        };
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "\n{said}The whole report: {}", self.folder.join("report.md").display());
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
