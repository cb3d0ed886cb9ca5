//! What each arm of a trap costs and what it buys, instrument beside instrument: a trade-off has two ends.

use super::cell::{arms, measures};
use super::model::{Align, Block, Table, paragraph};
use super::number::{NONE, figures, short};
use super::place::Place;
use super::view::TrapView;
use crate::record::Record;
use crate::trap::{Instrument, Role};

// What is shown of it.
struct Column {
    instrument: Instrument,
    metric: &'static str,
    header: &'static str,
    // Of the metric's unit.
    size: f64,
}

const fn column(instrument: Instrument, metric: &'static str, header: &'static str, size: f64) -> Column {
    Column { instrument, metric, header, size }
}

const COLUMNS: [Column; 9] = [
    column(Instrument::Ratio, "ratio", "ratio", 1.0),
    column(Instrument::Latency, "p50_ns", "p50 µs", 1e3),
    column(Instrument::Latency, "p99_ns", "p99 µs", 1e3),
    column(Instrument::Latency, "mean_ns", "mean µs", 1e3),
    column(Instrument::Latency, "queue_p99_ns", "queue p99 µs", 1e3),
    column(Instrument::Latency, "queue_mean_ns", "queue mean µs", 1e3),
    column(Instrument::Heap, "peak_bytes", "peak bytes", 1.0),
    column(Instrument::Usage, "peak_rss_bytes", "peak RSS", 1.0),
    column(Instrument::Usage, "cpu_ns_per_op", "CPU ns/op", 1.0),
];

/// For traps with a tail: others have all that they have in one table of times and one of counts.
pub(super) fn blocks(trap: &TrapView<'_>) -> Vec<Block> {
    if !trap.all(Instrument::Latency).any(|r| r.value.is_some()) {
        return Vec::new();
    }
    let columns: Vec<(&Column, Place<'_>)> = COLUMNS.iter().filter_map(|c| Some((c, c.place(trap)?))).collect();
    let mut table = Table::of(&[("arm", Align::Left)]);
    let headers: Vec<_> = columns.iter().map(|(column, _)| (column.header, Align::Right)).collect();
    table.columns.extend(Table::of(&headers).columns);
    let stated = [Instrument::Latency, Instrument::Ratio, Instrument::Heap].into_iter().flat_map(|i| trap.all(i));
    for (arm, _) in arms(stated.filter(|r| r.role != Role::Control)) {
        let cells = columns.iter().map(|(column, place)| column.cell(trap, *place, arm));
        table.rows.push(std::iter::once(arm.to_owned()).chain(cells).collect());
    }
    let first = |instrument| columns.iter().find(|(c, _)| c.instrument == instrument).map(|(_, place)| place.title());
    let places: Vec<String> = [Instrument::Ratio, Instrument::Latency, Instrument::Heap, Instrument::Usage]
        .into_iter()
        .filter_map(|instrument| Some(format!("{}: {}", instrument.word(), first(instrument)?)))
        .collect();
    let said = format!("Each column at the first headline point that has it ({}).", places.join("; "));
    vec![Block::Heading("Side by side".into()), paragraph(said), Block::Table(table)]
}

impl Column {
    // A ratio has no value for the trap itself.
    fn place<'a>(&self, trap: &TrapView<'a>) -> Option<Place<'a>> {
        let has = |place: &Place<'a>| {
            let mut here = trap.at(*place, self.instrument);
            here.any(|r| measures(r, self.metric))
        };
        let headlines = trap.headlines().into_iter();
        headlines.chain(trap.places()).find(has)
    }

    fn cell(&self, trap: &TrapView<'_>, place: Place<'_>, arm: &str) -> String {
        let records: Vec<&Record> = trap.all_at(place, self.instrument).filter(|r| r.variant == arm).collect();
        let value = records.iter().rev().find(|r| measures(r, self.metric)).and_then(|r| r.value);
        let untold = records.iter().any(|r| r.blind.is_some() && r.metric.as_deref().is_none_or(|m| m == self.metric));
        match value {
            Some(bytes) if self.metric.ends_with("bytes") => short(bytes),
            Some(value) => figures(value / self.size),
            None if untold => "n/a".into(),
            None => NONE.into(),
        }
    }
}
