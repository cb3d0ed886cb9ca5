//! A team of one: the calling thread, which nobody wakes.

use std::hint::black_box;
use std::time::Instant;

use super::block::{Pace, Routine, Work, digest_of, runs_of};
use super::place;

/// Whose turn it is: which worker, and its how-manieth run since the team was built.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// From 0 to threads − 1.
    pub worker: usize,
    /// From 0. Workers do not wait for each other between runs, and after a window each has done as many as it could.
    pub run: usize,
}

/// The routine of a single worker.
pub(super) fn solo<S, F, V>(shared: S, run: F, view: V) -> Box<dyn Routine>
where
    S: 'static,
    F: Fn(&S, Turn) -> u64 + 'static,
    V: Fn(&S, u64) -> u64 + 'static,
{
    Box::new(Solo { shared, run, view, runs: 0 })
}

struct Solo<S, F, V> {
    shared: S,
    run: F,
    view: V,
    runs: usize,
}

impl<S, F: Fn(&S, Turn) -> u64, V> Solo<S, F, V> {
    fn work(&mut self, runs: u64) -> u64 {
        let mut answer = 0_u64;
        for run in self.runs..self.runs + runs as usize {
            answer = answer.wrapping_add(black_box((self.run)(black_box(&self.shared), Turn { worker: 0, run })));
        }
        self.runs += runs as usize;
        answer
    }
}

impl<S, F: Fn(&S, Turn) -> u64, V: Fn(&S, u64) -> u64> Routine for Solo<S, F, V> {
    fn block(&mut self, work: Work) -> Pace {
        let runs = runs_of(work);
        place::take_seat(0);
        let start = Instant::now();
        black_box(self.work(runs));
        Pace::alone(runs, start.elapsed())
    }

    fn digest(&mut self) -> u64 {
        let answer = self.work(1);
        digest_of(&(self.view)(&self.shared, answer))
    }
}
