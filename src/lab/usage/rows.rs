//! From readings to records: a process gives one value a metric, and the interval is over the processes.

use std::collections::HashMap;

use super::protocol::Message;
use super::reading::Reading;
use crate::lab::session::estimate::estimated;
use crate::lab::stats::{geometric_process_interval, line, process_interval};
use crate::record::Record;
use crate::trap::{Instrument, Trap};

/// What names a row: the trap, the place of the point among its points, and the arm.
pub(super) type Key = (&'static str, usize, &'static str);

/// Metric, unit and value.
type Metric = (&'static str, &'static str, f64);

/// What the processes said, and the rows that failed.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    rows: HashMap<Key, Vec<Vec<Metric>>>,
    failed: HashMap<Key, String>,
    blind: HashMap<Key, String>,
}

impl Rows {
    /// Takes in what one process said.
    pub(super) fn add(&mut self, key: Key, message: &Message) {
        match message {
            Message::Refuses { why } => self.fail(key, why.clone()),
            Message::Used { ops, before, after } => {
                self.rows.entry(key).or_default().push(of_block(*ops, before, after));
            }
            Message::Held { step, readings } => self.rows.entry(key).or_default().push(of_hold(*step, readings)),
        }
    }

    /// Notes that a row failed, unless it has already.
    pub(super) fn fail(&mut self, key: Key, why: String) {
        self.failed.entry(key).or_insert(why);
    }

    /// Notes that a row can't be had on this machine.
    pub(super) fn blind(&mut self, key: Key, why: String) {
        self.blind.insert(key, why);
    }

    /// Whether nothing more is to be heard of a row.
    #[must_use]
    pub(super) fn is_settled(&self, key: &Key) -> bool {
        self.failed.contains_key(key) || self.blind.contains_key(key)
    }

    /// Why a row failed, if it did.
    #[must_use]
    pub(super) fn failure(&self, key: &Key) -> Option<&str> {
        self.failed.get(key).map(String::as_str)
    }

    /// The records of a trap.
    #[must_use]
    pub(super) fn records(&self, trap: &Trap, run: &str) -> Vec<Record> {
        let arms =
            trap.points.iter().enumerate().flat_map(|(at, point)| trap.variants.iter().map(move |v| (at, point, v)));
        arms.flat_map(|(at, point, variant)| {
            let cell = Record::of_variant(trap, point, variant, Instrument::Usage, run);
            self.records_of(&(trap.name, at, variant.name), &cell)
        })
        .collect()
    }

    fn records_of(&self, key: &Key, cell: &Record) -> Vec<Record> {
        match (self.failed.get(key), self.blind.get(key), self.rows.get(key)) {
            (Some(why), ..) => vec![cell.clone().failed(&**why)],
            (None, Some(why), _) => vec![cell.clone().blind(&**why)],
            (None, None, Some(processes)) => records(cell, processes),
            (None, None, None) => Vec::new(),
        }
    }
}

fn records(cell: &Record, processes: &[Vec<Metric>]) -> Vec<Record> {
    let first = processes.first().into_iter().flatten();
    first
        .map(|(metric, unit, _)| {
            let of = |process: &Vec<Metric>| process.iter().find(|(name, ..)| name == metric).map(|(.., value)| *value);
            measured(cell, metric, unit, processes.iter().filter_map(of).collect())
        })
        .collect()
}

fn measured(cell: &Record, metric: &str, unit: &str, samples: Vec<f64>) -> Record {
    // CPU time has a long tail, and is never 0; of the others some are, or less.
    let interval =
        if metric.starts_with("cpu_") { geometric_process_interval(&samples) } else { process_interval(&samples) };
    let mean = samples.iter().sum::<f64>() / samples.len() as f64;
    let value = interval.map_or(mean, |[_, value, _]| value);
    estimated(cell, (metric, unit), interval, value, samples)
}

fn of_block(ops: f64, before: &Reading, after: &Reading) -> Vec<Metric> {
    let (from, to, held) = (&before.used, &after.used, &after.held);
    let more = |from: Option<f64>, to: Option<f64>| from.zip(to).map(|(from, to)| to - from);
    let per_op = |from, to| more(from, to).map(|more| more / ops);
    let wall = more(from.wall, to.wall).filter(|wall| *wall > 0.0);
    let share = |from, to| more(from, to).zip(wall).map(|(more, wall)| more / wall);
    let periods = more(from.quota.periods, to.quota.periods).filter(|periods| *periods > 0.0);
    let throttled = more(from.quota.throttled, to.quota.throttled).zip(periods);
    let throttled_share = throttled.map(|(throttled, periods)| throttled / periods);
    known([
        ("cpu_ns_per_op", "ns", per_op(from.cpu, to.cpu)),
        ("user_ns_per_op", "ns", per_op(from.user, to.user)),
        ("system_ns_per_op", "ns", per_op(from.system, to.system)),
        ("cpu_share", "count", share(from.cpu, to.cpu)),
        ("delay_share", "share", share(from.delayed, to.delayed)),
        ("voluntary_switches_per_op", "count", per_op(from.voluntary, to.voluntary)),
        ("involuntary_switches_per_op", "count", per_op(from.involuntary, to.involuntary)),
        ("minor_faults_per_op", "count", per_op(from.minor_faults, to.minor_faults)),
        ("throttled_share", "share", throttled_share),
        ("throttled_ns_per_op", "ns", per_op(from.quota.time, to.quota.time)),
        ("rss_bytes", "bytes", held.rss),
        ("peak_rss_bytes", "bytes", held.peak_rss),
        ("threads", "count", held.threads),
        ("open_files", "count", held.open_files),
    ])
}

// The line through the second half of the readings, the last of the first half included.
fn of_hold(step: f64, readings: &[Reading]) -> Vec<Metric> {
    let from = (readings.len() / 2).saturating_sub(1);
    let line_of = |of: fn(&Reading) -> Option<f64>| {
        let points = readings.iter().enumerate().skip(from);
        let points: Option<Vec<_>> = points.map(|(at, r)| Some(((at + 1) as f64 * step, of(r)?))).collect();
        line(&points?)
    };
    let rss = line_of(|r| r.held.rss);
    let threads = line_of(|r| r.held.threads);
    let files = line_of(|r| r.held.open_files);
    let last = readings.last().map(|r| r.held).unwrap_or_default();
    known([
        ("rss_bytes_per_op", "bytes", rss.as_ref().map(|line| line.slope)),
        ("threads_per_op", "count", threads.map(|line| line.slope)),
        ("open_files_per_op", "count", files.map(|line| line.slope)),
        ("rss_residual", "share", rss.and_then(|line| line.residual)),
        ("rss_bytes", "bytes", last.rss),
        ("threads", "count", last.threads),
        ("open_files", "count", last.open_files),
    ])
}

fn known<const N: usize>(metrics: [(&'static str, &'static str, Option<f64>); N]) -> Vec<Metric> {
    metrics.into_iter().filter_map(|(metric, unit, value)| Some((metric, unit, value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::reading::{Held, Used};
    use super::*;

    fn find(metrics: &[Metric], name: &str) -> f64 {
        metrics.iter().find(|(metric, ..)| *metric == name).unwrap_or_else(|| panic!("no {name}")).2
    }

    #[test]
    fn what_a_block_used_is_divided_by_its_ops_and_by_its_wall_time() {
        let used = |wall, cpu, voluntary| Used {
            wall: Some(wall),
            cpu: Some(cpu),
            voluntary: Some(voluntary),
            ..Used::default()
        };
        let before = Reading { used: used(1e9, 5e8, 10.0), held: Held::default() };
        let held = Held { rss: Some(4096.0), threads: Some(3.0), ..Held::default() };
        let after = Reading { used: used(2e9, 2e9, 60.0), held };
        let metrics = of_block(100.0, &before, &after);
        assert_eq!(find(&metrics, "cpu_ns_per_op"), 1.5e7);
        assert_eq!(find(&metrics, "cpu_share"), 1.5);
        assert_eq!(find(&metrics, "voluntary_switches_per_op"), 0.5);
        assert_eq!((find(&metrics, "rss_bytes"), find(&metrics, "threads")), (4096.0, 3.0));
        assert!(!metrics.iter().any(|(metric, ..)| *metric == "open_files"), "what can't be read is no metric");
    }

    fn holding(rss: f64, threads: f64) -> Reading {
        let held = Held { rss: Some(rss), peak_rss: None, threads: Some(threads), open_files: Some(5.0) };
        Reading { used: Used::default(), held }
    }

    #[test]
    fn what_an_op_adds_is_the_slope_of_the_second_half() {
        // It fills up to step 4, and a step is 10 ops.
        let filled: Vec<_> = (1..=8).map(|step| holding(1e6 * f64::from(step.min(4)), 2.0)).collect();
        let metrics = of_hold(10.0, &filled);
        assert_eq!((find(&metrics, "rss_bytes_per_op"), find(&metrics, "threads_per_op")), (0.0, 0.0));
        let leaks: Vec<_> =
            (1..=8).map(|step| holding(1e6 + 655_360.0 * f64::from(step), 10.0 * f64::from(step))).collect();
        let metrics = of_hold(10.0, &leaks);
        assert!((find(&metrics, "rss_bytes_per_op") - 65_536.0).abs() < 1e-6);
        assert_eq!((find(&metrics, "threads_per_op"), find(&metrics, "open_files_per_op")), (1.0, 0.0));
        assert!(find(&metrics, "rss_residual") < 1e-9);
    }
}
