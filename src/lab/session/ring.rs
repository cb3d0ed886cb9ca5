//! The rounds: arms that are compared in one process, each in blocks long enough to time, in random order.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::trap::{Routine, Work};

/// How long a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::lab) enum Blocks {
    /// As many runs as take so long.
    AtLeast(Duration),
    /// A window of so long.
    Window(Duration),
}

/// What a block of an arm does, and how many runs it counts for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::lab) struct Block {
    work: Work,
    // A planted slowdown counts for fewer runs than it does.
    share: f64,
}

// A planted block is a multiple of so many runs, and one more for each: a slowdown of exactly 5 %.
const PLANTED_RUNS: u64 = 20;

impl Block {
    /// Finds the work that a block of this length does.
    ///
    /// # Errors
    /// If no number of runs takes so long: the compiler has removed the work.
    pub(in crate::lab) fn calibrate(routine: &mut dyn Routine, blocks: Blocks) -> Result<Self, String> {
        match blocks {
            Blocks::Window(length) => Ok(Self { work: Work::Window(length), share: 1.0 }),
            Blocks::AtLeast(least) => {
                let runs = runs(routine, least);
                routine.rest();
                Ok(Self { work: Work::Runs(runs?), share: 1.0 })
            }
        }
    }

    /// The same block with a run more for every twenty, none of which is counted.
    pub(in crate::lab) fn planted(self) -> Self {
        let Work::Runs(runs) = self.work else { return self };
        // Rounded down, so that it is hardly longer than its neighbours.
        let runs = (runs - runs % PLANTED_RUNS).max(PLANTED_RUNS);
        let slowed = runs + runs / PLANTED_RUNS;
        Self { work: Work::Runs(slowed), share: slowed as f64 / runs as f64 }
    }
}

// ns.
const LONG: f64 = 10e6;

// One preempted sample must not make a block of a fifth of its length for a whole process: a pace is taken from the fastest of
// two or three samples, and the block that it gives is looked at before it is taken.
fn runs(routine: &mut dyn Routine, least: Duration) -> Result<u64, String> {
    let least = least.as_nanos() as f64;
    let (mut runs, mut expected) = (1, false);
    while runs < 1 << 40 {
        let took = sample(routine, runs);
        let took = if expected && took >= 0.9 * least { took } else { fastest(routine, runs, took) };
        if took >= 0.9 * least {
            return Ok(runs);
        }
        expected = took >= 0.1 * least;
        runs = if expected { (1.1 * least * runs as f64 / took).ceil() as u64 } else { 4 * runs };
        // A tenth of so long a block was long enough to be trusted, and a look at the whole would cost as much as a round.
        if expected && least >= LONG {
            return Ok(runs);
        }
    }
    Err("refused: a trillion runs take no time: the compiler removed the work".into())
}

// ns of so many runs, the fastest of the first sample and one that agrees with it, or of three.
fn fastest(routine: &mut dyn Routine, runs: u64, first: f64) -> f64 {
    let second = sample(routine, runs);
    let (low, high) = (first.min(second), first.max(second));
    if high < 1.5 * low { low } else { low.min(sample(routine, runs)) }
}

fn sample(routine: &mut dyn Routine, runs: u64) -> f64 {
    ns(routine.block(Work::Runs(runs)).wall)
}

/// What is timed.
pub(in crate::lab) struct Arm {
    /// The variant's name, or the control's.
    pub(in crate::lab) name: String,
    /// What it took.
    pub(in crate::lab) taken: Taken,
    routine: Box<dyn Routine>,
    block: Block,
}

/// What the blocks of one arm took in one process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::lab) struct Taken {
    /// ns for each run, one value a round.
    pub(in crate::lab) ns: Vec<f64>,
    /// Of all rounds together, where several threads had a part.
    pub(in crate::lab) crew: Option<CrewTotal>,
}

/// What the threads of an arm used in all rounds together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::lab) struct CrewTotal {
    /// Runs, of which a window holds a broken number.
    pub(in crate::lab) runs: f64,
    /// Wall time of the blocks, ns.
    pub(in crate::lab) wall: f64,
    /// Wall time of the threads, ns.
    pub(in crate::lab) thread_wall: f64,
    /// CPU time of the threads, ns.
    pub(in crate::lab) cpu: Option<f64>,
    /// Time that they were ready and did not run, ns.
    pub(in crate::lab) delayed: Option<f64>,
}

impl Arm {
    fn time(&mut self) {
        // A window begins with runs that do not count; a gathered block is long against what other arms left in the caches, and a
        // run of it often as long as the block.
        if matches!(self.block.work, Work::Runs(_)) && !self.routine.shape().waits() {
            self.routine.block(Work::Runs(1));
        }
        let pace = self.routine.block(self.block.work);
        self.routine.rest();
        self.taken.ns.push(pace.ns_per_run * self.block.share);
        if let Some(crew) = pace.crew {
            self.taken.crew = Some(self.taken.crew.unwrap_or_else(CrewTotal::nothing).and(&pace, &crew));
        }
    }
}

impl CrewTotal {
    fn nothing() -> Self {
        Self { cpu: Some(0.0), delayed: Some(0.0), ..Self::default() }
    }

    fn and(self, pace: &crate::routine::Pace, crew: &crate::routine::CrewTime) -> Self {
        let plus = |sum: Option<f64>, more: Option<Duration>| sum.zip(more).map(|(sum, more)| sum + ns(more));
        Self {
            runs: self.runs + ns(pace.wall) / pace.ns_per_run,
            wall: self.wall + ns(pace.wall),
            thread_wall: self.thread_wall + ns(crew.wall),
            cpu: plus(self.cpu, crew.cpu),
            delayed: plus(self.delayed, crew.delayed),
        }
    }
}

fn ns(time: Duration) -> f64 {
    time.as_nanos() as f64
}

/// The arms that are compared at a point.
#[derive(Default)]
pub(in crate::lab) struct Ring {
    arms: Vec<Arm>,
}

impl Ring {
    /// Adds an arm.
    pub(in crate::lab) fn enter(&mut self, name: &str, routine: Box<dyn Routine>, block: Block) {
        self.arms.push(Arm { name: name.into(), taken: Taken::default(), routine, block });
    }

    /// Runs so many rounds, each a block of every arm in random order, and gives what the arms took.
    #[must_use]
    pub(in crate::lab) fn rounds(mut self, rounds: usize) -> Vec<(String, Taken)> {
        let mut order: Vec<usize> = (0..self.arms.len()).collect();
        for _ in 0..rounds {
            fastrand::shuffle(&mut order);
            order.iter().for_each(|&at| self.arms[at].time());
        }
        self.arms.into_iter().map(|arm| (arm.name, arm.taken)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trap::routine;

    #[test]
    fn a_planted_block_does_21_runs_and_counts_20() {
        let block = Block { work: Work::Runs(50), share: 1.0 }.planted();
        assert_eq!((block.work, block.share), (Work::Runs(42), 1.05));
    }

    #[test]
    fn every_arm_is_timed_once_a_round() {
        let mut ring = Ring::default();
        let mut enter = |name| {
            let mut routine = routine((), |()| std::hint::black_box((0..1_000_u64).sum::<u64>()));
            let block =
                Block::calibrate(routine.as_mut(), Blocks::AtLeast(Duration::from_micros(20))).expect("it takes time");
            ring.enter(name, routine, block);
        };
        enter("a");
        enter("b");
        let taken = ring.rounds(7);
        assert!(taken.iter().all(|(_, taken)| taken.ns.len() == 7 && taken.crew.is_none()));
    }
}
