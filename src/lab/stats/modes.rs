//! Modes of a set of values, by the gaps between them: the rule of the first edition.

use super::interval::{median, sorted};

/// A gap between two neighbouring values that is no larger than this (10 %) never splits them into modes.
pub const MODE_GAP: f64 = 1.10;

/// How many median gaps a gap must exceed to split values into modes.
pub const MODE_GAPS: f64 = 4.0;

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
        fn modes_count_every_value_once_in_order(values in prop::collection::vec(0.1..10.0_f64, 0..30)) {
            let found = modes(&values);
            prop_assert_eq!(found.iter().map(|m| m.count).sum::<usize>(), values.len());
            prop_assert!(found.windows(2).all(|pair| pair[0].high * MODE_GAP < pair[1].low));
        }
    }
}
