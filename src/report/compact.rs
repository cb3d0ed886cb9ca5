//! Records made small enough to travel with the crate: what `cite` and `verify` need of the headline rows, and no more.

use serde_json::Value;

use super::caveat::TAKEN;
use super::cell::measures;
use super::column::Column;
use super::held;
use super::view::{TrapView, View};
use crate::record::{Archive, Record, Run, TrapNote};
use crate::trap::{Instrument, Role};

/// Significant digits of what is told; of each layout there is one less, and of each process two. A ratio is read to three, and what it
/// saves is 1 − 1/ratio.
const DIGITS: usize = 6;

/// The headline rows of the main column as records, a line each: the ratios with their processes, the trap's time, and what the
/// heap counted; of a trap that time can't see what its ops leave behind; and of a second sitting the ratios of the fixes.
/// The lines can be read as any others.
#[must_use]
pub fn compact(archive: &Archive) -> String {
    let view = View::of(archive);
    let Some(column) = view.columns.first() else { return String::new() };
    let source = column.run().map_or("", |run| run.source.as_str());
    let here = |record: &&Record| match record.instrument {
        Instrument::Ratio => column.holds(record),
        _ => archive.run_of(record).is_some_and(|run| run.source == source),
    };
    let again = again(&view, column);
    let main = archive.records.iter().filter(|r| r.headline && travels(r)).filter(here);
    let records: Vec<&Record> = again.iter().chain(main).chain(held(&view).into_iter().filter(here)).collect();
    let rests = |run: &&Run| records.iter().any(|record| record.run == run.run);
    let runs = archive
        .runs
        .iter()
        .filter(rests)
        .map(|run| line(&slim(run, Some(run.run.as_str()) == column.run().map(|main| main.run.as_str()))));
    runs.chain(records.iter().map(|record| line(&small(record)))).collect()
}

/// The metric of what a second sitting gave: in one file it can't be told from the first by its folder.
pub(super) const SECOND: &str = "second_sitting";

// Of the advice at each headline.
fn again<'a>(view: &'a View<'a>, column: &Column<'a>) -> Vec<Record> {
    let Some(second) = view.second_sitting() else { return Vec::new() };
    let of_trap = |trap: &TrapView<'_>| -> Vec<Record> {
        let advised = |place| {
            let rows = trap.rows(trap.column.filter(|here| here.run() == column.run())?, place);
            let advice = rows.iter().find(|row| row.role == Role::Fix)?;
            trap.cell(second, place, advice.variant, "ratio").cloned()
        };
        trap.headlines().into_iter().filter_map(advised).collect()
    };
    let ratios = view.traps().iter().flat_map(of_trap).collect::<Vec<_>>().into_iter();
    ratios.map(|ratio| Record { metric: Some(SECOND.into()), ..ratio }).collect()
}

// Of the traps that time can't see.
fn held<'a>(view: &'a View<'a>) -> Vec<&'a Record> {
    let traps = view.traps();
    traps.iter().filter(|trap| trap.is_unseen(Instrument::Ratio)).flat_map(held::at_headlines).collect()
}

fn travels(record: &Record) -> bool {
    match record.instrument {
        Instrument::Ratio if record.role == Role::Trap && measures(record, "ns_per_op") => true,
        // What others took from the threads' time is a caveat, and travels with the number where it may come to be one.
        Instrument::Ratio if measures(record, "taken") => record.value.is_some_and(|taken| taken > TAKEN / 2.0),
        Instrument::Ratio => measures(record, "ratio"),
        Instrument::Heap => record.role != Role::Opposite && (measures(record, "blocks") || measures(record, "bytes")),
        _ => false,
    }
}

// What a trap says of itself is in the main run of ratios, as far as a citation says it, and what the machine was like then.
fn slim(run: &Run, main: bool) -> Run {
    let unseen = |note: &TrapNote| note.unseen.iter().filter(|(of, _)| *of == Instrument::Ratio).cloned().collect();
    let note = |note: &TrapNote| TrapNote {
        habit: String::new(),
        claims: Vec::new(),
        cases: Vec::new(),
        unseen: unseen(note),
        ..note.clone()
    };
    let traps = if main { run.traps.iter().map(note).collect() } else { Vec::new() };
    let probes = if main { run.probes.clone() } else { Vec::new() };
    Run { traps, probes, ..run.clone() }
}

// Layouts and processes are told apart of ratios alone. A control, a time and a count are what their interval says.
fn small(record: &Record) -> Record {
    let told = record.role != Role::Control && measures(record, "ratio");
    let (samples, processes) =
        if told { (record.samples.clone(), record.processes.clone()) } else { Default::default() };
    Record { samples, processes, rounds: None, variance: None, ..record.clone() }
}

fn line(what: &impl serde::Serialize) -> String {
    serde_json::to_value(what).map_or(String::new(), |value| format!("{}\n", rounded(value, DIGITS)))
}

fn rounded(value: Value, to: usize) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map_or(Value::Null, |value| digits(value, to).into())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(|value| rounded(value, to - 1)).collect()),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (name, rounded(value, to))).collect())
        }
        other => other,
    }
}

// A count is exact.
fn digits(value: f64, to: usize) -> f64 {
    if value.fract() == 0.0 {
        return value;
    }
    format!("{value:.*e}", to - 1).parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::report::{Cited, cite, made_up_archives};

    #[test]
    fn what_is_cited_from_compact_records_is_what_is_cited_from_whole_ones() {
        let whole = made_up_archives::archive();
        let small = Archive::read_text(Path::new("compact"), &compact(&whole));
        assert!(small.damage.is_empty(), "{:?}", small.damage);
        assert!(small.records.len() < whole.records.len() / 2);
        assert!(whole.runs.iter().any(|run| run.traps.iter().any(|note| !note.cases.is_empty())));
        assert!(small.runs.iter().flat_map(|run| &run.traps).all(|note| note.cases.is_empty()));
        for trap in ["vec_growth", "contended_map"] {
            let cited = Cited { trap, point: None, variant: None, allow_dirty: false };
            assert_eq!(cite(&small, cited), cite(&whole, cited));
        }
    }

    #[test]
    fn counts_keep_all_their_digits() {
        assert_eq!(digits(6_291_232.0, 4), 6_291_232.0);
        assert_eq!(digits(1.234_56, 4), 1.235);
        assert_eq!(digits(-0.000_123_46, 4), -0.000_123_5);
    }
}
