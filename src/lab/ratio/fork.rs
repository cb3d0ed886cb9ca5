//! A fork: one process that sweeps the points of a [`Plan`] once and tells what each block took.
//!
//! The arms of a point are prepared in random order, each with its own input of equal seed. A round runs one block of every
//! arm in random order; before each block goes one untimed run, to clear the other arms' cache. The plan comes on standard
//! input, and what was measured goes to standard output, a line a message, so that a fork that dies loses one point.

use std::collections::HashMap;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use super::ring::{Arm, Block, Limits, PLANTED, Ring};
use crate::routine::layout;
use crate::trap::{Point, Routine, Trap};

/// The argument that makes the bench target a fork.
pub(super) const FORK: &str = "--trapline-fork";
/// The arm that is the trap once more, from a preparation of its own.
pub(super) const SAME: &str = "same";
// A single run this short was not run at all.
const SHORTEST_RUN: f64 = 20.0;
// n grows tenfold or more between points; time that grows less than this was not spent on n.
const LEAST_GROWTH: f64 = 1.5;

/// What a fork is to measure.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Plan {
    /// How long it may take.
    pub(super) limits: Limits,
    /// Where.
    pub(super) points: Vec<PointPlan>,
}

/// What a fork is to measure at one point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PointPlan {
    /// The trap's name.
    pub(super) trap: String,
    /// The place of the point among the trap's.
    pub(super) point: usize,
    /// The digest that every arm must give.
    pub(super) digest: u64,
    /// Names of variants, or [`SAME`] or [`PLANTED`].
    pub(super) arms: Vec<String>,
}

/// What a fork tells.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Message {
    /// It prepares this arm: whatever happens next is the arm's fault.
    Prepares {
        /// The place of the point in the plan.
        point: usize,
        /// The arm.
        arm: String,
    },
    /// It will not time this arm.
    Refuses {
        /// The place of the point in the plan.
        point: usize,
        /// The arm.
        arm: String,
        /// Why not.
        why: String,
    },
    /// All arms of the point are prepared: the rounds begin.
    Measures {
        /// The place of the point in the plan.
        point: usize,
    },
    /// What each arm took.
    Measured {
        /// The place of the point in the plan.
        point: usize,
        /// ns for each run, by arm, one value a round.
        arms: HashMap<String, Vec<f64>>,
    },
}

/// Is a fork if the arguments say so; otherwise gives nothing.
#[must_use]
pub(super) fn play(traps: &[Trap]) -> Option<ExitCode> {
    if std::env::args().nth(1).as_deref() != Some(FORK) {
        return None;
    }
    let done = read_plan(io::stdin().lock()).and_then(|plan| Fork::new(traps, plan.limits).sweep(&plan));
    Some(done.map_or_else(|error| fault(&error), |()| ExitCode::SUCCESS))
}

fn fault(error: &io::Error) -> ExitCode {
    eprintln!("error: this fork can't go on: {error}");
    ExitCode::FAILURE
}

fn read_plan(mut input: impl BufRead) -> io::Result<Plan> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

fn tell(message: &Message) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, message)?;
    out.write_all(b"\n")?;
    out.flush()
}

struct Fork<'a> {
    traps: &'a [Trap],
    limits: Limits,
    // The smallest n of each series, and what a run of it took: time has to grow from there.
    smallest: HashMap<String, (u64, f64)>,
}

impl<'a> Fork<'a> {
    fn new(traps: &'a [Trap], limits: Limits) -> Self {
        layout::vary_heap();
        Self { traps, limits, smallest: HashMap::new() }
    }

    fn sweep(&mut self, plan: &Plan) -> io::Result<()> {
        for (at, wanted) in plan.points.iter().enumerate() {
            self.measure(at, wanted)?;
        }
        Ok(())
    }

    fn measure(&mut self, at: usize, wanted: &PointPlan) -> io::Result<()> {
        let stated = self.traps.iter().find(|t| t.name == wanted.trap);
        let found = stated.and_then(|trap| Some((trap, trap.points.get(wanted.point)?)));
        let (trap, point) = found.ok_or_else(|| io::Error::other(format!("no such point: {wanted:?}")))?;
        let ring = self.prepare(at, wanted, trap, point)?;
        tell(&Message::Measures { point: at })?;
        let mut arms = ring.rounds(&self.limits);
        let removed: Vec<_> = arms.iter().filter_map(|arm| self.removed(trap, point, arm)).collect();
        for (arm, why) in removed {
            arms.retain(|other| other.name != arm);
            tell(&Message::Refuses { point: at, arm, why })?;
        }
        tell(&Message::Measured { point: at, arms: arms.into_iter().map(|arm| (arm.name, arm.times)).collect() })
    }

    fn prepare(&mut self, at: usize, wanted: &PointPlan, trap: &Trap, point: &Point) -> io::Result<Ring> {
        let mut names: Vec<_> = wanted.arms.iter().filter(|name| *name != PLANTED).collect();
        fastrand::shuffle(&mut names);
        let plants = wanted.arms.iter().any(|arm| arm == PLANTED);
        let mut ring = Ring::default();
        for name in names {
            tell(&Message::Prepares { point: at, arm: name.clone() })?;
            let variant = trap.variant(name).unwrap_or(trap.baseline());
            let mut routine = (variant.batch)(point);
            match self.ready(routine.as_mut(), wanted.digest, point) {
                Err(why) => tell(&Message::Refuses { point: at, arm: name.clone(), why })?,
                Ok(block) => {
                    ring.enter(name, routine, block);
                    if plants && name == trap.baseline().name {
                        ring.plant(block);
                    }
                }
            }
        }
        Ok(ring)
    }

    fn ready(&self, routine: &mut dyn Routine, digest: u64, point: &Point) -> Result<Block, String> {
        agrees(routine, digest)?;
        Block::calibrate(routine, self.limits.shortest_block(point))
    }

    // The arm and why it is refused, if the compiler has removed its work. The fastest round is asked: a slow one can make
    // a small n look as slow as a large one, but nothing makes work faster than it is.
    fn removed(&mut self, trap: &Trap, point: &Point, arm: &Arm) -> Option<(String, String)> {
        let ns = arm.times.iter().copied().fold(f64::INFINITY, f64::min);
        let (n, counts, name) = (point.n, trap.counts, &arm.name);
        let refusal = |took: String| Some((name.clone(), format!("refused: {took}: the compiler removed the work")));
        let largest = trap.points.iter().map(|p| p.n).max();
        if largest == Some(n) && ns < SHORTEST_RUN {
            return refusal(format!("{n} {counts} take {ns:.1} ns"));
        }
        let series = format!("{}/{name}/{}/{}", trap.name, point.threads, point.case);
        let &mut (small, first) = self.smallest.entry(series).or_insert((n, ns));
        if n >= 10 * small && ns < LEAST_GROWTH * first {
            return refusal(format!("{n} {counts} take {ns:.0} ns and {small} take {first:.0} ns"));
        }
        None
    }
}

fn agrees(routine: &mut dyn Routine, expected: u64) -> Result<(), String> {
    let digest = routine.digest();
    if digest == expected {
        return Ok(());
    }
    Err(format!("refused: its digest is {digest:016x} in this process and was {expected:016x} in the check"))
}
