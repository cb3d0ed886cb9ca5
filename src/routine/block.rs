//! The block: what every instrument that times asks of a routine, and what it is told.
//!
//! A block of k runs is k × { `black_box(input)`; run; `black_box(&output)`; drop output }. No output survives into the next
//! run: keeping the last one moves where the allocator puts the next, and with it the ratio. The loop is monomorphised
//! with the work, so that one dynamic call is paid a block and none a run.

use std::hash::{Hash, Hasher};
use std::time::Duration;

/// How much one block is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// So many runs.
    Runs(u64),
    /// As many runs as each worker does in so long. Only where workers do not wait for each other ([`Shape::Team`]).
    Window(Duration),
}

/// How fast a block went.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pace {
    /// ns for one run, of all its `n` ops by all its workers.
    pub ns_per_run: f64,
    /// Whole runs done.
    pub runs: u64,
    /// Wall time.
    pub wall: Duration,
    /// What other threads had a part in it; none of a block that ran on the calling thread alone.
    pub crew: Option<CrewTime>,
}

/// What a block's threads used, and what was taken from them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CrewTime {
    /// CPU time of all of them, between the stamps of each; none where the system doesn't say.
    pub cpu: Option<Duration>,
    /// Wall time of all of them.
    pub wall: Duration,
    /// Time that they were ready to run and did not, because another thread had their CPU; none where it doesn't say.
    pub delayed: Option<Duration>,
}

impl Pace {
    /// The pace of so many runs on the calling thread alone.
    #[must_use]
    pub fn alone(runs: u64, wall: Duration) -> Self {
        Self { ns_per_run: wall.as_nanos() as f64 / runs.max(1) as f64, runs, wall, crew: None }
    }
}

/// Who does the work of a routine: it decides what a block may ask, and how long it must be to mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// The calling thread.
    Alone,
    /// Workers that do not wait for each other.
    Team,
    /// Workers that a caller calls together for each run, and waits for: fixed work, and each run has stamps of its own.
    Gather,
    /// Workers that wait for each other or for a helper: fixed work, of as many runs as a block holds.
    Waiting,
}

impl Shape {
    /// Whether workers wait for somebody in a run, so that they do fixed work.
    #[must_use]
    pub const fn waits(self) -> bool {
        matches!(self, Self::Gather | Self::Waiting)
    }
}

/// Work with its input, ready to be timed.
pub trait Routine {
    /// Does one block and says how fast it went; set-up, thread start and the hand-out of work are not in it.
    ///
    /// # Panics
    /// If a window is asked of a routine that is no [`Shape::Team`], or a worker did no run in its window.
    fn block(&mut self, work: Work) -> Pace;

    /// Does one run and returns a digest of its answer. Call it on a fresh routine: all variants of a trap at a point then
    /// give one digest, or one of them does other work.
    fn digest(&mut self) -> u64;

    /// Lets go of what it holds for the block under way, such as a staged buffer: whoever compares arms calls it after each
    /// block, so that the next arm finds the memory free.
    fn rest(&mut self) {}

    /// Who does the work.
    fn shape(&self) -> Shape {
        Shape::Alone
    }
}

/// The number of runs that are asked for.
///
/// # Panics
/// If a window is asked for: who calls this has no workers to stop.
#[must_use]
pub(super) fn runs_of(work: Work) -> u64 {
    match work {
        Work::Runs(runs) => runs,
        Work::Window(_) => panic!("a window of time is for a team; this routine does fixed work"),
    }
}

/// A digest of any answer: the wrapping sum of all integers in it, bytes taken eight at a time. It is the same in every
/// process and every language, and no order changes it, for threads and maps have none. A `u64` is its own digest.
pub fn digest_of(answer: &impl Hash) -> u64 {
    let mut sum = Sum(0);
    answer.hash(&mut sum);
    sum.finish()
}

struct Sum(u64);

impl Hasher for Sum {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_ne_bytes(word));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(value.into());
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(value.into());
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = self.0.wrapping_add(value);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_its_own_digest_and_a_list_the_sum_of_its_length_and_its_numbers() {
        assert_eq!(digest_of(&7_u64), 7);
        assert_eq!(digest_of(&vec![1_u64, 2, 3]), 3 + 6);
        assert_eq!(digest_of(&vec![3_u64, 1, 2]), digest_of(&vec![1_u64, 2, 3]));
        assert_ne!(digest_of(&vec![1_u64, 2]), digest_of(&vec![1_u64, 2, 0]));
        assert_eq!(digest_of(&(1_u8, 2_u32, 3_usize)), 6);
    }
}
