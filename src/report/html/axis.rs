//! A logarithmic axis, along which twice and half lie equally far from 1.

use crate::report::number::short;

/// Round steps within a power of ten, from the coarse to the fine.
const STEPS: [&[f64]; 4] = [
    &[1.0],
    &[1.0, 2.0, 5.0],
    &[1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 7.0],
    &[1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2.0, 2.2, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0],
];

/// From values to places in a drawing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Log {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Log {
    /// An axis that has room for these values, from one place to another; none where no value has a logarithm.
    pub(super) fn over(values: impl Iterator<Item = f64>, [from, to]: [f64; 2]) -> Option<Self> {
        // What lies beyond these is no measurement, and has too many powers of ten between.
        let values = values.filter(|value| (1e-15..=1e15).contains(value));
        let (low, high) = values.fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        let room = 1.04;
        (low <= high).then(|| Self { low: (low / room).ln(), high: (high * room).ln(), from, to })
    }

    /// Where a value lies; at an end if it lies beyond it.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = (value.max(f64::MIN_POSITIVE).ln() - self.low) / (self.high - self.low);
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// Round values along it: three to seven, of the coarsest steps that give so many.
    pub(super) fn ticks(&self) -> Vec<f64> {
        let few = |ticks: &Vec<f64>| (3..=7).contains(&ticks.len());
        let steps = STEPS.iter().map(|steps| self.round(steps));
        steps.into_iter().find(few).unwrap_or_else(|| self.thinned(self.round(STEPS[STEPS.len() - 1])))
    }

    fn round(&self, steps: &[f64]) -> Vec<f64> {
        let (first, last) = ((self.low / 10_f64.ln()).floor() as i32, (self.high / 10_f64.ln()).ceil() as i32);
        let each = (first..=last).flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)));
        each.filter(|value| (self.low..=self.high).contains(&value.ln())).collect()
    }

    fn thinned(&self, ticks: Vec<f64>) -> Vec<f64> {
        let step = ticks.len().div_ceil(7).max(1);
        ticks.into_iter().step_by(step).collect()
    }
}

/// A tick: where it is, and what it is called.
pub(super) type Tick = (f64, String);

/// Those ticks whose names do not run into one another, where a letter takes so much room: 1 comes first, then those at the end.
pub(super) fn apart(ticks: Vec<Tick>, letter: f64) -> Vec<Tick> {
    let half = |name: &str| (name.chars().count() + 1) as f64 * letter / 2.0;
    let (one, others): (Vec<Tick>, Vec<Tick>) = ticks.into_iter().partition(|(_, name)| name == "1");
    let mut kept: Vec<Tick> = Vec::new();
    for (at, name) in one.into_iter().chain(others.into_iter().rev()) {
        if kept.iter().all(|(known_at, known)| (known_at - at).abs() >= half(known) + half(&name)) {
            kept.push((at, name));
        }
    }
    kept.sort_by(|a, b| a.0.total_cmp(&b.0));
    kept
}

/// What a tick is called: without the last digits of binary fractions.
pub(super) fn tick(value: f64) -> String {
    if value >= 1e3 {
        return short(value);
    }
    format!("{value:.3}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A place in a drawing, to a tenth.
pub(super) fn px(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_and_half_lie_equally_far_from_one() {
        let axis = Log::over([0.25, 4.0].into_iter(), [0.0, 100.0]).expect("two values");
        let [half, one, twice] = [0.5, 1.0, 2.0].map(|value| axis.at(value));
        assert!((one - 50.0).abs() < 1e-9 && (twice - one - (one - half)).abs() < 1e-9);
        assert_eq!([axis.at(0.0), axis.at(1e9)], [0.0, 100.0], "what lies beyond is at the end");
    }

    #[test]
    fn ticks_are_round_and_few() {
        let ticks = |low, high| Log::over([low, high].into_iter(), [0.0, 1.0]).expect("two values").ticks();
        assert_eq!(ticks(0.6, 6.0), [1.0, 2.0, 5.0]);
        assert_eq!(ticks(16.0, 100_000.0), [100.0, 1e3, 1e4, 1e5]);
        assert!(ticks(1e-12, 1e12).len() <= 7 && ticks(1.0, 1.79e308).len() <= 7);
    }

    #[test]
    fn an_axis_has_ticks_and_they_are_named_in_few_digits() {
        for (low, high) in [(0.97, 1.02), (3.2, 4.4), (1.9e6, 4.9e6), (0.66, 0.72)] {
            let ticks = Log::over([low, high].into_iter(), [0.0, 1.0]).expect("two values").ticks();
            assert!((1..=7).contains(&ticks.len()), "{low} to {high}: {ticks:?}");
        }
        assert_eq!([0.7 + 1e-16, 0.3, 1.0, 20.0, 5e4].map(tick), ["0.7", "0.3", "1", "20", "50k"]);
    }

    #[test]
    fn names_of_ticks_do_not_run_into_one_another() {
        let ticks = [(0.0, "16"), (88.0, "50k"), (100.0, "100k")].map(|(at, name)| (at, name.to_owned()));
        let names = |letter| apart(ticks.to_vec(), letter).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
        assert_eq!(names(1.0), ["16", "50k", "100k"]);
        assert_eq!(names(7.0), ["16", "100k"]);
        let around = [(40.0, "0.7"), (50.0, "1"), (60.0, "1.2")].map(|(at, name)| (at, name.to_owned()));
        assert_eq!(apart(around.to_vec(), 7.0), [(50.0, "1".to_owned())]);
    }

    #[test]
    fn what_has_no_logarithm_has_no_place() {
        assert_eq!(Log::over([0.0, f64::NAN, -1.0, f64::INFINITY].into_iter(), [0.0, 1.0]), None);
    }
}
