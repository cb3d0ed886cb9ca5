//! Whether layouts differ: a permutation test, and Holm's correction for asking it of many rows.

use fastrand::Rng;

/// How many times labels are shuffled at most. The smallest p is 1 / (1 + this) = 2 · 10⁻⁵, which [`holm`] at 0.01 can still
/// reject among 500 rows: a full catalog has some 300 headline rows. (With 1 999 shuffles the smallest p is 5 · 10⁻⁴, and of
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
