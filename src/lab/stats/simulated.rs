//! Made-up rows whose truth is known, for the tests of what is said about rows.

use std::f64::consts::TAU;

use fastrand::Rng;

/// Draws normal values, the same ones for the same seed.
#[derive(Debug)]
pub(crate) struct Normal(Rng);

impl Normal {
    /// Starts from a seed.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    /// A value of mean 0 and standard deviation 1, by Box and Muller's method.
    pub(crate) fn draw(&mut self) -> f64 {
        (-2.0 * (1.0 - self.0.f64()).ln()).sqrt() * (TAU * self.0.f64()).cos()
    }

    /// Whether something happened that has this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.0.f64() < probability
    }
}

/// How the ratios of a row scatter; all standard deviations are of the logarithm.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Row {
    /// The true ratio's logarithm.
    pub(crate) truth: f64,
    /// Between layouts.
    pub(crate) layouts: f64,
    /// Between passes, all layouts alike.
    pub(crate) passes: f64,
    /// Between processes.
    pub(crate) processes: f64,
    /// The share of processes that are 25 % off, one way or the other.
    pub(crate) disturbed: f64,
}

impl Row {
    /// Ratios by `[layout][process]`.
    pub(crate) fn draw(self, normal: &mut Normal, layouts: usize, processes: usize) -> Vec<Vec<f64>> {
        self.draw_uneven(normal, &vec![processes; layouts])
    }

    /// Ratios by `[layout][process]`, with so many processes in each layout.
    pub(crate) fn draw_uneven(self, normal: &mut Normal, counts: &[usize]) -> Vec<Vec<f64>> {
        let most = counts.iter().copied().max().unwrap_or(0);
        let passes: Vec<f64> = (0..most).map(|_| self.passes * normal.draw()).collect();
        let mut layout = |&count: &usize| {
            let centre = self.truth + self.layouts * normal.draw();
            passes[..count].iter().map(|pass| (centre + pass + self.process(normal)).exp()).collect()
        };
        counts.iter().map(&mut layout).collect()
    }

    fn process(self, normal: &mut Normal) -> f64 {
        let off = if normal.chance(self.disturbed) { 1.25_f64.ln() } else { 0.0 };
        let off = if normal.chance(0.5) { off } else { -off };
        self.processes * normal.draw() + off
    }
}
