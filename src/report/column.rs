//! Columns: runs of the ratio instrument whose results compare.

use std::cmp::Reverse;

use super::cell::{measures, span};
use super::verdict::{Verdict, layouts_differ};
use crate::record::{Archive, Record, Run};
use crate::trap::{Instrument, Role};

/// What the planted 5 % must come out as, to be called seen.
pub(super) const SEEN: std::ops::RangeInclusive<f64> = 1.03..=1.07;

/// Whether threads share the work of a planted slowdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Single,
    Threaded,
}

impl Kind {
    pub(super) const fn of(threads: usize) -> Self {
        if threads > 1 { Self::Threaded } else { Self::Single }
    }

    /// The name of the control that plants it.
    pub(super) const fn planted(self) -> &'static str {
        match self {
            Self::Single => "planted_5_percent",
            Self::Threaded => "planted_5_percent_threads",
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Single => "one thread",
            Self::Threaded => "several threads",
        }
    }
}

/// Runs of one machine, one allocator, one way of forking and one sitting.
#[derive(Clone, Debug)]
pub(super) struct Column<'a> {
    /// Quick and partial ones first, then the oldest.
    pub(super) runs: Vec<&'a Run>,
    rows: usize,
    planted: Vec<&'a Record>,
    differing: Vec<&'a Record>,
}

impl<'a> Column<'a> {
    /// All columns of an archive, the one that gets full tables first: not solo, not unpinned, of most records, the newest.
    pub(super) fn all(archive: &'a Archive) -> Vec<Self> {
        let mut groups: Vec<Vec<&'a Run>> = Vec::new();
        for run in archive.runs.iter().filter(|r| r.instrument == Instrument::Ratio) {
            match groups.iter_mut().find(|group| group[0].same_column(run)) {
                Some(group) => group.push(run),
                None => groups.push(vec![run]),
            }
        }
        let mut columns: Vec<Self> = groups.into_iter().map(|runs| Self::of(archive, runs)).collect();
        let rank = |c: &Self| {
            let run = c.run();
            let (solo, unpinned) = (run.is_some_and(|r| r.solo), run.is_some_and(|r| r.unpinned));
            (solo, unpinned, Reverse(c.rows), Reverse(run.map(|r| &r.started)))
        };
        columns.sort_by(|a, b| rank(a).cmp(&rank(b)));
        columns
    }

    fn of(archive: &'a Archive, mut runs: Vec<&'a Run>) -> Self {
        runs.sort_by_key(|run| (!run.quick && run.partial.is_none(), &run.started));
        let ours = |record: &&Record| runs.iter().any(|run| run.run == record.run);
        let records: Vec<&Record> = archive.records.iter().filter(ours).collect();
        let rows = records.iter().filter(|r| measures(r, "ratio")).count();
        let is_planted = |r: &&&Record| [Kind::Single, Kind::Threaded].iter().any(|kind| r.variant == kind.planted());
        let planted = records.iter().filter(is_planted).copied().collect();
        Self { runs, rows, planted, differing: differing(&records) }
    }

    pub(super) fn holds(&self, record: &Record) -> bool {
        self.runs.iter().any(|run| run.run == record.run)
    }

    /// The newest full run, or the newest where none is full, whose provenance speaks for the column.
    pub(super) fn run(&self) -> Option<&'a Run> {
        self.runs.last().copied()
    }

    pub(super) fn run_of(&self, record: &Record) -> Option<&'a Run> {
        self.runs.iter().copied().find(|run| run.run == record.run)
    }

    /// Whether the layouts of this ratio differ, by the test over all headline rows of the column.
    pub(super) fn layouts_differ(&self, record: &Record) -> bool {
        self.differing.iter().any(|differing| std::ptr::eq(*differing, record))
    }

    /// The planted slowdowns of a kind, of one run or of all.
    pub(super) fn planted(&self, kind: Kind, run: Option<&str>) -> impl Iterator<Item = &'a Record> {
        let ours = move |r: &&&Record| r.variant == kind.planted() && run.is_none_or(|run| r.run == run);
        self.planted.iter().filter(ours).filter(|r| measures(r, "ratio") || r.failed.is_some()).copied()
    }

    /// Whether a run missed a planted slowdown of a kind: then it can't resolve 5 % today.
    pub(super) fn missed(&self, kind: Kind, run: &str) -> bool {
        self.planted(kind, Some(run)).any(|record| !seen(record))
    }
}

/// Whether a planted slowdown came out as what it is.
pub(super) fn seen(record: &Record) -> bool {
    span(record).is_some_and(|[low, value, _]| low > 1.0 && SEEN.contains(&value))
}

fn differing<'a>(records: &[&'a Record]) -> Vec<&'a Record> {
    let carries = |r: &&&Record| r.headline && r.role != Role::Control && measures(r, "ratio");
    let headlines: Vec<&'a Record> = records.iter().filter(carries).copied().collect();
    let processes: Vec<&[Vec<f64>]> = headlines.iter().map(|r| r.processes.as_slice()).collect();
    let matters = |at: usize| span(headlines[at]).is_some_and(|span| Verdict::may_vary(span, &headlines[at].processes));
    headlines
        .iter()
        .zip(layouts_differ(&processes, matters))
        .filter(|(_, differ)| *differ)
        .map(|(record, _)| *record)
        .collect()
}
