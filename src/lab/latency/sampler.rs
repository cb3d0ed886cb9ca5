//! The order of events: link the layouts, then pass by pass a process for each arm at each paced point.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::fork;
use super::protocol::{HICCUPS, Plan, ROLE, Timed};
use super::rows::{Key, Rows};
use crate::lab::session::check::Sound;
use crate::lab::session::process::{self, Answer};
use crate::lab::session::{self, Session, SessionError, relink, signals};
use crate::record::{Layouts, Sweeps};
use crate::trap::{Instrument, Trap};

/// Passes of a full run, and of a quick one.
const PASSES: usize = 8;
const QUICK: usize = 3;

/// The main function of a `latency` bench target over these traps.
#[must_use]
pub fn main(traps: &[Trap]) -> ExitCode {
    fork::play(traps).unwrap_or_else(|| session::main(Instrument::Latency, traps, measure))
}

fn measure(session: &mut Session<'_>) -> Result<(), SessionError> {
    let passes = if session.args.quick { QUICK } else { PASSES };
    let mut sampler = Sampler::new(session);
    let mut cells: Vec<Cell> = sampler.traps.iter().flat_map(|trap| cells(session, trap)).collect();
    cells.extend(hiccups(session, &sampler.traps));
    if cells.is_empty() {
        return sampler.put(session);
    }
    sampler.link(session, passes);
    session.progress.steps(passes * cells.len());
    for pass in 0..passes {
        let whole = process::pass(&session.progress, pass, &mut cells, |cell| sampler.measure(session, cell, pass))?;
        let finished = pass + usize::from(whole);
        session.run.sweeps = Some(Sweeps { layouts: sampler.layouts.len(), processes: 1, finished });
        session.run.partial = (!whole).then(|| format!("interrupted after {finished} of {passes} passes"));
        sampler.put(session)?;
        if !whole {
            break;
        }
    }
    Ok(())
}

// An arm at a paced point; the empty op stands for all points of its rate and number of threads.
struct Cell {
    keys: Vec<Key>,
    plan: Plan,
}

struct Sampler<'a> {
    interrupted: Arc<AtomicBool>,
    patience: Duration,
    traps: Vec<&'a Trap>,
    layouts: Vec<PathBuf>,
    rows: Rows,
}

impl<'a> Sampler<'a> {
    fn new(session: &Session<'a>) -> Self {
        let (interrupted, patience) = (signals::heed(), Duration::from_secs(session.args.fork_timeout));
        Self { interrupted, patience, traps: session.seen_traps(), layouts: Vec::new(), rows: Rows::default() }
    }

    // One layout a pass, from the seeds that ratio has.
    fn link(&mut self, session: &mut Session<'_>, passes: usize) {
        session.progress.pass(&format!("linking {passes} code layouts"));
        let seed = session.args.seed;
        let linked = relink::layouts(&session.folder, &session.executable, passes, seed, &self.interrupted);
        for why in linked.one.iter().chain(&linked.fewer) {
            session.progress.note(&format!("{} of {passes} code layouts: {why}", linked.distinct));
        }
        session.run.layouts = Some(Layouts { seed, distinct: linked.distinct, one: linked.one });
        self.layouts = linked.layouts;
    }

    // False if it was interrupted. An arm that has failed is timed no more.
    fn measure(&mut self, session: &Session<'_>, cell: &Cell, pass: usize) -> Result<bool, SessionError> {
        let Cell { keys, plan } = cell;
        session.progress.say(&format!("{}, pass {}", plan.trap, pass + 1));
        if keys.iter().any(|key| self.rows.failure(key).is_some()) {
            return Ok(true);
        }
        let Some(layout) = self.layouts.get(pass % self.layouts.len().max(1)) else { return Ok(false) };
        let plan = Plan { class: pass, ..plan.clone() };
        match process::ask::<Timed>(layout, (ROLE, &plan), self.patience, &self.interrupted)? {
            Answer::Interrupted => return Ok(false),
            Answer::Said(timed) => {
                if let Some(why) = &timed.behind {
                    session.progress.note(&format!("{}: {}, pass {}: {why}", plan.trap, plan.arm, pass + 1));
                }
                keys.iter().for_each(|key| self.rows.add(*key, pass, timed.clone()));
            }
            Answer::Failed(why) => self.fail(session, &plan, keys, &why),
        }
        Ok(true)
    }

    fn fail(&mut self, session: &Session<'_>, plan: &Plan, keys: &[Key], why: &str) {
        session.progress.note(&format!("error: {}: {}: {why}", plan.trap, plan.arm));
        keys.iter().for_each(|key| self.rows.fail(*key, why.to_owned()));
    }

    fn put(&self, session: &mut Session<'_>) -> Result<(), SessionError> {
        let run = session.run.run.clone();
        let measured = self.traps.iter().flat_map(|trap| self.rows.records(trap, &run));
        let records = measured.chain(session.unseen()).collect();
        session.put(records)
    }
}

fn plan(session: &Session<'_>, trap: &Trap, point: usize, arm: &str) -> Plan {
    Plan { trap: trap.name.into(), point, arm: arm.into(), class: 0, pinned: !session.args.unpinned }
}

fn cells(session: &Session<'_>, trap: &Trap) -> Vec<Cell> {
    let of = |sound: &Sound| {
        let at = sound.place_in(trap);
        let arms = trap.variants_seen(&sound.point, Instrument::Latency);
        arms.map(|v| Cell { keys: vec![(trap.name, at, v.name)], plan: plan(session, trap, at, v.name) })
            .collect::<Vec<_>>()
    };
    session.checked.sound[trap.name].iter().flat_map(of).collect()
}

fn hiccups(session: &Session<'_>, traps: &[&Trap]) -> Vec<Cell> {
    let mut cells: Vec<((Option<u32>, usize), Cell)> = Vec::new();
    for trap in traps {
        for sound in &session.checked.sound[trap.name] {
            let (at, pace) = (sound.place_in(trap), (sound.point.every, sound.point.threads));
            let key = (trap.name, at, HICCUPS);
            match cells.iter_mut().find(|(known, _)| *known == pace) {
                Some((_, cell)) => cell.keys.push(key),
                None => cells.push((pace, Cell { keys: vec![key], plan: plan(session, trap, at, HICCUPS) })),
            }
        }
    }
    cells.into_iter().map(|(_, cell)| cell).collect()
}
