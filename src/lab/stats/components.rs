//! Where the scatter of a ratio comes from: layouts, processes of a layout, rounds of a process.

use std::f64::consts::FRAC_PI_2;

use super::interval::median;

/// The median of |x − y| for two normal values of standard deviation 1: √2 · Φ⁻¹(3/4).
const MEDIAN_DIFFERENCE: f64 = 0.953_872_6;

/// Variance components of the logarithm of a ratio: what one layout, one process of it and one median over rounds add.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Components {
    /// Between layouts. None with one process a layout, where it is part of `processes`.
    pub layouts: Option<f64>,
    /// Between processes of one layout, without the rounds' part.
    pub processes: f64,
    /// Of the median over the rounds of one process.
    pub rounds: f64,
}

/// The variance components of ratios by `[layout][process]`, with `rounds` the logarithms of the rounds' ratios, a list a process
/// in any order.
///
/// Layouts and processes come from a one-way analysis of variance of the logarithms with unequal numbers of processes, by the method
/// of moments; an estimate below 0 is 0. The variance of a process's median over rounds is taken from the rounds (see below), and what is
/// left of the processes' is theirs.
///
/// Rounds are disturbed now and then, and a median hardly minds, so a plain standard deviation would blame rounds for what they
/// don't do. Their standard deviation s is hence a robust one: the median difference of two rounds of one process, over all processes,
/// ÷ 0.954. Unlike the median deviation from a median it is not too small where rounds are few. The median of R rounds then
/// has variance s² · π/2 ÷ (R + π/2 − 1): π/2 ÷ R for many, 1 for one, and within 3 % for odd numbers between.
///
/// None of fewer than two layouts, no two rounds of one process, or a value without a logarithm.
///
/// Sources: Searle, Casella and `McCulloch` ("Variance Components", 1992, chapter 3) for unequal numbers;
/// [Rousseeuw and Croux, "Alternatives to the median absolute deviation", JASA 88(424),
/// 1993](https://doi.org/10.1080/01621459.1993.10476408), for differences of pairs; the variance of a median of many
/// normal values: Kenney and Keeping, "Mathematics of Statistics", part 2, 1951.
#[must_use]
pub fn components(processes: &[Vec<f64>], rounds: &[Vec<f64>]) -> Option<Components> {
    let rounds = median_variance(rounds)?;
    let table = Anova::of(processes)?;
    let rest = |square: f64| (square - rounds).max(0.0);
    Some(match table.within {
        None => Components { layouts: None, processes: rest(table.between), rounds },
        Some(within) => {
            let layouts = (table.between - within).max(0.0) / table.typical;
            Components { layouts: Some(layouts), processes: rest(within), rounds }
        }
    })
}

// The table of a one-way analysis of variance.
struct Anova {
    // The mean square between layouts.
    between: f64,
    // The mean square within layouts; None with one process a layout.
    within: Option<f64>,
    // How many processes a layout counts as having: n₀.
    typical: f64,
}

impl Anova {
    fn of(processes: &[Vec<f64>]) -> Option<Self> {
        let logs = |layout: &Vec<f64>| layout.iter().map(|ratio| ratio.ln()).collect();
        let layouts: Vec<Vec<f64>> = processes.iter().filter(|l| !l.is_empty()).map(logs).collect();
        if layouts.len() < 2 || !layouts.iter().flatten().all(|log| log.is_finite()) {
            return None;
        }
        let count = layouts.iter().map(Vec::len).sum::<usize>() as f64;
        let (between, free) = (squares_between(&layouts), layouts.len() as f64 - 1.0);
        let within: f64 = layouts.iter().map(|layout| squares(layout)).sum();
        let lost = layouts.iter().map(|layout| layout.len().pow(2) as f64).sum::<f64>() / count;
        let inner = count - layouts.len() as f64;
        let within = (inner > 0.0).then(|| within / inner);
        Some(Self { between: between / free, within, typical: (count - lost) / free })
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

// The sum of squares about the mean.
fn squares(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

fn squares_between(layouts: &[Vec<f64>]) -> f64 {
    let grand = mean(&layouts.concat());
    layouts.iter().map(|layout| layout.len() as f64 * (mean(layout) - grand).powi(2)).sum()
}

// The variance of the median over the rounds of a process, the mean over processes.
fn median_variance(rounds: &[Vec<f64>]) -> Option<f64> {
    let apart: Vec<f64> = rounds.iter().flat_map(|rounds| differences(rounds)).collect();
    let deviation = median(&apart) / MEDIAN_DIFFERENCE;
    let share = |rounds: &Vec<f64>| FRAC_PI_2 / (rounds.len() as f64 + FRAC_PI_2 - 1.0);
    let shares: Vec<f64> = rounds.iter().filter(|rounds| !rounds.is_empty()).map(share).collect();
    Some(deviation.powi(2) * mean(&shares)).filter(|variance| variance.is_finite())
}

fn differences(values: &[f64]) -> impl Iterator<Item = f64> + '_ {
    values.iter().enumerate().flat_map(|(at, a)| values[at + 1..].iter().map(move |b| (a - b).abs()))
}

#[cfg(test)]
mod tests {
    use super::super::simulated::{Normal, Row};
    use super::*;

    const LAYOUTS: f64 = 0.04;
    const PROCESSES: f64 = 0.05;
    const ROUNDS: f64 = 0.08;

    // Processes by layout, each the median of its rounds.
    fn row(normal: &mut Normal, counts: &[usize], each: usize) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
        let scatter = Row { layouts: LAYOUTS, processes: PROCESSES, ..Row::default() };
        let centres = scatter.draw_uneven(normal, counts);
        let mut rounds = Vec::new();
        let mut measured = |centre: f64| {
            rounds.push((0..each).map(|_| centre.ln() + ROUNDS * normal.draw()).collect::<Vec<f64>>());
            median(&rounds[rounds.len() - 1]).exp()
        };
        let ratios = centres.iter().map(|layout| layout.iter().map(|&centre| measured(centre)).collect()).collect();
        (ratios, rounds)
    }

    // The mean of each component over many rows.
    fn means(counts: &[usize], each: usize) -> [f64; 3] {
        let mut normal = Normal::seeded(3);
        let mut sums = [0.0; 3];
        for _ in 0..400 {
            let (ratios, rounds) = row(&mut normal, counts, each);
            let found = components(&ratios, &rounds).expect("enough of everything");
            sums[0] += found.layouts.unwrap_or(0.0) / 400.0;
            sums[1] += found.processes / 400.0;
            sums[2] += found.rounds / 400.0;
        }
        sums
    }

    fn close(found: f64, truth: f64, within: f64) -> bool {
        (found / truth - 1.0).abs() < within
    }

    #[test]
    fn the_components_are_those_that_were_put_in() {
        for counts in [&[3; 10][..], &[3, 3, 2, 3, 1, 3, 3, 2, 3, 3, 2, 3]] {
            let [layouts, processes, rounds] = means(counts, 9);
            // The exact variance of a median of nine normal values is 0.1661.
            assert!(close(rounds, ROUNDS.powi(2) * 0.166_1, 0.05), "{counts:?}: rounds {rounds}");
            assert!(close(processes, PROCESSES.powi(2), 0.1), "{counts:?}: processes {processes}");
            assert!(close(layouts, LAYOUTS.powi(2), 0.1), "{counts:?}: layouts {layouts}");
        }
    }

    #[test]
    fn one_process_a_layout_has_the_layouts_in_it() {
        let mut normal = Normal::seeded(4);
        let (ratios, rounds) = row(&mut normal, &[1; 6], 5);
        assert_eq!(components(&ratios, &rounds).expect("six processes").layouts, None);
        let [_, processes, _] = means(&[1; 6], 9);
        assert!(close(processes, PROCESSES.powi(2) + LAYOUTS.powi(2), 0.1), "{processes}");
    }

    #[test]
    fn a_median_of_few_rounds_has_the_variance_of_the_tables() {
        // Variances of medians of normal values: Teichroew, Annals of Mathematical Statistics 27(2), 1956.
        for (each, exact) in [(3, 0.448_7), (5, 0.286_8), (7, 0.210_4), (9, 0.166_1)] {
            let mut normal = Normal::seeded(5);
            let rounds: Vec<Vec<f64>> = (0..3000).map(|_| (0..each).map(|_| normal.draw()).collect()).collect();
            let found = median_variance(&rounds).expect("rounds");
            assert!(close(found, exact, 0.06), "{each} rounds: {found}, and {exact} is true");
        }
    }

    #[test]
    fn disturbed_rounds_are_not_blamed_for_what_a_median_forgives() {
        let mut normal = Normal::seeded(6);
        let mut round = || normal.draw() * 0.02 + if normal.chance(0.05) { 1.0 } else { 0.0 };
        let rounds: Vec<Vec<f64>> = (0..2000).map(|_| (0..25).map(|_| round()).collect()).collect();
        let medians: Vec<f64> = rounds.iter().map(|rounds| median(rounds)).collect();
        let truth = squares(&medians) / (medians.len() as f64 - 1.0);
        let found = median_variance(&rounds).expect("rounds");
        assert!(close(found, truth, 0.25), "{found}, and {truth} is true");
        assert!(squares(&rounds.concat()) / 50_000.0 * FRAC_PI_2 / 25.0 > 20.0 * truth, "as a plain deviation would");
    }

    #[test]
    fn equal_values_have_no_variance_and_too_few_none_that_is_known() {
        let nothing = Components { layouts: Some(0.0), processes: 0.0, rounds: 0.0 };
        assert_eq!(components(&vec![vec![2.0; 3]; 4], &vec![vec![0.7; 5]; 12]), Some(nothing));
        assert_eq!(components(&[vec![2.0; 3]], &vec![vec![0.7; 5]; 3]), None, "one layout");
        assert_eq!(components(&vec![vec![2.0]; 3], &vec![vec![0.7]; 3]), None, "one round");
        assert_eq!(components(&vec![vec![0.0]; 3], &vec![vec![0.7; 5]; 3]), None, "no logarithm");
    }
}
