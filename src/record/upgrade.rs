//! Reads what earlier versions wrote, so that results that were committed once can be held against new ones.

use serde_json::{Value, json};

use super::measurement::Record;
use super::run::{Run, SCHEMA};

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

/// The lines of one file, with the records of runs of schema 1 in the present shape: the ratio of totals was what rows of
/// several threads rested on, and is their ratio now.
pub(super) fn all(mut lines: Vec<Line>) -> Vec<Line> {
    let first = |line: &Line| match line {
        Line::Run(run) if run.schema == 1 => Some(run.run.clone()),
        _ => None,
    };
    let old: Vec<String> = lines.iter().filter_map(first).collect();
    lines.retain_mut(|line| match line {
        Line::Record(record) if old.contains(&record.run) => renamed(record),
        _ => true,
    });
    lines
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
    use super::super::store::Archive;

    #[test]
    fn the_first_committed_results_are_read_as_they_were_meant() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/results/2026-11-23-xeon-2.80GHz-2cores");
        let archive = Archive::read_folder(folder.as_ref()).expect("the folder is there");
        assert_eq!(archive.damage, []);
        let run = archive.runs.iter().find(|r| r.sweeps.is_some_and(|s| s.planned() == 10)).expect("the full run");
        assert!(run.unpinned && run.probes.len() == 1 && run.target == "ratio");
        let is_row = |r: &&super::Record| {
            (r.trap.as_str(), r.variant.as_str(), r.threads, r.case.as_str())
                == ("contended_map", "dashmap", 8, "reads=99")
        };
        let ratios: Vec<_> = archive.records.iter().filter(is_row).filter(|r| r.run == run.run).collect();
        let ratio = ratios.iter().find(|r| r.metric.as_deref() == Some("ratio")).expect("a ratio");
        assert!((ratio.value.expect("measured") - 3.36).abs() < 0.01 && ratio.processes.len() == 10);
        assert!(!archive.records.iter().any(|r| r.metric.as_deref() == Some("ratio_of_totals")));
    }
}
