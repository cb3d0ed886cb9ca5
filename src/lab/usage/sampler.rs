//! The order of events: pass by pass, a process for each arm at each point, in random order.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::fork;
use super::protocol::{Message, Plan, ROLE};
use super::quota::Quota;
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
    let passes = if session.args.quick { QUICK } else { PASSES };
    let mut sampler = Sampler::new(session);
    let mut cells: Vec<Cell> = sampler.traps.iter().flat_map(|trap| cells(session, trap)).collect();
    if cells.is_empty() {
        return sampler.put(session);
    }
    session.progress.steps(passes * cells.len());
    for pass in 0..passes {
        let whole = process::pass(&session.progress, pass, &mut cells, |cell| sampler.measure(session, cell, pass))?;
        let finished = pass + usize::from(whole);
        session.run.sweeps = Some(Sweeps { layouts: 1, processes: passes, finished });
        session.run.partial = (!whole).then(|| format!("interrupted after {finished} of {passes} passes"));
        sampler.put(session)?;
        if !whole {
            break;
        }
    }
    Ok(())
}

// An arm at a point.
struct Cell {
    key: Key,
    plan: Plan,
    quota: Option<u32>,
}

struct Sampler<'a> {
    interrupted: Arc<AtomicBool>,
    executable: PathBuf,
    patience: Duration,
    traps: Vec<&'a Trap>,
    rows: Rows,
}

impl<'a> Sampler<'a> {
    fn new(session: &Session<'a>) -> Self {
        Self {
            interrupted: signals::heed(),
            executable: std::env::current_exe().unwrap_or_default(),
            patience: Duration::from_secs(session.args.fork_timeout),
            traps: session.seen_traps(),
            rows: Rows::default(),
        }
    }

    // False if it was interrupted. An arm that has failed is measured no more.
    fn measure(&mut self, session: &Session<'_>, cell: &Cell, pass: usize) -> Result<bool, SessionError> {
        let Cell { key, plan, .. } = cell;
        session.progress.say(&format!("{}, pass {}", plan.trap, pass + 1));
        if self.rows.is_settled(key) {
            return Ok(true);
        }
        let quota = match cell.quota.map(Quota::new).transpose() {
            Ok(quota) => quota,
            // What can't be had on this machine is no fault.
            Err(why) => {
                session.progress.note(&format!("n/a: {}: {}: {why}", plan.trap, plan.variant));
                self.rows.blind(*key, why);
                return Ok(true);
            }
        };
        let plan = &Plan { group: quota.as_ref().map(|quota| quota.group.clone()), ..plan.clone() };
        match process::ask::<Message>(&self.executable, (ROLE, plan), self.patience, &self.interrupted)? {
            Answer::Interrupted => return Ok(false),
            Answer::Said(message) => self.rows.add(*key, &message),
            Answer::Failed(why) => self.rows.fail(*key, why),
        }
        if let Some(why) = self.rows.failure(key) {
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
            plan: Plan { trap: trap.name.into(), point, variant: name.into(), digest, pinned, group: None },
            quota: sound.point.quota,
        };
        trap.variants_seen(&sound.point, Instrument::Usage).map(|v| cell(v.name)).collect::<Vec<_>>()
    };
    sound.flat_map(of).collect()
}
