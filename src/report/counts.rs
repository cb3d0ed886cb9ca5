//! The table of exact counts at one point: heap and instructions.

use super::label::NONE;
use super::model::{Align, Block, Column, Table};
use super::number::count;
use super::section::Notes;
use super::times::reasons;
use super::view::{Missing, Place, TrapView};
use crate::record::Record;
use crate::trap::{Instrument, Role};

// Metric, header.
const HEAP: &[(&str, &str)] =
    &[("blocks", "blocks"), ("bytes", "bytes"), ("peak_bytes", "peak bytes"), ("moves", "moves")];
const INSTRUCTIONS: &[(&str, &str)] = &[
    ("instructions", "instructions"),
    ("l1_hits", "L1 hits"),
    ("ll_hits", "LL hits"),
    ("ram_hits", "RAM hits"),
    ("estimated_cycles", "est. cycles"),
];
const INSTRUMENTS: [(Instrument, &[(&str, &str)]); 2] =
    [(Instrument::Heap, HEAP), (Instrument::Instructions, INSTRUCTIONS)];

pub(super) fn blocks(trap: &TrapView<'_>, place: Place<'_>, notes: &mut Notes) -> Vec<Block> {
    let variants = variants(trap, place);
    if variants.is_empty() {
        return Vec::new();
    }
    let mut table = Table::of(&[("one run", Align::Left)]);
    table.rows = variants.iter().map(|(variant, _)| vec![(*variant).into()]).collect();
    let mut texts = Vec::new();
    for (instrument, metrics) in INSTRUMENTS {
        let mut records: Vec<&Record> = trap.at(place, instrument).collect();
        // The last one is shown: another allocator's counts only where there are none of this one.
        records.sort_by_key(|r| trap.on_same_ground(r));
        add_columns(&mut table, &records, metrics, instrument);
        let missing: Vec<_> = variants.iter().filter_map(|(v, _)| Some((*v, missing(&records, v)?))).collect();
        texts.extend(reasons(&missing).into_iter().map(|why| format!("{} {why}", instrument.word())));
    }
    let notes = texts.into_iter().filter_map(|text| notes.once(text));
    std::iter::once(Block::Table(table)).chain(notes).collect()
}

fn variants<'a>(trap: &TrapView<'a>, place: Place<'a>) -> Vec<(&'a str, Role)> {
    let mut variants: Vec<(&str, Role)> = Vec::new();
    for record in INSTRUMENTS.iter().flat_map(|(instrument, _)| trap.at(place, *instrument)) {
        if !variants.iter().any(|(known, _)| *known == record.variant) {
            variants.push((&record.variant, record.role));
        }
    }
    variants.sort_by_key(|(_, role)| *role);
    variants
}

fn missing(records: &[&Record], variant: &str) -> Option<Missing> {
    records.iter().rev().filter(|r| r.variant == variant).find_map(|r| Missing::of(r))
}

// Only what some row has; an instrument that has nothing at all still shows its word, in a column of its own.
fn add_columns(table: &mut Table, records: &[&Record], metrics: &[(&str, &str)], instrument: Instrument) {
    if records.is_empty() {
        return;
    }
    let is = |metric: &str, r: &Record| r.metric.as_deref() == Some(metric) && r.value.is_some();
    let measured: Vec<_> = metrics.iter().filter(|(metric, _)| records.iter().any(|r| is(metric, r))).collect();
    let whole = [&("", instrument.word())];
    for (metric, header) in if measured.is_empty() { &whole[..] } else { &measured[..] } {
        table.columns.push(Column { header: (*header).into(), align: Align::Right });
        for row in &mut table.rows {
            let found = records.iter().rev().find(|r| r.variant == row[0] && is(metric, r));
            let absent = || missing(records, &row[0]).map_or(NONE.into(), |m| m.word.into());
            let cell = found.map_or_else(absent, |r| exact(r));
            row.push(cell);
        }
    }
}

// Counts of threads that race may differ from run to run: then both ends are told.
fn exact(record: &Record) -> String {
    let value = count(record.value.unwrap_or(f64::NAN));
    let (low, high) = (record.low.map_or(value.clone(), count), record.high.map_or(value.clone(), count));
    if low == high { value } else { format!("{low}–{high}") }
}
