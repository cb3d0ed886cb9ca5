//! From what the forks took to records: each fork gives one value a row, and the interval is over the forks.

use std::collections::HashMap;

use super::fork::SAME;
use super::ring::{PLANTED, baseline_of, is_auxiliary};
use crate::lab::stats::{geometric_interval, median, t_interval};
use crate::record::Record;
use crate::trap::{Instrument, Point, Role, Trap};

/// ns for each run, by arm, one value a round: what one fork took at one point.
pub(super) type Times = HashMap<String, Vec<f64>>;

/// What names a row: the trap, the place of the point among its points, and the arm.
pub(super) type Key = (&'static str, usize, String);

// The values of one row, one a fork.
#[derive(Clone, Debug, Default)]
struct Row {
    ratio: Vec<f64>,
    ratio_of_totals: Vec<f64>,
    ns_per_op: Vec<f64>,
    saved_ns_per_op: Vec<f64>,
}

/// The values of all rows, and the rows that failed.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    rows: HashMap<Key, Row>,
    failed: HashMap<Key, String>,
}

impl Rows {
    /// Takes in what one fork took at one point. `paired` says that round i of all arms ran together, as it does unless each arm
    /// had a process of its own.
    pub(super) fn add(&mut self, trap: &Trap, at: usize, times: &Times, paired: bool) {
        let point = &trap.points[at];
        for (arm, taken) in times.iter().filter(|(arm, _)| !is_auxiliary(arm)) {
            let row = self.rows.entry((trap.name, at, arm.clone())).or_default();
            row.ns_per_op.push(per_run(point, taken) / point.n as f64);
            let Some(base) = times.get(baseline_of(arm, trap.baseline().name)) else { continue };
            let (base, taken) = if *arm == PLANTED { (taken, base) } else { (base, taken) };
            row.ratio.push(if paired { paired_ratio(base, taken) } else { median(base) / median(taken) });
            row.ratio_of_totals.push(mean(base) / mean(taken));
            row.saved_ns_per_op.push((per_run(point, base) - per_run(point, taken)) / point.n as f64);
        }
    }

    /// Notes that a row failed, unless it has already.
    pub(super) fn fail(&mut self, key: Key, why: String) {
        self.failed.entry(key).or_insert(why);
    }

    /// Whether a row failed.
    #[must_use]
    pub(super) fn has_failed(&self, key: &Key) -> bool {
        self.failed.contains_key(key)
    }

    /// The records of a trap: a row for each point and variant, and the controls.
    #[must_use]
    pub(super) fn records(&self, trap: &Trap, run: &str) -> Vec<Record> {
        let points = trap.points.iter().enumerate();
        points.flat_map(|(at, point)| self.records_at(trap, at, point, run)).collect()
    }

    fn records_at(&self, trap: &Trap, at: usize, point: &Point, run: &str) -> Vec<Record> {
        let variants = trap.variants.iter().map(|v| (v.name, v.role));
        let arms = variants.chain([(SAME, Role::Control), (PLANTED, Role::Control)]);
        let of = |(arm, role): (&str, Role)| {
            let record = Record::of(trap, point, arm, role, Instrument::Ratio, run);
            self.records_of(&(trap.name, at, arm.to_owned()), &record, arm == trap.baseline().name)
        };
        arms.flat_map(of).collect()
    }

    fn records_of(&self, key: &Key, record: &Record, is_trap: bool) -> Vec<Record> {
        if let Some(why) = self.failed.get(key) {
            return vec![record.clone().failed(why)];
        }
        let Some(row) = self.rows.get(key) else { return Vec::new() };
        let mut records = vec![arithmetic(record, "ns_per_op", &row.ns_per_op)];
        if !is_trap {
            records.push(geometric(record, "ratio", &row.ratio));
            records.push(geometric(record, "ratio_of_totals", &row.ratio_of_totals));
        }
        if record.role != Role::Control && !is_trap {
            records.push(arithmetic(record, "saved_ns_per_op", &row.saved_ns_per_op));
        }
        records.retain(|r| !r.samples.is_empty());
        records
    }
}

// One thread's typical run; for several threads what all runs took, for a service pays for its slow ones too.
fn per_run(point: &Point, taken: &[f64]) -> f64 {
    if point.threads == 1 { median(taken) } else { mean(taken) }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn paired_ratio(trap: &[f64], arm: &[f64]) -> f64 {
    let logs: Vec<_> = trap.iter().zip(arm).map(|(trap, arm)| (trap / arm).ln()).collect();
    median(&logs).exp()
}

fn arithmetic(record: &Record, metric: &str, samples: &[f64]) -> Record {
    estimated(record, metric, "ns", t_interval(samples), mean(samples), samples)
}

fn geometric(record: &Record, metric: &str, samples: &[f64]) -> Record {
    let logs: Vec<_> = samples.iter().map(|ratio| ratio.ln()).collect();
    estimated(record, metric, "ratio", geometric_interval(samples), mean(&logs).exp(), samples)
}

// Too few forks for an interval still have an estimate, but no ends.
fn estimated(
    record: &Record,
    metric: &str,
    unit: &str,
    interval: Option<[f64; 3]>,
    value: f64,
    samples: &[f64],
) -> Record {
    let open = record.clone().measured(metric, unit, interval.unwrap_or([value; 3]), samples.to_vec());
    if interval.is_some() { open } else { Record { low: None, high: None, ..open } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trap::{Variant, routine};

    const POINTS: &[Point] = &[Point::n(10).headline(), Point::n(10).threads(2)];
    const VARIANTS: &[Variant] =
        &[Variant::trap("slow", |_| routine((), |()| 1)), Variant::fix("fast", |_| routine((), |()| 1))];
    const TRAP: Trap = Trap {
        name: "made_up",
        title: "Made up",
        section: "tests",
        habit: "None.",
        claims: &[],
        counts: "ops",
        op: "one op",
        points: POINTS,
        variants: VARIANTS,
        blind: &[],
    };

    fn times(arms: &[(&str, &[f64])]) -> Times {
        arms.iter().map(|(arm, ns)| ((*arm).to_owned(), ns.to_vec())).collect()
    }

    fn find<'a>(records: &'a [Record], variant: &str, metric: &str) -> &'a Record {
        let found = records.iter().find(|r| r.variant == variant && r.metric.as_deref() == Some(metric));
        found.expect("the row is there")
    }

    #[test]
    fn a_fork_gives_the_median_over_its_rounds_and_the_ratio_of_totals() {
        let mut rows = Rows::default();
        for _ in 0..3 {
            rows.add(&TRAP, 0, &times(&[("slow", &[200.0, 200.0, 900.0]), ("fast", &[100.0, 100.0, 100.0])]), true);
        }
        let records = rows.records(&TRAP, "run");
        let near = |record: &Record, value: f64| (record.value.expect("measured") - value).abs() < 1e-9;
        assert!(near(find(&records, "fast", "ratio"), 2.0));
        assert!(near(find(&records, "fast", "ratio_of_totals"), 1300.0 / 300.0));
        assert!(near(find(&records, "fast", "saved_ns_per_op"), 10.0));
        assert!(near(find(&records, "slow", "ns_per_op"), 20.0));
        assert!(!records.iter().any(|r| r.variant == "slow" && r.metric.as_deref() == Some("ratio")));
    }

    #[test]
    fn the_planted_slowdown_is_planted_over_trap() {
        let mut rows = Rows::default();
        for _ in 0..3 {
            let arms: &[(&str, &[f64])] = &[("slow", &[9.0]), ("planted_base", &[100.0]), (PLANTED, &[105.0])];
            rows.add(&TRAP, 0, &times(arms), true);
        }
        let records = rows.records(&TRAP, "run");
        let ratio = find(&records, PLANTED, "ratio").value.expect("measured");
        assert!((ratio - 1.05).abs() < 1e-9);
        assert!(!records.iter().any(|r| r.variant == "planted_base"));
    }

    #[test]
    fn two_forks_have_an_estimate_and_no_interval() {
        let mut rows = Rows::default();
        for _ in 0..2 {
            rows.add(&TRAP, 1, &times(&[("slow", &[3.0]), ("fast", &[1.0])]), true);
        }
        let records = rows.records(&TRAP, "run");
        let record = find(&records, "fast", "ratio_of_totals");
        assert_eq!((record.low, record.high, record.samples.len()), (None, None, 2));
    }

    #[test]
    fn a_failed_row_says_why_and_has_no_value() {
        let mut rows = Rows::default();
        rows.add(&TRAP, 0, &times(&[("slow", &[3.0]), ("fast", &[1.0])]), true);
        rows.fail(("made_up", 0, "fast".into()), "killed by signal 6".into());
        let records = rows.records(&TRAP, "run");
        let failed: Vec<_> = records.iter().filter(|r| r.failed.is_some()).collect();
        assert_eq!(failed.len(), 1);
        assert_eq!((failed[0].variant.as_str(), failed[0].value), ("fast", None));
    }
}
