//! The words: what an interval of a ratio (trap ÷ variant, above 1 means the variant is faster) lets one say.

use std::fmt;

use crate::lab::stats::median;

/// A difference of this factor is worth a word; anything within it is a tie.
pub const MARGIN: f64 = 1.05;

/// What an interval of a ratio lets one say of a variant beside the trap, in the order in which the rules are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Word {
    /// The trap against itself scatters more than this row lies from 1.
    Unresolved,
    /// The whole interval lies beyond 1.05: faster, by more than 5 %.
    Wins,
    /// The whole interval lies beyond 1/1.05: slower, by more than 5 %.
    Loses,
    /// Faster, but by how much is open: the interval only leaves out 1.
    Faster,
    /// Slower, but by how much is open: the interval only leaves out 1.
    Slower,
    /// The whole interval lies within 5 % of 1. A finding, like wins and loses.
    Ties,
    /// The interval holds 1 and more than a tie.
    Unclear,
}

impl Word {
    /// The word for `[low, value, high]`, beside the trap against itself at the same point.
    #[must_use]
    pub fn of([low, value, high]: [f64; 3], same: Option<[f64; 3]>) -> Self {
        let noise = same.map_or(0.0, |[low, _, high]| (high / low).ln() / 2.0);
        match () {
            () if noise > value.ln().abs().max(MARGIN.ln()) => Self::Unresolved,
            () if low > MARGIN => Self::Wins,
            () if high < 1.0 / MARGIN => Self::Loses,
            () if low > 1.0 => Self::Faster,
            () if high < 1.0 => Self::Slower,
            () if low > 1.0 / MARGIN && high < MARGIN => Self::Ties,
            () => Self::Unclear,
        }
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
            Self::Unresolved => "unresolved",
            Self::Wins => "wins",
            Self::Loses => "loses",
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::Ties => "ties",
            Self::Unclear => "unclear",
        }
    }
}

/// What is to be said beside the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Suffix {
    /// Layouts differ, and their range leaves the word's region.
    ByLayout,
    /// Two groups of layouts have opposite decided words.
    Split,
}

/// What may be said of a variant beside the trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Verdict {
    /// The word.
    pub word: Word,
    /// What is to be said beside it.
    pub suffix: Option<Suffix>,
}

impl Verdict {
    /// The verdict on an interval, beside the trap against itself, with the ratios by layout and process that it rests on.
    #[must_use]
    pub fn of(interval: [f64; 3], same: Option<[f64; 3]>, processes: &[Vec<f64>], layouts_differ: bool) -> Self {
        let word = Word::of(interval, same);
        let enough = processes.iter().all(|layout| layout.len() >= 3);
        let [faster, slower] = [MARGIN, 1.0 / MARGIN].map(|edge| {
            let beyond = |r: &f64| if edge > 1.0 { *r > edge } else { *r < edge };
            processes.iter().filter(|layout| layout.iter().all(beyond)).count()
        });
        let leaves = processes.iter().any(|layout| Word::of([median(layout); 3], None) != word);
        let suffix = match () {
            () if !enough || processes.is_empty() => None,
            () if faster >= 2 && slower >= 2 => Some(Suffix::Split),
            () if layouts_differ && leaves && word != Word::Unresolved => Some(Suffix::ByLayout),
            () => None,
        };
        Self { word, suffix }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.suffix {
            None => f.pad(self.word.word()),
            Some(Suffix::ByLayout) => f.pad(&format!("{} by layout", self.word.word())),
            Some(Suffix::Split) => f.pad("split"),
        }
    }
}

/// Whether the layouts of each row differ, by a permutation test within passes, Holm-corrected over the rows given.
#[must_use]
pub fn layouts_differ(rows: &[&[Vec<f64>]]) -> Vec<bool> {
    rows.iter().map(|row| row.len() >= 3 && clearly_apart(row)).collect()
}

// The gap between the layouts dwarfs what processes of one layout differ by.
fn clearly_apart(row: &[Vec<f64>]) -> bool {
    let range = |values: &[f64]| {
        let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
        (high / low).ln()
    };
    let medians: Vec<f64> = row.iter().map(|layout| median(layout)).collect();
    let within = row.iter().map(|layout| range(layout)).fold(0.0, f64::max);
    row.iter().all(|layout| layout.len() >= 3) && range(&medians) > 3.0 * within
}
