//! The records as a report looks at them: columns of runs that compare, traps in order, points in order, rows of variants.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::number::{TIE, count, many};
use super::verdict::Verdict;
use crate::record::{Archive, Record, Run, TrapNote};
use crate::trap::{Instrument, Role};

/// `[low, value, high]` of a record that has all three.
pub(super) fn span(record: &Record) -> Option<[f64; 3]> {
    Some([record.low?, record.value?, record.high?])
}

/// The ratio that a point's words rest on: what a service pays where threads share the work, else the median.
pub(super) const fn headline_metric(threads: usize) -> &'static str {
    if threads > 1 { "ratio_of_totals" } else { "ratio" }
}

/// Runs of one machine, one allocator and one way of forking.
#[derive(Clone, Debug)]
pub(super) struct Column<'a> {
    pub(super) runs: Vec<&'a Run>,
}

impl<'a> Column<'a> {
    pub(super) fn holds(&self, record: &Record) -> bool {
        self.runs.iter().any(|run| run.run == record.run)
    }

    /// The latest run, whose provenance speaks for the column.
    pub(super) fn run(&self) -> Option<&'a Run> {
        self.runs.last().copied()
    }
}

/// All records, sorted out.
#[derive(Clone, Debug)]
pub(super) struct View<'a> {
    pub(super) archive: &'a Archive,
    /// Columns of the ratio instrument; the first one gets full tables.
    pub(super) columns: Vec<Column<'a>>,
}

impl<'a> View<'a> {
    pub(super) fn of(archive: &'a Archive) -> Self {
        let mut columns: Vec<Column<'a>> = Vec::new();
        for run in archive.runs.iter().filter(|r| r.instrument == Instrument::Ratio) {
            match columns.iter_mut().find(|c| c.runs[0].same_column(run)) {
                Some(column) => column.runs.push(run),
                None => columns.push(Column { runs: vec![run] }),
            }
        }
        let size = |c: &Column<'_>| archive.records.iter().filter(|r| c.holds(r)).count();
        columns.sort_by_key(|c| (c.runs[0].solo, Reverse(size(c))));
        Self { archive, columns }
    }

    /// Every trap that has a record or was chosen, in the order of the run that chose most, then as first seen.
    pub(super) fn traps(&'a self) -> Vec<TrapView<'a>> {
        let mut runs: Vec<&Run> = self.archive.runs.iter().collect();
        runs.sort_by_key(|r| Reverse(r.traps.len()));
        let noted = runs.iter().flat_map(|r| &r.traps).map(|note| note.name.as_str());
        let seen = self.archive.records.iter().map(|r| r.trap.as_str());
        let mut names: Vec<&str> = Vec::new();
        noted.chain(seen).for_each(|name| {
            if !names.contains(&name) {
                names.push(name);
            }
        });
        names.into_iter().map(|name| TrapView::of(self, name)).collect()
    }

    /// Records whose run's line is lost: without provenance they are no numbers.
    pub(super) fn orphans(&self) -> usize {
        self.archive.records.iter().filter(|r| self.archive.run_of(r).is_none()).count()
    }
}

/// One trap of the records.
#[derive(Clone, Debug)]
pub(super) struct TrapView<'a> {
    pub(super) view: &'a View<'a>,
    pub(super) name: &'a str,
    pub(super) note: Option<&'a TrapNote>,
    /// The column with full tables: the first one that measured this trap.
    pub(super) column: Option<&'a Column<'a>>,
    records: Vec<&'a Record>,
}

impl<'a> TrapView<'a> {
    fn of(view: &'a View<'a>, name: &'a str) -> Self {
        let known = |r: &&Record| r.trap == name && view.archive.run_of(r).is_some();
        let records: Vec<&Record> = view.archive.records.iter().filter(known).collect();
        let notes = view.archive.runs.iter().rev().flat_map(|r| &r.traps);
        let column = view.columns.iter().find(|c| records.iter().any(|r| c.holds(r)));
        Self { view, name, note: notes.into_iter().find(|n| n.name == name), column, records }
    }

    /// Its points: cases as first seen, then threads, then n.
    pub(super) fn places(&self) -> Vec<Place<'a>> {
        let mut cases: BTreeMap<&str, usize> = BTreeMap::new();
        let mut places: Vec<Place<'a>> = Vec::new();
        for record in &self.records {
            let next = cases.len();
            cases.entry(&record.case).or_insert(next);
            let place = Place::of(record);
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places.sort_by_key(|p| (cases[p.case], p.threads, p.n));
        places
    }

    /// All records of one instrument at a point, of stated variants.
    pub(super) fn at(&self, place: Place<'a>, instrument: Instrument) -> impl Iterator<Item = &'a Record> {
        let here = move |r: &&&Record| Place::of(r) == place && r.instrument == instrument && r.role != Role::Control;
        self.records.iter().filter(here).copied()
    }

    /// Whether a record of another instrument was taken on the machine and under the allocator of the full tables.
    pub(super) fn on_same_ground(&self, record: &Record) -> bool {
        let ground = |run: &Run| (run.provenance.cpu.clone(), run.provenance.allocator.clone());
        let here = self.column.and_then(Column::run).map(ground);
        here.is_some() && self.view.archive.run_of(record).map(ground) == here
    }

    /// The ratio instrument's record of a variant or control; the last one if several runs of the column have it.
    pub(super) fn cell(
        &self,
        column: &Column<'_>,
        place: Place<'_>,
        variant: &str,
        metric: &str,
    ) -> Option<&'a Record> {
        let is = |r: &&&Record| {
            Place::of(r) == place && r.variant == variant && r.metric.as_deref() == Some(metric) && column.holds(r)
        };
        self.records.iter().rev().find(is).copied()
    }

    /// The headline ratio of a variant or control at a point, or the other one where that is all there is.
    pub(super) fn ratio(&self, column: &Column<'_>, place: Place<'_>, variant: &str) -> Option<&'a Record> {
        let cell = |metric| self.cell(column, place, variant, metric);
        cell(headline_metric(place.threads)).or_else(|| cell("ratio"))
    }

    /// A row a variant that the ratio instrument knows at this point, the trap first, then the fixes as stated.
    pub(super) fn rows(&self, column: &Column<'_>, place: Place<'a>) -> Vec<Row<'a>> {
        let mut rows: Vec<Row<'a>> = Vec::new();
        for record in self.at(place, Instrument::Ratio).filter(|r| column.holds(r)) {
            if !rows.iter().any(|row| row.variant == record.variant) {
                rows.push(self.row(column, place, record));
            }
        }
        rows.sort_by_key(|row| row.role);
        rows
    }

    fn row(&self, column: &Column<'_>, place: Place<'_>, record: &'a Record) -> Row<'a> {
        let cell = |metric| self.cell(column, place, &record.variant, metric);
        let same = |r: &&&Record| column.holds(r) && Place::of(r) == place && r.variant == record.variant;
        Row {
            variant: &record.variant,
            role: record.role,
            ns: cell("ns_per_op"),
            saved: cell("saved_ns_per_op"),
            medians: cell("ratio"),
            totals: cell("ratio_of_totals"),
            ratio: self.ratio(column, place, &record.variant),
            missing: self.records.iter().filter(same).find_map(|r| Missing::of(r)),
        }
    }

    /// The runs of a column that this trap's records rest on.
    pub(super) fn runs(&self, column: &Column<'a>) -> Vec<&'a Run> {
        let rests = |run: &&Run| self.records.iter().any(|r| r.run == run.run);
        column.runs.iter().copied().filter(rests).collect()
    }
}

/// A point, as records tell of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place<'a> {
    pub(super) n: u64,
    pub(super) threads: usize,
    pub(super) case: &'a str,
    pub(super) headline: bool,
}

impl<'a> Place<'a> {
    pub(super) fn of(record: &'a Record) -> Self {
        Self { n: record.n, threads: record.threads, case: &record.case, headline: record.headline }
    }

    /// `n = 50 000, 8 threads, owning`.
    pub(super) fn title(&self) -> String {
        let mut title = format!("n{TIE}={TIE}{}", count(self.n as f64));
        if self.threads > 1 {
            title.push_str(&format!(", {}", many(self.threads, "thread")));
        }
        if !self.case.is_empty() {
            title.push_str(&format!(", {}", self.case));
        }
        title
    }
}

/// What the ratio instrument says of one variant at one point.
#[derive(Clone, Debug)]
pub(super) struct Row<'a> {
    pub(super) variant: &'a str,
    pub(super) role: Role,
    pub(super) ns: Option<&'a Record>,
    pub(super) saved: Option<&'a Record>,
    /// The ratio that words rest on.
    pub(super) ratio: Option<&'a Record>,
    pub(super) medians: Option<&'a Record>,
    pub(super) totals: Option<&'a Record>,
    pub(super) missing: Option<Missing>,
}

impl Row<'_> {
    /// The word, where there is an interval.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        Some(Verdict::of(self.ratio.and_then(span)?, None, &self.ratio?.processes, false))
    }
}

/// Why there is no number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    /// What the cell says.
    pub(super) word: &'static str,
    /// Why, and how to get it.
    pub(super) why: String,
}

impl Missing {
    pub(super) fn of(record: &Record) -> Option<Self> {
        let reasons = [("failed", &record.failed), ("skipped", &record.skipped), ("n/a", &record.blind)];
        let (word, why) = reasons.into_iter().find_map(|(word, why)| Some((word, why.clone()?)))?;
        Some(Self { word, why })
    }
}
