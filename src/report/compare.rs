//! Two sets of records beside each other: which ratios have moved, and which counts have.

use std::collections::HashMap;

use super::cell::measures;
use super::column::Column;
use crate::lab::stats::{self, Change};
use crate::record::{Archive, Cell, Record, Run};
use crate::trap::{Instrument, Role};

/// Chance gives one row in twenty a change that is none, before it is corrected for how many rows were looked at.
const ALPHA: f64 = 0.05;

/// What is counted exactly. A peak and what is held also depend on which thread comes first.
const COUNTS: [(Instrument, &str); 3] =
    [(Instrument::Heap, "blocks"), (Instrument::Heap, "bytes"), (Instrument::Instructions, "instructions")];

/// A ratio in both sets.
#[derive(Clone, Debug)]
pub(super) struct Moved<'a> {
    pub(super) old: &'a Record,
    pub(super) new: &'a Record,
    pub(super) change: Change,
    /// Whether it has moved, for certain: by Holm's rule over all headline rows.
    pub(super) corrected: bool,
}

impl Moved<'_> {
    /// Whether it has moved, if it were the only row that was looked at.
    pub(super) fn alone(&self) -> bool {
        self.change.p < ALPHA
    }

    /// The word: which of the sets has more of the fix's gain.
    pub(super) fn word(&self) -> &'static str {
        match (self.corrected, self.alone(), self.change.span[1] < 1.0) {
            (true, _, true) => "loses",
            (true, _, false) => "gains",
            (false, true, _) => "by chance?",
            (false, false, _) => "no change",
        }
    }
}

/// A count in both sets.
#[derive(Clone, Debug)]
pub(super) struct Counted<'a> {
    pub(super) old: &'a Record,
    pub(super) new: &'a Record,
}

impl Counted<'_> {
    /// Whether it repeats within both sets: else it is no exact count, and chance may change it.
    fn is_exact(&self) -> bool {
        [self.old, self.new].iter().all(|record| record.threads == 1 && record.low == record.high)
    }

    fn differs(&self) -> bool {
        self.old.value != self.new.value
    }

    fn is_more(&self) -> bool {
        self.old.value < self.new.value
    }
}

/// What has moved between two sets of records.
#[derive(Clone, Debug)]
pub struct Comparison<'a> {
    pub(super) runs: [Option<&'a Run>; 2],
    pub(super) moved: Vec<Moved<'a>>,
    pub(super) compared: usize,
    pub(super) counts: Vec<Counted<'a>>,
    /// Rows of ratios and counts that only one of the sets has.
    pub(super) lonely: [usize; 2],
}

impl<'a> Comparison<'a> {
    /// Of the main column of each: ratios of time row by row, counts exactly. None where one of them has neither.
    #[must_use]
    pub fn of(old: &'a Archive, new: &'a Archive) -> Option<Self> {
        let (old, new) = (Side::of(old)?, Side::of(new)?);
        let known: HashMap<_, &Record> = old.records.iter().map(|record| (key(record), *record)).collect();
        let pair = |record: &&'a Record| Some((*known.get(&key(record))?, *record));
        let pairs: Vec<(&Record, &Record)> = new.records.iter().filter_map(pair).collect();
        let lonely = [old.records.len() - pairs.len(), new.records.len() - pairs.len()];
        let (ratios, counts): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(_, new)| is_ratio(new));
        let counts = counts.into_iter().map(|(old, new)| Counted { old, new });
        let counts: Vec<Counted<'_>> = counts.filter(Counted::is_exact).collect();
        let compared = counts.len();
        let counts = counts.into_iter().filter(Counted::differs).collect();
        Some(Self { runs: [old.run, new.run], moved: moved(&ratios), compared, counts, lonely })
    }

    /// Whether a fix has lost some of its gain at a headline point, for certain.
    #[must_use]
    pub fn loses(&self) -> bool {
        self.moved.iter().any(|row| row.word() == "loses")
    }

    /// Whether anything asks the heap for more than it did.
    #[must_use]
    pub fn allocates_more(&self) -> bool {
        self.counts.iter().any(|count| count.new.instrument == Instrument::Heap && count.is_more())
    }
}

// The rows of one set that may be compared.
struct Side<'a> {
    run: Option<&'a Run>,
    records: Vec<&'a Record>,
}

impl<'a> Side<'a> {
    fn of(archive: &'a Archive) -> Option<Self> {
        let columns = Column::all(archive);
        let column = columns.first();
        let source = column.and_then(Column::run).map_or("", |run| run.source.as_str());
        let here = |record: &&Record| match record.instrument {
            Instrument::Ratio => column.is_some_and(|column| column.holds(record)),
            _ => archive.run_of(record).is_some_and(|run| run.source == source),
        };
        let rows = archive.records.iter().filter(|r| is_ratio(r) || is_count(r)).filter(here);
        let records: Vec<&Record> = rows.collect();
        let run = column.and_then(Column::run).or(archive.runs.last());
        (!records.is_empty()).then_some(Self { run, records })
    }
}

fn key(record: &Record) -> (Cell<'_>, Option<&str>) {
    (record.cell(), record.metric.as_deref())
}

fn is_ratio(record: &Record) -> bool {
    record.instrument == Instrument::Ratio && record.role != Role::Control && measures(record, "ratio")
}

fn is_count(record: &Record) -> bool {
    COUNTS.iter().any(|(instrument, metric)| record.instrument == *instrument && measures(record, metric))
}

// Only headline rows carry claims: the others are looked at as well, and none of them is certain.
fn moved<'a>(pairs: &[(&'a Record, &'a Record)]) -> Vec<Moved<'a>> {
    let row = |&(old, new): &(&'a Record, &'a Record)| {
        let change = stats::change(&old.samples, &new.samples)?;
        Some(Moved { old, new, change, corrected: false })
    };
    let mut rows: Vec<Moved<'_>> = pairs.iter().filter_map(row).collect();
    let p: Vec<f64> = rows.iter().filter(|row| row.new.headline).map(|row| row.change.p).collect();
    let certain = stats::holm(&p, ALPHA);
    for (row, certain) in rows.iter_mut().filter(|row| row.new.headline).zip(certain) {
        row.corrected = certain;
    }
    rows
}
