//! Two sets of records beside each other: which ratios have moved, and which counts have.

use std::collections::BTreeMap;

use super::cell::measures;
use super::column::Column;
use crate::lab::stats::{self, Change};
use crate::record::{Archive, Cell, Layouts, Record, Run};
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
        self.change.p() < ALPHA
    }

    /// The word: which of the sets has more of the fix's gain.
    pub(super) fn word(&self) -> &'static str {
        match (self.corrected, self.alone(), self.change.span()[1] < 1.0) {
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
    /// By how much the standard errors of headline rows and of the others were widened; None where there are too few to tell.
    pub(super) scales: [Option<f64>; 2],
    pub(super) compared: usize,
    pub(super) counts: Vec<Counted<'a>>,
    /// Rows of ratios and counts that only one of the sets has.
    pub(super) lonely: [usize; 2],
    /// Ratios of too few layouts to be tested.
    pub(super) untested: usize,
}

impl<'a> Comparison<'a> {
    /// Of the main column of each: ratios of time row by row, counts exactly. None where one of them has neither.
    #[must_use]
    pub fn of(old: &'a Archive, new: &'a Archive) -> Option<Self> {
        let (old, new) = (Side::of(old)?, Side::of(new)?);
        let pair = |(key, record): (&Key<'a>, &&'a Record)| Some((*old.records.get(key)?, *record));
        let pairs: Vec<(&Record, &Record)> = new.records.iter().filter_map(pair).collect();
        let lonely = [&old, &new].map(|side| side.records.len() - pairs.len());
        let (ratios, counts): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(_, new)| is_ratio(new));
        let counts = counts.into_iter().map(|(old, new)| Counted { old, new });
        let counts: Vec<Counted<'_>> = counts.filter(Counted::is_exact).collect();
        let compared = counts.len();
        let counts = counts.into_iter().filter(Counted::differs).collect();
        let runs = [old.run, new.run];
        let (moved, scales) = moved(&ratios, runs.iter().flatten().all(|run| is_relinked(run)));
        let untested = ratios.len() - moved.len();
        Some(Self { runs, moved, scales, compared, counts, lonely, untested })
    }

    /// Whether a record has a part in it. Two large archives need not be in memory whole.
    #[must_use]
    pub fn looks_at(record: &Record) -> bool {
        (record.instrument == Instrument::Ratio && measures(record, "ratio")) || is_count(record)
    }

    /// Whether there is a headline row of which it can be said whether it has moved.
    #[must_use]
    pub fn tests_ratios(&self) -> bool {
        self.runs.iter().flatten().all(|run| is_relinked(run)) && self.moved.iter().any(|row| row.new.headline)
    }

    /// Whether there is an exact count in both.
    #[must_use]
    pub fn tests_counts(&self) -> bool {
        self.compared > 0
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

/// Whether a run had links enough to tell what the next one may give.
pub(super) fn is_relinked(run: &Run) -> bool {
    run.links() >= Layouts::FEWEST
}

type Key<'a> = (Cell<'a>, Option<&'a str>);

// The rows of one set that may be compared, in their order; of a cell that is there twice the last one.
struct Side<'a> {
    run: Option<&'a Run>,
    records: BTreeMap<Key<'a>, &'a Record>,
}

impl<'a> Side<'a> {
    fn of(archive: &'a Archive) -> Option<Self> {
        let columns = Column::all(archive);
        let column = columns.first();
        let newest = || archive.runs.iter().max_by_key(|run| &run.started);
        let run = column.and_then(Column::run).or_else(newest)?;
        let alike = |other: &Run| other.source == run.source && other.provenance.allocator == run.provenance.allocator;
        let here = |record: &&Record| match record.instrument {
            Instrument::Ratio => column.is_some_and(|column| column.holds(record)),
            _ => archive.run_of(record).is_some_and(alike),
        };
        let rows = archive.records.iter().filter(|r| is_ratio(r) || is_count(r)).filter(here);
        let records: BTreeMap<Key<'_>, &Record> = rows.map(|r| ((r.cell(), r.metric.as_deref()), r)).collect();
        (!records.is_empty()).then_some(Self { run: Some(run), records })
    }
}

fn is_ratio(record: &Record) -> bool {
    record.instrument == Instrument::Ratio && record.role != Role::Control && measures(record, "ratio")
}

fn is_count(record: &Record) -> bool {
    COUNTS.iter().any(|(instrument, metric)| record.instrument == *instrument && measures(record, metric))
}

// Only headline rows carry claims: the others are looked at as well, and none of them is certain.
fn moved<'a>(pairs: &[(&'a Record, &'a Record)], relinked: bool) -> (Vec<Moved<'a>>, [Option<f64>; 2]) {
    let row = |&(old, new): &(&'a Record, &'a Record)| {
        let change = stats::change(&old.samples, &new.samples)?;
        Some(Moved { old, new, change, corrected: false })
    };
    let mut rows: Vec<Moved<'_>> = pairs.iter().filter_map(row).collect();
    let scales = [true, false].map(|headline| widen(&mut rows, headline));
    let p: Vec<f64> = rows.iter().filter(|row| row.new.headline).map(|row| row.change.p()).collect();
    let certain = stats::holm(&p, ALPHA);
    for (row, certain) in rows.iter_mut().filter(|row| row.new.headline).zip(certain) {
        // Of one link, the change of the link is taken for that of the code.
        row.corrected = certain && relinked;
    }
    (rows, scales)
}

// Headline rows are held against what headline rows do from sitting to sitting, and the others against theirs.
fn widen(rows: &mut [Moved<'_>], headline: bool) -> Option<f64> {
    let mut rows: Vec<&mut Moved<'_>> = rows.iter_mut().filter(|row| row.new.headline == headline).collect();
    let scale = stats::null_scale(&rows.iter().map(|row| row.change).collect::<Vec<_>>())?;
    rows.iter_mut().for_each(|row| row.change = row.change.widened(scale));
    Some(scale)
}
