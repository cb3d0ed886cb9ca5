//! Seeded inputs that traps (and their Go twins) share: the same seed gives the same input to every arm.

use std::any::{Any, TypeId};
use std::cell::Cell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hasher};
use std::hint::black_box;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError, Weak};

pub use self::random::Rng;
use crate::routine::layout;
use crate::trap::Point;

mod random;

/// The seed of every input.
pub const SEED: u64 = 0x7261_706C_696E_6531;

/// How many elements a small point draws from: a loop over fewer random ones is learnt by the branch predictor.
pub const POOL: usize = 1 << 17;

/// A generator for one input; different `stream`s of one seed give different inputs.
#[must_use]
pub const fn rng(stream: u64) -> Rng {
    Rng::seeded(SEED ^ stream.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

type Inputs = HashMap<(TypeId, Point), Weak<dyn Any + Send + Sync>>;

/// The input of a point, made once for all arms that are alive together: they read one object, so that none is luckier than
/// another in where its input lies. Inputs of one `build` are shared: name a function, for every closure is another.
pub fn shared<T, B>(p: &Point, build: B) -> Arc<T>
where
    T: Any + Send + Sync,
    B: FnOnce(&Point) -> T + 'static,
{
    static INPUTS: Mutex<Option<Inputs>> = Mutex::new(None);
    let mut inputs = INPUTS.lock().unwrap_or_else(PoisonError::into_inner);
    let inputs = inputs.get_or_insert_default();
    let key = (TypeId::of::<B>(), *p);
    let known = inputs.get(&key).and_then(Weak::upgrade);
    if let Some(input) = known.and_then(|input| input.downcast().ok()) {
        return input;
    }
    let input = Arc::new(build(p));
    let any: Arc<dyn Any + Send + Sync> = Arc::<T>::clone(&input);
    inputs.insert(key, Arc::downgrade(&any));
    input
}

/// Elements that begin at a random one of a larger block, in forks of the ratio instrument. A large block is mapped at the
/// same place in its page in every process; its content should not be.
#[derive(Clone, Debug)]
pub struct Shifted<T> {
    items: Vec<T>,
    from: usize,
}

impl<T: Clone> Shifted<T> {
    /// The elements, behind so many copies of the first that are never seen.
    #[must_use]
    pub fn new(items: Vec<T>) -> Self {
        let first = items.first().cloned();
        Self::behind(items, || first.clone())
    }
}

impl<T> Shifted<T> {
    /// The elements, behind so many of `filler` that are never seen: 63 at most, no more than there are elements.
    #[must_use]
    pub fn behind<F: IntoIterator<Item = T>>(mut items: Vec<T>, filler: impl Fn() -> F) -> Self {
        let from = layout::random_below(64).min(items.len());
        items.splice(..0, (0..from).flat_map(|_| filler()));
        Self { items, from }
    }
}

impl<T> Deref for Shifted<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items[self.from..]
    }
}

/// A dependent chain of `steps` multiplications: own work of a fixed count, which no core can overlap with itself. What a
/// step takes is measured at the start of a run and printed; the lab never spins on a clock.
#[inline(never)]
#[must_use]
pub fn own_work(steps: u32, seed: u64) -> u64 {
    let mut x = seed | 1;
    for _ in 0..steps {
        x = (x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    }
    black_box(x)
}

/// Steps of [`own_work`] that take about a microsecond on a core of 3 GHz.
pub const STEPS_PER_MICROSECOND: u32 = 600;

/// Own work in turns, each of which waits for the one before: of chains that wait for nothing a core does several at once, and
/// a turn would take a part of what it says. It still overlaps with whatever else lies between two turns, as in a service.
#[derive(Debug)]
pub struct Turns {
    steps: u32,
    last: Cell<u64>,
}

impl Turns {
    /// Turns of so many steps of [`own_work`]. With none, a turn is nothing.
    #[must_use]
    pub const fn of(steps: u32) -> Self {
        Self { steps, last: Cell::new(0) }
    }

    /// Takes the next turn.
    pub fn take(&self, seed: u64) {
        if self.steps > 0 {
            self.last.set(own_work(self.steps, seed ^ self.last.get()));
        }
    }
}

/// Elements from which each run takes the next `n`, round and round. Nothing in it changes, so that arms can share it.
#[derive(Clone, Debug)]
pub struct Windows<T> {
    items: Shifted<T>,
    n: usize,
}

impl<T> Windows<T> {
    /// Windows of `n` elements. Elements that do not fill a last window are never seen.
    ///
    /// # Panics
    /// If there are fewer than `n` elements, or `n` is 0.
    #[must_use]
    pub fn new(items: Vec<T>, n: usize) -> Self {
        Self::of(Shifted { items, from: 0 }, n)
    }

    /// The same over elements that are shifted in their block.
    ///
    /// # Panics
    /// As [`Windows::new`] does.
    #[must_use]
    pub fn of(items: Shifted<T>, n: usize) -> Self {
        assert!(n > 0 && items.len() >= n, "{} elements can't fill a window of {n}", items.len());
        Self { items, n }
    }

    /// The window of this number, counted round and round.
    #[must_use]
    pub fn window(&self, number: usize) -> &[T] {
        let from = number % (self.items.len() / self.n) * self.n;
        &self.items[from..from + self.n]
    }

    /// The window that begins at `at`, which then moves to the next one's beginning. Begin at 0. There is no division in
    /// it: where a run takes tens of ns, the two of [`Windows::window`] would be a good part of them.
    pub fn advance(&self, at: &mut usize) -> &[T] {
        let from = if *at + self.n > self.items.len() { 0 } else { *at };
        *at = from + self.n;
        &self.items[from..*at]
    }
}

/// One hasher for all maps of integer keys: `SipHash` with fixed keys, the standard one without its random seed. It is computed in a function
/// that is never inlined, so that all arms run the same code: left to itself the compiler inlined it into some maps and
/// called it from others, and that was most of what one thread seemed to pay to the mutex.
#[derive(Clone, Copy, Debug, Default)]
pub struct OneHasher(u64);

/// Makes [`OneHasher`]s.
pub type OneState = BuildHasherDefault<OneHasher>;

impl Hasher for OneHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |key, byte| key.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }

    #[inline(never)]
    fn finish(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.0);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_of_own_work_knows_all_turns_before_it() {
        let after = |seeds: [u64; 3]| {
            let turns = Turns::of(2);
            seeds.iter().for_each(|seed| turns.take(*seed));
            turns.last.get()
        };
        assert!(after([1, 2, 3]) != after([9, 2, 3]) && after([1, 2, 3]) != after([1, 9, 3]));
        let none = Turns::of(0);
        none.take(7);
        assert_eq!(none.last.get(), 0);
    }

    #[test]
    fn advancing_and_counting_give_the_same_windows() {
        let windows = Windows::new((0..11).collect(), 3);
        let mut at = 0;
        for number in 0..10 {
            assert_eq!(windows.advance(&mut at), windows.window(number), "window {number}");
        }
        assert_eq!(windows.window(3), [0, 1, 2]);
    }

    #[test]
    #[should_panic(expected = "2 elements can't fill a window of 3")]
    fn a_window_must_be_filled() {
        let _ = Windows::new(vec![1, 2], 3);
    }
}
