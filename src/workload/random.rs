//! The generator of all inputs, ten lines that Go has once more (`benches/go/workload_test.go`), so that both languages measure
//! the same input. Its own lines, and no library's: an input that changed with a version would change every number with it.

use std::ops::Range;

/// A generator of 64 random bits: `WyRand`.
///
/// Source: Wang Yi, [wyhash](https://github.com/wangyi-fudan/wyhash), with the constants of its version 4.2.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The generator of this seed.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x2D35_8DCC_AA6C_78A5);
        let product = u128::from(self.0) * u128::from(self.0 ^ 0x8BB8_4B93_962E_ACC9);
        product as u64 ^ (product >> 64) as u64
    }

    /// A number below `n`, each as likely as any other. There is none below 0: it panics.
    ///
    /// Source: Daniel Lemire, "Fast random integer generation in an interval", ACM TOMACS 29(1), 2019.
    pub fn below(&mut self, n: u64) -> u64 {
        let few = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.u64()) * u128::from(n);
            if product as u64 >= few {
                return (product >> 64) as u64;
            }
        }
    }

    /// An index into so many elements.
    pub fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// A number of this range.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.below(range.end - range.start)
    }

    /// A letter of `a` to `z`.
    pub fn letter(&mut self) -> char {
        char::from(b'a' + self.below(26) as u8)
    }

    /// Brings these elements into a random order.
    ///
    /// Source: Durstenfeld, "Algorithm 235: Random permutation", CACM 7(7), 1964, from the front.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in 1..items.len() {
            items.swap(at, self.index(at + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same vectors stand in `benches/go/workload_test.go`.
    #[test]
    fn the_first_numbers_are_those_that_go_has_too() {
        let mut rng = Rng::seeded(42);
        assert_eq!([rng.u64(), rng.u64(), rng.u64()], VECTORS);
        assert_eq!([rng.below(10), rng.below(1 << 40), rng.within(100..107)], WITHIN);
    }

    const VECTORS: [u64; 3] = [0xCA71_D87C_7698_3989, 0x7E5B_A615_5208_5FC6, 0xCDF1_01E3_BAB8_8B9F];
    const WITHIN: [u64; 3] = [0, 595_938_099_549, 103];

    /// Another hand's `WyRand`, bit by bit.
    #[test]
    fn fastrand_agrees() {
        let (mut ours, mut theirs) = (Rng::seeded(7), fastrand::Rng::with_seed(7));
        for n in [1, 2, 3, 26, 10_000, (1 << 63) + 1, u64::MAX] {
            assert_eq!(ours.u64(), theirs.u64(..));
            assert_eq!(ours.below(n), theirs.u64(..n), "below {n}");
            assert_eq!(ours.within(9..10 + n / 2), theirs.u64(9..10 + n / 2));
            assert_eq!(ours.letter(), theirs.lowercase());
        }
        let [mut here, mut there] = [(0..1_000).collect::<Vec<u32>>(), (0..1_000).collect()];
        ours.shuffle(&mut here);
        theirs.shuffle(&mut there);
        assert_eq!(here, there);
    }
}
