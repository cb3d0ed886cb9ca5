//! The second builder: work that leaves its answer in its input.

use std::hash::Hash;
use std::hint::black_box;
use std::time::Instant;

use super::block::{Pace, Routine, Work, digest_of, runs_of};
use super::place;

/// Work that leaves its answer in its input, such as a reused buffer; `view` takes the answer out for the digest.
pub fn in_place<I, O, F, V>(input: I, run: F, view: V) -> Box<dyn Routine>
where
    I: 'static,
    O: Hash + 'static,
    F: FnMut(&mut I) + 'static,
    V: for<'a> Fn(&'a I) -> &'a O + 'static,
{
    Box::new(InPlace { input, run, view })
}

struct InPlace<I, F, V> {
    input: I,
    run: F,
    view: V,
}

impl<I, O, F, V> Routine for InPlace<I, F, V>
where
    O: Hash + 'static,
    F: FnMut(&mut I),
    V: for<'a> Fn(&'a I) -> &'a O,
{
    fn block(&mut self, work: Work) -> Pace {
        let runs = runs_of(work);
        place::take_seat(0);
        let start = Instant::now();
        for _ in 0..runs {
            (self.run)(black_box(&mut self.input));
            black_box((self.view)(&self.input));
        }
        Pace::alone(runs, start.elapsed())
    }

    fn digest(&mut self) -> u64 {
        (self.run)(black_box(&mut self.input));
        digest_of((self.view)(&self.input))
    }
}
