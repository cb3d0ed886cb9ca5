//! Two sets of ratios beside each other: by how much they differ, and whether chance would do it.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::interval::median;

/// The second set of ratios ÷ the first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    // Of the logarithms.
    apart: f64,
    error: f64,
    freedom: f64,
}

/// What sums of logarithms lose by rounding, and more.
const SAME: f64 = 1e-12;

/// How the geometric mean of `new` compares with that of `old`, by Welch's test of the logarithms: the two may scatter unlike, and
/// degrees of freedom are Satterthwaite's.
///
/// None where one of them has fewer than three values, or a value that isn't a finite number above 0.
///
/// Source: B. L. Welch, "The generalization of 'Student's' problem when several different population variances are involved",
/// Biometrika 34(1–2), 1947.
#[must_use]
pub fn change(old: &[f64], new: &[f64]) -> Option<Change> {
    let ([old_mean, old_part, old_freedom], [new_mean, new_part, new_freedom]) = (moments(old)?, moments(new)?);
    let (apart, variance) = (new_mean - old_mean, old_part + new_part);
    if variance.sqrt() < SAME {
        // Values that do not scatter at all differ or they don't.
        return Some(Change { apart: if apart.abs() < SAME { 0.0 } else { apart }, error: 0.0, freedom: 1.0 });
    }
    let freedom = variance.powi(2) / (old_part.powi(2) / old_freedom + new_part.powi(2) / new_freedom);
    Some(Change { apart, error: variance.sqrt(), freedom }).filter(|change| change.freedom.is_finite())
}

impl Change {
    /// `[low, value, high]`: the quotient of the geometric means with its 95 % interval.
    #[must_use]
    pub fn span(&self) -> [f64; 3] {
        let reach = self.student(|student| student.inverse_cdf(0.975)) * self.error;
        [self.apart - reach, self.apart, self.apart + reach].map(f64::exp)
    }

    /// The probability of means as far apart as these, or farther, if both were drawn from one distribution.
    #[must_use]
    pub fn p(&self) -> f64 {
        match self.error > 0.0 {
            true => 2.0 * self.student(|student| student.cdf(-(self.apart / self.error).abs())),
            false => f64::from(u8::from(self.apart == 0.0)),
        }
    }

    /// The same with a standard error that is so many times as large.
    #[must_use]
    pub fn widened(self, factor: f64) -> Self {
        Self { error: self.error * factor, ..self }
    }

    // How far apart the means are, in units of what half of all pairs without a difference stay below.
    fn in_medians(&self) -> f64 {
        (self.apart / self.error).abs() / self.student(|student| student.inverse_cdf(0.75))
    }

    fn student(&self, of: impl Fn(StudentsT) -> f64) -> f64 {
        StudentsT::new(0.0, 1.0, self.freedom).map_or(f64::NAN, of)
    }
}

/// Fewer changes say little of what most of them are like.
const FEWEST_CHANGES: usize = 20;

/// By how much standard errors fall short of what two sittings really differ by: the scale of the *empirical null*. If most rows have
/// not changed, half of them lie within the middle half of Student's distribution; where they lie farther out, what both
/// sittings met and their layouts can't tell is in it, and all rows are held against that. Never below 1.
///
/// It takes the middle of the rows, so a few that have changed don't move it. If most of them have changed, they are what it calls usual.
/// None of fewer than twenty.
///
/// Source: B. Efron, "Large-scale simultaneous hypothesis testing: the choice of a null hypothesis", JASA 99(465), 2004.
#[must_use]
pub fn null_scale(changes: &[Change]) -> Option<f64> {
    let apart: Vec<f64> = changes.iter().filter(|change| change.error > 0.0).map(Change::in_medians).collect();
    (apart.len() >= FEWEST_CHANGES).then(|| median(&apart).max(1.0))
}

// Of the logarithms: their mean, the variance of the mean, and how many are free.
fn moments(ratios: &[f64]) -> Option<[f64; 3]> {
    let logs: Vec<f64> = ratios.iter().map(|ratio| ratio.ln()).collect();
    if logs.len() < 3 || !logs.iter().all(|log| log.is_finite()) {
        return None;
    }
    let (count, free) = (logs.len() as f64, logs.len() as f64 - 1.0);
    let mean = logs.iter().sum::<f64>() / count;
    let variance = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / free;
    Some([mean, variance / count, free])
}

#[cfg(test)]
mod tests {
    use super::super::simulated::Normal;
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-4
    }

    // Reaction times of two groups of unlike scatter; checked by hand: means 3 and 6, variances of the means 0.5 and 2,
    // t = 3 ÷ √2.5 = 1.897, 5.88 degrees of freedom, p = 0.108.
    #[test]
    fn welch_s_test_is_the_textbook_one() {
        let old: Vec<f64> = [1.0, 2.0, 3.0, 4.0, 5.0].iter().map(|v: &f64| v.exp()).collect();
        let new: Vec<f64> = [2.0, 4.0, 6.0, 8.0, 10.0].iter().map(|v: &f64| v.exp()).collect();
        let change = change(&old, &new).expect("five values each");
        assert!(near(change.p(), 0.107_531), "{}", change.p());
        assert!(near(change.span()[1].ln(), 3.0));
        let reach = (change.span()[2].ln() - 3.0) / 2.5_f64.sqrt();
        assert!((2.45..2.47).contains(&reach), "t(0.975, 5.88) is 2.459: {reach}");
    }

    #[test]
    fn the_interval_leaves_out_one_where_p_is_below_a_twentieth() {
        let mut normal = Normal::seeded(3);
        for shift in [0.0, 0.01, 0.02, 0.03] {
            let old: Vec<f64> = (0..10).map(|_| (0.02 * normal.draw()).exp()).collect();
            let new: Vec<f64> = (0..10).map(|_| (shift + 0.03 * normal.draw()).exp()).collect();
            for factor in [1.0, 1.5] {
                let change = change(&old, &new).expect("ten values each").widened(factor);
                let (span, p) = (change.span(), change.p());
                assert_eq!(p < 0.05, span[0] > 1.0 || span[2] < 1.0, "{span:?}, p {p}");
            }
        }
    }

    #[test]
    fn one_in_twenty_pairs_without_a_difference_has_one_by_chance() {
        let mut normal = Normal::seeded(4);
        let mut draw = |scatter: f64, count| (0..count).map(|_| (scatter * normal.draw()).exp()).collect::<Vec<f64>>();
        let differ = |_: &usize| change(&draw(0.01, 10), &draw(0.05, 6)).expect("values").p() < 0.05;
        let share = (0..4000).filter(differ).count() as f64 / 4000.0;
        assert!((0.04..0.06).contains(&share), "{share}");
    }

    #[test]
    fn values_that_do_not_scatter_differ_or_they_do_not() {
        assert_eq!(change(&[2.0; 3], &[2.0; 3]).map(|change| change.p()), Some(1.0));
        assert_eq!(change(&[2.0; 3], &[3.0; 3]).map(|change| change.p()), Some(0.0));
        assert_eq!(change(&[1.1; 3], &[1.1; 10]).map(|change| change.p()), Some(1.0), "sums round");
        assert_eq!(change(&[2.0; 2], &[3.0; 3]), None);
        assert_eq!(change(&[2.0, 0.0, 1.0], &[3.0; 3]), None);
    }

    // Of two sittings: in each something moves a row by `moved`, which no layout of that sitting can tell.
    fn rows(count: usize, moved: f64, planted: usize) -> Vec<Change> {
        let mut normal = Normal::seeded(5);
        let mut row = |at| {
            let mut sitting = |shift: f64| -> Vec<f64> {
                let shift = shift + moved * normal.draw();
                (0..10).map(|_| (shift + 0.02 * normal.draw()).exp()).collect()
            };
            change(&sitting(0.0), &sitting(if at < planted { 0.2 } else { 0.0 })).expect("ten values each")
        };
        (0..count).map(&mut row).collect()
    }

    fn differ(rows: &[Change], factor: f64) -> f64 {
        rows.iter().filter(|row| row.widened(factor).p() < 0.05).count() as f64 / rows.len() as f64
    }

    #[test]
    fn what_sittings_add_is_seen_over_many_rows_and_then_one_in_twenty_differs() {
        let quiet = rows(4000, 0.0, 0);
        assert!((1.0..1.05).contains(&null_scale(&quiet).expect("many rows")));
        // The layouts' part of a standard error is 0.02 · √(2 ÷ 10) = 0.0089; of the sittings' it is 0.01 · √2 = 0.0141.
        let moved = rows(4000, 0.01, 0);
        let scale = null_scale(&moved).expect("many rows");
        assert!((1.78..1.95).contains(&scale), "√(1 + 2.5) is 1.87: {scale}");
        assert!(differ(&moved, 1.0) > 0.2 && (0.035..0.055).contains(&differ(&moved, scale)));
    }

    #[test]
    fn a_few_rows_that_have_changed_do_not_hide_themselves() {
        let rows = rows(148, 0.01, 7);
        let scale = null_scale(&rows).expect("many rows");
        assert!((1.5..2.3).contains(&scale), "{scale}");
        assert!(rows[..7].iter().all(|row| row.widened(scale).p() < 1e-4));
        assert_eq!(null_scale(&rows[..19]), None);
    }
}
