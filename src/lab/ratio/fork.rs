//! A fork: one process that measures the points of one trap and tells what each block took.
//!
//! The arms of a point are prepared in random order, all from one input. A round runs one block of every arm in random order.

use std::collections::HashMap;
use std::io;
use std::process::ExitCode;

use super::planted;
use super::protocol::{FORK, Message, Plan, PointPlan};
use crate::lab::session::check;
use crate::lab::session::process::{self, tell};
use crate::lab::session::ring::{Block, Ring, Taken};
use crate::routine::{layout, place};
use crate::trap::{Point, Routine, Trap};

// A single run this short was not run at all.
const SHORTEST_RUN: f64 = 20.0;
// n grows tenfold or more between points; time that grows less than this was not spent on n.
const LEAST_GROWTH: f64 = 1.5;

/// Is a fork if the arguments say so; otherwise gives nothing.
#[must_use]
pub(super) fn play(traps: &[Trap]) -> Option<ExitCode> {
    process::play(FORK, |plan: Plan| Fork::new(traps, &plan)?.sweep(&plan))
}

// What the fastest run of a point took.
#[derive(Clone, Copy)]
struct Taking {
    // The place of the point in the plan.
    at: usize,
    n: u64,
    ns: f64,
}

struct Fork<'a> {
    trap: &'a Trap,
    // The smallest n of each series: time has to grow from there.
    smallest: HashMap<String, Taking>,
}

impl<'a> Fork<'a> {
    fn new(traps: &'a [Trap], plan: &Plan) -> io::Result<Self> {
        let trap = traps.iter().find(|t| t.name == plan.trap);
        let trap = trap.ok_or_else(|| io::Error::other(format!("there is no trap {}", plan.trap)))?;
        layout::vary_heap(plan.class);
        place::pin(plan.pinned);
        process::have_threads();
        Ok(Self { trap, smallest: HashMap::new() })
    }

    fn sweep(&mut self, plan: &Plan) -> io::Result<()> {
        for (at, wanted) in plan.points.iter().enumerate() {
            self.measure(at, wanted)?;
        }
        Ok(())
    }

    fn measure(&mut self, at: usize, wanted: &PointPlan) -> io::Result<()> {
        let point = self.trap.points.get(wanted.point);
        let point = point.ok_or_else(|| io::Error::other(format!("there is no such point: {wanted:?}")))?;
        let ring = self.prepare(at, wanted, point)?;
        tell(&Message::Measures { at })?;
        let mut arms = ring.rounds(wanted.rounds);
        let removed = |(arm, taken): &(String, Taken)| Some((arm.clone(), self.removed(at, point, arm, taken)?));
        let removed: Vec<_> = arms.iter().filter_map(removed).collect();
        for (arm, (refused, why)) in removed {
            if refused == at {
                arms.retain(|(other, _)| *other != arm);
            }
            tell(&Message::Refuses { at: refused, arm, why })?;
        }
        tell(&Message::Measured { at, arms })
    }

    fn prepare(&self, at: usize, wanted: &PointPlan, point: &Point) -> io::Result<Ring> {
        let mut names: Vec<_> = wanted.arms.iter().collect();
        fastrand::shuffle(&mut names);
        let mut ring = Ring::default();
        for name in names {
            tell(&Message::Prepares { at, arm: name.clone() })?;
            match self.arm(name, wanted, point) {
                Err(why) => tell(&Message::Refuses { at, arm: name.clone(), why })?,
                Ok((routine, block)) => ring.enter(name, routine, block),
            }
        }
        Ok(ring)
    }

    fn arm(&self, name: &str, wanted: &PointPlan, point: &Point) -> Result<(Box<dyn Routine>, Block), String> {
        if let Some(mut routine) = planted::routine(name, point) {
            let block = Block::calibrate(routine.as_mut(), wanted.blocks)?;
            return Ok((routine, block));
        }
        let variant = self.trap.variant(name).unwrap_or(self.trap.baseline());
        let mut routine = (variant.batch)(point);
        check::agrees(routine.as_mut(), wanted.digest)?;
        let block = Block::calibrate(routine.as_mut(), wanted.blocks)?;
        Ok((routine, if planted::is_planted(name) { block.planted() } else { block }))
    }

    // The place of the point that is refused and why, if the compiler has removed the work: this one, or an earlier one of a
    // larger n. The fastest round is asked: a slow one can make a small n look as slow as a large one, but nothing makes work
    // faster than it is.
    fn removed(&mut self, at: usize, point: &Point, arm: &str, taken: &Taken) -> Option<(usize, String)> {
        let ns = taken.ns.iter().copied().fold(f64::INFINITY, f64::min);
        let (n, counts) = (point.n, self.trap.counts);
        let refusal = |at: usize, took: String| Some((at, format!("refused: {took}: the compiler removed the work")));
        let largest = self.trap.points.iter().map(|p| p.n).max();
        if largest == Some(n) && ns < SHORTEST_RUN {
            return refusal(at, format!("{n} {counts} take {ns:.1} ns"));
        }
        let series = format!("{arm}/{}/{}", point.threads, point.case);
        let here = Taking { at, n, ns };
        let smallest = self.smallest.entry(series).or_insert(here);
        let (small, large) = if n < smallest.n { (here, *smallest) } else { (*smallest, here) };
        *smallest = small;
        if large.n >= 10 * small.n && large.ns < LEAST_GROWTH * small.ns {
            let (n, ns) = (large.n, large.ns);
            return refusal(large.at, format!("{n} {counts} take {ns:.0} ns and {} take {:.0} ns", small.n, small.ns));
        }
        None
    }
}
