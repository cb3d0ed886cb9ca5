//! The ratio instrument: trap ÷ variant, over forks of freshly relinked executables.
//!
//! One process gives one memory layout and one link gives one code layout, and they decide the number. So a fork is a
//! fresh process of a freshly linked executable, and it sweeps all points once, so that every row sees the same spread
//! of neighbours. The value of a fork is the median over its rounds of ln(trap ÷ variant); the estimate is
//! exp(mean over forks), its interval exp(mean ± t(0.975, F − 1) · sd ÷ √F). After each fork the records are written
//! whole: an interrupted run has every row with fewer forks.

mod child;
mod fork;
pub(super) mod ring;
mod rows;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use self::child::End;
use self::fork::{Message, Plan, PointPlan, SAME};
use self::ring::{Limits, PLANTED};
use self::rows::{Rows, Times};
use super::session::relink::Relinker;
use super::session::{self, Session, SessionError};
use crate::record::{Layouts, Sweeps};
use crate::trap::{Instrument, Point, Trap};

// So long that ten forks over the catalog take a few minutes. More rounds in a fork would not narrow an interval that is wide
// between forks.
const LIMITS: Limits = Limits {
    budget: Duration::from_millis(100),
    planted_budget: Duration::from_millis(350),
    block: Duration::from_micros(100),
    team_block: Duration::from_millis(10),
    crowd_block: Duration::from_millis(40),
    fewest: 5,
    most: 51,
};

/// The main function of a `ratio` bench target over these traps.
#[must_use]
pub fn main(traps: &[Trap]) -> ExitCode {
    fork::play(traps).unwrap_or_else(|| session::main(Instrument::Ratio, traps, measure))
}

fn measure(session: &mut Session<'_>) -> Result<(), SessionError> {
    let interrupted = heed_signals();
    let mut sweep = Sweep::new(session);
    session.run.layouts = Some(Layouts { seed: session.args.seed, distinct: 0, one: None });
    session.progress.steps(sweep.forks * sweep.points.len());
    for fork in 0..sweep.forks {
        let start = Instant::now();
        let executable = sweep.executable(session, fork, &interrupted);
        let linked = start.elapsed();
        if !sweep.fork(session, &executable, fork, &interrupted)? {
            session.run.partial = Some(format!("interrupted after {fork} of {} forks", sweep.forks));
            return sweep.put(session, fork);
        }
        sweep.put(session, fork + 1)?;
        let took = start.elapsed() - linked;
        let (link, took) = (linked.as_secs_f64(), took.as_secs_f64());
        session.progress.say(&format!(
            "fork {} of {}: linked in {link:.1} s, swept in {took:.1} s",
            fork + 1,
            sweep.forks
        ));
    }
    Ok(())
}

// Set when the user wants no more. If it can't be had, Ctrl-C ends the process, and what was put stays.
fn heed_signals() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        let _ = signal_hook::flag::register(signal, Arc::clone(&flag));
    }
    flag
}

// All forks over all points.
struct Sweep<'a> {
    forks: usize,
    patience: Duration,
    solo: bool,
    traps: Vec<&'a Trap>,
    points: Vec<PointPlan>,
    relinker: Relinker,
    rows: Rows,
}

impl<'a> Sweep<'a> {
    fn new(session: &Session<'a>) -> Self {
        let blind = |t: &&Trap| t.blind_to(Instrument::Ratio).is_some();
        let traps: Vec<_> = session.traps.iter().copied().filter(|t| !blind(t)).collect();
        let checked = |trap: &Trap| session::measured_points(Instrument::Ratio, session.args.quick, trap);
        let together = traps.iter().flat_map(|t| plans(t, &checked(t), &session.checked.digests[t.name]));
        Self {
            forks: session.args.layouts(),
            patience: Duration::from_secs(session.args.fork_timeout),
            solo: session.args.solo,
            points: if session.args.solo {
                together.flat_map(|point| apart(&point)).collect()
            } else {
                together.collect()
            },
            traps: traps.clone(),
            relinker: Relinker::new(&session.folder, &session.executable),
            rows: Rows::default(),
        }
    }

    // A relink of this fork's own, or, where there can be none, the executable that cargo linked.
    fn executable(&self, session: &mut Session<'_>, fork: usize, interrupted: &AtomicBool) -> PathBuf {
        let original = || std::env::current_exe().unwrap_or_default();
        let Some(layouts) = session.run.layouts.as_mut().filter(|l| l.one.is_none()) else { return original() };
        session.progress.say(&format!("fork {} of {}: linking", fork + 1, self.forks));
        match self.relinker.relink(layouts.seed + fork as u64) {
            Ok(path) => {
                layouts.distinct += 1;
                path
            }
            // The linker was interrupted, and the fork will be: this says nothing about what it can do.
            Err(_) if interrupted.load(Ordering::Relaxed) => original(),
            Err(why) => {
                session.progress.note(&format!("one code layout only: {why}"));
                (layouts.distinct, layouts.one) = (layouts.distinct.max(1), Some(why));
                original()
            }
        }
    }

    // False if it was interrupted: then nothing of this fork counts, so that every row rests on the same forks.
    fn fork(
        &mut self,
        session: &Session<'_>,
        executable: &Path,
        fork: usize,
        interrupted: &AtomicBool,
    ) -> Result<bool, SessionError> {
        let mut heard = Vec::new();
        let mut left: Vec<PointPlan> = self.points.iter().cloned().filter_map(|p| self.sound(p)).collect();
        while !left.is_empty() {
            // With --solo every arm has a process of its own, otherwise one process sweeps all points.
            let rest = left.split_off(if self.solo { 1 } else { left.len() });
            let (end, ear) = self.listen(session, executable, left, &mut heard, interrupted)?;
            for (point, arm, why) in &ear.refused {
                self.fail(session, point, Some(arm), why);
            }
            left = match end {
                End::Done => rest,
                End::Interrupted => return Ok(false),
                End::Died(why) => {
                    let why = format!("in fork {} of {}: {why}", fork + 1, self.forks);
                    self.fail(session, &ear.points[ear.at], ear.arm.as_deref(), &why);
                    let again = ear.points[ear.at..].iter().cloned().chain(rest);
                    again.filter_map(|point| self.sound(point)).collect()
                }
            };
        }
        self.add(heard);
        Ok(true)
    }

    fn listen<'e>(
        &self,
        session: &'e Session<'_>,
        executable: &Path,
        points: Vec<PointPlan>,
        heard: &'e mut Vec<(PointPlan, Times)>,
        interrupted: &AtomicBool,
    ) -> Result<(End, Ear<'e>), SessionError> {
        let plan = Plan { limits: LIMITS, points };
        let mut ear = Ear { points: plan.points.clone(), at: 0, arm: None, heard, refused: Vec::new(), session };
        let end = child::listen(executable, &plan, self.patience, interrupted, |message| ear.hear(message));
        let end = end.map_err(|source| SessionError::Io { verb: "start", path: executable.into(), source })?;
        Ok((end, ear))
    }

    // The plan of a point without the arms that failed; nothing if the trap itself did or nothing is left.
    fn sound(&self, point: PointPlan) -> Option<PointPlan> {
        let trap = self.trap(&point.trap);
        let failed = |arm: &str| self.rows.has_failed(&(trap.name, point.point, arm.to_owned()));
        if failed(trap.baseline().name) {
            return None;
        }
        let arms: Vec<_> = point.arms.iter().filter(|arm| !failed(arm)).cloned().collect();
        (!arms.is_empty()).then_some(PointPlan { arms, ..point })
    }

    // Without the trap there is nothing to compare with, so its failure is that of all arms; so is one in the rounds.
    fn fail(&mut self, session: &Session<'_>, point: &PointPlan, arm: Option<&str>, why: &str) {
        let trap = self.trap(&point.trap);
        let place = &trap.points[point.point];
        session.progress.note(&format!("error: {} at {place}, {}: {why}", trap.name, arm.unwrap_or("in the rounds")));
        let all = arm.is_none_or(|arm| arm == trap.baseline().name);
        let arms = trap.variants.iter().map(|v| v.name).chain([SAME, PLANTED]);
        for other in arms.filter(|other| all || Some(*other) == arm) {
            let why = match arm {
                Some(arm) if arm != other => format!("{arm} failed {why}"),
                _ => why.to_owned(),
            };
            self.rows.fail((trap.name, point.point, other.to_owned()), why);
        }
    }

    fn trap(&self, name: &str) -> &'a Trap {
        let found = self.traps.iter().find(|t| t.name == name);
        found.unwrap_or_else(|| panic!("the plan names the trap {name}, which was not chosen"))
    }

    fn add(&mut self, heard: Vec<(PointPlan, Times)>) {
        let mut merged: Vec<(PointPlan, Times)> = Vec::new();
        for (point, times) in heard {
            match merged.iter_mut().find(|(p, _)| (&p.trap, p.point) == (&point.trap, point.point)) {
                Some((_, all)) => all.extend(times),
                None => merged.push((point, times)),
            }
        }
        for (point, times) in merged {
            let trap = self.trap(&point.trap);
            self.rows.add(trap, point.point, &times, !self.solo);
        }
    }

    fn put(&self, session: &mut Session<'_>, finished: usize) -> Result<(), SessionError> {
        session.run.sweeps = Some(Sweeps { layouts: self.forks, processes: 1, finished });
        let run = session.run.run.clone();
        let measured = self.traps.iter().flat_map(|trap| self.rows.records(trap, &run));
        let records = measured.chain(session.blind()).collect();
        session.put(records)
    }
}

// The plans of the points that were checked, with the digest of each.
fn plans(trap: &Trap, checked: &[Point], digests: &[u64]) -> Vec<PointPlan> {
    let plan = |(place, &digest): (&Point, &u64)| {
        let planted = (place.headline && place.threads == 1).then_some(PLANTED);
        let arms = trap.variants.iter().map(|v| v.name).chain([SAME]).chain(planted);
        let point = trap.points.iter().position(|p| p == place).unwrap_or_default();
        PointPlan { trap: trap.name.to_owned(), point, digest, arms: arms.map(str::to_owned).collect() }
    };
    checked.iter().zip(digests).map(plan).collect()
}

// Each arm in a plan of its own, but for the planted slowdown, which needs nothing but the trap's own routine.
fn apart(point: &PointPlan) -> Vec<PointPlan> {
    let (planted, arms): (Vec<_>, Vec<_>) = point.arms.iter().cloned().partition(|arm| arm == PLANTED);
    let alone = |arm: String| PointPlan { arms: [vec![arm], planted.clone()].concat(), ..point.clone() };
    arms.into_iter().map(alone).collect()
}

// What is heard of one fork.
struct Ear<'a> {
    points: Vec<PointPlan>,
    at: usize,
    arm: Option<String>,
    heard: &'a mut Vec<(PointPlan, Times)>,
    refused: Vec<(PointPlan, String, String)>,
    session: &'a Session<'a>,
}

impl Ear<'_> {
    fn hear(&mut self, message: Message) {
        let plan = |at: usize| self.points[at].clone();
        match message {
            Message::Prepares { point, arm } => (self.at, self.arm) = (point, Some(arm)),
            Message::Measures { point } => (self.at, self.arm) = (point, None),
            Message::Refuses { point, arm, why } => self.refused.push((plan(point), arm, why)),
            Message::Measured { point, arms } => {
                self.heard.push((plan(point), arms));
                self.session.progress.step();
            }
        }
    }
}
