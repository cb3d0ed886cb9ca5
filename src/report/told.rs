//! What is said of a row in a design review: a sentence, and a footnote of all that it rests on.

use super::caveat::Caveat;
use super::cell::{measures, overlap, span};
use super::citation::Citation;
use super::column::Column;
use super::compact::SECOND;
use super::ground;
use super::label::minute;
use super::number::{TIE, Unit, count, interval, many};
use super::phrases::{at, repeat, title, uncommitted};
use super::place::Place;
use super::row::{Row, as_verb};
use super::times::next_link;
use super::view::TrapView;
use crate::record::{Record, Run};
use crate::trap::Instrument;

/// The row that is told of, and what it is told from.
pub(super) struct Told<'v, 'a> {
    pub(super) trap: &'v TrapView<'a>,
    pub(super) column: &'v Column<'a>,
    pub(super) place: Place<'a>,
    pub(super) row: &'v Row<'a>,
    pub(super) run: &'v Run,
    pub(super) the_trap: &'v str,
}

impl Told<'_, '_> {
    pub(super) fn citation(&self) -> Citation {
        Citation::of(self.trap.name, self.run, self.sentence(), self.footnote())
    }

    fn sentence(&self) -> String {
        let Self { row, the_trap, place, trap, .. } = self;
        let ratio = row.span().map_or_else(|| row.said(), interval);
        format!(
            "{} {} against {the_trap}{}: the trap takes {ratio} times its time (95{TIE}% interval) at {}{}.{}{}",
            row.variant,
            as_verb(&row.word()),
            title(trap),
            at(trap, *place),
            self.saved(),
            self.counted(),
            uncommitted(self.run),
        )
    }

    // Of a saving that may be none nothing is said.
    fn saved(&self) -> String {
        let op = self.trap.note.map_or(String::new(), |note| format!(" (one op: {})", note.op));
        let certain = self.row.saved.filter(|[low, _, high]| *low > 0.0 || *high < 0.0);
        certain.map_or(String::new(), |[low, value, high]| {
            let unit = Unit::for_ns(value.abs());
            let (verb, ns) = if value < 0.0 { ("costs", [-high, -value, -low]) } else { ("saves", [low, value, high]) };
            format!("; it {verb} {} {} an op{op}", interval(ns.map(|ns| ns / unit.ns)), unit.word)
        })
    }

    // Blocks and bytes of a run, trap and row, where both are counted exactly, of the same commit and under the same allocator.
    fn counted(&self) -> String {
        let ground =
            |run: &Run| (run.provenance.commit.clone(), run.provenance.dirty, run.provenance.allocator.clone());
        let here = ground(self.run);
        let of = |metric: &str| {
            let find = |variant: &str| {
                let is = |r: &&Record| r.variant == variant && measures(r, metric) && r.low == r.high;
                let alike = |r: &&Record| self.trap.run_of(r).is_some_and(|run| ground(run) == here);
                self.trap.at(self.place, Instrument::Heap).filter(is).filter(alike).last().and_then(|r| r.value)
            };
            let (from, to) = (find(self.the_trap)?, find(self.row.variant)?);
            let what = if metric == "blocks" { "heap blocks" } else { metric };
            Some(format!("{} {what} become {}", count(from), count(to)))
        };
        let told: Vec<String> = ["blocks", "bytes"].into_iter().filter_map(of).collect();
        if told.is_empty() { String::new() } else { format!(" In a run {}, counted exactly.", told.join(" and ")) }
    }

    // The same row of another sitting, which its own interval does not cover.
    fn second(&self) -> Option<String> {
        let other = || self.trap.cell(self.trap.view.second_sitting()?, self.place, self.row.variant, "ratio");
        let travelled = self.trap.cell(self.column, self.place, self.row.variant, SECOND);
        let ratio = travelled.or_else(other)?;
        let (again, here) = (span(ratio)?, self.row.span()?);
        let when = self.trap.run_of(ratio).map_or(String::new(), |run| format!(" of {}", minute(&run.started)));
        let apart = if overlap(again, here) { "" } else { ": the intervals do not meet, so the size is of a sitting" };
        Some(format!("A second sitting{when} gives {}{apart}.", interval(again)))
    }

    fn footnote(&self) -> Vec<String> {
        let layouts = self.row.ratio.map_or(0, |ratio| ratio.samples.len());
        let processes = self.row.ratio.and_then(|ratio| ratio.processes.iter().map(Vec::len).max());
        let rows = processes.map_or(String::new(), |each| format!(", this row {} × {each}", many(layouts, "layout")));
        let link =
            format!("The next link gives {} with probability {}/{}.", next_link(self.row), layouts - 1, layouts + 1);
        let mut parts = vec![
            format!("trapline {}, {}{rows}.", self.run.provenance.trapline, ground::run(self.run, self.run)),
            format!("{}.", ground::line(&self.run.provenance)),
            ground::SCOPE.to_owned(),
            link,
        ];
        parts.extend(self.second());
        let caveats = self.caveats();
        parts.extend((!caveats.is_empty()).then(|| format!("Caveats: {}.", caveats.join("; "))));
        let heap = if self.counted().is_empty() { "" } else { " --bench heap" };
        parts.push(repeat(self.run, self.trap.name, &format!("--bench ratio{heap}")));
        parts
    }

    fn caveats(&self) -> Vec<String> {
        let of_row = self.row.ratio.map(Caveat::of_row).unwrap_or_default();
        let here = self.trap.caveats(self.column, self.place);
        Caveat::of_run(self.run).iter().chain(&here).chain(&of_row).map(Caveat::to_string).collect()
    }
}
