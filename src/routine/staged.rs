//! The builder for work on something that must be made before the clock and let go after it.

use std::hash::Hash;
use std::hint::black_box;
use std::time::Instant;

use super::block::{Pace, Routine, Work, digest_of, runs_of};
use super::place;

/// Work that leaves its answer in a stage: `set` makes it before each block, and it is dropped after, both outside the clock. So
/// a buffer lies in the memory that the other arms use and give back, and not in memory of its own.
pub fn staged<I, S, M, F>(input: I, set: M, run: F) -> Box<dyn Routine>
where
    I: 'static,
    S: Hash + 'static,
    M: Fn(&I) -> S + 'static,
    F: FnMut(&I, &mut S) + 'static,
{
    Box::new(Staged { input, set, run })
}

struct Staged<I, M, F> {
    input: I,
    set: M,
    run: F,
}

impl<I, S, M, F> Routine for Staged<I, M, F>
where
    S: Hash,
    M: Fn(&I) -> S,
    F: FnMut(&I, &mut S),
{
    fn block(&mut self, work: Work) -> Pace {
        let runs = runs_of(work);
        place::take_seat(0);
        let mut stage = (self.set)(&self.input);
        let start = Instant::now();
        for _ in 0..runs {
            (self.run)(black_box(&self.input), black_box(&mut stage));
        }
        Pace::alone(runs, start.elapsed())
    }

    fn digest(&mut self) -> u64 {
        let mut stage = (self.set)(&self.input);
        (self.run)(&self.input, &mut stage);
        digest_of(&stage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_has_a_stage_of_its_own() {
        let mut routine = staged(5_u64, |_| Vec::new(), |five, stage: &mut Vec<u64>| stage.push(*five));
        assert_eq!(routine.block(Work::Runs(7)).runs, 7);
        assert_eq!(routine.digest(), 1 + 5, "one element, and not eight");
    }
}
