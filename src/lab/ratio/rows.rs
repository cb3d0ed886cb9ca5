//! From what the processes took to records: a process gives one value a row, a layout the median of its processes, and the
//! interval is over the layouts.

use std::collections::{BTreeMap, HashMap};

use super::planted;
use super::protocol::SAME;
use super::value::{Bench, Times, Value};
use crate::lab::session::estimate::estimated;
use crate::lab::session::rounds::rounded;
use crate::lab::stats::{self, median, t_interval};
use crate::record::{Record, Variance};
use crate::trap::{Instrument, Point, Role, Trap};

/// What names a row: the trap, the place of the point among its points, and the arm.
pub(super) type Key = (&'static str, usize, String);

/// The values of one row: by layout, in the order of the passes.
type Row = BTreeMap<usize, Vec<Value>>;

/// The values of all rows, and the rows that failed.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    rows: HashMap<Key, Row>,
    failed: HashMap<Key, String>,
}

impl Rows {
    /// Takes in what one process of a layout took at one point. `paired` says that round i of all arms ran together, as it does
    /// unless each arm had a process of its own.
    pub(super) fn add(&mut self, trap: &Trap, at: usize, layout: usize, times: &Times, paired: bool) {
        let bench = Bench { trap, point: &trap.points[at], times, paired };
        for (arm, taken) in times.iter().filter(|(arm, taken)| !planted::is_auxiliary(arm) && !taken.ns.is_empty()) {
            let row = self.rows.entry((trap.name, at, arm.clone())).or_default();
            row.entry(layout).or_default().push(bench.value(arm, taken));
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
        let controls = [SAME, planted::RUNS, planted::THREADS].map(|arm| (arm, Role::Control));
        let of = |(arm, role): (&str, Role)| {
            let record = Record::of(trap.name, point, arm, role, Instrument::Ratio, run);
            self.records_of(&(trap.name, at, arm.to_owned()), &record)
        };
        variants.chain(controls).flat_map(of).collect()
    }

    fn records_of(&self, key: &Key, record: &Record) -> Vec<Record> {
        if let Some(why) = self.failed.get(key) {
            return vec![record.clone().failed(why)];
        }
        let Some(row) = self.rows.get(key) else { return Vec::new() };
        let row = Measured { row, record };
        let mut records = vec![row.ratio(), row.arithmetic("ns_per_op", "ns", |v| Some(v.ns_per_op))];
        records.extend([
            row.arithmetic("cpu_ns_per_op", "ns", |v| v.crew?.cpu_ns),
            row.arithmetic("cpus", "count", |v| v.crew?.cpus),
            row.arithmetic("taken", "share", |v| v.crew?.taken),
        ]);
        records.into_iter().flatten().collect()
    }
}

// A row, and the record that its measurements go into.
struct Measured<'a> {
    row: &'a Row,
    record: &'a Record,
}

impl Measured<'_> {
    fn ratio(&self) -> Option<Record> {
        let processes = self.processes(|v| v.ln_ratio.map(f64::exp))?;
        let (samples, interval) = (stats::layout_medians(&processes), stats::nested_interval(&processes));
        let mean = samples.iter().map(|ratio| ratio.ln()).sum::<f64>() / samples.len() as f64;
        let variance = self.variance(&processes);
        let record = self.estimated("ratio", "ratio", interval, mean.exp(), samples, processes);
        let rounds = self.row.values().flatten().map(|v| v.rounds.len()).max().filter(|&rounds| rounds > 0);
        Some(Record { rounds, variance, ..record })
    }

    fn arithmetic(&self, metric: &str, unit: &str, of: impl Fn(&Value) -> Option<f64>) -> Option<Record> {
        let processes = self.processes(of)?;
        let samples: Vec<f64> = processes.iter().map(|layout| median(layout)).collect();
        let mean = samples.iter().sum::<f64>() / samples.len() as f64;
        let processes = if metric == "ns_per_op" { processes } else { Vec::new() };
        Some(self.estimated(metric, unit, t_interval(&samples), mean, samples, processes))
    }

    // By layout; None where no process has a value, as of the trap's ratio to itself.
    fn processes(&self, of: impl Fn(&Value) -> Option<f64>) -> Option<Vec<Vec<f64>>> {
        let layouts = self.row.values().map(|values| values.iter().filter_map(&of).collect::<Vec<_>>());
        let layouts: Vec<_> = layouts.filter(|values| !values.is_empty()).collect();
        (!layouts.is_empty()).then_some(layouts)
    }

    fn estimated(
        &self,
        metric: &str,
        unit: &str,
        interval: Option<[f64; 3]>,
        value: f64,
        samples: Vec<f64>,
        processes: Vec<Vec<f64>>,
    ) -> Record {
        let processes = processes.into_iter().map(|layout| layout.into_iter().map(rounded).collect()).collect();
        Record { processes, ..estimated(self.record, (metric, unit), interval, value, samples) }
    }

    fn variance(&self, processes: &[Vec<f64>]) -> Option<Variance> {
        let rounds: Vec<Vec<f64>> = self.row.values().flatten().map(|value| value.rounds.clone()).collect();
        let of = stats::components(processes, &rounds)?;
        Some(Variance {
            layouts: of.layouts.map(rounded),
            processes: rounded(of.processes),
            rounds: rounded(of.rounds),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::session::ring::{CrewTotal, Taken};
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
        cases: &[],
        variants: VARIANTS,
        blind: &[],
    };

    fn times(arms: &[(&str, &[f64])]) -> Times {
        arms.iter().map(|(arm, ns)| ((*arm).to_owned(), Taken { ns: ns.to_vec(), crew: None })).collect()
    }

    fn find<'a>(records: &'a [Record], variant: &str, metric: &str) -> &'a Record {
        let found = records.iter().find(|r| r.variant == variant && r.metric.as_deref() == Some(metric));
        found.expect("the row is there")
    }

    fn near(record: &Record, value: f64) -> bool {
        (record.value.expect("measured") - value).abs() < 1e-4 * value
    }

    #[test]
    fn a_process_gives_the_median_over_rounds_against_the_mean_of_both_instances() {
        let mut rows = Rows::default();
        for layout in 0..3 {
            let arms: &[(&str, &[f64])] =
                &[("slow", &[200.0, 200.0, 900.0]), (SAME, &[800.0; 3]), ("fast", &[100.0, 100.0, 100.0])];
            rows.add(&TRAP, 0, layout, &times(arms), true);
        }
        let records = rows.records(&TRAP, "run");
        assert!(near(find(&records, "fast", "ratio"), 4.0), "√(200 · 800) ÷ 100");
        assert!(near(find(&records, SAME, "ratio"), 0.25), "trap ÷ same");
        assert!(near(find(&records, "slow", "ns_per_op"), 40.0));
        assert!(!records.iter().any(|r| r.variant == "slow" && r.metric.as_deref() == Some("ratio")));
    }

    #[test]
    fn a_layout_is_the_median_of_its_processes() {
        let mut rows = Rows::default();
        for (layout, fast) in [(2, 50.0), (0, 100.0), (1, 100.0), (0, 1_000.0), (0, 100.0)] {
            rows.add(&TRAP, 0, layout, &times(&[("slow", &[200.0]), ("fast", &[fast])]), true);
        }
        let records = rows.records(&TRAP, "run");
        let ratio = find(&records, "fast", "ratio");
        assert_eq!(ratio.samples, [2.0, 2.0, 4.0]);
        assert_eq!(ratio.processes, [vec![2.0, 0.2, 2.0], vec![2.0], vec![4.0]]);
    }

    #[test]
    fn the_planted_slowdown_is_planted_over_base() {
        let mut rows = Rows::default();
        for layout in 0..3 {
            let arms: &[(&str, &[f64])] = &[
                ("slow", &[100.0]),
                (SAME, &[100.0]),
                (planted::RUNS, &[105.0]),
                (planted::THREADS, &[210.0]),
                ("planted_base", &[200.0]),
                ("planted_base_too", &[200.0]),
            ];
            rows.add(&TRAP, 0, layout, &times(arms), true);
        }
        let records = rows.records(&TRAP, "run");
        assert!(near(find(&records, planted::RUNS, "ratio"), 1.05));
        assert!(near(find(&records, planted::THREADS, "ratio"), 1.05));
        assert!(!records.iter().any(|r| r.variant == "planted_base"));
    }

    #[test]
    fn threads_have_cpu_time_and_what_was_taken_from_them() {
        let crew = CrewTotal { runs: 10.0, wall: 1_000.0, thread_wall: 2_000.0, cpu: Some(1_900.0), delayed: None };
        let mut rows = Rows::default();
        let arms = vec![("slow".to_owned(), Taken { ns: vec![100.0], crew: Some(crew) })];
        rows.add(&TRAP, 1, 0, &arms, true);
        let records = rows.records(&TRAP, "run");
        assert!(near(find(&records, "slow", "cpu_ns_per_op"), 19.0) && near(find(&records, "slow", "cpus"), 1.9));
        assert!(!records.iter().any(|r| r.metric.as_deref() == Some("taken")), "missing is missing");
    }

    #[test]
    fn two_layouts_have_an_estimate_and_no_interval() {
        let mut rows = Rows::default();
        for layout in 0..2 {
            rows.add(&TRAP, 1, layout, &times(&[("slow", &[3.0]), ("fast", &[1.0])]), true);
        }
        let records = rows.records(&TRAP, "run");
        let record = find(&records, "fast", "ratio");
        assert_eq!((record.low, record.high, record.samples.len()), (None, None, 2));
    }

    #[test]
    fn a_failed_row_says_why_and_has_no_value() {
        let mut rows = Rows::default();
        rows.add(&TRAP, 0, 0, &times(&[("slow", &[3.0]), ("fast", &[1.0])]), true);
        rows.fail(("made_up", 0, "fast".into()), "killed by signal 6".into());
        let records = rows.records(&TRAP, "run");
        let failed: Vec<_> = records.iter().filter(|r| r.failed.is_some()).collect();
        assert_eq!(failed.len(), 1);
        assert_eq!((failed[0].variant.as_str(), failed[0].value), ("fast", None));
    }
}
