//! Reads what earlier versions wrote, so that results that were committed once can be held against new ones.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::measurement::Record;
use super::run::{Run, SCHEMA};
use crate::lab::stats::{geometric_process_interval, process_interval};
use crate::trap::Instrument;

/// One line of a records file.
pub(super) enum Line {
    /// Boxed: a run is many times the size of a pointer.
    Run(Box<Run>),
    Record(Box<Record>),
}

/// A run's line of this schema, in the present shape.
pub(super) fn run(schema: u64, mut value: Value) -> Result<Box<Run>, String> {
    match schema {
        1 => from_first(&mut value),
        2 => {}
        _ if schema == u64::from(SCHEMA) => {}
        other => return Err(format!("schema {other}, and this version reads 1 to {SCHEMA}")),
    }
    serde_json::from_value(value).map_err(|e| e.to_string())
}

// Schema 1 had forks, a process of a layout each, one probe in the provenance, and targets named after their instrument.
fn from_first(run: &mut Value) {
    let forks = run["forks"].take();
    run["sweeps"] = match (&forks["planned"], &forks["finished"]) {
        (Value::Number(planned), finished) => json!({ "layouts": planned, "processes": 1, "finished": finished }),
        _ => Value::Null,
    };
    let probe = run["provenance"]["probe"].take();
    run["probes"] = if probe.is_null() { json!([]) } else { json!([probe]) };
    run["unpinned"] = json!(true);
    run["stolen"] = Value::Null;
    run["target"] = run["instrument"].clone();
}

/// The lines of one file in the present shape.
///
/// Schema 1: the ratio of totals was what rows of several threads rested on, and is their ratio now. Before schema 3 the intervals
/// over processes were those of a mean; they are made again from the values of the processes, which every record keeps.
pub(super) fn all(mut lines: Vec<Line>) -> Vec<Line> {
    let schemas: HashMap<String, u32> = lines
        .iter_mut()
        .filter_map(|line| match line {
            Line::Run(run) => Some((run.run.clone(), std::mem::replace(&mut run.schema, SCHEMA))),
            Line::Record(_) => None,
        })
        .collect();
    lines.retain_mut(|line| match line {
        Line::Record(record) => upgraded(record, schemas.get(&record.run).copied().unwrap_or(SCHEMA)),
        Line::Run(_) => true,
    });
    lines
}

// False for a record that says nothing any more.
fn upgraded(record: &mut Record, schema: u32) -> bool {
    if schema < 3 && matches!(record.instrument, Instrument::Latency | Instrument::Go | Instrument::Usage) {
        over_processes(record);
    }
    schema != 1 || renamed(record)
}

fn over_processes(record: &mut Record) {
    let is_scale =
        matches!(record.unit.as_deref(), Some("ns" | "ratio")) || record.metric.as_deref() == Some("cpu_share");
    let interval = if is_scale { geometric_process_interval } else { process_interval };
    if let Some([low, value, high]) = interval(&record.samples).filter(|_| record.low.is_some()) {
        (record.low, record.value, record.high) = (Some(low), Some(value), Some(high));
    }
}

fn renamed(record: &mut Record) -> bool {
    let rests_on = if record.threads > 1 { "ratio_of_totals" } else { "ratio" };
    match record.metric.as_deref() {
        Some("ratio" | "ratio_of_totals") if record.metric.as_deref() != Some(rests_on) => return false,
        Some("ratio_of_totals") => record.metric = Some("ratio".into()),
        _ => {}
    }
    record.processes = match record.metric.as_deref() {
        Some("ratio" | "ns_per_op" | "saved_ns_per_op") => record.samples.iter().map(|&sample| vec![sample]).collect(),
        _ => Vec::new(),
    };
    true
}

#[cfg(test)]
mod tests {
    use super::{Line, all, run};
    use crate::trap::{Instrument, Point, Role};

    // One row of this instrument as schema 2 had it: around the mean of its processes.
    fn row(instrument: Instrument, schema: u32) -> super::Record {
        let line = serde_json::json!({
            "schema": schema, "run": "r", "instrument": instrument, "started": "", "target": "t", "command": "", "quick": false, "solo": false,
            "unpinned": false, "sweeps": null, "layouts": null, "partial": null, "traps": [], "probes": [], "stolen": null,
            "provenance": super::super::run::Provenance::default(),
        });
        let run = run(u64::from(schema), line).expect("it is read");
        let record = super::Record::of("t", &Point::n(1), "v", Role::Fix, instrument, "r");
        let samples = vec![1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 9.0];
        let record = record.measured("p99_ratio", "ratio", [0.7, 1.3, 2.6], samples);
        let mut lines = all(vec![Line::Run(run), Line::Record(Box::new(record))]);
        match (lines.remove(0), lines.remove(0)) {
            (Line::Run(run), Line::Record(record)) if run.schema == super::SCHEMA => *record,
            _ => panic!("a run of the present schema, and its record"),
        }
    }

    #[test]
    fn intervals_over_processes_are_made_again_as_those_of_medians() {
        let [latency, now, ratio] = [(Instrument::Latency, 2), (Instrument::Latency, 3), (Instrument::Ratio, 2)]
            .map(|(instrument, schema)| row(instrument, schema));
        assert!(latency.value == Some(1.0) && latency.low == Some(1.0) && latency.high.is_some_and(|high| high < 1.2));
        assert_eq!(now.value, Some(1.3), "what is written now is as it was written");
        assert_eq!(ratio.value, Some(1.3), "layouts have medians of their own");
    }
}
