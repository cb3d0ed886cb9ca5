//! Whether layouts differ: a permutation test, and Holm's correction for asking it of many rows.

use fastrand::Rng;

/// How many times labels are shuffled at most. The smallest p is 1 / (1 + this) = 2 · 10⁻⁵, which [`holm`] at 0.01 can still
/// reject among 500 rows: 21 traps should have fewer. (With 1 999 shuffles the smallest p is 5 · 10⁻⁴, and of
/// 40 rows none could be rejected however far its layouts lie apart.)
const SHUFFLES: usize = 49_999;

/// How many shuffles must do as well as the truth before the rest are spared: p is then known to a quarter of itself.
const ENOUGH: usize = 20;

/// The probability of layouts as far apart as these, or farther, if layouts made no difference: p of a permutation test.
///
/// `processes` are ratios by `[layout][process]`. The statistic is the sum of squares between layouts, of the logarithms. Labels are
/// shuffled *within passes* (a pass is process j of all layouts), so a bad minute, which hits all layouts of a pass, isn't taken for
/// a bad layout; and no distribution is assumed. Shuffling ends early once 20 shuffles have reached the statistic: p is then 20 ÷ shuffles,
/// else (1 + reached) ÷ (1 + 49 999); both are valid p values.
///
/// A layout that lacks a process, or has a value without a logarithm, is left out: which pass it lacks isn't known. None of
/// fewer than three processes a layout or fewer than three layouts. With three or four layouts there are 36 or 576 different shuffles
/// at three passes, and p cannot get below 1/36 or 1/576.
///
/// Sources: R. A. Fisher, "The Design of Experiments", 1935, section 21; for shuffling within blocks, Good, "Permutation, Parametric
/// and Bootstrap Tests of Hypotheses", 3rd ed., 2005; for the early end,
/// [Besag and Clifford, "Sequential Monte Carlo p-values", Biometrika 78(2), 1991](https://doi.org/10.1093/biomet/78.2.301).
#[must_use]
pub fn permutation_p(processes: &[Vec<f64>], seed: u64) -> Option<f64> {
    let mut passes = centred_passes(processes)?;
    let mut rng = Rng::with_seed(seed);
    // Shuffles that only rename layouts have the same statistic but for rounding, and must count as reaching it.
    let truth = between(&passes) * (1.0 - 1e-9);
    let mut reached = 0;
    for shuffles in 1..=SHUFFLES {
        // The first pass stays: shuffling it too would only rename the layouts.
        passes[1..].iter_mut().for_each(|pass| rng.shuffle(pass));
        reached += usize::from(between(&passes) >= truth);
        if reached == ENOUGH {
            return Some(ENOUGH as f64 / shuffles as f64);
        }
    }
    Some((1 + reached) as f64 / (1 + SHUFFLES) as f64)
}

// Logarithms by [pass][layout], less the mean of the pass: no shuffle changes that, and it only costs digits.
fn centred_passes(processes: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
    let planned = processes.iter().map(Vec::len).max().filter(|&planned| planned >= 3)?;
    let logs = processes.iter().map(|layout| layout.iter().map(|ratio| ratio.ln()).collect::<Vec<_>>());
    let whole: Vec<_> = logs.filter(|l| l.len() == planned && l.iter().all(|log| log.is_finite())).collect();
    if whole.len() < 3 {
        return None;
    }
    let pass = |j: usize| {
        let mean = whole.iter().map(|layout| layout[j]).sum::<f64>() / whole.len() as f64;
        whole.iter().map(|layout| layout[j] - mean).collect()
    };
    Some((0..planned).map(pass).collect())
}

// The sum of squares between layouts, but for a factor that shuffling leaves alone. The passes are centred, so the grand mean is 0.
fn between(passes: &[Vec<f64>]) -> f64 {
    let layouts = 0..passes[0].len();
    layouts.map(|layout| passes.iter().map(|pass| pass[layout]).sum::<f64>().powi(2)).sum()
}

/// Which of these p values are significant when all of them are looked at: the probability of even one false *true* is at
/// most `alpha`, however they depend on each other.
///
/// Source: [S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6(2),
/// 1979](https://www.jstor.org/stable/4615733).
#[must_use]
pub fn holm(p_values: &[f64], alpha: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut rejected = vec![false; p_values.len()];
    for (rank, &at) in order.iter().enumerate() {
        if p_values[at] * (p_values.len() - rank) as f64 > alpha {
            break;
        }
        rejected[at] = true;
    }
    rejected
}

#[cfg(test)]
mod tests {
    use super::super::simulated::{Normal, Row};
    use super::*;

    // p of so many rows like this one, of ten layouts of a full run's processes.
    fn p_values(row: Row, rows: usize) -> Vec<f64> {
        let mut normal = Normal::seeded(7);
        let p = |seed| permutation_p(&row.draw(&mut normal, 10, 8), seed as u64).expect("ten whole layouts");
        (0..rows).map(p).collect()
    }

    fn share(p_values: &[f64], at_most: f64) -> f64 {
        p_values.iter().filter(|&&p| p <= at_most).count() as f64 / p_values.len() as f64
    }

    #[test]
    fn equal_layouts_are_said_to_differ_as_seldom_as_p_says() {
        let plain = Row { processes: 0.04, ..Row::default() };
        for row in [plain, Row { passes: 0.1, disturbed: 0.1, ..plain }] {
            let p = p_values(row, 1000);
            for at_most in [0.01_f64, 0.05, 0.5] {
                let error = (at_most * (1.0 - at_most) / 1000.0).sqrt();
                let found = share(&p, at_most);
                assert!((found - at_most).abs() < 3.0 * error, "{row:?}: {at_most}: {found}");
            }
        }
    }

    #[test]
    fn layouts_that_differ_are_found_even_among_many_rows() {
        let clear = Row { layouts: 0.10, processes: 0.03, passes: 0.1, ..Row::default() };
        let found = share(&p_values(clear, 8), 0.01 / 300.0);
        assert!(found > 0.9, "{found}");
        let faint = Row { layouts: 0.07, disturbed: 0.1, ..clear };
        let found = share(&p_values(faint, 60), 0.01);
        assert!(found > 0.3, "{found}");
    }

    #[test]
    fn only_whole_layouts_count() {
        let mut normal = Normal::seeded(8);
        let row = Row { layouts: 0.05, processes: 0.05, ..Row::default() }.draw(&mut normal, 8, 3);
        let mut ragged = row.clone();
        ragged.insert(2, vec![9.0, 9.0]);
        ragged.insert(5, vec![]);
        ragged.push(vec![9.0, 9.0, 0.0]);
        assert_eq!(permutation_p(&ragged, 1), permutation_p(&row, 1));
        assert!(permutation_p(&row, 1).is_some());
    }

    #[test]
    fn too_little_has_no_p() {
        assert_eq!(permutation_p(&vec![vec![1.0, 1.1]; 10], 1), None, "two processes a layout");
        assert_eq!(permutation_p(&vec![vec![1.0, 1.1, 1.2]; 2], 1), None, "two layouts");
        assert_eq!(permutation_p(&[], 1), None);
        assert_eq!(permutation_p(&vec![vec![1.1; 3]; 10], 1), Some(1.0), "all equal");
    }

    #[test]
    fn three_layouts_have_36_shuffles_and_no_less_a_p() {
        let apart = [vec![1.0, 1.0, 1.0], vec![2.0, 2.0, 2.0], vec![4.0, 4.0, 4.0]];
        let p = permutation_p(&apart, 1).expect("three layouts of three");
        assert!((0.5 / 36.0..2.0 / 36.0).contains(&p), "{p}");
    }

    #[test]
    fn holm_rejects_as_in_the_textbook() {
        assert_eq!(holm(&[0.01, 0.04, 0.03, 0.005], 0.05), [true, false, false, true]);
        // Each rejection leaves fewer to correct for: 0.02 is over 0.05/4 and not over 0.05/2.
        assert_eq!(holm(&[0.02, 0.001, 0.01, 0.9], 0.05), [true, true, true, false]);
        // Once one stands all larger ones do, though 0.04 alone would fall.
        assert_eq!(holm(&[0.03, 0.04], 0.05), [false, false]);
        assert!(holm(&[], 0.05).is_empty());
    }
}
