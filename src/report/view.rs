//! The records as a report looks at them: columns of runs that compare, traps in order, points in order, rows of variants.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::caveat::{Caveat, Occupied};
use super::cell::{Missing, measures, span};
use super::column::{Column, Kind};
use super::place::Place;
use super::row::{Row, saved};
use super::verdict::{Verdict, Word};
use crate::record::{Archive, Record, Run, TrapNote};
use crate::trap::{Instrument, Role};

/// All records, sorted out.
#[derive(Clone, Debug)]
pub(super) struct View<'a> {
    pub(super) archive: &'a Archive,
    /// Columns of the ratio instrument; the first one gets full tables.
    pub(super) columns: Vec<Column<'a>>,
    by_trap: HashMap<&'a str, Vec<&'a Record>>,
}

impl<'a> View<'a> {
    pub(super) fn of(archive: &'a Archive) -> Self {
        let mut by_trap: HashMap<&str, Vec<&Record>> = HashMap::new();
        archive.records.iter().for_each(|record| by_trap.entry(&record.trap).or_default().push(record));
        Self { archive, columns: Column::all(archive), by_trap }
    }

    /// All that was recorded of a trap, by any instrument in any run.
    pub(super) fn of_trap(&self, name: &str) -> &[&'a Record] {
        self.by_trap.get(name).map_or(&[], Vec::as_slice)
    }

    /// Every trap that has a record or was chosen, in the order of the run that chose most, then as first seen.
    pub(super) fn traps(&'a self) -> Vec<TrapView<'a>> {
        let mut runs: Vec<&Run> = self.archive.runs.iter().collect();
        runs.sort_by_key(|r| (Reverse(r.traps.len()), Reverse(&r.started)));
        let noted = runs.iter().flat_map(|r| &r.traps).map(|note| note.name.as_str());
        let seen = self.archive.records.iter().filter(is_rust).map(|r| r.trap.as_str());
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

    /// The second sitting: another column of the machine, the allocator and the way of forking of the first one, if that one
    /// is neither solo nor unpinned.
    pub(super) fn second_sitting(&self) -> Option<&Column<'a>> {
        let first = self.columns.first()?.run().filter(|run| !run.solo && !run.unpinned)?;
        let ground = |run: &Run| (run.provenance.cpu.clone(), run.provenance.allocator.clone(), run.solo, run.unpinned);
        self.columns.iter().skip(1).find(|c| c.run().is_some_and(|run| ground(run) == ground(first)))
    }
}

fn is_rust(record: &&Record) -> bool {
    record.instrument != Instrument::Go
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
    // The points of the first column's folder, each once.
    as_first_seen: Vec<Place<'a>>,
    // By n and threads: a trap has a few cases, and may have many sizes.
    by_size: HashMap<(u64, usize), Vec<&'a Record>>,
}

impl<'a> TrapView<'a> {
    fn of(view: &'a View<'a>, name: &'a str) -> Self {
        let known = |r: &&Record| view.archive.run_of(r).is_some();
        // Go's points and times are no rows of these tables.
        let records: Vec<&Record> = view.of_trap(name).iter().copied().filter(known).filter(is_rust).collect();
        let newest = view.archive.runs.iter().filter(|r| r.traps.iter().any(|n| n.name == name));
        let note = newest.max_by_key(|r| &r.started).and_then(|r| r.traps.iter().find(|n| n.name == name));
        let column = view.columns.iter().find(|c| records.iter().any(|r| c.holds(r)));
        let mut by_size: HashMap<(u64, usize), Vec<&Record>> = HashMap::new();
        records.iter().for_each(|record| by_size.entry((record.n, record.threads)).or_default().push(record));
        let mut trap = Self { view, name, note, column, records, as_first_seen: Vec::new(), by_size };
        trap.as_first_seen = trap.seen();
        trap
    }

    fn seen(&self) -> Vec<Place<'a>> {
        let mut seen: HashSet<Place<'a>> = HashSet::new();
        let places = self.records.iter().filter(|r| self.is_here(r)).map(|r| Place::of(r));
        places.filter(|place| seen.insert(*place)).collect()
    }

    /// All that was recorded at a point, in any column, in the order of the records.
    fn here<'p>(&self, place: Place<'p>) -> impl DoubleEndedIterator<Item = &'a Record> + Clone + use<'a, 'p, '_> {
        let alike = self.by_size.get(&(place.n, place.threads)).map_or(&[][..], Vec::as_slice);
        alike.iter().copied().filter(move |record| Place::of(record) == place)
    }

    /// Whether the section has said for the whole trap why an instrument has no results of it.
    pub(super) fn is_unseen(&self, instrument: Instrument) -> bool {
        self.note.is_some_and(|note| note.unseen.iter().any(|(unseen, _)| *unseen == instrument))
    }

    /// Whether an instrument leaves a point to others, as ratio does a paced one: all that it has there is why.
    pub(super) fn is_elsewhere(&self, place: Place<'a>, instrument: Instrument) -> bool {
        let mut here = self.at(place, instrument).peekable();
        here.peek().is_some() && here.all(|record| record.blind.is_some() && record.metric.is_none())
    }

    /// Its points in the first column, and those that only counts know there: cases as first seen, then threads, then n.
    pub(super) fn places(&self) -> Vec<Place<'a>> {
        let mut cases: BTreeMap<&str, usize> = BTreeMap::new();
        let mut places = self.as_first_seen.clone();
        for place in &places {
            let next = cases.len();
            cases.entry(place.case).or_insert(next);
        }
        places.sort_by_key(|p| (cases[p.case], p.threads, p.n));
        places
    }

    // Whether a record belongs to the first column: a ratio of it, or a count of the same folder.
    fn is_here(&self, record: &Record) -> bool {
        match record.instrument {
            Instrument::Ratio => self.column.is_some_and(|column| column.holds(record)),
            _ => self.source() == self.run_of(record).map(|run| run.source.as_str()),
        }
    }

    // Where the full tables come from: the folder of the first column, or of the newest run where no ratio was measured.
    fn source(&self) -> Option<&'a str> {
        let column = self.column.and_then(Column::run);
        let newest = || self.records.iter().filter_map(|r| self.run_of(r)).max_by_key(|run| &run.started);
        column.or_else(newest).map(|run| run.source.as_str())
    }

    pub(super) fn run_of(&self, record: &Record) -> Option<&'a Run> {
        self.view.archive.run_of(record)
    }

    /// Whether the point carries claims, as the newest run that measured it has it.
    pub(super) fn is_headline(&self, place: Place<'_>) -> bool {
        let newest = self.here(place).max_by_key(|r| self.run_of(r).map(|run| &run.started));
        newest.is_some_and(|record| record.headline)
    }

    /// The headline points, in the order in which the trap states them.
    pub(super) fn headlines(&self) -> Vec<Place<'a>> {
        let mut places = self.as_first_seen.clone();
        places.retain(|place| self.is_headline(*place));
        places
    }

    /// All records of one instrument at a point, of stated variants.
    pub(super) fn at(&self, place: Place<'a>, instrument: Instrument) -> impl Iterator<Item = &'a Record> {
        self.all_at(place, instrument).filter(|r| r.role != Role::Control)
    }

    /// The same, with controls.
    pub(super) fn all_at(&self, place: Place<'_>, instrument: Instrument) -> impl Iterator<Item = &'a Record> {
        self.here(place).filter(move |r| r.instrument == instrument && self.is_here(r))
    }

    /// The records of one instrument, at all points of the first column's folder.
    pub(super) fn all(&self, instrument: Instrument) -> impl Iterator<Item = &'a Record> {
        self.records.iter().filter(move |r| r.instrument == instrument && self.is_here(r)).copied()
    }

    /// Whether a record of another instrument was taken on the machine and under the allocator of the full tables.
    pub(super) fn on_same_ground(&self, record: &Record) -> bool {
        let ground = |run: &Run| (run.provenance.cpu.clone(), run.provenance.allocator.clone());
        let here = self.column.and_then(Column::run).map(ground);
        here.is_some() && self.run_of(record).map(ground) == here
    }

    /// The ratio instrument's record of a variant or control; the last one if several runs of the column have it.
    pub(super) fn cell(
        &self,
        column: &Column<'_>,
        place: Place<'_>,
        variant: &str,
        metric: &str,
    ) -> Option<&'a Record> {
        let is = |r: &&Record| r.variant == variant && measures(r, metric) && column.holds(r);
        self.here(place).rev().find(is)
    }

    /// The trap against itself at a point.
    pub(super) fn same(&self, column: &Column<'_>, place: Place<'_>) -> Option<&'a Record> {
        self.cell(column, place, "same", "ratio")
    }

    /// A row a variant that the ratio instrument knows at this point, the trap first, then the fixes as stated.
    pub(super) fn rows(&self, column: &Column<'a>, place: Place<'a>) -> Vec<Row<'a>> {
        let withheld = self.caveats(column, place).iter().any(Caveat::withholds);
        let stated = |r: &&Record| r.instrument == Instrument::Ratio && r.role != Role::Control && column.holds(r);
        let mut rows: Vec<Row<'a>> = Vec::new();
        for record in self.here(place).filter(stated) {
            if !rows.iter().any(|row| row.variant == record.variant) {
                rows.push(self.row(column, place, record, withheld));
            }
        }
        rows.sort_by_key(|row| row.role);
        rows
    }

    fn row(&self, column: &Column<'a>, place: Place<'a>, record: &'a Record, withheld: bool) -> Row<'a> {
        let cell = |metric| self.cell(column, place, &record.variant, metric);
        let same = |r: &&Record| column.holds(r) && r.variant == record.variant;
        let here = self.here(place).rev();
        let ratio = cell("ratio").filter(|_| record.role != Role::Trap);
        let is_trap = |r: &&Record| r.role == Role::Trap && measures(r, "ns_per_op") && column.holds(r);
        let trap = here.clone().find(is_trap);
        let trap_ns = trap.and_then(|trap| trap.value);
        let verdict = ratio.filter(|_| !withheld).and_then(|ratio| self.verdict(column, place, ratio));
        Row {
            variant: &record.variant,
            role: record.role,
            run: &ratio.unwrap_or(record).run,
            ns: cell("ns_per_op"),
            cpu: cell("cpu_ns_per_op"),
            cpus: cell("cpus"),
            ratio,
            saved: ratio.and_then(span).zip(trap_ns).map(|(ratio, ns)| saved(ns, ratio)),
            missing: here.filter(same).find_map(Missing::of),
            verdict,
            withheld,
        }
    }

    fn verdict(&self, column: &Column<'_>, place: Place<'_>, ratio: &Record) -> Option<Verdict> {
        let same = self.same(column, place).and_then(span);
        let verdict = Verdict::of(span(ratio)?, same, &ratio.processes, column.layouts_differ(ratio));
        let fine = matches!(verdict.word, Word::Faster | Word::Slower | Word::Ties);
        if fine && column.missed(Kind::of(place.threads), &ratio.run) {
            return Some(Verdict { word: Word::Unresolved, suffix: None });
        }
        Some(verdict)
    }

    /// What every row at a point suffers from.
    pub(super) fn caveats(&self, column: &Column<'_>, place: Place<'_>) -> Vec<Caveat> {
        let here: Vec<&Record> = self.here(place).filter(|r| column.holds(r)).collect();
        let value = |r: &&&Record| Some((r.variant.clone(), r.value?));
        let of = |metric: &'static str| here.iter().filter(move |r| measures(r, metric));
        let stolen = here.last().and_then(|r| column.run_of(r)?.stolen).unwrap_or(0.0);
        // What the host took from the machine meanwhile it took from these threads as well.
        let taken = of("taken")
            .filter_map(|r| value(&r))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(v, taken)| (v, taken + stolen));
        let floor = of("cpus").filter(|r| r.role == Role::Floor).find_map(|r| value(&r));
        let run = here.last().and_then(|r| column.run_of(r));
        let missed = run.is_some_and(|run| column.missed(Kind::of(place.threads), &run.run));
        let cores = run.and_then(|run| run.provenance.cores);
        let unpinned = run.is_some_and(|run| run.unpinned);
        let occupied = Occupied { taken, floor_cpus: floor.filter(|_| unpinned) };
        let missed = missed.then(|| Caveat::Missed { kind: Kind::of(place.threads).word() });
        Caveat::of_point(place.threads, cores, self.same(column, place), occupied).into_iter().chain(missed).collect()
    }

    /// The runs of a column that this trap's records rest on.
    pub(super) fn runs(&self, column: &Column<'a>) -> Vec<&'a Run> {
        let rests = |run: &&Run| self.records.iter().any(|r| r.run == run.run);
        column.runs.iter().copied().filter(rests).collect()
    }
}
