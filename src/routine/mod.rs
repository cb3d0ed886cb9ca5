//! The block: the loop and the clock of every timed measurement, and the three builders that make one.
//!
//! A block of k runs is k × { `black_box(input)`; run; `black_box(&output)`; drop output }. No output survives into the next
//! run: keeping the last one moves where the allocator puts the next, and with it the ratio. The loop is monomorphised
//! with the work, so that one dynamic call is paid a block and none a run.

mod crew;
pub mod layout;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::hint::black_box;
use std::time::{Duration, Instant};

pub use self::crew::{Turn, team};

/// Work with its input, ready to be timed.
pub trait Routine {
    /// Does `runs` runs and returns how long they took; set-up and thread start are not in it.
    fn block(&mut self, runs: u64) -> Duration;

    /// Does one run and returns a digest of its answer. Call it on a fresh routine: all variants of a trap at a point then
    /// give one digest, or one of them does other work.
    fn digest(&mut self) -> u64;
}

/// Work that makes an output of its own in every run; the output is dropped inside the clock.
pub fn routine<I, O, F>(input: I, run: F) -> Box<dyn Routine>
where
    I: 'static,
    O: Hash + 'static,
    F: FnMut(&mut I) -> O + 'static,
{
    Box::new(Fresh { input, run })
}

/// Work that leaves its answer in its input, such as a reused buffer; `view` takes the answer out for the digest.
pub fn in_place<I, O, F, V>(input: I, run: F, view: V) -> Box<dyn Routine>
where
    I: 'static,
    O: Hash,
    F: FnMut(&mut I) + 'static,
    V: for<'a> Fn(&'a I) -> &'a O + 'static,
    O: 'static,
{
    Box::new(InPlace { input, run, view })
}

/// A digest of any answer, the same in every process: the standard hasher with its fixed keys.
pub fn digest_of(answer: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    answer.hash(&mut hasher);
    hasher.finish()
}

struct Fresh<I, F> {
    input: I,
    run: F,
}

impl<I, O: Hash, F: FnMut(&mut I) -> O> Routine for Fresh<I, F> {
    fn block(&mut self, runs: u64) -> Duration {
        let start = Instant::now();
        for _ in 0..runs {
            let output = (self.run)(black_box(&mut self.input));
            black_box(&output);
            drop(output);
        }
        start.elapsed()
    }

    fn digest(&mut self) -> u64 {
        digest_of(&(self.run)(black_box(&mut self.input)))
    }
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
    fn block(&mut self, runs: u64) -> Duration {
        let start = Instant::now();
        for _ in 0..runs {
            (self.run)(black_box(&mut self.input));
            black_box((self.view)(&self.input));
        }
        start.elapsed()
    }

    fn digest(&mut self) -> u64 {
        (self.run)(black_box(&mut self.input));
        digest_of((self.view)(&self.input))
    }
}
