//! All rows of the traps that were asked for, a line each.

use super::cell::{Missing, measures};
use super::column::Column;
use super::counts;
use super::grid::{Grid, Lane};
use super::in_go;
use super::model::Block;
use super::notes::Notes;
use super::number::{NONE, figures};
use super::place::Place;
use super::row::Row;
use super::section::{heading, title};
use super::text::hanging;
use super::times;
use super::view::TrapView;
use crate::trap::Instrument;

pub(super) fn lines(traps: &[TrapView<'_>], instrument: Instrument) -> Vec<String> {
    let mut lines = Vec::new();
    for trap in traps {
        lines.extend((!lines.is_empty()).then(String::new));
        lines.extend(hanging("", &heading(trap)));
        lines.extend(cases(trap).iter().flat_map(|text| hanging("  ", text)));
        lines.extend(match instrument {
            Instrument::Ratio if trap.all(instrument).any(|r| r.value.is_some()) => {
                trap.column.map(|column| ratios(trap, column)).unwrap_or_default()
            }
            Instrument::Ratio => absent(trap, instrument),
            Instrument::Go => in_go::detail(trap),
            other => counted(trap, other),
        });
    }
    lines
}

// What the words in the titles of its points mean, where the records say so.
fn cases(trap: &TrapView<'_>) -> Option<String> {
    let stated = trap.note.map(|note| &note.cases).filter(|cases| !cases.is_empty())?;
    let told: Vec<String> = stated.iter().map(|(word, what)| format!("`{word}`: {what}")).collect();
    Some(format!("Cases: {}.", told.join("; ")))
}

fn ratios<'a>(trap: &TrapView<'a>, column: &Column<'a>) -> Vec<String> {
    let columns = [
        ("", Lane::Name),
        ("ns/op", Lane::Number),
        ("ratio [95 %]", Lane::Word),
        ("verdict", Lane::Word),
        ("next link", Lane::Word),
    ];
    let (mut grid, mut notes) = (Grid::new(&columns, 2), Notes::default());
    for place in trap.places() {
        let rows = trap.rows(column, place);
        if rows.is_empty() {
            continue;
        }
        hanging("", &title(trap, place)).into_iter().for_each(|line| grid.plain(line));
        rows.iter().for_each(|row| grid.row(cells(row)));
        for line in said(trap, column, place, &rows, &mut notes) {
            grid.plain(line);
        }
    }
    grid.lines()
}

// A trap that an instrument has no number of says so in a word.
fn absent(trap: &TrapView<'_>, instrument: Instrument) -> Vec<String> {
    let missing = trap.all(instrument).find_map(Missing::of);
    vec![format!("  {}", missing.map_or("not measured", |missing| missing.word))]
}

fn cells(row: &Row<'_>) -> Vec<String> {
    let ns = row.ns.and_then(|r| r.value).map_or(NONE.into(), figures);
    vec![format!("  {}", row.variant), ns, row.said(), row.word(), times::next_link(row)]
}

fn said<'a>(
    trap: &TrapView<'a>,
    column: &Column<'a>,
    place: Place<'a>,
    rows: &[Row<'a>],
    notes: &mut Notes,
) -> Vec<String> {
    let here: Vec<String> = trap.caveats(column, place).iter().map(ToString::to_string).collect();
    let of_rows = rows.iter().flat_map(times::of_row);
    let new = here.into_iter().chain(of_rows).filter_map(|text| notes.once(text));
    new.flat_map(|block| if let Block::Note(text) = block { hanging("  ! ", &text) } else { Vec::new() }).collect()
}

fn counted(trap: &TrapView<'_>, instrument: Instrument) -> Vec<String> {
    let known = |metric: &str| trap.all(instrument).any(|r| measures(r, metric));
    let metrics: Vec<_> = counts::metrics(instrument).iter().filter(|(metric, _)| known(metric)).collect();
    let columns: Vec<_> =
        std::iter::once(("", Lane::Name)).chain(metrics.iter().map(|(_, h)| (*h, Lane::Number))).collect();
    let mut grid = Grid::new(&columns, 2);
    if !trap.all(instrument).any(|r| r.value.is_some()) {
        return absent(trap, instrument);
    }
    for place in trap.places() {
        let records = counts::records(trap, place, instrument);
        if !records.iter().any(|r| r.value.is_some()) {
            continue;
        }
        hanging("", &title(trap, place)).into_iter().for_each(|line| grid.plain(line));
        for variant in counts::variants(trap, place, &[instrument]) {
            let values = metrics.iter().map(|(metric, _)| counts::brief_cell(&records, variant, metric));
            grid.row(std::iter::once(format!("  {variant}")).chain(values).collect());
        }
        counts::moves(&records).into_iter().flat_map(|text| hanging("  ", &text)).for_each(|line| grid.plain(line));
    }
    grid.lines()
}
