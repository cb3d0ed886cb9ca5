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

/// What a line says. Nearly all are records, and are read as such at once; what is none may be a run, of whichever schema.
pub(super) fn line(text: &[u8]) -> Result<Line, String> {
    let why = match serde_json::from_slice(text) {
        Ok(record) => return Ok(Line::Record(record)),
        Err(why) => why.to_string(),
    };
    let value: Value = serde_json::from_slice(text).map_err(|e| e.to_string())?;
    let schema = value.get("schema").and_then(Value::as_u64).ok_or(why)?;
    run(schema, value).map(Line::Run)
}

// A run's line of this schema, in the present shape.
fn run(schema: u64, mut value: Value) -> Result<Box<Run>, String> {
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

/// Brings what one file holds into the present shape: its runs, and the records from this one on.
///
/// Schema 1: the ratio of totals was what rows of several threads rested on, and is their ratio now. Before schema 3 the intervals
/// over processes were those of a mean; they are made again from the values of the processes, which every record keeps.
pub(super) fn all(runs: &mut [Run], records: &mut Vec<Record>, from: usize) {
    let schemas = runs.iter_mut().map(|run| (run.run.clone(), std::mem::replace(&mut run.schema, SCHEMA)));
    let schemas: HashMap<String, u32> = schemas.filter(|(_, schema)| *schema < SCHEMA).collect();
    let mut at = 0;
    records.retain_mut(|record| {
        at += 1;
        let schema = schemas.get(&record.run).filter(|_| at > from);
        schema.is_none_or(|schema| upgraded(record, *schema))
    });
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
    use super::{all, run};
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
        let mut records = vec![record.measured("p99_ratio", "ratio", [0.7, 1.3, 2.6], samples)];
        let mut runs = [*run];
        all(&mut runs, &mut records, 0);
        assert_eq!(runs[0].schema, super::SCHEMA);
        records.remove(0)
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
