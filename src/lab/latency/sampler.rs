//! The order of events: link the layouts, then pass by pass a process for each arm at each paced point.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::fork;
use super::protocol::{HICCUPS, Message, Plan, ROLE};
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
    if sampler.cells.is_empty() {
        return sampler.put(session);
    }
    sampler.link(session, passes);
    session.progress.steps(passes * sampler.cells.len());
    for pass in 0..passes {
        let whole = sampler.pass(session, pass)?;
        session.run.sweeps = Some(Sweeps { layouts: sampler.layouts.len(), processes: 1, finished: sampler.finished });
        session.run.partial = (!whole).then(|| format!("interrupted after {} of {passes} passes", sampler.finished));
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
    cells: Vec<Cell>,
    rows: Rows,
    finished: usize,
}

impl<'a> Sampler<'a> {
    fn new(session: &Session<'a>) -> Self {
        let traps = session.seen_traps();
        let mut cells: Vec<Cell> = traps.iter().flat_map(|trap| cells(session, trap)).collect();
        cells.extend(hiccups(session, &traps));
        let patience = Duration::from_secs(session.args.fork_timeout);
        let (layouts, rows) = (Vec::new(), Rows::default());
        Self { interrupted: signals::heed(), patience, traps, layouts, cells, rows, finished: 0 }
    }

    // One layout a pass: the same that ratio has, from the same seeds.
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

    // False if it was interrupted.
    fn pass(&mut self, session: &Session<'_>, pass: usize) -> Result<bool, SessionError> {
        let start = Instant::now();
        fastrand::shuffle(&mut self.cells);
        let Some(layout) = self.layouts.get(pass % self.layouts.len().max(1)).cloned() else { return Ok(false) };
        for at in 0..self.cells.len() {
            let Cell { keys, plan } = &self.cells[at];
            let (keys, plan) = (keys.clone(), Plan { class: pass, ..plan.clone() });
            session.progress.say(&format!("{}, pass {}", plan.trap, pass + 1));
            let failed = keys.iter().any(|key| self.rows.failure(key).is_some());
            if !failed {
                match process::ask(&layout, (ROLE, &plan), self.patience, &self.interrupted)? {
                    Answer::Interrupted => return Ok(false),
                    Answer::Said(Message::Timed(timed)) => {
                        keys.iter().for_each(|key| self.rows.add(*key, pass, timed.clone()));
                    }
                    Answer::Said(Message::Refuses { why }) | Answer::Failed(why) => {
                        self.fail(session, &plan, &keys, &why);
                    }
                }
            }
            session.progress.step();
        }
        self.finished += 1;
        let took = start.elapsed().as_secs_f64();
        session.progress.pass(&format!("pass {}: {} processes in {took:.0} s", pass + 1, self.cells.len()));
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
