//! Quantiles of one process, and whether there are enough ops beyond one to tell it.

use serde::{Deserialize, Serialize};

/// The quantiles that are told, by the name that goes before their metrics.
pub(super) const QUANTILES: [(&str, f64); 4] = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999)];

/// A quantile of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Quantile {
    /// The smallest value that so large a share of the ops does not exceed, ns.
    pub(super) value: u64,
    /// Ops beyond it.
    pub(super) exceed: u64,
    /// Runs of such ops, one after the other.
    pub(super) episodes: u64,
}

impl Quantile {
    /// The quantile of these values, in the order of the ops.
    pub(super) fn of(values: &[u64], share: f64) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize - 1;
        let value = *sorted.get(rank)?;
        let beyond = |at: &usize| values[*at] > value;
        let begins = |at: &usize| beyond(at) && (*at == 0 || !beyond(&(*at - 1)));
        let count = |is: &dyn Fn(&usize) -> bool| (0..values.len()).filter(is).count() as u64;
        Some(Self { value, exceed: count(&beyond), episodes: count(&begins) })
    }
}

const EACH: u64 = 5;
// Six in each of eight: what 125 ops have beyond p95.
const ALL: u64 = 48;
const EPISODES: u64 = 20;

/// Why a quantile can't be told from these processes, if it can't. `ramp` says that lateness grows through the run by
/// intention, so that what lies beyond a quantile is one episode by its nature.
pub(super) fn too_few(of: &[Quantile], ramp: bool) -> Option<String> {
    let (exceed, episodes) = of.iter().fold((0, 0), |(e, s), q| (e + q.exceed, s + q.episodes));
    let in_each = of.iter().all(|q| q.exceed >= EACH);
    let contribute = 2 * of.iter().filter(|q| q.episodes > 0).count() >= of.len();
    let enough = in_each && exceed >= ALL && (ramp || (episodes >= EPISODES && contribute));
    (!enough).then(|| format!("too few: {exceed} exceedances in {episodes} episodes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_nearest_rank() {
        let values: Vec<u64> = (1..=1_000).collect();
        let of = |share| Quantile::of(&values, share).map(|q| (q.value, q.exceed, q.episodes));
        assert_eq!(of(0.5), Some((500, 500, 1)));
        assert_eq!(of(0.99), Some((990, 10, 1)));
        assert_eq!(of(0.999), Some((999, 1, 1)));
        assert_eq!(Quantile::of(&[], 0.5), None);
    }

    // The planted truth: 1 ms in 2 % of the ops is seen at p99, and at p50 it is not.
    #[test]
    fn a_sleep_in_a_fiftieth_of_the_ops_is_at_p99_and_not_at_p50() {
        let values: Vec<u64> = (0..10_000).map(|at| if at % 50 == 7 { 1_000_000 } else { 100 + at % 9 }).collect();
        let p50 = Quantile::of(&values, 0.5).expect("some");
        let p99 = Quantile::of(&values, 0.99).expect("some");
        assert!(p50.value < 110, "{p50:?}");
        assert_eq!((p99.value, p99.exceed), (1_000_000, 0), "all of the late ones are alike");
        let p95 = Quantile::of(&values, 0.95).expect("some");
        assert_eq!((p95.value, p95.exceed >= 200, p95.episodes >= 200), (108, true, true));
    }

    #[test]
    fn one_theft_is_many_ops_and_one_event() {
        let stolen = |value| Quantile { value, exceed: 200, episodes: 1 };
        let why = too_few(&[stolen(5); 8], false).expect("too few");
        assert_eq!(why, "too few: 1600 exceedances in 8 episodes");
        assert_eq!(too_few(&[stolen(5); 8], true), None);
        assert_eq!(too_few(&[Quantile { value: 5, exceed: 10, episodes: 3 }; 8], false), None);
        assert!(too_few(&[Quantile { value: 5, exceed: 4, episodes: 4 }; 30], false).is_some());
        let of_few =
            [[Quantile { value: 5, exceed: 50, episodes: 30 }; 3], [Quantile { value: 5, exceed: 9, episodes: 0 }; 3]];
        assert_eq!(too_few(&of_few.concat(), false), None);
        assert!(too_few(&[of_few.concat(), vec![of_few[1][0]]].concat(), false).is_some());
    }
}
