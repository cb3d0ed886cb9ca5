//! The order of events: link the layouts, then pass by pass a process for each layout and trap.
//!
//! After each sweep over the chosen traps the records are written whole: an interrupted run keeps all that was finished.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::fork;
use super::planted;
use super::protocol::{FORK, Message, Plan, PointPlan};
use super::rows::Rows;
use super::schedule::{self, Terms};
use super::value::Times;
use crate::lab::session::check::Sound;
use crate::lab::session::process::{self, End};
use crate::lab::session::rounds::RoundsFile;
use crate::lab::session::steal::Steal;
use crate::lab::session::{self, Session, SessionError, probe, relink, signals};
use crate::record::{Layouts, Sweeps};
use crate::trap::{Instrument, Trap};

/// The main function of a `ratio` bench target over these traps.
#[must_use]
pub fn main(traps: &[Trap]) -> ExitCode {
    fork::play(traps).unwrap_or_else(|| session::main(Instrument::Ratio, traps, measure))
}

fn measure(session: &mut Session<'_>) -> Result<(), SessionError> {
    let interrupted = signals::heed();
    let mut sampler = Sampler::new(session, interrupted)?;
    if sampler.plans.is_empty() {
        return sampler.put(session, 0);
    }
    let layouts = link(session, &sampler.interrupted);
    sampler.layouts = layouts.len();
    if sampler.interrupted.load(Ordering::Relaxed) {
        session.run.partial = Some("interrupted before anything was measured".into());
        return sampler.put(session, 0);
    }
    session.run.probes.push(probe::cores());
    let stolen = Steal::now();
    for pass in 0..session.args.processes() {
        if !sampler.pass(session, &layouts, pass)? {
            break;
        }
        session.run.probes.push(probe::cores());
    }
    session.run.stolen = Steal::now().zip(stolen).and_then(|(end, start)| end.share_since(&start));
    sampler.put(session, sampler.finished)
}

// The layouts to run, of which there is only the one that cargo linked where the linker can make no other.
fn link(session: &mut Session<'_>, interrupted: &AtomicBool) -> Vec<PathBuf> {
    let (wanted, seed) = (session.args.layouts(), session.args.seed);
    session.progress.pass(&format!("linking {wanted} code layouts"));
    let linked = relink::layouts(&session.folder, &session.executable, wanted, seed, interrupted);
    if let Some(why) = &linked.one {
        session.progress.note(&format!("one code layout only: {why}"));
    } else if linked.layouts.len() < wanted {
        let why = linked.fewer.as_deref().unwrap_or("other seeds give the same executables");
        session.progress.note(&format!("{} of {wanted} code layouts: {why}", linked.layouts.len()));
    }
    session.run.layouts = Some(Layouts { seed, distinct: linked.distinct, one: linked.one });
    linked.layouts
}

// All passes over all layouts and traps.
struct Sampler<'a> {
    interrupted: Arc<AtomicBool>,
    patience: Duration,
    solo: bool,
    traps: Vec<&'a Trap>,
    plans: Vec<Plan>,
    rows: Rows,
    rounds: RoundsFile,
    layouts: usize,
    finished: usize,
}

impl<'a> Sampler<'a> {
    fn new(session: &Session<'a>, interrupted: Arc<AtomicBool>) -> Result<Self, SessionError> {
        let traps = session.seen_traps();
        let checked: Vec<(&Trap, &[Sound])> = traps.iter().map(|&t| (t, &*session.checked.sound[t.name])).collect();
        let terms = Terms { window: session.args.window(), passes: session.args.processes() };
        // A planted slowdown needs rounds, which arms in processes of their own do not have.
        let planted = if session.args.solo { Vec::new() } else { schedule::planted(&checked) };
        let plan = |&(trap, sound): &(&Trap, &[Sound])| {
            let planted: Vec<usize> =
                planted.iter().filter(|(name, _)| *name == trap.name).map(|(_, at)| *at).collect();
            let points = schedule::plans(trap, sound, terms, &planted);
            Plan { trap: trap.name.into(), class: 0, pinned: !session.args.unpinned, points }
        };
        Ok(Self {
            interrupted,
            patience: Duration::from_secs(session.args.fork_timeout),
            solo: session.args.solo,
            plans: checked.iter().map(plan).filter(|plan| !plan.points.is_empty()).collect(),
            traps,
            rows: Rows::default(),
            rounds: RoundsFile::create(&session.folder, &session.run.run)?,
            layouts: session.args.layouts(),
            finished: 0,
        })
    }

    // False if it was interrupted.
    fn pass(&mut self, session: &mut Session<'_>, layouts: &[PathBuf], pass: usize) -> Result<bool, SessionError> {
        let (start, passes) = (Instant::now(), session.args.processes());
        let mut order: Vec<usize> = (0..layouts.len()).collect();
        fastrand::shuffle(&mut order);
        if pass == 0 {
            session.progress.steps(layouts.len() * passes * self.plans.len());
        }
        for at in order {
            if !self.sweep(session, &layouts[at], at, pass)? {
                let planned = layouts.len() * passes;
                session.run.partial = Some(format!("interrupted after {} of {planned} sweeps", self.finished));
                return Ok(false);
            }
            self.finished += 1;
            self.put(session, self.finished)?;
        }
        let took = start.elapsed().as_secs_f64();
        session.progress.pass(&format!("pass {} of {passes}: {} layouts in {took:.0} s", pass + 1, layouts.len()));
        Ok(true)
    }

    fn sweep(&mut self, session: &Session<'_>, layout: &Path, at: usize, pass: usize) -> Result<bool, SessionError> {
        let mut order: Vec<usize> = (0..self.plans.len()).collect();
        fastrand::shuffle(&mut order);
        for plan in order {
            let points = self.plans[plan].points.iter().filter(|p| p.has_turn(at, pass)).cloned().collect();
            let plan =
                Plan { points, class: schedule::class(session.args.processes(), at, pass), ..self.plans[plan].clone() };
            session.progress.say(&format!("{}, pass {}", plan.trap, pass + 1));
            if !self.measure(session, layout, &plan, at)? {
                return Ok(false);
            }
            session.progress.step();
        }
        Ok(true)
    }

    // One trap on one layout. False if it was interrupted: then nothing of it counts.
    fn measure(
        &mut self,
        session: &Session<'_>,
        path: &Path,
        plan: &Plan,
        layout: usize,
    ) -> Result<bool, SessionError> {
        let mut heard = Vec::new();
        let points = if self.solo { plan.points.iter().flat_map(apart).collect() } else { plan.points.clone() };
        let mut left: Vec<PointPlan> = points.iter().filter_map(|point| self.sound(&plan.trap, point)).collect();
        while !left.is_empty() {
            // With --solo every arm has a process of its own, otherwise one process measures all points.
            let rest = left.split_off(if self.solo { 1 } else { left.len() });
            let (end, ear) = self.listen(path, &Plan { points: left, ..plan.clone() })?;
            for (point, arm, why) in &ear.refused {
                self.fail(session, &plan.trap, point, Some(arm), why);
            }
            heard.extend(ear.heard);
            left = match end {
                End::Done => rest,
                End::Interrupted => return Ok(false),
                End::Died(why) => {
                    self.fail(
                        session,
                        &plan.trap,
                        &ear.points[ear.at],
                        ear.arm.as_deref().or(only(&ear.points[ear.at])),
                        &why,
                    );
                    let again = ear.points[ear.at..].iter().chain(&rest);
                    again.filter_map(|point| self.sound(&plan.trap, point)).collect()
                }
            };
        }
        self.add(&plan.trap, layout, heard)?;
        Ok(true)
    }

    fn listen(&self, path: &Path, plan: &Plan) -> Result<(End, Ear), SessionError> {
        let mut ear = Ear { points: plan.points.clone(), at: 0, arm: None, heard: Vec::new(), refused: Vec::new() };
        let end = process::listen(path, (FORK, plan), self.patience, &self.interrupted, |message| ear.hear(message));
        let end = end.map_err(|source| SessionError::Io { verb: "start", path: PathBuf::from(path), source })?;
        Ok((end, ear))
    }

    // The plan of a point without the arms that failed; nothing if the trap itself did or nothing is left.
    fn sound(&self, trap: &str, point: &PointPlan) -> Option<PointPlan> {
        let trap = self.trap(trap);
        let failed = |arm: &str| self.rows.has_failed(&(trap.name, point.point, arm.to_owned()));
        if failed(trap.baseline().name) {
            return None;
        }
        let arms: Vec<_> = point.arms.iter().filter(|arm| !failed(arm)).cloned().collect();
        (!arms.is_empty()).then(|| PointPlan { arms, ..point.clone() })
    }

    // Without the trap there is nothing to compare with, so its failure is that of all arms; so is one in the rounds.
    fn fail(&mut self, session: &Session<'_>, trap: &str, plan: &PointPlan, arm: Option<&str>, why: &str) {
        let trap = self.trap(trap);
        let place = &trap.points[plan.point];
        session.progress.note(&format!("error: {} at {place}, {}: {why}", trap.name, arm.unwrap_or("in the rounds")));
        let all = arm.is_none_or(|arm| arm == trap.baseline().name);
        let falls = |other: &&String| all || arm.is_some_and(|arm| *other == arm || planted::rests_on(other, arm));
        for other in plan.arms.iter().filter(falls) {
            let why = match arm {
                Some(arm) if arm != other => format!("{arm} failed: {why}"),
                _ => why.to_owned(),
            };
            self.rows.fail((trap.name, plan.point, other.clone()), why);
        }
    }

    fn trap(&self, name: &str) -> &'a Trap {
        let found = self.traps.iter().find(|t| t.name == name);
        found.unwrap_or_else(|| panic!("the plan names the trap {name}, which was not chosen"))
    }

    fn add(&mut self, trap: &str, layout: usize, heard: Vec<(usize, Times)>) -> Result<(), SessionError> {
        let trap = self.trap(trap);
        let mut merged: Vec<(usize, Times)> = Vec::new();
        for (point, times) in heard {
            match merged.iter_mut().find(|(p, _)| *p == point) {
                Some((_, all)) => all.extend(times),
                None => merged.push((point, times)),
            }
        }
        for (point, times) in merged {
            self.rounds.keep(trap.name, &trap.points[point], layout, &times)?;
            self.rows.add(trap, point, layout, &times, !self.solo);
        }
        Ok(())
    }

    fn put(&self, session: &mut Session<'_>, finished: usize) -> Result<(), SessionError> {
        let (layouts, processes) = (self.layouts, session.args.processes());
        session.run.sweeps = Some(Sweeps { layouts, processes, finished });
        let run = session.run.run.clone();
        let measured = self.traps.iter().flat_map(|trap| self.rows.records(trap, &run));
        let records = measured.chain(session.unseen()).collect();
        session.put(records)
    }
}

// The arm of a process that has but one.
fn only(point: &PointPlan) -> Option<&str> {
    if let [only] = &point.arms[..] { Some(only) } else { None }
}

// Each arm in a plan of its own.
fn apart(point: &PointPlan) -> Vec<PointPlan> {
    point.arms.iter().map(|arm| PointPlan { arms: vec![arm.clone()], ..point.clone() }).collect()
}

// What is heard of one process.
struct Ear {
    points: Vec<PointPlan>,
    at: usize,
    arm: Option<String>,
    heard: Vec<(usize, Times)>,
    refused: Vec<(PointPlan, String, String)>,
}

impl Ear {
    fn hear(&mut self, message: Message) {
        match message {
            Message::Prepares { at, arm } => (self.at, self.arm) = (at, Some(arm)),
            Message::Measures { at } => (self.at, self.arm) = (at, None),
            Message::Refuses { at, arm, why } => self.refused.push((self.points[at].clone(), arm, why)),
            Message::Measured { at, arms } => self.heard.push((self.points[at].point, arms)),
        }
    }
}
