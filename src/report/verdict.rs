//! The words: what an interval of a ratio (trap ÷ variant, above 1 means the variant is faster) lets one say.

use std::fmt;

use crate::lab::stats;

/// A difference of this factor is worth a word; anything within it is a tie.
pub const MARGIN: f64 = 1.05;

/// How likely one false *by layout* among all rows that are looked at may be.
const ALPHA: f64 = 0.01;

/// Shuffles labels; fixed, so that the same records always give the same report.
const SEED: u64 = 0x7261_7469_6f73;

/// What may be said of a variant beside the trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Word {
    /// The trap beside itself scatters more than the row is away from 1, and more than 5 %: this machine can't tell today.
    Unresolved,
    /// The whole interval lies beyond 1.05: faster, by more than 5 %.
    Wins,
    /// The whole interval lies beyond 1/1.05: slower, by more than 5 %.
    Loses,
    /// Faster, but not by more than 5 % for certain: the interval only leaves out 1.
    Faster,
    /// Slower, but not by more than 5 % for certain: the interval only leaves out 1.
    Slower,
    /// The interval holds 1 and lies within 5 % of it. A finding, like a win or a loss.
    Ties,
    /// The interval holds 1 and more than a tie.
    Unclear,
}

impl Word {
    /// The word for an interval `[low, value, high]`. `same` is that of the same point's A/A, the trap beside itself; where there is
    /// none, nothing is *unresolved*.
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

    // Whether some layout is not as the word says.
    fn is_left(self, processes: &[Vec<f64>]) -> bool {
        stats::layout_medians(processes).into_iter().any(|median| !self.holds(median))
    }

    // Whether a layout of this ratio is as the word says. *Unresolved* and *unclear* say nothing that one could leave.
    fn holds(self, ratio: f64) -> bool {
        match self {
            Self::Wins => ratio > MARGIN,
            Self::Loses => ratio < 1.0 / MARGIN,
            Self::Faster => ratio > 1.0,
            Self::Slower => ratio < 1.0,
            Self::Ties => (1.0 / MARGIN..=MARGIN).contains(&ratio),
            Self::Unresolved | Self::Unclear => true,
        }
    }
}

/// What layouts add to a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Suffix {
    /// Layouts differ, and not all of them are as the word says.
    ByLayout,
    /// At least two layouts win and at least two lose, each in all its processes: one word for them all would mean nothing.
    Split,
}

/// A word, and what layouts add to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Verdict {
    /// What the interval says.
    pub word: Word,
    /// What layouts add.
    pub suffix: Option<Suffix>,
}

impl Verdict {
    /// The verdict on an interval `[low, value, high]`, with the A/A of the point as in [`Word::of`], the ratios that it rests on by
    /// `[layout][process]`, and whether [`layouts_differ`].
    ///
    /// No suffix with fewer than three processes a layout. Nor with *unresolved*: noise alone would split layouts in 3 % of rows where processes scatter by 30 %.
    #[must_use]
    pub fn of(interval: [f64; 3], same: Option<[f64; 3]>, processes: &[Vec<f64>], layouts_differ: bool) -> Self {
        let word = Word::of(interval, same);
        let most = processes.iter().map(Vec::len).max().unwrap_or(0);
        let suffix = match () {
            () if most < 3 || word == Word::Unresolved => None,
            () if is_split(processes) => Some(Suffix::Split),
            () if layouts_differ && word.is_left(processes) => Some(Suffix::ByLayout),
            () => None,
        };
        Self { word, suffix }
    }

    /// Whether layouts that differ would add anything to the word of an interval.
    #[must_use]
    pub fn may_vary(interval: [f64; 3], processes: &[Vec<f64>]) -> bool {
        Word::of(interval, None).is_left(processes)
    }

    /// Whether it takes a side: the word does, and layouts are not split over it.
    #[must_use]
    pub fn decided(self) -> bool {
        self.word.decided() && self.suffix != Some(Suffix::Split)
    }
}

// A layout's side is decided by at least three processes that all lie on it: one or two do so by chance.
fn is_split(processes: &[Vec<f64>]) -> bool {
    let sides = |holds: fn(f64) -> bool| {
        processes.iter().filter(|layout| layout.len() >= 3 && layout.iter().all(|&ratio| holds(ratio))).count()
    };
    sides(|ratio| ratio > MARGIN) >= 2 && sides(|ratio| ratio < 1.0 / MARGIN) >= 2
}

/// In which of these rows layouts differ: [`stats::permutation_p`] of each, by [Holm's rule](stats::holm) at 0.01 over all of them.
///
/// A row is its ratios by `[layout][process]`. Give the headline rows of a run together. Rows that have no p (too few layouts or
/// processes) differ nowhere and don't count.
///
/// The test of a row that does differ takes tens of thousands of shuffles. Where it can change nothing ([`Verdict::may_vary`])
/// `matters` says so: such a row counts in Holm's rule as one that does not differ.
#[must_use]
pub fn layouts_differ(rows: &[&[Vec<f64>]], matters: impl Fn(usize) -> bool) -> Vec<bool> {
    let idle = |row: &[Vec<f64>]| row.iter().any(|layout| layout.len() >= 3).then_some(1.0);
    let p_of = |(at, row): (usize, &&[Vec<f64>])| if matters(at) { stats::permutation_p(row, SEED) } else { idle(row) };
    let p: Vec<Option<f64>> = rows.iter().enumerate().map(p_of).collect();
    let mut differ = stats::holm(&p.iter().copied().flatten().collect::<Vec<_>>(), ALPHA).into_iter();
    p.iter().map(|p| p.is_some() && differ.next() == Some(true)).collect()
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lab::stats::simulated::{Normal, Row};
    use crate::record::Sweeps;

    const NO_AA: Option<[f64; 3]> = None;

    fn word(low: f64, high: f64) -> Word {
        Word::of([low, (low * high).sqrt(), high], NO_AA)
    }

    #[test]
    fn words_follow_the_interval() {
        let table = [
            (1.0501, 1.2, Word::Wins),
            (1.05, 1.2, Word::Faster),
            (1.01, 1.06, Word::Faster),
            (1.01, 1.04, Word::Faster),
            (1.0, 1.04, Word::Ties),
            (0.96, 1.04, Word::Ties),
            (0.96, 1.05, Word::Unclear),
            (1.0 / 1.05, 1.04, Word::Unclear),
            (1.0, 1.2, Word::Unclear),
            (0.95, 1.06, Word::Unclear),
            (0.96, 0.99, Word::Slower),
            (0.8, 1.0, Word::Unclear),
            (0.8, 1.0 / 1.05, Word::Slower),
            (0.8, 0.952, Word::Loses),
        ];
        for (low, high, said) in table {
            assert_eq!(word(low, high), said, "[{low}, {high}]");
        }
    }

    #[test]
    fn noise_wider_than_the_row_leaves_it_unresolved() {
        let noise = |by: f64| Some([1.0 / by, 1.0, by]);
        assert_eq!(Word::of([1.3, 1.4, 1.5], noise(1.41)), Word::Unresolved);
        assert_eq!(Word::of([1.3, 1.4, 1.5], noise(1.39)), Word::Wins);
        assert_eq!(Word::of([0.65, 0.7, 0.75], noise(1.44)), Word::Unresolved);
        assert_eq!(Word::of([0.65, 0.7, 0.75], noise(1.42)), Word::Loses);
        assert_eq!(Word::of([0.99, 1.0, 1.01], noise(1.04)), Word::Ties, "noise within 5 % hides no tie");
        assert_eq!(Word::of([0.99, 1.0, 1.01], noise(1.06)), Word::Unresolved);
    }

    fn said(interval: [f64; 3], layouts: &[f64], differ: bool) -> String {
        let processes: Vec<_> = layouts.iter().map(|&ratio| vec![ratio, ratio * 1.001, ratio * 0.999]).collect();
        Verdict::of(interval, NO_AA, &processes, differ).to_string()
    }

    #[test]
    fn by_layout_needs_layouts_that_differ_and_one_that_leaves() {
        let wins = [1.1, 1.2, 1.3];
        assert_eq!(said(wins, &[1.02, 1.3, 1.3, 1.3], true), "wins by layout");
        assert_eq!(said(wins, &[1.02, 1.3, 1.3, 1.3], false), "wins");
        assert_eq!(said(wins, &[1.06, 1.3, 1.3, 1.3], true), "wins", "all of them win");
        assert_eq!(said([0.97, 1.0, 1.03], &[0.99, 1.0, 1.06], true), "ties by layout");
        assert_eq!(said([0.97, 1.0, 1.03], &[0.99, 1.0, 1.04], true), "ties");
        assert_eq!(said([1.01, 1.03, 1.06], &[0.99, 1.03, 1.06], true), "faster by layout");
        assert_eq!(said([0.9, 0.95, 0.99], &[0.9, 0.95, 1.01], true), "slower by layout");
        assert_eq!(said([0.7, 0.8, 0.9], &[0.7, 0.8, 0.96], true), "loses by layout");
        assert_eq!(said([0.8, 1.0, 1.3], &[0.7, 1.0, 1.4], true), "unclear", "it says nothing that one could leave");
    }

    #[test]
    fn split_needs_two_layouts_a_side_and_all_their_processes() {
        let unclear = [0.8, 1.0, 1.3];
        assert_eq!(said(unclear, &[0.8, 0.8, 1.0, 1.2, 1.2], false), "split");
        assert_eq!(said(unclear, &[0.8, 1.0, 1.0, 1.2, 1.2], false), "unclear", "one outlier is no group");
        let verdict = |processes: &[Vec<f64>], same| Verdict::of(unclear, same, processes, true);
        let mut processes = [vec![0.8; 3], vec![0.8; 3], vec![1.2; 3], vec![1.2; 3]];
        assert_eq!(verdict(&processes, NO_AA).suffix, Some(Suffix::Split));
        assert_eq!(verdict(&processes, Some([0.5, 1.0, 2.0])).suffix, None, "unresolved");
        processes[3] = vec![1.2, 1.2, 1.04];
        assert_eq!(verdict(&processes, NO_AA).suffix, None, "one process of it is not decided");
        processes[3] = vec![1.2; 2];
        assert_eq!(verdict(&processes, NO_AA).suffix, None, "a layout of two is not decided");
    }

    #[test]
    fn two_processes_a_layout_give_no_suffix() {
        let processes = [vec![0.8; 2], vec![0.8; 2], vec![1.2; 2], vec![1.2; 2]];
        assert_eq!(Verdict::of([1.06, 1.1, 1.2], NO_AA, &processes, true).to_string(), "wins");
        assert_eq!(layouts_differ(&[&processes], |_| true), [false]);
    }

    #[test]
    fn a_word_that_layouts_are_split_over_takes_no_side() {
        let decided = |word, suffix| Verdict { word, suffix }.decided();
        assert!(decided(Word::Wins, None) && decided(Word::Ties, Some(Suffix::ByLayout)));
        assert!(!decided(Word::Wins, Some(Suffix::Split)) && !decided(Word::Faster, None));
        assert!(Word::Loses.decided() && !Word::Unresolved.decided());
    }

    #[test]
    fn layouts_that_differ_are_found_among_rows_that_have_none() {
        let mut normal = Normal::seeded(10);
        let equal = Row { processes: 0.03, ..Row::default() };
        let apart = Row { layouts: 0.3, ..equal };
        let rows = [full(equal, &mut normal), vec![vec![1.0]; 6], full(apart, &mut normal)];
        let rows: Vec<&[Vec<f64>]> = rows.iter().map(Vec::as_slice).collect();
        assert_eq!(layouts_differ(&rows, |_| true), [false, false, true]);
    }

    // A row like this one, of a full run.
    fn full(row: Row, normal: &mut Normal) -> Vec<Vec<f64>> {
        row.draw(normal, Sweeps::LAYOUTS, Sweeps::PROCESSES)
    }

    // Of so many rows like this one, of a full run and with an A/A that scatters alike: the shares that take a side of 1, that
    // win or lose, and that have a suffix.
    fn false_alarms(row: Row, rows: usize) -> [f64; 3] {
        let mut normal = Normal::seeded(9);
        let mut counts = [0; 3];
        for _ in 0..rows {
            let processes = full(row, &mut normal);
            let [interval, same] = [&processes, &full(row, &mut normal)].map(|p| stats::nested_interval(p));
            let interval = interval.expect("ten layouts");
            let verdict = Verdict::of(interval, same, &processes, layouts_differ(&[&processes], |_| true)[0]);
            counts[0] += usize::from(matches!(verdict.word, Word::Faster | Word::Slower));
            counts[1] += usize::from(matches!(verdict.word, Word::Wins | Word::Loses));
            counts[2] += usize::from(verdict.suffix.is_some());
        }
        counts.map(|count| count as f64 / rows as f64)
    }

    // At most 6 %, 0.5 % and 1 %. A row alone is the worst case for suffixes: among others Holm's rule asks more of it. The last kind is
    // near its 1 %, and takes more rows to tell.
    #[test]
    fn rows_without_a_difference_seldom_get_a_word_for_one() {
        let kinds = [(0.02, 0.1, 2000), (0.03, 0.1, 2000), (0.05, 0.1, 2000), (0.15, 0.1, 2000), (0.05, 0.0, 10_000)];
        for (processes, disturbed, rows) in kinds {
            let row = Row { processes, disturbed, ..Row::default() };
            let [sided, decided, suffix] = false_alarms(row, rows);
            assert!(sided <= 0.06, "{row:?}: faster or slower in {sided}");
            assert!(decided <= 0.005, "{row:?}: wins or loses in {decided}");
            assert!(suffix <= 0.01, "{row:?}: a suffix in {suffix}");
        }
    }

    // Three processes of much noise often lie on one side, and two layouts a side of ten are then split by chance, in 3 % of rows.
    #[test]
    fn noise_that_splits_layouts_is_unresolved_and_not_split() {
        let noisy = Row { processes: 0.3, disturbed: 0.1, ..Row::default() };
        let mut normal = Normal::seeded(9);
        let split = (0..1000).filter(|_| is_split(&noisy.draw(&mut normal, 10, 3))).count();
        assert!(split > 10, "the rule alone calls {split} of 1000 split");
        assert!(false_alarms(noisy, 1000)[2] <= 0.01);
    }

    proptest! {
        #[test]
        fn the_inverse_of_a_ratio_turns_the_word_round(a in 0.5..2.0_f64, b in 0.5..2.0_f64) {
            let (low, high) = (a.min(b), a.max(b));
            let turned = match word(low, high) {
                Word::Wins => Word::Loses,
                Word::Loses => Word::Wins,
                Word::Faster => Word::Slower,
                Word::Slower => Word::Faster,
                other => other,
            };
            prop_assert_eq!(word(1.0 / high, 1.0 / low), turned);
        }
    }
}
