//! Medians, and the interval of a mean.

use statrs::distribution::{ContinuousCDF, StudentsT};

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

/// How many processes the interval of a median needs, to leave out one of them at each end.
const FEW: usize = 8;

/// `[low, value, high]` of the values of independent processes. Of eight or more: their median, with a 95 % interval by order
/// statistics, so that a process or two that something else disturbed neither move it nor widen it. Of fewer: [`t_interval`].
///
/// What disturbs a process (a neighbour, a theft) only ever adds time, and sometimes much: a mean follows it. The interval lies between
/// two of the sorted values on either side, interpolated to 95 % for the number of values.
///
/// Source: Hettmansperger and Sheather, ["Confidence intervals based on interpolated order
/// statistics"](https://doi.org/10.1016/0167-7152(86)90021-0), Statistics & Probability Letters 4(2), 1986.
#[must_use]
pub fn process_interval(values: &[f64]) -> Option<[f64; 3]> {
    if values.len() < FEW || !values.iter().all(|v| v.is_finite()) {
        return t_interval(values);
    }
    let sorted = sorted(values);
    let (depth, share) = depth(sorted.len());
    let between = |outer: f64, inner: f64| (1.0 - share) * outer + share * inner;
    let (low, high) = (depth - 1, sorted.len() - depth);
    Some([between(sorted[low], sorted[low + 1]), median(values), between(sorted[high], sorted[high - 1])])
}

/// The same of values above 0, whose logarithms scatter alike: the exponential of [`process_interval`] of their logarithms.
///
/// None of fewer than three values, or where one of them is not a finite number above 0.
#[must_use]
pub fn geometric_process_interval(values: &[f64]) -> Option<[f64; 3]> {
    let logs: Vec<f64> = values.iter().map(|v| v.ln()).collect();
    Some(process_interval(&logs)?.map(f64::exp))
}

// From which of so many sorted values, counted from 1, towards the next one how far, the interval of the median reaches.
fn depth(count: usize) -> (usize, f64) {
    let holds = |depth: usize| 1.0 - 2.0 * fewer_heads(depth, count);
    let depth = (1..count / 2).take_while(|depth| holds(*depth) >= 0.95).last().unwrap_or(1);
    let (n, d) = (count as f64, depth as f64);
    let part = (holds(depth) - 0.95) / (holds(depth) - holds(depth + 1));
    (depth, (n - d) * part / (d + (n - 2.0 * d) * part))
}

// The probability that fewer than so many of as many coins fall on heads.
fn fewer_heads(heads: usize, coins: usize) -> f64 {
    let mut probability = 0.5_f64.powi(coins as i32);
    let mut all = 0.0;
    for head in 0..heads {
        all += probability;
        probability *= (coins - head) as f64 / (head + 1) as f64;
    }
    all
}

/// `[low, value, high]` of ratios by `[layout][process]`: [`geometric_interval`] of the [`layout_medians`], so the median within a
/// layout, then t(0.975, L − 1) over the layouts.
///
/// Disturbance lives in time, so a median takes it out within a layout; layouts are what a next link will draw from, so none is trimmed. The
/// interval covers further links and runs, in this sitting. None of fewer than three layouts, or where a value isn't above 0.
///
/// Source: Kalibera and Jones, ["Rigorous benchmarking in reasonable time"](https://doi.org/10.1145/2464157.2464160), ISMM 2013: the
/// interval is over the highest level that varies.
#[must_use]
pub fn nested_interval(processes: &[Vec<f64>]) -> Option<[f64; 3]> {
    geometric_interval(&layout_medians(processes))
}

/// The ratio of each layout that has a value: the exponential of the median of its processes' logarithms. NaN where one of them
/// isn't a finite number above 0.
#[must_use]
pub fn layout_medians(processes: &[Vec<f64>]) -> Vec<f64> {
    processes.iter().filter(|layout| !layout.is_empty()).map(|layout| geometric_median(layout)).collect()
}

fn geometric_median(ratios: &[f64]) -> f64 {
    let logs: Vec<f64> = ratios.iter().map(|r| r.ln()).collect();
    if logs.iter().all(|log| log.is_finite()) { median(&logs).exp() } else { f64::NAN }
}

/// `[min, max]` over the ratios of L layouts. It holds the ratio of the next link with probability (L − 1)/(L + 1), whatever the
/// distribution: of L + 1 exchangeable values the last is the smallest or the largest with probability 2/(L + 1).
///
/// Source: S. S. Wilks, "Determination of sample sizes for setting tolerance limits", Annals of Mathematical Statistics 12(1), 1941.
///
/// None of fewer than two layouts, or where one has no finite ratio.
#[must_use]
pub fn next_link(medians: &[f64]) -> Option<[f64; 2]> {
    if medians.len() < 2 || !medians.iter().all(|m| m.is_finite()) {
        return None;
    }
    let low = medians.iter().copied().fold(f64::INFINITY, f64::min);
    Some([low, medians.iter().copied().fold(f64::NEG_INFINITY, f64::max)])
}

// t(0.975) for so many degrees of freedom.
fn quantile(freedom: f64) -> Option<f64> {
    Some(StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(0.975))
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::simulated::{Normal, Row};
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

    // How often the interval holds the truth, over 4000 rows of so many layouts × processes.
    fn coverage(row: Row, [layouts, processes]: [usize; 2]) -> f64 {
        let mut normal = Normal::seeded(1);
        let holds = |_: &usize| {
            let [low, _, high] = nested_interval(&row.draw(&mut normal, layouts, processes)).expect("three layouts");
            low <= row.truth.exp() && row.truth.exp() <= high
        };
        (0..4000).filter(holds).count() as f64 / 4000.0
    }

    #[test]
    fn a_95_percent_interval_holds_the_truth_as_often_as_it_says() {
        let plain = Row { truth: 0.3, processes: 0.03, ..Row::default() };
        let disturbed = Row { disturbed: 0.1, ..plain };
        let layouts = Row { layouts: 0.03, ..plain };
        let both = Row { layouts: 0.03, ..disturbed };
        for row in [plain, disturbed, layouts, both] {
            for setting in [[10, 8], [10, 3], [10, 2], [10, 1], [6, 1]] {
                let found = coverage(row, setting);
                assert!((0.94..0.99).contains(&found), "{row:?}, {setting:?}: {found}");
            }
        }
    }

    // Of eight: 93.6 % of the way from the outermost value to the next one, as in the paper's formula, worked by hand.
    #[test]
    fn the_interval_of_a_median_lies_between_its_order_statistics() {
        let (depth, share) = depth(8);
        assert!(depth == 1 && near(share, 0.935_644), "{depth}, {share}");
        let values = [8.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
        let [low, median, high] = process_interval(&values).expect("eight values");
        assert!(near(low, 1.935_644) && near(median, 4.5) && near(high, 7.064_356));
        assert_eq!(super::depth(20).0, 6, "the tables' 6th and 15th of 20");
    }

    #[test]
    fn one_disturbed_process_hardly_widens_the_interval_of_eight() {
        let calm = [1.0, 1.01, 1.02, 1.03, 1.04, 1.05, 1.06, 1.07];
        let shaken = [1.0, 1.01, 1.02, 1.03, 1.04, 1.05, 1.06, 10.0];
        let [calm, shaken] = [calm, shaken].map(|values| geometric_process_interval(&values).expect("eight values"));
        assert!(near(calm[1], shaken[1]) && shaken[2] / calm[2] < 1.2, "{calm:?}, {shaken:?}");
    }

    #[test]
    fn fewer_than_eight_processes_have_the_interval_of_their_mean() {
        let values = [1.0, 2.0, 3.0, 4.0, 50.0];
        assert_eq!(process_interval(&values), t_interval(&values));
        assert_eq!(geometric_process_interval(&values), geometric_interval(&values));
        assert_eq!(geometric_process_interval(&[0.0; 8]), None);
    }

    // Whatever the distribution: normal, and one in four of them disturbed by much.
    #[test]
    fn the_interval_of_a_median_holds_it_as_often_as_it_says() {
        let mut normal = Normal::seeded(5);
        for disturbed in [0.0, 0.25] {
            for count in [8, 9, 12, 20] {
                let held = |_: &usize| {
                    // The median of what is disturbed lies where two thirds of the calm ones are below it.
                    let truth = if disturbed > 0.0 { 0.430_727 } else { 0.0 };
                    let values: Vec<f64> = (0..count)
                        .map(|_| if normal.draw() < -0.674_49 && disturbed > 0.0 { 100.0 } else { normal.draw() })
                        .collect();
                    let [low, _, high] = process_interval(&values).expect("enough values");
                    low <= truth && truth <= high
                };
                let share = (0..4000).filter(held).count() as f64 / 4000.0;
                assert!((0.93..0.97).contains(&share), "{count}, {disturbed}: {share}");
            }
        }
    }

    #[test]
    fn a_disturbed_process_does_not_move_its_layout() {
        let calm = [vec![2.0, 2.0, 2.0], vec![1.9, 1.9, 1.9], vec![2.1, 2.1, 2.1], vec![]];
        let shaken = [vec![9.0, 2.0, 2.0], vec![1.9, 0.1, 1.9], vec![2.1, 2.1, 2.1], vec![]];
        assert_eq!(layout_medians(&shaken).len(), 3, "a layout without a value is left out");
        assert_eq!(nested_interval(&calm), nested_interval(&shaken));
        assert_eq!(nested_interval(&calm[..2]), None);
        assert_eq!(nested_interval(&[vec![1.0], vec![1.0], vec![1.0, 0.0, 1.0]]), None, "0 has no logarithm");
    }

    #[test]
    fn the_next_link_lies_between_the_extremes_as_often_as_it_says() {
        let mut normal = Normal::seeded(2);
        let held = |_: &usize| {
            let links: Vec<f64> = (0..11).map(|_| normal.draw().powi(3).exp()).collect();
            let [low, high] = next_link(&links[..10]).expect("ten layouts");
            low <= links[10] && links[10] <= high
        };
        let share = (0..4000).filter(held).count() as f64 / 4000.0;
        assert!((share - 9.0 / 11.0).abs() < 0.02, "{share}");
        assert_eq!(next_link(&[1.0]), None);
        assert_eq!(next_link(&[1.0, f64::NAN, 2.0]), None);
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
    }
}
