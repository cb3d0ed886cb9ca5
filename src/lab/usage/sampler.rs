//! The order of events: pass by pass, a process for each arm at each point, in random order.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::fork;
use super::protocol::{Message, Plan, ROLE};
use super::rows::{Key, Rows};
use crate::lab::session::check::Sound;
use crate::lab::session::process::{self, Answer};
use crate::lab::session::{self, Session, SessionError, signals};
use crate::record::Sweeps;
use crate::trap::{Instrument, Trap};

/// Passes of a full run, and of a quick one.
const PASSES: usize = 5;
const QUICK: usize = 3;

/// The main function of a `usage` bench target over these traps.
#[must_use]
pub fn main(traps: &[Trap]) -> ExitCode {
    fork::play(traps).unwrap_or_else(|| session::main(Instrument::Usage, traps, measure))
}

fn measure(session: &mut Session<'_>) -> Result<(), SessionError> {
    let mut sampler = Sampler::new(session);
    let passes = if session.args.quick { QUICK } else { PASSES };
    session.progress.steps(passes * sampler.cells.len());
    for pass in 0..passes {
        let whole = sampler.pass(session, pass)?;
        session.run.sweeps = Some(Sweeps { layouts: 1, processes: passes, finished: sampler.finished });
        if !whole {
            session.run.partial = Some(format!("interrupted after {} of {passes} passes", sampler.finished));
        }
        sampler.put(session)?;
        if !whole {
            break;
        }
    }
    sampler.put(session)
}

// An arm at a point.
struct Cell {
    key: Key,
    plan: Plan,
}

struct Sampler<'a> {
    interrupted: Arc<AtomicBool>,
    executable: PathBuf,
    patience: Duration,
    traps: Vec<&'a Trap>,
    cells: Vec<Cell>,
    rows: Rows,
    finished: usize,
}

impl<'a> Sampler<'a> {
    fn new(session: &Session<'a>) -> Self {
        let traps = session.seen_traps();
        Self {
            interrupted: signals::heed(),
            executable: std::env::current_exe().unwrap_or_default(),
            patience: Duration::from_secs(session.args.fork_timeout),
            cells: traps.iter().flat_map(|trap| cells(session, trap)).collect(),
            traps,
            rows: Rows::default(),
            finished: 0,
        }
    }

    // False if it was interrupted.
    fn pass(&mut self, session: &Session<'_>, pass: usize) -> Result<bool, SessionError> {
        let start = Instant::now();
        fastrand::shuffle(&mut self.cells);
        for at in 0..self.cells.len() {
            let Cell { key, plan } = &self.cells[at];
            let (key, plan) = (*key, plan.clone());
            session.progress.say(&format!("{}, pass {}", plan.trap, pass + 1));
            if self.rows.failure(&key).is_none() && !self.measure(session, key, &plan)? {
                return Ok(false);
            }
            session.progress.step();
        }
        self.finished += 1;
        let took = start.elapsed().as_secs_f64();
        session.progress.pass(&format!("pass {}: {} processes in {took:.0} s", pass + 1, self.cells.len()));
        Ok(true)
    }

    fn measure(&mut self, session: &Session<'_>, key: Key, plan: &Plan) -> Result<bool, SessionError> {
        match process::ask::<Message>(&self.executable, (ROLE, plan), self.patience, &self.interrupted)? {
            Answer::Interrupted => return Ok(false),
            Answer::Said(message) => self.rows.add(key, &message),
            Answer::Failed(why) => self.rows.fail(key, why),
        }
        if let Some(why) = self.rows.failure(&key) {
            session.progress.note(&format!("error: {}: {}: {why}", plan.trap, plan.variant));
        }
        Ok(true)
    }

    fn put(&self, session: &mut Session<'_>) -> Result<(), SessionError> {
        let run = session.run.run.clone();
        let measured = self.traps.iter().flat_map(|trap| self.rows.records(trap, &run));
        let records = measured.chain(session.unseen()).collect();
        session.put(records)
    }
}

fn cells(session: &Session<'_>, trap: &Trap) -> Vec<Cell> {
    let sound = session.checked.sound[trap.name].iter();
    let of = |sound: &Sound| {
        let (point, digest, pinned) = (sound.place_in(trap), sound.digest, !session.args.unpinned);
        let cell = move |name| Cell {
            key: (trap.name, point, name),
            plan: Plan { trap: trap.name.into(), point, variant: name.into(), digest, pinned },
        };
        trap.variants_seen(&sound.point, Instrument::Usage).map(|v| cell(v.name)).collect::<Vec<_>>()
    };
    sound.flat_map(of).collect()
}
