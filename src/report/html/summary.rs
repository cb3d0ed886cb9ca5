//! The table of all traps: a row a trap, to be sorted and filtered.

use maud::{Markup, html};

use super::axis::Log;
use super::blocks::prose;
use super::forest;
use crate::record::Record;
use crate::report::cell::measures;
use crate::report::gist::{Gist, uncounted};
use crate::report::in_go::InGo;
use crate::report::number::{NONE, arrow, factor, fewer};
use crate::report::row::Row;
use crate::report::view::TrapView;
use crate::trap::Instrument;

const WIDTH: f64 = 180.0;

/// What is held, in the order in which it is asked for.
const HELD: [(Instrument, &str, &str); 2] = [
    (Instrument::Heap, "live_bytes_per_op", "bytes held an op"),
    (Instrument::Usage, "rss_bytes_per_op", "resident bytes an op"),
];

const LEGEND: &str = "(+4): four more headline points. *: another word at another headline. ^: code layouts differ. 6→1: of the trap, of the \
                      advice. ÷1.58: so many times fewer. p99: trap ÷ advice, above 1 the tail is shorter. n/a: the instrument can't see \
                      it, or too few. –: nothing to tell.";

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

/// The table and its tools; nothing where no trap has a point.
pub(super) fn table(traps: &[TrapView<'_>]) -> Markup {
    let rows: Vec<(&TrapView<'_>, Gist<'_>)> = traps.iter().filter_map(|trap| Some((trap, Gist::of(trap)?))).collect();
    let spans = rows.iter().filter_map(|(_, gist)| gist.row.as_ref()?.span()).flatten();
    let Some(axis) = Log::over(spans.chain([0.8, 1.25]), [4.0, WIDTH - 4.0]) else { return html! {} };
    html! {
        (tools(traps))
        div.scroll tabindex="0" role="region" aria-label="All traps" {
            table #summary {
                caption { "Each trap at its first headline point: the advice against the trap. The shaded band is a tie." }
                thead { tr { @for (header, kind) in COLUMNS { th scope="col" aria-sort="none" { button type="button" data-kind=(kind) { (header) } @if header.starts_with("trap ÷") { (forest::scale(&axis, WIDTH)) } } } } }
                tbody { @for (trap, gist) in &rows { (row(trap, gist, &axis)) } }
            }
        }
        p #shown role="status" aria-live="polite" {}
        p.legend-text { (LEGEND) }
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
        tr data-section=(section) {
            th scope="row" { a href={ "#" (trap.name) } { (trap.name) } }
            td data-label="point" { (prose(&gist.place.title())) (more) }
            td data-label="advice" { (gist.advice.unwrap_or(NONE)) }
            (ratio(trap, gist.row.as_ref(), held(trap, gist), axis))
            td data-label="verdict" class={ "verdict " (word_class(&gist.word())) } { (gist.word()) }
            @for (label, (value, text)) in [("blocks", blocks), ("bytes", bytes), ("instructions", instructions), ("p99", tail)] {
                td.number data-label=(label) data-sort=(value.map_or(f64::NAN, |value| value.min(1e300))) { (text) }
            }
            td data-label="in Go" { (prose(&in_go)) }
        }
    }
}

fn ratio(trap: &TrapView<'_>, row: Option<&Row<'_>>, held: Option<String>, axis: &Log) -> Markup {
    let said = row.map_or_else(|| held.unwrap_or_else(|| blind(trap)), Row::said);
    let value = row.and_then(Row::span).map_or(f64::NAN, |[_, value, _]| value);
    html! {
        td.ratio data-label="ratio" data-sort=(value) {
            @if let Some((row, span)) = row.and_then(|row| Some((row, row.span()?))) {
                (forest::bar(axis, WIDTH, span, row.ratio.map_or(&[], |ratio| &ratio.samples), &row.word()))
            }
            span { (prose(&said)) }
        }
    }
}

fn blind(trap: &TrapView<'_>) -> String {
    let blind = trap.all(Instrument::Ratio).any(|record| record.blind.is_some());
    if blind { "n/a".into() } else { "not run".into() }
}

// Trap ÷ advice, of the first paced point.
fn tail(trap: &TrapView<'_>, gist: &Gist<'_>) -> (Option<f64>, String) {
    let of = |r: &&Record| Some(r.variant.as_str()) == gist.advice && measures(r, "p99_ratio");
    let found = trap.all(Instrument::Latency).find(of).and_then(|record| record.value);
    (found, found.map_or_else(|| uncounted(trap, Instrument::Latency).into(), factor))
}

// What a trap that time does not show has instead: what an op leaves held, in the trap and with the advice.
fn held(trap: &TrapView<'_>, gist: &Gist<'_>) -> Option<String> {
    HELD.iter().find_map(|(instrument, metric, what)| {
        let [from, to] = gist.count(trap, *instrument, metric)?;
        Some(format!("{what}: {}", arrow(from.max(0.0), to.max(0.0))))
    })
}

// How many times fewer, to sort by, and what is told.
fn counted(
    trap: &TrapView<'_>,
    gist: &Gist<'_>,
    instrument: Instrument,
    metric: &str,
    told: fn(f64, f64) -> String,
) -> (Option<f64>, String) {
    match gist.count(trap, instrument, metric) {
        Some([from, to]) => (Some(if from == to { 1.0 } else { from / to }), told(from, to)),
        None if trap.all(instrument).any(|record| measures(record, metric)) => (None, NONE.into()),
        None => (None, uncounted(trap, instrument).into()),
    }
}

/// The class of a verdict: three colours, and the word is always there.
pub(super) fn word_class(word: &str) -> &'static str {
    match word.split([' ', '^', '*']).next().unwrap_or_default() {
        "wins" | "faster" => "good",
        "loses" | "slower" => "bad",
        _ => "even",
    }
}
