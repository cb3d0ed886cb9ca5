//! The strip of dots: where each layout fell, on one logarithmic axis for all rows of a point.

use super::number::figures;

/// Characters of a strip.
pub(super) const WIDTH: usize = 15;

/// An axis under strips.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    /// The axis that spans these values, and at least 10 %, so that agreement looks like agreement. None of no values.
    pub(super) fn over(values: impl Iterator<Item = f64>) -> Option<Self> {
        let positive = values.filter(|v| v.is_finite() && *v > 0.0);
        let (low, high) = positive.fold((f64::INFINITY, 0.0_f64), |(low, high), v| (low.min(v), high.max(v)));
        let widen = (1.1 / (high / low)).sqrt().max(1.0);
        (high > 0.0).then_some(Self { low: low / widen, high: high * widen })
    }

    /// Both ends, set above the ends of the strips.
    pub(super) fn header(&self) -> String {
        let (low, high) = (figures(self.low), figures(self.high));
        let room = WIDTH.saturating_sub(low.chars().count());
        format!("{low}{high:>room$}")
    }

    /// A `·` for one layout, `:` for two, `+` for more; `|` at 1.
    pub(super) fn strip(&self, layouts: &[f64]) -> String {
        let mut counts = [0_usize; WIDTH];
        layouts.iter().filter_map(|&layout| self.cell(layout)).for_each(|cell| counts[cell] += 1);
        let one = self.cell(1.0);
        let mark = |(cell, count): (usize, &usize)| match count {
            0 if Some(cell) == one => '|',
            0 => ' ',
            1 => '·',
            2 => ':',
            _ => '+',
        };
        counts.iter().enumerate().map(mark).collect()
    }

    fn cell(&self, value: f64) -> Option<usize> {
        let share = (value / self.low).ln() / (self.high / self.low).ln();
        // The ends are computed from the values themselves and must not fall off by rounding.
        let inside = (-1e-9..=1.0 + 1e-9).contains(&share);
        inside.then(|| (share * (WIDTH - 1) as f64).round() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_stand_where_they_fell() {
        let axis = Axis::over([0.5, 2.0].into_iter()).expect("values");
        assert_eq!(axis.header(), "0.500      2.00");
        assert_eq!(axis.strip(&[0.5, 2.0]), "·      |      ·");
        assert_eq!(axis.strip(&[1.0, 1.0]), "       :       ");
        assert_eq!(axis.strip(&[2.0, 2.0, 2.0]), "       |      +");
    }

    #[test]
    fn equal_layouts_still_have_an_axis() {
        let axis = Axis::over([1.4; 3].into_iter()).expect("values");
        assert_eq!(axis.strip(&[1.4; 3]), "       +       ");
        assert_eq!(Axis::over([f64::NAN, 0.0].into_iter()), None);
    }
}
