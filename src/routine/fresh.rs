//! The first builder: work that makes an output in every run.

use std::hash::Hash;
use std::hint::black_box;
use std::time::Instant;

use super::block::{Pace, Routine, Work, digest_of, runs_of};
use super::place;

/// Work that makes an output of its own in every run; the output is dropped inside the clock.
pub fn routine<I, O, F>(input: I, run: F) -> Box<dyn Routine>
where
    I: 'static,
    O: Hash + 'static,
    F: FnMut(&mut I) -> O + 'static,
{
    Box::new(Fresh { input, run })
}

struct Fresh<I, F> {
    input: I,
    run: F,
}

impl<I, O: Hash, F: FnMut(&mut I) -> O> Routine for Fresh<I, F> {
    fn block(&mut self, work: Work) -> Pace {
        let runs = runs_of(work);
        place::take_seat(0);
        let start = Instant::now();
        for _ in 0..runs {
            let output = (self.run)(black_box(&mut self.input));
            black_box(&output);
            drop(output);
        }
        Pace::alone(runs, start.elapsed())
    }

    fn digest(&mut self) -> u64 {
        digest_of(&(self.run)(black_box(&mut self.input)))
    }
}
