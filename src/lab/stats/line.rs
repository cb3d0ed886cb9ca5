//! The line through points that lie on one, but for what disturbs them.

/// A line of least squares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Units of y for one of x.
    pub slope: f64,
    /// The largest distance of a point from it, in y, as a share of what it rises over the points; none where it does not.
    pub residual: Option<f64>,
}

/// The line of least squares through points (x, y); none through fewer than two different x.
#[must_use]
pub fn line(points: &[(f64, f64)]) -> Option<Line> {
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / points.len() as f64;
    let (x0, y0) = (mean(|p| p.0), mean(|p| p.1));
    let sum = |of: &dyn Fn(f64, f64) -> f64| points.iter().map(|(x, y)| of(x - x0, y - y0)).sum::<f64>();
    let spread = sum(&|x, _| x * x);
    if spread <= 0.0 {
        return None;
    }
    let slope = sum(&|x, y| x * y) / spread;
    let off = points.iter().map(|(x, y)| (y - y0 - slope * (x - x0)).abs()).fold(0.0, f64::max);
    let ends = points.iter().map(|p| p.0);
    let rise = slope.abs() * (ends.clone().fold(f64::MIN, f64::max) - ends.fold(f64::MAX, f64::min));
    Some(Line { slope, residual: (rise > 0.0).then(|| off / rise) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_through_points_on_it_is_exact() {
        let points = [1.0, 2.0, 3.0, 4.0].map(|x| (x, 5.0 + 3.0 * x));
        assert_eq!(line(&points), Some(Line { slope: 3.0, residual: Some(0.0) }));
    }

    #[test]
    fn a_flat_line_rises_by_nothing_and_a_single_place_has_no_line() {
        assert_eq!(line(&[(1.0, 7.0), (2.0, 7.0)]), Some(Line { slope: 0.0, residual: None }));
        assert_eq!(line(&[(1.0, 7.0), (1.0, 9.0)]), None);
        assert_eq!(line(&[]), None);
    }

    // NIST's Norris data are too many for here; Anscombe's first quartet has slope 0.5001 by publication.
    #[test]
    fn the_slope_of_anscombes_first_set_is_the_published_one() {
        let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
        let y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
        let points: Vec<_> = x.into_iter().zip(y).collect();
        let line = line(&points).expect("a line");
        assert!((line.slope - 0.500_09).abs() < 1e-5, "{line:?}");
        assert!((line.residual.expect("it rises") - 1.921_27 / 5.000_9).abs() < 1e-3, "{line:?}");
    }
}
