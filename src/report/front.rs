//! The first page: what was measured on what, and one line a headline row.

use super::cell::span;
use super::column::Column;
use super::gist::{Gist, best};
use super::ground;
use super::in_go::InGo;
use super::model::{Align, Block, Section, Table, fact, note, paragraph};
use super::number::{NONE, count, figures, interval, many};
use super::place::Place;
use super::row::Row;
use super::view::{TrapView, View};
use crate::trap::{Instrument, Role};

pub(super) fn section(view: &View<'_>, traps: &[TrapView<'_>]) -> Section {
    let mut blocks = vec![Block::Facts(facts(view))];
    blocks.extend(lost(view));
    if traps.is_empty() {
        blocks.push(paragraph("Nothing measured yet: run `cargo bench`."));
    } else {
        blocks.push(paragraph(ground::SCOPE));
        blocks.extend((!any_ratio(view)).then(|| paragraph("No ratios of time yet: run `cargo bench --bench ratio`.")));
        blocks.extend(headlines(traps));
    }
    Section { trap: None, heading: String::new(), blocks }
}

fn any_ratio(view: &View<'_>) -> bool {
    view.archive.records.iter().any(|r| r.metric.as_deref() == Some("ratio") && r.value.is_some())
}

fn facts(view: &View<'_>) -> Vec<(String, String)> {
    let Some(run) = view.columns.first().and_then(Column::run).or(view.archive.runs.last()) else {
        return vec![fact("runs", "none")];
    };
    let mut facts = ground::facts(&run.provenance);
    facts.extend(view.archive.runs.iter().map(|other| fact(other.instrument.word(), ground::run(other, run))));
    facts
}

fn lost(view: &View<'_>) -> Vec<Block> {
    let damage = view.archive.damage.iter().map(|damage| note(format!("not read: {damage}")));
    let orphans = Some(view.orphans()).filter(|&orphans| orphans > 0);
    let orphans = orphans.map(|o| note(format!("{} without a run's line left out: no provenance", many(o, "record"))));
    damage.chain(orphans).collect()
}

fn headlines(traps: &[TrapView<'_>]) -> Option<Block> {
    let headers = ["verdict", "ratio [95 %]", "first fix", "best fix", "where"];
    let mut table = Table::of(&headers.map(|header| (header, Align::Left)));
    for trap in traps {
        table.rows.extend(trap.headlines().into_iter().filter_map(|place| line(trap, place)));
    }
    (!table.rows.is_empty()).then_some(Block::Table(table))
}

fn line<'a>(trap: &TrapView<'a>, place: Place<'a>) -> Option<Vec<String>> {
    let rows = trap.rows(trap.column?, place);
    let fixes: Vec<&Row<'_>> = rows.iter().filter(|row| row.role == Role::Fix).collect();
    let fix = fixes.first()?;
    let better = best(&fixes).map_or(NONE.into(), named);
    Some(vec![fix.word(), fix.said(), fix.variant.into(), better, format!("{}: {}", trap.name, place.title())])
}

fn named(row: &Row<'_>) -> String {
    let ratio = row.span().map_or(NONE.into(), |[_, value, _]| figures(value));
    format!("{} {ratio}", row.variant)
}

/// All traps, a line each, as a table for a page: the second sitting stands beside the first, where there are two.
pub(super) fn table(view: &View<'_>, traps: &[TrapView<'_>]) -> Table {
    let second = view.second_sitting();
    let mut columns = vec!["trap", "the habit", "point", "the advice", "ratio [95 %]", "verdict"];
    columns.extend(second.map(|_| "second sitting"));
    let in_go = traps.iter().any(|trap| InGo::of(trap).is_some());
    columns.extend(in_go.then_some("in Go"));
    columns.extend(["best fix", "blocks", "bytes", "where it turns"]);
    let columns: Vec<_> = columns.into_iter().map(|header| (header, Align::Left)).collect();
    let mut table = Table::of(&columns);
    table.rows = traps.iter().filter_map(|trap| Some(cells(trap, &Gist::of(trap)?, second, in_go))).collect();
    table
}

fn cells<'a>(trap: &TrapView<'a>, gist: &Gist<'a>, second: Option<&Column<'a>>, in_go: bool) -> Vec<String> {
    let row = gist.row.as_ref();
    let more = if gist.more == 0 { String::new() } else { format!(" (+{})", gist.more) };
    let mut cells = vec![
        trap.name.into(),
        trap.note.map_or(NONE.into(), |note| note.title.clone()),
        format!("{}{more}", gist.place.title()),
        gist.advice.unwrap_or(NONE).into(),
        row.map_or("not run".into(), Row::said),
        row.map_or(NONE.into(), Row::word),
    ];
    cells.extend(second.map(|column| again(trap, gist, column)));
    let said_in_go = || InGo::of(trap).and_then(|go| go.said(gist.place, gist.advice)).unwrap_or("not run".into());
    cells.extend(in_go.then(said_in_go));
    let told = |from, to| format!("{} → {}", count(from), count(to));
    let counted = |metric| gist.counted(trap, Instrument::Heap, metric, told);
    cells.extend([best_cell(gist), counted("blocks"), counted("bytes"), turns_cell(gist)]);
    cells
}

fn again<'a>(trap: &TrapView<'a>, gist: &Gist<'a>, column: &Column<'a>) -> String {
    let ratio = gist.advice.and_then(|advice| trap.cell(column, gist.place, advice, "ratio")).and_then(span);
    ratio.map_or("not run".into(), interval)
}

fn best_cell(gist: &Gist<'_>) -> String {
    let said = |row: &Row<'_>| format!("{} {}", row.variant, row.said());
    gist.best.as_ref().map_or(NONE.into(), said)
}

fn turns_cell(gist: &Gist<'_>) -> String {
    let turns: Vec<String> = gist.told_turns().map(|(variant, between)| format!("{variant} {between}")).collect();
    if turns.is_empty() { NONE.into() } else { turns.join("; ") }
}
