//! Records made small enough to travel with the crate: what `cite` and `verify` need of the headline rows, and no more.

use serde_json::Value;

use super::cell::measures;
use super::view::View;
use crate::record::{Archive, Record, Run, TrapNote};
use crate::trap::{Instrument, Role};

/// Significant digits: a ratio is read to three.
const DIGITS: usize = 4;

/// The headline rows of the main column as records, a line each: the ratios with their processes, the trap's time, and what the
/// heap counted. The lines can be read as any others.
#[must_use]
pub fn compact(archive: &Archive) -> String {
    let view = View::of(archive);
    let Some(column) = view.columns.first() else { return String::new() };
    let source = column.run().map_or("", |run| run.source.as_str());
    let here = |record: &&Record| match record.instrument {
        Instrument::Ratio => column.holds(record),
        _ => archive.run_of(record).is_some_and(|run| run.source == source),
    };
    let records: Vec<&Record> = archive.records.iter().filter(|r| r.headline && travels(r)).filter(here).collect();
    let rests = |run: &&Run| records.iter().any(|record| record.run == run.run);
    let runs = archive.runs.iter().filter(rests).map(|run| line(&slim(run)));
    runs.chain(records.iter().map(|record| line(&small(record)))).collect()
}

fn travels(record: &Record) -> bool {
    match record.instrument {
        // What others took from the threads' time is a caveat, and travels with the number.
        Instrument::Ratio if record.role == Role::Trap && measures(record, "ns_per_op") => true,
        Instrument::Ratio => measures(record, "ratio") || measures(record, "taken"),
        Instrument::Heap => measures(record, "blocks") || measures(record, "bytes"),
        _ => false,
    }
}

// What a trap says of itself is in the run of ratios, as far as a citation says it.
fn slim(run: &Run) -> Run {
    let note =
        |note: &TrapNote| TrapNote { habit: String::new(), claims: Vec::new(), unseen: Vec::new(), ..note.clone() };
    let traps = if run.instrument == Instrument::Ratio { run.traps.iter().map(note).collect() } else { Vec::new() };
    Run { traps, ..run.clone() }
}

// Layouts and processes are told apart of ratios alone. A control, a time and a count are what their interval says.
fn small(record: &Record) -> Record {
    let told = record.role != Role::Control && measures(record, "ratio");
    let (samples, processes) =
        if told { (record.samples.clone(), record.processes.clone()) } else { Default::default() };
    Record { samples, processes, rounds: None, variance: None, ..record.clone() }
}

fn line(what: &impl serde::Serialize) -> String {
    serde_json::to_value(what).map_or(String::new(), |value| format!("{}\n", rounded(value)))
}

fn rounded(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => number.as_f64().map_or(Value::Null, |value| digits(value).into()),
        Value::Array(values) => Value::Array(values.into_iter().map(rounded).collect()),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (name, rounded(value))).collect())
        }
        other => other,
    }
}

// A count is exact.
fn digits(value: f64) -> f64 {
    if value.fract() == 0.0 {
        return value;
    }
    format!("{value:.*e}", DIGITS - 1).parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::report::{Citation, Cited, made_up_archives};

    #[test]
    fn what_is_cited_from_compact_records_is_what_is_cited_from_whole_ones() {
        let whole = made_up_archives::archive();
        let small = Archive::read_text(Path::new("compact"), &compact(&whole));
        assert!(small.damage.is_empty(), "{:?}", small.damage);
        assert!(small.records.len() < whole.records.len() / 2);
        for trap in ["vec_growth", "contended_map"] {
            let cited = Cited { trap, point: None, variant: None, allow_dirty: false };
            assert_eq!(Citation::of(&small, cited), Citation::of(&whole, cited));
        }
    }

    #[test]
    fn counts_keep_all_their_digits() {
        assert_eq!(digits(6_291_232.0), 6_291_232.0);
        assert_eq!(digits(1.234_56), 1.235);
        assert_eq!(digits(-0.000_123_46), -0.000_123_5);
    }
}
