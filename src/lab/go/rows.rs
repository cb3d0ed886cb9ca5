//! From results to records: a process gives one value a unit, and the interval is over the processes.

use std::collections::{BTreeMap, HashMap};

use super::format::Line;
use super::twin::Twin;
use crate::lab::session::estimate::estimated;
use crate::lab::stats::{geometric_process_interval, median, process_interval};
use crate::record::Record;
use crate::trap::Role;

/// The unit of a run's time.
const TIME: &str = "ns/op";

/// The values of an arm in one process, by unit: the median over its rounds.
type Taken = BTreeMap<String, f64>;

/// What the processes said of one trap.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    taken: HashMap<Key, BTreeMap<usize, Taken>>,
    failed: Option<String>,
}

// n, threads, case, variant.
type Key = (u64, usize, String, String);

fn key(twin: &Twin) -> Key {
    (twin.n, twin.threads, twin.case.clone(), twin.variant.clone())
}

impl Rows {
    /// Takes in what the process of a pass said.
    ///
    /// # Errors
    /// If a result does not name its arm.
    pub(super) fn add(&mut self, pass: usize, lines: &[Line]) -> Result<(), String> {
        let mut rounds: BTreeMap<(Key, &str), Vec<f64>> = BTreeMap::new();
        for line in lines {
            let key = named(line).ok_or_else(|| format!("{} does not name its arm and point", line.name))?;
            for (unit, value) in &line.values {
                rounds.entry((key.clone(), unit)).or_default().push(*value);
            }
        }
        for ((key, unit), values) in rounds {
            let process = self.taken.entry(key).or_default().entry(pass).or_default();
            process.insert(unit.to_owned(), median(&values));
        }
        Ok(())
    }

    /// Notes that the trap failed, unless it has already.
    pub(super) fn fail(&mut self, why: String) {
        self.failed.get_or_insert(why);
    }

    /// Whether nothing more is to be heard of it.
    pub(super) const fn is_settled(&self) -> bool {
        self.failed.is_some()
    }

    /// The records of a trap, whose arms these are.
    #[must_use]
    pub(super) fn records(&self, twins: &[&Twin], run: &str) -> Vec<Record> {
        let same = twins.iter().filter(|twin| twin.role == Role::Trap).map(|twin| twin.same());
        let all: Vec<Twin> = twins.iter().map(|&twin| twin.clone()).chain(same).collect();
        all.iter()
            .flat_map(|twin| {
                let base = all.iter().find(|base| base.role == Role::Trap && base.is_beside(twin));
                self.records_of(twin, base, &twin.cell(run))
            })
            .collect()
    }

    fn records_of(&self, twin: &Twin, base: Option<&Twin>, cell: &Record) -> Vec<Record> {
        if let Some(why) = &self.failed {
            return vec![cell.clone().failed(&**why)];
        }
        let Some(taken) = self.taken.get(&key(twin)) else { return Vec::new() };
        let units: Vec<&String> = taken.values().next().into_iter().flat_map(BTreeMap::keys).collect();
        let values = units.iter().filter(|_| twin.role != Role::Control);
        let mut records: Vec<Record> = values.map(|unit| value(cell, unit, twin.n, taken)).collect();
        let times = units.iter().filter(|unit| is_time(unit) && twin.role != Role::Trap);
        records.extend(times.filter_map(|unit| self.ratio(cell, unit, base?, taken)));
        records
    }

    fn ratio(&self, cell: &Record, unit: &str, base: &Twin, taken: &BTreeMap<usize, Taken>) -> Option<Record> {
        let of_arm = |(pass, arm): (&usize, &Taken)| Some(self.base(unit, base, cell, *pass)? / arm.get(unit)?);
        let ratios: Vec<f64> = taken.iter().filter_map(of_arm).collect();
        let interval = geometric_process_interval(&ratios);
        let metric = if unit == TIME { "ratio".into() } else { format!("{}_ratio", unit.trim_end_matches("-ns")) };
        let value = interval.map_or_else(|| median(&ratios), |[_, value, _]| value);
        // What is nothing in one of them has no ratio: a collector that is off, a queue in which nobody waits.
        let whole = !ratios.is_empty() && ratios.iter().all(|ratio| ratio.is_finite() && *ratio > 0.0);
        whole.then(|| estimated(cell, (&metric.replace('-', "_"), "ratio"), interval, value, ratios))
    }

    // The trap's time in a pass: the mean of the logarithms of both its arms, but for the A/A itself.
    fn base(&self, unit: &str, base: &Twin, cell: &Record, pass: usize) -> Option<f64> {
        let of = |twin: &Twin| self.taken.get(&key(twin))?.get(&pass)?.get(unit).copied();
        let (trap, same) = (of(base)?, of(&base.same()));
        Some(same.filter(|_| cell.role != Role::Control).map_or(trap, |same| (trap * same).sqrt()))
    }
}

fn named(line: &Line) -> Option<Key> {
    let of = |key: &str| line.keys.get(key);
    let case = of("case").cloned().unwrap_or_default();
    Some((of("n")?.parse().ok()?, of("threads")?.parse().ok()?, case, of("variant")?.clone()))
}

fn is_time(unit: &str) -> bool {
    unit == TIME || unit.ends_with("-ns")
}

fn value(cell: &Record, unit: &str, n: u64, taken: &BTreeMap<usize, Taken>) -> Record {
    let (metric, kind, share) = metric(unit, n);
    let values: Vec<f64> = taken.values().filter_map(|process| process.get(unit)).map(|value| value / share).collect();
    // Times have long tails; one of nothing has no logarithm.
    let scaled = (kind == "ns").then(|| geometric_process_interval(&values)).flatten();
    let interval = scaled.or_else(|| process_interval(&values));
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    estimated(cell, (&metric, kind), interval, interval.map_or(mean, |[_, value, _]| value), values)
}

// What the lab calls a unit of Go's, what kind of number it is, and by how much it is divided.
fn metric(unit: &str, n: u64) -> (String, &'static str, f64) {
    match unit {
        TIME => ("ns_per_op".into(), "ns", n as f64),
        "B/op" => ("bytes".into(), "bytes", 1.0),
        "allocs/op" => ("blocks".into(), "count", 1.0),
        _ => {
            let (what, each) = unit.split_once('/').map_or((unit, ""), |(what, _)| (what, "_per_op"));
            (format!("{}{each}", what.replace('-', "_")), kind(what), 1.0)
        }
    }
}

fn kind(what: &str) -> &'static str {
    match what.rsplit('-').next() {
        Some("ns") => "ns",
        Some("bytes") => "bytes",
        Some("share") => "share",
        _ => "count",
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::parse;
    use super::*;
    fn twin(variant: &str, role: Role) -> Twin {
        let (trap, case, variant) = ("made_up".into(), String::new(), variant.into());
        Twin { trap, n: 10, threads: 1, case, headline: true, variant, role, answer: None, unanswered: None }
    }

    fn rows(passes: &[[f64; 3]]) -> Rows {
        let mut rows = Rows::default();
        for (pass, [slow, same, fast]) in passes.iter().enumerate() {
            let line = |variant, ns| {
                let line = format!("BenchmarkX/n=10/threads=1/variant={variant}-2 5 {ns} ns/op 64 B/op 3 p99-ns");
                parse(&line).expect("a result").expect("one")
            };
            let lines = [line("slow", *slow), line("same", *same), line("fast", *fast)];
            rows.add(pass, &lines).expect("they name their arms");
        }
        rows
    }

    fn records(rows: &Rows) -> Vec<Record> {
        let twins = [twin("slow", Role::Trap), twin("fast", Role::Fix)];
        rows.records(&twins.iter().collect::<Vec<_>>(), "run")
    }

    fn find<'a>(records: &'a [Record], variant: &str, metric: &str) -> &'a Record {
        let is = |r: &&Record| r.variant == variant && r.metric.as_deref() == Some(metric);
        records.iter().find(is).unwrap_or_else(|| panic!("no {metric} of {variant}"))
    }

    #[test]
    fn a_ratio_is_over_the_mean_of_both_traps_and_the_aa_over_the_first() {
        let records = records(&rows(&[[200.0, 800.0, 100.0]; 3]));
        assert_eq!(find(&records, "fast", "ratio").value, Some(4.0));
        assert_eq!(find(&records, "same", "ratio").value, Some(0.25));
        assert_eq!(find(&records, "fast", "p99_ratio").value, Some(1.0));
        assert!(!records.iter().any(|r| r.variant == "slow" && r.unit.as_deref() == Some("ratio")));
    }

    #[test]
    fn a_time_is_that_of_an_op_and_bytes_are_those_of_a_run() {
        let records = records(&rows(&[[200.0, 200.0, 100.0]; 3]));
        assert_eq!(find(&records, "slow", "ns_per_op").value, Some(20.0));
        assert_eq!(find(&records, "slow", "bytes").value, Some(64.0));
        assert!(!records.iter().any(|r| r.variant == "same" && r.metric.as_deref() == Some("bytes")));
    }

    #[test]
    fn fewer_than_three_processes_have_a_value_and_no_interval() {
        let records = records(&rows(&[[200.0, 200.0, 100.0]; 2]));
        let ratio = find(&records, "fast", "ratio");
        assert_eq!((ratio.value, ratio.low), (Some(2.0), None));
    }

    #[test]
    fn a_trap_that_failed_says_why_in_each_cell() {
        let mut rows = rows(&[[1.0; 3]]);
        rows.fail("exit status 2: panic".into());
        rows.fail("later".into());
        let records = records(&rows);
        assert_eq!(records.len(), 3);
        assert!(records.iter().all(|r| r.failed.as_deref() == Some("exit status 2: panic")));
    }

    #[test]
    fn a_time_of_nothing_has_an_interval_as_well() {
        let mut rows = Rows::default();
        for pass in 0..8 {
            let line = "BenchmarkX/n=10/threads=1/variant=slow-2 1 200 ns/op 0 throttled-ns/unit";
            rows.add(pass, &[parse(line).expect("a result").expect("one")]).expect("it names its arm");
        }
        let records = records(&rows);
        let stood = find(&records, "slow", "throttled_ns_per_op");
        assert_eq!([stood.low, stood.value, stood.high], [Some(0.0); 3]);
    }

    #[test]
    fn units_of_go_get_the_names_of_the_lab() {
        assert_eq!(metric("allocs/op", 10), ("blocks".into(), "count", 1.0));
        assert_eq!(metric("rss-bytes/request", 10), ("rss_bytes_per_op".into(), "bytes", 1.0));
        assert_eq!(metric("queue-p99-ns", 10), ("queue_p99_ns".into(), "ns", 1.0));
        assert_eq!(metric("cpu-share", 10), ("cpu_share".into(), "share", 1.0));
        assert_eq!(metric("gc-cycles", 10), ("gc_cycles".into(), "count", 1.0));
    }
}
