//! The words: what an interval of a ratio (trap ÷ variant, above 1 means the variant is faster) lets one say.

use std::fmt;

use crate::lab::stats;

/// A difference of this factor is worth a word; anything within it is a tie.
pub const MARGIN: f64 = 1.05;

/// What may be said of a variant beside the trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The whole interval lies beyond 1.05: faster, by more than 5 %.
    Wins,
    /// The whole interval lies beyond 1/1.05: slower, by more than 5 %.
    Loses,
    /// The whole interval lies within 5 % of 1. A finding, like the other two.
    Ties,
    /// Faster, but by how much is open: the interval only leaves out 1.
    Faster,
    /// Slower, but by how much is open: the interval only leaves out 1.
    Slower,
    /// The interval holds 1 and more than a tie.
    Unclear,
    /// The forks fall into modes that do not agree, and one interval over them means nothing.
    Bimodal,
}

impl Verdict {
    /// The word for an interval, whatever lies inside it.
    #[must_use]
    pub fn of_interval(low: f64, high: f64) -> Self {
        match () {
            () if low > MARGIN => Self::Wins,
            () if high < 1.0 / MARGIN => Self::Loses,
            () if low >= 1.0 / MARGIN && high <= MARGIN => Self::Ties,
            () if low > 1.0 => Self::Faster,
            () if high < 1.0 => Self::Slower,
            () => Self::Unclear,
        }
    }

    /// The word for an interval and the forks that it rests on: where these fall into modes, the one word that every mode's own
    /// range gives, else [`Verdict::Bimodal`].
    #[must_use]
    pub fn of(low: f64, high: f64, forks: &[f64]) -> Self {
        let modes = stats::modes(forks);
        if modes.len() < 2 {
            return Self::of_interval(low, high);
        }
        let mut words = modes.iter().map(|mode| Self::of_interval(mode.low, mode.high));
        let first = words.next().unwrap_or(Self::Bimodal);
        if words.all(|word| word == first) { first } else { Self::Bimodal }
    }

    /// Whether it takes a side: wins, loses or ties. Only such points bracket a crossover.
    #[must_use]
    pub const fn decided(self) -> bool {
        matches!(self, Self::Wins | Self::Loses | Self::Ties)
    }

    /// The word itself.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Wins => "wins",
            Self::Loses => "loses",
            Self::Ties => "ties",
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::Unclear => "unclear",
            Self::Bimodal => "bimodal",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_follow_the_interval() {
        let table = [
            (1.0501, 1.2, Verdict::Wins),
            (1.05, 1.2, Verdict::Faster),
            (1.01, 1.06, Verdict::Faster),
            (1.01, 1.05, Verdict::Ties),
            (1.0 / 1.05, 1.05, Verdict::Ties),
            (1.0, 1.2, Verdict::Unclear),
            (0.95, 1.06, Verdict::Unclear),
            (0.94, 0.99, Verdict::Slower),
            (0.8, 1.0, Verdict::Unclear),
            (0.8, 1.0 / 1.05, Verdict::Slower),
            (0.8, 0.952, Verdict::Loses),
        ];
        for (low, high, word) in table {
            assert_eq!(Verdict::of_interval(low, high), word, "[{low}, {high}]");
        }
    }

    #[test]
    fn modes_that_disagree_have_no_other_word() {
        let forks = [1.00, 1.01, 1.02, 1.01, 6.2, 6.3, 6.4];
        assert_eq!(Verdict::of(1.2, 4.0, &forks), Verdict::Bimodal);
    }

    #[test]
    fn modes_that_agree_keep_their_word() {
        let forks = [1.40, 1.41, 1.42, 1.43, 2.01, 2.02, 2.03];
        assert_eq!(Verdict::of(1.3, 2.1, &forks), Verdict::Wins);
    }

    #[test]
    fn one_outlier_on_the_other_side_is_told() {
        assert_eq!(Verdict::of(1.1, 1.5, &[1.40, 1.41, 1.42, 1.43, 1.44, 0.9]), Verdict::Bimodal);
    }

    proptest! {
        #[test]
        fn the_inverse_of_a_ratio_turns_the_word_round(a in 0.5..2.0_f64, b in 0.5..2.0_f64) {
            let (low, high) = (a.min(b), a.max(b));
            let turned = match Verdict::of_interval(low, high) {
                Verdict::Wins => Verdict::Loses,
                Verdict::Loses => Verdict::Wins,
                Verdict::Faster => Verdict::Slower,
                Verdict::Slower => Verdict::Faster,
                other => other,
            };
            prop_assert_eq!(Verdict::of_interval(1.0 / high, 1.0 / low), turned);
        }
    }
}
