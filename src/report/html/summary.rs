//! The table of all traps: a row a trap, to be sorted and filtered.

use maud::{Markup, html};

use super::axis::Log;
use super::blocks::{self, prose};
use super::forest;
use crate::record::Record;
use crate::report::cell::measures;
use crate::report::gist::{Gist, uncounted};
use crate::report::in_go::InGo;
use crate::report::number::{NONE, arrow, factor, fewer};
use crate::report::row::Row;
use crate::report::view::TrapView;
use crate::trap::Instrument;

const LEGEND: &str = "(+4): four more headline points. *: another word at another headline. ^: code layouts differ. 6→1: of the trap, of the \
                      advice. ÷1.58: so many times fewer. p99: trap ÷ advice, above 1 the tail is shorter; ?: unclear. n/a: the instrument can't see \
                      it, or too few. –: not run, or nothing to tell.";

/// A column: its header, and whether numbers are sorted in it.
const COLUMNS: [(&str, &str); 10] = [
    ("trap", "text"),
    ("point", "text"),
    ("advice", "text"),
    ("trap ÷ advice, 95 %", "number"),
    ("verdict", "text"),
    ("blocks", "number"),
    ("bytes", "number"),
    ("instructions", "number"),
    ("p99", "number"),
    ("in Go", "text"),
];

// On a phone the table is laid out as cards, which takes its meaning away: the roles give it back.
/// The table and its tools; nothing where no trap has a point.
pub(super) fn table(traps: &[TrapView<'_>]) -> Markup {
    let rows: Vec<(&TrapView<'_>, Gist<'_>)> = traps.iter().filter_map(|trap| Some((trap, Gist::of(trap)?))).collect();
    let spans = rows.iter().filter_map(|(_, gist)| gist.row.as_ref()?.span()).flatten();
    let Some(axis) = Log::over(spans.chain([0.8, 1.25]), forest::ACROSS) else { return html! {} };
    let inside = html! {
        table #summary role="table" {
            caption { "Each trap at its first headline point: the advice against the trap. The shaded band is a tie." }
            thead role="rowgroup" { tr role="row" { @for (header, kind) in COLUMNS { (head(header, kind, &axis)) } } }
            tbody role="rowgroup" { @for (trap, gist) in &rows { (row(trap, gist, &axis)) } }
        }
    };
    html! {
        (tools(traps))
        (blocks::scroll("All traps: table by trap", &inside))
        p #shown role="status" aria-live="polite" {}
        p.legend-text { (LEGEND) }
    }
}

fn head(header: &str, kind: &str, axis: &Log) -> Markup {
    html! {
        th role="columnheader" scope="col" aria-sort="none" {
            button type="button" data-kind=(kind) { (header) }
            @if header.starts_with("trap ÷") { (forest::scale(axis)) }
        }
    }
}

fn tools(traps: &[TrapView<'_>]) -> Markup {
    let mut sections: Vec<&str> = Vec::new();
    for section in traps.iter().filter_map(|trap| trap.note.map(|note| note.section.as_str())) {
        if !sections.contains(&section) {
            sections.push(section);
        }
    }
    html! {
        form.tools role="search" onsubmit="return false" {
            label { "Section " select #section { option value="" { "all" } @for section in sections { option { (section) } } } }
            label { "Find " input #find type="search" placeholder="a trap, a fix, a word" autocomplete="off"; }
        }
    }
}

fn row(trap: &TrapView<'_>, gist: &Gist<'_>, axis: &Log) -> Markup {
    let section = trap.note.map_or("", |note| note.section.as_str());
    let more = if gist.more == 0 { String::new() } else { format!(" (+{})", gist.more) };
    let in_go = InGo::of(trap).and_then(|go| go.said(gist.place, gist.advice)).unwrap_or_else(|| "not run".into());
    let [blocks, bytes] = ["blocks", "bytes"].map(|metric| counted(trap, gist, Instrument::Heap, metric, arrow));
    let instructions = counted(trap, gist, Instrument::Instructions, "instructions", fewer);
    let tail = tail(trap, gist);
    html! {
        tr role="row" data-section=(section) {
            th role="rowheader" scope="row" { a href={ "#" (trap.name) } { (trap.name) } }
            td role="cell" data-label="point" { (prose(&gist.place.title())) (more) }
            td role="cell" data-label="advice" { (gist.advice.unwrap_or(NONE)) }
            (ratio(trap, gist, axis))
            td role="cell" data-label="verdict" class={ "verdict " (word_class(&gist.word())) } { (gist.word()) }
            @for (label, (value, text)) in [("blocks", blocks), ("bytes", bytes), ("instructions", instructions), ("p99", tail)] {
                td.number role="cell" data-label=(label) data-sort=(value.map_or(f64::NAN, |value| value.min(1e300))) { (text) }
            }
            td role="cell" data-label="in Go" { (prose(&in_go)) }
        }
    }
}

fn ratio(trap: &TrapView<'_>, gist: &Gist<'_>, axis: &Log) -> Markup {
    let row = gist.row.as_ref();
    let held = || gist.held(trap).map(|(_, what, [from, to])| format!("{what}: {}", arrow(from, to)));
    let untimed = || held().unwrap_or_else(|| uncounted(trap, Instrument::Ratio).into());
    let said = row.map_or_else(untimed, Row::said);
    let value = row.and_then(Row::span).map_or(f64::NAN, |[_, value, _]| value);
    html! {
        td.ratio role="cell" data-label="ratio" data-sort=(value) {
            @if let Some((row, span)) = row.and_then(|row| Some((row, row.span()?))) {
                (forest::bar(axis, span, row.ratio.map_or(&[], |ratio| &ratio.samples), &row.word()))
            }
            span { (prose(&said)) }
        }
    }
}

// Trap ÷ advice, of the first paced point.
fn tail(trap: &TrapView<'_>, gist: &Gist<'_>) -> (Option<f64>, String) {
    let of = |r: &&Record| Some(r.variant.as_str()) == gist.advice && measures(r, "p99_ratio");
    let found = trap.all(Instrument::Latency).find(of).and_then(|record| record.value);
    let open = if gist.tail_is_open(trap) { "?" } else { "" };
    let told = found.map_or_else(|| uncounted(trap, Instrument::Latency).into(), |p99| factor(p99) + open);
    (found, told)
}

// How many times fewer, to sort by, and what is told.
fn counted(
    trap: &TrapView<'_>,
    gist: &Gist<'_>,
    instrument: Instrument,
    metric: &str,
    told: fn(f64, f64) -> String,
) -> (Option<f64>, String) {
    let value = gist.count(trap, instrument, metric).map(|[from, to]| if from == to { 1.0 } else { from / to });
    (value, gist.counted(trap, instrument, metric, told))
}

/// The class of a verdict: three colours, and the word is always there.
pub(super) fn word_class(word: &str) -> &'static str {
    match word.split([' ', '^', '*']).next().unwrap_or_default() {
        "wins" | "faster" => "good",
        "loses" | "slower" => "bad",
        _ => "even",
    }
}
