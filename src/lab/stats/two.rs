//! Two sets of ratios beside each other: by how much they differ, and whether chance would do it.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The second set of ratios ÷ the first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// `[low, value, high]`: the quotient of the geometric means with its 95 % interval.
    pub span: [f64; 3],
    /// The probability of means as far apart as these, or farther, if both were drawn from one distribution.
    pub p: f64,
}

/// The square of what sums of logarithms lose by rounding, and more.
const SAME: f64 = 1e-24;

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
    if variance < SAME {
        // Values that do not scatter at all differ or they don't.
        return Some(Change { span: [apart.exp(); 3], p: if apart.powi(2) < SAME { 1.0 } else { 0.0 } });
    }
    let freedom = variance.powi(2) / (old_part.powi(2) / old_freedom + new_part.powi(2) / new_freedom);
    let student = StudentsT::new(0.0, 1.0, freedom).ok()?;
    let (error, reach) = (variance.sqrt(), student.inverse_cdf(0.975));
    let span = [apart - reach * error, apart, apart + reach * error].map(f64::exp);
    Some(Change { span, p: 2.0 * student.cdf(-(apart / error).abs()) })
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
        assert!(near(change.p, 0.107_531), "{}", change.p);
        assert!(near(change.span[1].ln(), 3.0));
        let reach = (change.span[2].ln() - 3.0) / 2.5_f64.sqrt();
        assert!((2.45..2.47).contains(&reach), "t(0.975, 5.88) is 2.459: {reach}");
    }

    #[test]
    fn the_interval_leaves_out_one_where_p_is_below_a_twentieth() {
        let mut normal = Normal::seeded(3);
        for shift in [0.0, 0.01, 0.02, 0.03] {
            let old: Vec<f64> = (0..10).map(|_| (0.02 * normal.draw()).exp()).collect();
            let new: Vec<f64> = (0..10).map(|_| (shift + 0.03 * normal.draw()).exp()).collect();
            let Change { span, p } = change(&old, &new).expect("ten values each");
            assert_eq!(p < 0.05, span[0] > 1.0 || span[2] < 1.0, "{span:?}, p {p}");
        }
    }

    #[test]
    fn one_in_twenty_pairs_without_a_difference_has_one_by_chance() {
        let mut normal = Normal::seeded(4);
        let mut draw = |scatter: f64, count| (0..count).map(|_| (scatter * normal.draw()).exp()).collect::<Vec<f64>>();
        let differ = |_: &usize| change(&draw(0.01, 10), &draw(0.05, 6)).expect("values").p < 0.05;
        let share = (0..4000).filter(differ).count() as f64 / 4000.0;
        assert!((0.04..0.06).contains(&share), "{share}");
    }

    #[test]
    fn values_that_do_not_scatter_differ_or_they_do_not() {
        assert_eq!(change(&[2.0; 3], &[2.0; 3]).map(|change| change.p), Some(1.0));
        assert_eq!(change(&[2.0; 3], &[3.0; 3]).map(|change| change.p), Some(0.0));
        assert_eq!(change(&[1.1; 3], &[1.1; 10]).map(|change| change.p), Some(1.0), "sums round");
        assert_eq!(change(&[2.0; 2], &[3.0; 3]), None);
        assert_eq!(change(&[2.0, 0.0, 1.0], &[3.0; 3]), None);
    }
}
