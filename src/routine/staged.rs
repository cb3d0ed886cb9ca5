//! The builder for work on something that must be made before the clock and let go after it.

use std::hash::Hash;
use std::hint::black_box;
use std::time::Instant;

use super::block::{Pace, Routine, Work, digest_of, runs_of};
use super::place;

/// Work that leaves its answer in a stage: `set` makes it before a block and outside its clock, and [`Routine::rest`] drops it.
/// So a buffer lies in the memory that the other arms use and give back, and not in memory of its own.
pub fn staged<I, S, M, F>(input: I, set: M, run: F) -> Box<dyn Routine>
where
    I: 'static,
    S: Hash + 'static,
    M: Fn(&I) -> S + 'static,
    F: FnMut(&I, &mut S) + 'static,
{
    Box::new(Staged { input, set, run, stage: None })
}

struct Staged<I, S, M, F> {
    input: I,
    set: M,
    run: F,
    stage: Option<S>,
}

impl<I, S, M, F> Routine for Staged<I, S, M, F>
where
    S: Hash,
    M: Fn(&I) -> S,
    F: FnMut(&I, &mut S),
{
    fn block(&mut self, work: Work) -> Pace {
        let runs = runs_of(work);
        place::take_seat(0);
        let stage = self.stage.get_or_insert_with(|| (self.set)(&self.input));
        let start = Instant::now();
        for _ in 0..runs {
            (self.run)(black_box(&self.input), black_box(stage));
        }
        Pace::alone(runs, start.elapsed())
    }

    fn digest(&mut self) -> u64 {
        let mut stage = (self.set)(&self.input);
        (self.run)(&self.input, &mut stage);
        digest_of(&stage)
    }

    fn rest(&mut self) {
        self.stage = None;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    #[test]
    fn a_stage_lasts_until_the_arm_rests() {
        let made = Rc::new(Cell::new(0));
        let count = Rc::clone(&made);
        let set = move |_: &u64| {
            count.set(count.get() + 1);
            Vec::new()
        };
        let mut routine = staged(5_u64, set, |five, stage: &mut Vec<u64>| stage.push(*five));
        routine.block(Work::Runs(1));
        routine.block(Work::Runs(7));
        assert_eq!(made.get(), 1);
        routine.rest();
        routine.block(Work::Runs(1));
        assert_eq!(made.get(), 2);
        assert_eq!(routine.digest(), 1 + 5, "one element of a fresh stage");
    }
}
