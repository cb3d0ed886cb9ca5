//! The tables of counts at one point: exact ones of heap and instructions, and what the process used.

use super::cell::{Missing, arms, measures, reasons};
use super::model::{Align, Block, Column, Table, note, paragraph};
use super::notes::Notes;
use super::number::{NONE, TIE, brief, count, figures, short};
use super::place::Place;
use super::sources::Sources;
use super::view::TrapView;
use crate::record::Record;
use crate::trap::Instrument;

// Metric, header. How often a buffer moves is no exact count: it has a line of its own.
const HEAP: &[(&str, &str)] = &[
    ("blocks", "blocks"),
    ("bytes", "bytes"),
    ("peak_bytes", "peak bytes"),
    ("held_bytes", "held bytes"),
    ("live_bytes_per_op", "live bytes/op"),
];
const INSTRUCTIONS: &[(&str, &str)] = &[
    ("instructions", "instructions"),
    ("l1_hits", "L1 hits"),
    ("ll_hits", "LL hits"),
    ("ram_hits", "RAM hits"),
    ("estimated_cycles", "est. cycles"),
];
const USAGE: &[(&str, &str)] = &[
    ("cpu_ns_per_op", "CPU ns/op"),
    ("cpu_share", "CPUs busy"),
    ("voluntary_switches_per_op", "waits/op"),
    ("involuntary_switches_per_op", "preempted/op"),
    ("minor_faults_per_op", "faults/op"),
    ("throttled_share", "throttled"),
    ("peak_rss_bytes", "peak RSS"),
    ("rss_bytes_per_op", "RSS/op"),
    ("threads_per_op", "threads/op"),
    ("open_files_per_op", "files/op"),
];
// On a screen alone: the page has tables of its own for tails.
const LATENCY: &[(&str, &str)] = &[
    ("p50_ns", "p50 µs"),
    ("p95_ns", "p95 µs"),
    ("p99_ns", "p99 µs"),
    ("mean_ns", "mean µs"),
    ("queue_p99_ns", "queue p99"),
    ("queue_mean_ns", "mean"),
];
// What the rows of each table are, and the instruments that it is of.
const TABLES: [(&str, &[Instrument]); 2] =
    [("one run", &[Instrument::Heap, Instrument::Instructions]), ("the process", &[Instrument::Usage])];

/// The metrics of an instrument that counts, each with its header: those that tables show.
pub(super) const fn metrics(instrument: Instrument) -> &'static [(&'static str, &'static str)] {
    match instrument {
        Instrument::Heap => HEAP,
        Instrument::Instructions => INSTRUCTIONS,
        Instrument::Usage => USAGE,
        Instrument::Latency => LATENCY,
        Instrument::Ratio | Instrument::Time | Instrument::Go => &[],
    }
}

pub(super) fn blocks<'a>(
    trap: &TrapView<'a>,
    place: Place<'a>,
    sources: &Sources<'_>,
    notes: &mut Notes,
) -> Vec<Block> {
    TABLES.iter().flat_map(|of| table(trap, place, of, sources, notes)).collect()
}

fn table<'a>(
    trap: &TrapView<'a>,
    place: Place<'a>,
    (rows, instruments): &(&str, &[Instrument]),
    sources: &Sources<'_>,
    notes: &mut Notes,
) -> Vec<Block> {
    let seen = |instrument: &Instrument| !trap.is_unseen(*instrument) && !trap.is_elsewhere(place, *instrument);
    let seen: Vec<_> = instruments.iter().copied().filter(seen).collect();
    let variants = variants(trap, place, &seen);
    if variants.is_empty() {
        return Vec::new();
    }
    let mut table = Table::of(&[(rows, Align::Left)]);
    table.rows = variants.iter().map(|variant| vec![(*variant).into()]).collect();
    let (mut texts, mut runs) = (Vec::new(), Vec::new());
    for &instrument in &seen {
        let records = records(trap, place, instrument);
        runs.extend(records.iter().map(|r| r.run.as_str()));
        add_columns(&mut table, &records, instrument);
        let missing: Vec<_> = variants.iter().filter_map(|v| Some((*v, missing(&records, v)?))).collect();
        texts.extend(reasons(&missing).into_iter().map(|why| format!("{} {why}", instrument.word())));
    }
    mark(&mut table, trap, place, &seen, sources);
    let mut blocks = vec![Block::Table(table)];
    blocks.extend(sources.explained(&runs).into_iter().map(note));
    let moves = seen.iter().find_map(|instrument| moves(&records(trap, place, *instrument)));
    blocks.extend(moves.map(paragraph));
    blocks.extend(texts.into_iter().filter_map(|text| notes.once(text)));
    blocks
}

/// The records of one instrument at a point. The last one of a cell is shown: another allocator's counts only where there are
/// none of this one.
pub(super) fn records<'a>(trap: &TrapView<'a>, place: Place<'a>, instrument: Instrument) -> Vec<&'a Record> {
    let mut records: Vec<&Record> = trap.at(place, instrument).collect();
    records.sort_by_key(|r| trap.on_same_ground(r));
    records
}

/// The variants that these instruments know at a point, the trap first.
pub(super) fn variants<'a>(trap: &TrapView<'a>, place: Place<'a>, instruments: &[Instrument]) -> Vec<&'a str> {
    let records = instruments.iter().flat_map(|instrument| trap.at(place, *instrument));
    arms(records).into_iter().map(|(variant, _)| variant).collect()
}

fn missing(records: &[&Record], variant: &str) -> Option<Missing> {
    records.iter().rev().filter(|r| r.variant == variant).find_map(|r| Missing::of(r))
}

/// What a cell says: the count, or why there is none.
pub(super) fn cell(records: &[&Record], variant: &str, metric: &str) -> String {
    said(records, variant, metric, told)
}

/// The same in a few characters, times in µs.
pub(super) fn brief_cell(records: &[&Record], variant: &str, metric: &str) -> String {
    said(records, variant, metric, briefly)
}

fn said(records: &[&Record], variant: &str, metric: &str, told: fn(&Record) -> String) -> String {
    let found = records.iter().rev().find(|r| r.variant == variant && measures(r, metric));
    let absent = || missing(records, variant).map_or(NONE.into(), |m| m.word.into());
    found.map_or_else(absent, |record| told(record))
}

// Only what some row has; an instrument that has nothing at all still shows its word, in a column of its own.
fn add_columns(table: &mut Table, records: &[&Record], instrument: Instrument) {
    if records.is_empty() {
        return;
    }
    let known = |metric: &str| records.iter().any(|r| measures(r, metric));
    let measured: Vec<_> = metrics(instrument).iter().filter(|(metric, _)| known(metric)).collect();
    let whole = [&("", instrument.word())];
    for (metric, header) in if measured.is_empty() { &whole[..] } else { &measured[..] } {
        table.columns.push(Column { header: (*header).into(), align: Align::Right });
        for row in &mut table.rows {
            let cell = cell(records, &row[0], metric);
            row.push(cell);
        }
    }
}

// Behind the name of a row, the marks of the runs that its cells are from.
fn mark<'a>(table: &mut Table, trap: &TrapView<'a>, place: Place<'a>, seen: &[Instrument], sources: &Sources<'_>) {
    let last =
        |variant: &str, instrument| records(trap, place, instrument).into_iter().rev().find(|r| r.variant == variant);
    for row in &mut table.rows {
        let found = seen.iter().filter_map(|instrument| last(&row[0], *instrument));
        let marks: String = found.map(|record| sources.mark(&record.run)).collect();
        row[0].push_str(&marks);
    }
}

/// How often buffers moved, in a sentence of its own.
pub(super) fn moves(records: &[&Record]) -> Option<String> {
    let mut said: Vec<String> = Vec::new();
    for record in records.iter().filter(|r| measures(r, "moves")) {
        let one = format!("{} {}", record.variant, exact(record));
        if !said.contains(&one) {
            said.push(one);
        }
    }
    let said = said.join(", ");
    (!said.is_empty())
        .then(|| format!("Moves of the buffer, which depend on the state of the heap and are no exact count: {said}."))
}

fn told(record: &Record) -> String {
    let sampled = matches!(record.instrument, Instrument::Usage | Instrument::Latency);
    if sampled { within(record) } else { exact(record) }
}

fn briefly(record: &Record) -> String {
    let unit = match record.instrument {
        Instrument::Latency => 1e3,
        Instrument::Usage => 1.0,
        _ => return exact(record),
    };
    let value = record.value.unwrap_or(f64::NAN);
    let ends = record.low.zip(record.high).filter(|(low, high)| low < high && value != 0.0);
    let half = ends.map(|(low, high)| 100.0 * (high - value).max(value - low) / value.abs());
    format!("{}{}", brief(value / unit), half.map_or(String::new(), |half| format!("±{:.0}%", half.max(1.0))))
}

// Every cell is counted three times; where the counts differ both ends are told.
fn exact(record: &Record) -> String {
    let value = count(record.value.unwrap_or(f64::NAN));
    let (low, high) = (record.low.map_or(value.clone(), count), record.high.map_or(value.clone(), count));
    if low == high { value } else { format!("{low}–{high}") }
}

// The mean of some processes, and how far its interval reaches.
fn within(record: &Record) -> String {
    let value = record.value.unwrap_or(f64::NAN);
    let of = |value: f64| {
        if record.unit.as_deref() == Some("bytes") && value.abs() >= 1e5 { short(value) } else { figures(value) }
    };
    // The longer half, where the two differ.
    let half = |(low, high): (f64, f64)| (value - low).max(high - value);
    match record.low.zip(record.high).map(half) {
        Some(0.0) => of(value),
        Some(half) => format!("{}{TIE}±{TIE}{}", of(value), of(half)),
        None => format!("{}{TIE}±{TIE}?", of(value)),
    }
}
