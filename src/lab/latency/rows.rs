//! From what the processes timed to records: a process gives one value a quantile, and the interval is over the processes.

use std::collections::{BTreeMap, HashMap};

use super::fork::OVERLOAD;
use super::protocol::{HICCUPS, Spread, Timed};
use super::quantile::{QUANTILES, Quantile, too_few};
use crate::lab::session::estimate::estimated;
use crate::lab::stats::{geometric_process_interval, process_interval};
use crate::record::Record;
use crate::trap::{Instrument, Point, Role, Trap};

/// What names a row: the trap, the place of the point among its points, and the arm.
pub(super) type Key = (&'static str, usize, &'static str);

/// What the processes timed, by pass, and the rows that failed.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    rows: HashMap<Key, BTreeMap<usize, Timed>>,
    failed: HashMap<Key, String>,
}

impl Rows {
    /// Takes in what a process of this pass timed.
    pub(super) fn add(&mut self, key: Key, pass: usize, timed: Timed) {
        self.rows.entry(key).or_default().insert(pass, timed);
    }

    /// Notes that a row failed, unless it has already.
    pub(super) fn fail(&mut self, key: Key, why: String) {
        self.failed.entry(key).or_insert(why);
    }

    /// Why a row failed, if it did.
    #[must_use]
    pub(super) fn failure(&self, key: &Key) -> Option<&str> {
        self.failed.get(key).map(String::as_str)
    }

    /// The records of a trap.
    #[must_use]
    pub(super) fn records(&self, trap: &Trap, run: &str) -> Vec<Record> {
        let arms = || trap.variants.iter().map(|v| (v.name, v.role)).chain([(HICCUPS, Role::Control)]);
        let rows = trap.points.iter().enumerate().flat_map(|(at, point)| arms().map(move |arm| (at, point, arm)));
        rows.flat_map(|(at, point, (arm, role))| {
            let cell = Record::of(trap.name, point, arm, role, Instrument::Latency, run);
            self.records_of((trap.name, at, arm), (trap.name, at, trap.baseline().name), point, &cell)
        })
        .collect()
    }

    fn records_of(&self, key: Key, base: Key, point: &Point, cell: &Record) -> Vec<Record> {
        match (self.failed.get(&key), self.rows.get(&key)) {
            (Some(why), _) => vec![cell.clone().failed(&**why)],
            (None, Some(row)) => match cant_carry(row) {
                Some(why) => vec![cell.clone().failed(why)],
                None => Row { cell, row, ramp: point.case == OVERLOAD }.records(self.base(key, base)),
            },
            (None, None) => Vec::new(),
        }
    }

    // The trap's row, for an arm that is compared with it.
    fn base(&self, key: Key, base: Key) -> Option<&BTreeMap<usize, Timed>> {
        self.rows.get(&base).filter(|_| key != base && key.2 != HICCUPS)
    }
}

// In half of its passes or more. In fewer it was the machine of that minute: then its values are as bad as they were, and stay.
fn cant_carry(row: &BTreeMap<usize, Timed>) -> Option<String> {
    let behind: Vec<&String> = row.values().filter_map(|timed| timed.behind.as_ref()).collect();
    let (some, all) = (behind.len(), row.len());
    behind.first().filter(|_| 2 * some >= all).map(|why| format!("{why}, in {some} of {all} processes"))
}

struct Row<'a> {
    cell: &'a Record,
    row: &'a BTreeMap<usize, Timed>,
    ramp: bool,
}

impl Row<'_> {
    fn records(&self, base: Option<&BTreeMap<usize, Timed>>) -> Vec<Record> {
        let late = |timed: &Timed| Some(timed.late.clone());
        let mut records = self.spread("", late);
        records.extend(self.spread("queue_", |timed| timed.queued.clone()));
        records.extend(base.into_iter().flat_map(|base| self.ratios(base)));
        records.extend(
            [
                self.mean("busy_share", "share", |t| Some(t.busy_share)),
                self.mean("switched_share", "share", |t| t.switched_share),
                self.mean("drop_rate", "share", |t| (t.drop_rate > 0.0).then_some(t.drop_rate)),
                self.behind(),
            ]
            .into_iter()
            .flatten(),
        );
        records
    }

    fn spread(&self, prefix: &str, of: impl Fn(&Timed) -> Option<Spread>) -> Vec<Record> {
        let spreads: Vec<Spread> = self.row.values().filter_map(of).collect();
        if spreads.is_empty() {
            return Vec::new();
        }
        let quantile = |(at, (name, _)): (usize, &(&str, f64))| {
            let quantiles: Vec<Quantile> = spreads.iter().filter_map(|s| s.quantiles.get(at).copied()).collect();
            self.quantile(&format!("{prefix}{name}_ns"), &quantiles)
        };
        let mut records: Vec<Record> = QUANTILES.iter().enumerate().map(quantile).collect();
        let means: Vec<f64> = spreads.iter().map(|s| s.mean).collect();
        records.extend(self.interval(&format!("{prefix}mean_ns"), "ns", geometric_process_interval(&means), means));
        let max = spreads.iter().map(|s| s.max).max().unwrap_or_default() as f64;
        let each = spreads.iter().map(|s| s.max as f64).collect();
        let ends = self.cell.clone().measured(&format!("{prefix}max_ns"), "ns", [max; 3], each);
        records.push(Record { low: None, high: None, ..ends });
        records.push(self.histogram(&format!("{prefix}histogram_ns"), &spreads));
        records
    }

    // Quantiles have long tails themselves, so it is their logarithms that scatter alike, here as in the ratios.
    fn quantile(&self, metric: &str, of: &[Quantile]) -> Record {
        match too_few(of, self.ramp) {
            Some(why) => Record { metric: Some(metric.into()), ..self.cell.clone().blind(why) },
            None => {
                let values: Vec<f64> = of.iter().map(|q| q.value.max(1) as f64).collect();
                let told = self.interval(metric, "ns", geometric_process_interval(&values), values);
                told.unwrap_or_else(|| self.cell.clone())
            }
        }
    }

    fn ratios(&self, base: &BTreeMap<usize, Timed>) -> Vec<Record> {
        let ratio = |(at, (name, _)): (usize, &(&str, f64))| {
            let metric = format!("{name}_ratio");
            let of = |row: &BTreeMap<usize, Timed>| -> Vec<Quantile> {
                row.values().filter_map(|t| t.late.quantiles.get(at).copied()).collect()
            };
            if let Some(why) = too_few(&of(base), self.ramp).or(too_few(&of(self.row), self.ramp)) {
                return Some(Record { metric: Some(metric), ..self.cell.clone().blind(why) });
            }
            let pair = |(pass, timed): (&usize, &Timed)| {
                let trap = base.get(pass)?.late.quantiles.get(at)?.value;
                Some(trap as f64 / timed.late.quantiles.get(at)?.value.max(1) as f64)
            };
            let ratios: Vec<f64> = self.row.iter().filter_map(pair).collect();
            self.interval(&metric, "ratio", geometric_process_interval(&ratios), ratios)
        };
        QUANTILES.iter().enumerate().filter_map(ratio).collect()
    }

    // Told only where there is one.
    fn behind(&self) -> Option<Record> {
        let behind: Vec<f64> = self.row.values().map(|t| f64::from(u8::from(t.behind.is_some()))).collect();
        let share = behind.iter().sum::<f64>() / behind.len() as f64;
        (share > 0.0).then(|| estimated(self.cell, ("behind_share", "share"), None, share, behind))
    }

    fn mean(&self, metric: &str, unit: &str, of: impl Fn(&Timed) -> Option<f64>) -> Option<Record> {
        self.estimated(metric, unit, self.row.values().filter_map(of).collect())
    }

    fn estimated(&self, metric: &str, unit: &str, values: Vec<f64>) -> Option<Record> {
        self.interval(metric, unit, process_interval(&values), values)
    }

    fn interval(&self, metric: &str, unit: &str, interval: Option<[f64; 3]>, values: Vec<f64>) -> Option<Record> {
        let value = interval.map_or_else(|| values.first().copied(), |[_, value, _]| Some(value))?;
        Some(estimated(self.cell, (metric, unit), interval, value, values))
    }

    // Pairs of value and count in place of processes.
    fn histogram(&self, metric: &str, of: &[Spread]) -> Record {
        let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
        of.iter().flat_map(|s| &s.histogram).for_each(|(value, count)| *counts.entry(*value).or_default() += count);
        let all = counts.values().sum::<u64>() as f64;
        let pairs = counts.into_iter().map(|(value, count)| vec![value as f64, count as f64]).collect();
        let record = self.cell.clone().measured(metric, "ns", [all; 3], Vec::new());
        Record { processes: pairs, low: None, high: None, ..record }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(behind: &[bool]) -> BTreeMap<usize, Timed> {
        let timed = |late: &bool| Timed { behind: late.then(|| "can't carry an op".to_owned()), ..Timed::default() };
        behind.iter().map(timed).enumerate().collect()
    }

    #[test]
    fn an_arm_has_failed_where_half_of_its_processes_could_not_carry_the_rate() {
        let why = cant_carry(&row(&[true, false, true, false])).expect("half of them");
        assert_eq!(why, "can't carry an op, in 2 of 4 processes");
        assert_eq!(cant_carry(&row(&[true, false, false, false])), None);
        assert_eq!(cant_carry(&row(&[])), None);
    }
}
