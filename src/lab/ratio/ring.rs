//! The rounds: arms that are compared in one process, each in blocks long enough to time, in random order.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::trap::{Point, Routine, Work};

/// The arm that is the trap's block, 5 % longer.
pub(in crate::lab) const PLANTED: &str = "planted_5_percent";
/// What the planted slowdown is held against: the trap's block of the length that makes 5 % a whole number of runs.
const UNPLANTED: &str = "planted_base";
// A planted block is a multiple of so many runs, and one more for each: a slowdown of exactly 5 %.
const PLANTED_RUNS: u64 = 20;
// ns. Blocks of 20 longer runs take so long that a shared machine changes its speed between the two of a pair: with runs of
// 2.4 ms, a planted 1.05 came out between 1.05 and 1.09.
const LONGEST_PLANTED_RUN: f64 = 1_400_000.0;

/// What an arm is held against: the trap, unless it is the planted slowdown.
#[must_use]
pub(in crate::lab) fn baseline_of<'a>(arm: &str, trap: &'a str) -> &'a str {
    if arm == PLANTED { UNPLANTED } else { trap }
}

/// Whether an arm is of the fork's own making and no row of the report.
#[must_use]
pub(in crate::lab) fn is_auxiliary(arm: &str) -> bool {
    arm == UNPLANTED
}

/// How long blocks and points take.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::lab) struct Limits {
    /// For all rounds of a point.
    pub(in crate::lab) budget: Duration,
    /// For the rounds of its planted slowdown: 5 % is small against what disturbs a round, so there are many.
    pub(in crate::lab) planted_budget: Duration,
    /// Shortest block of one thread.
    pub(in crate::lab) block: Duration,
    /// Shortest block of several threads.
    pub(in crate::lab) team_block: Duration,
    /// Shortest block of more threads than cores.
    pub(in crate::lab) crowd_block: Duration,
    /// Fewest rounds.
    pub(in crate::lab) fewest: usize,
    /// Most rounds.
    pub(in crate::lab) most: usize,
}

impl Limits {
    /// The shortest block at this point.
    #[must_use]
    pub(in crate::lab) fn shortest_block(&self, point: &Point) -> Duration {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        match point.threads {
            1 => self.block,
            threads if threads <= cores => self.team_block,
            _ => self.crowd_block,
        }
    }
}

/// How many runs make a block, and the ns of one.
#[derive(Clone, Copy, Debug)]
pub(in crate::lab) struct Block {
    /// Runs.
    pub(in crate::lab) runs: u64,
    /// ns for each.
    pub(in crate::lab) ns: f64,
}

impl Block {
    /// Finds the number of runs that take at least so long.
    ///
    /// # Errors
    /// If no number does: the compiler has removed the work.
    pub(in crate::lab) fn calibrate(routine: &mut dyn Routine, least: Duration) -> Result<Self, String> {
        let (mut runs, least) = (1, least.as_nanos() as f64);
        while runs < 1 << 40 {
            let took = timed(routine, runs).as_nanos() as f64;
            // A tenth of a block tells what a run takes; a tenth more of it makes up for the error.
            if took >= least / 10.0 {
                let ns = took / runs as f64;
                return Ok(Self { runs: runs.max((1.1 * least / ns).ceil() as u64), ns });
            }
            runs *= 4;
        }
        Err("refused: a trillion runs take no time: the compiler removed the work".into())
    }
}

/// What is timed: `runs` runs of a routine, which count as `per`.
#[derive(Debug)]
pub(in crate::lab) struct Arm {
    /// The variant's name, or the control's.
    pub(in crate::lab) name: String,
    /// ns for each run, one value a round.
    pub(in crate::lab) times: Vec<f64>,
    routine: usize,
    runs: u64,
    per: u64,
}

impl Arm {
    fn new(name: &str, routine: usize, runs: u64, per: u64) -> Self {
        Self { name: name.into(), times: Vec::new(), routine, runs, per }
    }
}

/// The arms that are compared at a point, and the routines that they run.
#[derive(Default)]
pub(in crate::lab) struct Ring {
    routines: Vec<Box<dyn Routine>>,
    arms: Vec<Arm>,
    // Compared with each other only, and in longer blocks, so they have rounds of their own.
    planted: Vec<Arm>,
}

impl Ring {
    /// Adds an arm with a routine of its own.
    pub(in crate::lab) fn enter(&mut self, name: &str, routine: Box<dyn Routine>, block: Block) {
        self.arms.push(Arm::new(name, self.routines.len(), block.runs, block.runs));
        self.routines.push(routine);
    }

    /// Adds the planted slowdown of the arm that entered last, in blocks of 20 runs and of 21 that count as 20; does nothing
    /// where that takes too long.
    pub(in crate::lab) fn plant(&mut self, block: Block) {
        if block.ns <= LONGEST_PLANTED_RUN {
            let (last, per) = (self.routines.len() - 1, block.runs.next_multiple_of(PLANTED_RUNS));
            let slowed = per + per / PLANTED_RUNS;
            self.planted = vec![Arm::new(UNPLANTED, last, per, per), Arm::new(PLANTED, last, slowed, per)];
        }
    }

    /// Runs the rounds that there is time for and gives what the arms took.
    #[must_use]
    pub(in crate::lab) fn rounds(mut self, limits: &Limits) -> Vec<Arm> {
        for (arms, budget) in [(&mut self.arms, limits.budget), (&mut self.planted, limits.planted_budget)] {
            // The first round tells how many there is time for; it counts like the others.
            let first = round(&mut self.routines, arms);
            let affordable = budget.as_nanos() / first.as_nanos().max(1);
            let rounds = usize::try_from(affordable).unwrap_or(usize::MAX).clamp(limits.fewest, limits.most);
            for _ in 1..rounds {
                round(&mut self.routines, arms);
            }
        }
        self.arms.append(&mut self.planted);
        self.arms
    }
}

// One block of every arm, in random order. Gives what all of it took, with the untimed runs.
fn round(routines: &mut [Box<dyn Routine>], arms: &mut [Arm]) -> Duration {
    let start = Instant::now();
    let mut order: Vec<_> = arms.iter_mut().collect();
    fastrand::shuffle(&mut order);
    for arm in order {
        let took = timed(routines[arm.routine].as_mut(), arm.runs);
        arm.times.push(took.as_nanos() as f64 / arm.per as f64);
    }
    start.elapsed()
}

// One untimed run goes before each block, to clear the other arms' cache.
fn timed(routine: &mut dyn Routine, runs: u64) -> Duration {
    routine.block(Work::Runs(1));
    routine.block(Work::Runs(runs)).wall
}
