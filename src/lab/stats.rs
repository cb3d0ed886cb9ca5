//! The few lines of statistics that a ratio rests on.
//!
//! One value a fork goes in, an interval comes out; that forks are independent is the lab's business (a fresh process of a
//! fresh link each), not this module's. Ratios are handled as logarithms, so that 2x and 0.5x lie equally far from 1:
//! [Fleming and Wallace, "How not to lie with statistics", CACM 29(3), 1986](https://doi.org/10.1145/5666.5673).

use statrs::distribution::{ContinuousCDF, StudentsT};

/// A gap between two neighbouring values that is no larger than this (10 %) never splits them into modes.
pub const MODE_GAP: f64 = 1.10;

/// How many median gaps a gap must exceed to split values into modes.
pub const MODE_GAPS: f64 = 4.0;

/// The middle value, or the mean of the two middle ones; NaN of an empty slice.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    let sorted = sorted(values);
    let (half, odd) = (sorted.len() / 2, sorted.len() % 2 == 1);
    match half {
        _ if odd => sorted[half],
        0 => f64::NAN,
        _ => f64::midpoint(sorted[half - 1], sorted[half]),
    }
}

/// `[low, mean, high]`: the mean and its 95 % interval, mean ± t(0.975, F − 1) · sd / √F, for F independent values.
///
/// Source: W. S. Gosset ("Student"), "The probable error of a mean", Biometrika 6(1), 1908; for benchmarks, Georges,
/// Buytaert and Eeckhout, "Statistically rigorous Java performance evaluation", OOPSLA 2007, section 3.2.
///
/// None of fewer than three values, or where one of them is not a finite number.
#[must_use]
pub fn t_interval(values: &[f64]) -> Option<[f64; 3]> {
    if values.len() < 3 || !values.iter().all(|v| v.is_finite()) {
        return None;
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let half = quantile(count - 1.0)? * (variance / count).sqrt();
    Some([mean - half, mean, mean + half])
}

/// `[low, mean, high]` of ratios: the exponential of [`t_interval`] of their logarithms, so the mean is the geometric one.
///
/// None of fewer than three ratios, or where one of them is not a finite number above 0.
#[must_use]
pub fn geometric_interval(ratios: &[f64]) -> Option<[f64; 3]> {
    let logs: Vec<f64> = ratios.iter().map(|r| r.ln()).collect();
    Some(t_interval(&logs)?.map(f64::exp))
}

// t(0.975) for so many degrees of freedom.
fn quantile(freedom: f64) -> Option<f64> {
    Some(StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(0.975))
}

/// Values that lie together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mode {
    /// The smallest.
    pub low: f64,
    /// The largest.
    pub high: f64,
    /// How many.
    pub count: usize,
}

/// The modes of a set of positive values, in ascending order; one mode where they all lie together, none of no values.
///
/// Two neighbours among the sorted values belong to different modes where the gap between them is over 10 % **and** over
/// four times the median gap. Where most values are equal the median gap is 0, and the 10 % alone decide. A single fork that lies far
/// from all others is a mode of count 1: one layout in ten is what a user may get, so it is shown and not dropped. Values
/// that are not above 0 have no logarithm and are left out.
#[must_use]
pub fn modes(values: &[f64]) -> Vec<Mode> {
    let positive: Vec<f64> = values.iter().copied().filter(|&v| v.is_finite() && v > 0.0).collect();
    let sorted = sorted(&positive);
    let gaps: Vec<f64> = sorted.windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect();
    let limit = MODE_GAP.ln().max(MODE_GAPS * if gaps.is_empty() { 0.0 } else { median(&gaps) });
    let mut modes: Vec<Mode> = Vec::new();
    for (at, &value) in sorted.iter().enumerate() {
        match modes.last_mut() {
            Some(mode) if gaps[at - 1] <= limit => (mode.high, mode.count) = (value, mode.count + 1),
            _ => modes.push(Mode { low: value, high: value, count: 1 }),
        }
    }
    modes
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-6 * b.abs().max(1.0)
    }

    #[test]
    fn the_median_is_the_middle() {
        assert!(near(median(&[3.0, 1.0, 2.0]), 2.0));
        assert!(near(median(&[4.0, 1.0, 3.0, 2.0]), 2.5));
        assert!(near(median(&[7.0]), 7.0));
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn the_quantile_is_that_of_the_tables() {
        for (freedom, t) in [(2.0, 4.302_653), (4.0, 2.776_445), (9.0, 2.262_157), (29.0, 2.045_230)] {
            assert!((quantile(freedom).expect("a valid t") - t).abs() < 1e-5, "t(0.975, {freedom})");
        }
    }

    #[test]
    fn the_interval_of_one_to_five_is_the_textbook_one() {
        let [low, mean, high] = t_interval(&[1.0, 2.0, 3.0, 4.0, 5.0]).expect("five values");
        // 3 ± 2.776445 · √2.5 / √5
        assert!((low - 1.036_757).abs() < 1e-5 && near(mean, 3.0) && (high - 4.963_243).abs() < 1e-5);
    }

    #[test]
    fn fewer_than_three_values_have_no_interval() {
        assert_eq!(t_interval(&[1.0, 2.0]), None);
        assert_eq!(t_interval(&[1.0, 2.0, f64::NAN]), None);
        assert_eq!(geometric_interval(&[1.0, 0.0, 2.0]), None);
        assert_eq!(geometric_interval(&[1.0, -1.0, 2.0]), None);
    }

    #[test]
    fn a_ratio_and_its_inverse_cancel() {
        let [low, mean, high] = geometric_interval(&[0.5, 1.0, 2.0]).expect("three ratios");
        assert!(near(mean, 1.0) && near(low * high, 1.0));
    }

    #[test]
    fn two_clusters_are_two_modes() {
        let found = modes(&[1.00, 6.3, 1.01, 1.02, 6.2, 1.03, 6.4]);
        assert_eq!(found, [Mode { low: 1.00, high: 1.03, count: 4 }, Mode { low: 6.2, high: 6.4, count: 3 }]);
    }

    #[test]
    fn an_outlier_is_a_mode_of_one() {
        let found = modes(&[1.40, 1.41, 1.42, 1.43, 1.44, 2.0]);
        assert_eq!(found[1], Mode { low: 2.0, high: 2.0, count: 1 });
    }

    #[test]
    fn equal_values_are_split_by_the_ten_percent_alone() {
        assert_eq!(modes(&[1.0; 6]), [Mode { low: 1.0, high: 1.0, count: 6 }]);
        assert_eq!(modes(&[1.0, 1.0, 1.0, 1.0, 1.09]).len(), 1);
        assert_eq!(modes(&[1.0, 1.0, 1.0, 1.0, 1.12]).len(), 2);
    }

    #[test]
    fn a_wide_spread_is_one_mode() {
        assert_eq!(modes(&[1.0, 1.2, 1.4, 1.7, 2.0]).len(), 1);
        assert_eq!(modes(&[1.0, 9.0]).len(), 1, "one gap is its own median");
        assert!(modes(&[]).is_empty());
        assert!(modes(&[0.0, f64::NAN, -1.0]).is_empty());
    }

    proptest! {
        #[test]
        fn an_interval_holds_its_mean(values in prop::collection::vec(-1e6..1e6_f64, 3..20)) {
            let [low, mean, high] = t_interval(&values).expect("finite values");
            prop_assert!(low <= mean && mean <= high);
        }

        #[test]
        fn an_interval_of_ratios_scales_with_them(ratios in prop::collection::vec(0.1..10.0_f64, 3..20), by in 0.1..10.0_f64) {
            let plain = geometric_interval(&ratios).expect("positive ratios");
            let scaled: Vec<f64> = ratios.iter().map(|r| r * by).collect();
            let scaled = geometric_interval(&scaled).expect("positive ratios");
            for (a, b) in plain.into_iter().zip(scaled) {
                prop_assert!((a * by / b - 1.0).abs() < 1e-9);
            }
        }

        #[test]
        fn modes_count_every_value_once_in_order(values in prop::collection::vec(0.1..10.0_f64, 0..30)) {
            let found = modes(&values);
            prop_assert_eq!(found.iter().map(|m| m.count).sum::<usize>(), values.len());
            prop_assert!(found.windows(2).all(|pair| pair[0].high * MODE_GAP < pair[1].low));
        }
    }
}
