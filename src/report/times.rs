//! The table of times at one point.

use super::caveat::Caveat;
use super::cell::{Missing, reasons};
use super::column::Column;
use super::model::{Align, Block, Column as Header, Table, note, paragraph};
use super::notes::Notes;
use super::number::{NONE, TIE, Unit, figures, interval, percent};
use super::place::Place;
use super::row::Row;
use super::sources::Sources;
use super::strip::Axis;
use super::verdict::{Suffix, Word};
use super::view::TrapView;
use crate::record::Record;
use crate::trap::Role;

pub(super) fn blocks<'a>(
    trap: &TrapView<'a>,
    column: &Column<'a>,
    place: Place<'a>,
    sources: &Sources<'_>,
    notes: &mut Notes,
) -> Vec<Block> {
    let rows = trap.rows(column, place);
    if rows.is_empty() {
        return vec![paragraph("Time: not measured here yet. With --quick only headline points are.")];
    }
    let mut blocks = vec![Block::Table(table(&rows, sources))];
    // The marks of a table and the flaws of a row are said where they are, however often.
    blocks.extend(sources.explained(&rows.iter().map(|row| row.run).collect::<Vec<_>>()).into_iter().map(note));
    blocks.extend(to_the_floor(&rows).map(paragraph));
    let missing: Vec<(&str, Missing)> = rows.iter().filter_map(|r| Some((r.variant, r.missing.clone()?))).collect();
    blocks.extend(reasons(&missing).into_iter().filter_map(|text| notes.once(text)));
    let here = trap.caveats(column, place);
    blocks.extend(here.iter().filter_map(|caveat| notes.once(caveat.to_string())));
    blocks.extend(rows.iter().flat_map(of_row).map(note));
    blocks
}

/// The caveats of one row, with its name.
pub(super) fn of_row(row: &Row<'_>) -> Vec<String> {
    let caveats = row.ratio.map(Caveat::of_row).unwrap_or_default();
    caveats.iter().map(|caveat| format!("{}: {caveat}", row.variant)).collect()
}

fn table(rows: &[Row<'_>], sources: &Sources<'_>) -> Table {
    let unit = unit(rows);
    let axis = Axis::over(rows.iter().filter_map(|r| r.ratio).flat_map(|r| r.samples.iter().copied()));
    let threaded = rows.iter().any(|row| row.cpu.is_some() || row.cpus.is_some());
    let header = |header: String, align| Header { header, align };
    let mut columns = vec![
        header("variant".into(), Align::Left),
        header("role".into(), Align::Left),
        header(format!("{}/op", unit.word), Align::Right),
        header("ratio [95 %]".into(), Align::Left),
        header("verdict".into(), Align::Left),
        header("next link".into(), Align::Left),
        header(format!("saved {}/op", unit.word), Align::Left),
        header(axis.map_or("layouts".into(), |axis| axis.header()), Align::Drawing),
    ];
    if threaded {
        columns.push(header(format!("CPU {}/op", unit.word), Align::Right));
        columns.push(header("CPUs".into(), Align::Right));
    }
    let cells = |row: &Row<'_>| {
        let extra = if threaded { usage(row, unit) } else { Vec::new() };
        [cells(row, sources.mark(row.run), unit, axis), extra].concat()
    };
    Table { columns, rows: rows.iter().map(cells).collect() }
}

/// The unit for the times of these rows.
pub(super) fn unit(rows: &[Row<'_>]) -> Unit {
    Unit::for_ns(rows.iter().filter_map(|r| r.ns?.value).fold(0.0, f64::max))
}

fn cells(row: &Row<'_>, mark: &str, unit: Unit, axis: Option<Axis>) -> Vec<String> {
    let absent = row.missing.as_ref().map_or("not run", |m| m.word);
    let ns = row.ns.and_then(|r| r.value).map_or(absent.into(), |ns| figures(ns / unit.ns));
    let saved = row.saved.map_or(NONE.into(), |saved| interval(saved.map(|ns| ns / unit.ns)));
    let layouts = row.ratio.zip(axis).map_or(NONE.into(), |(ratio, axis)| axis.strip(&ratio.samples));
    let name = format!("{}{mark}", row.variant);
    vec![name, row.role.word().into(), ns, row.said(), row.word(), next_link(row), saved, layouts]
}

/// What the next link gives, as a range.
pub(super) fn next_link(row: &Row<'_>) -> String {
    row.next_link().map_or(NONE.into(), |[low, high]| format!("{}–{}", figures(low), figures(high)))
}

fn usage(row: &Row<'_>, unit: Unit) -> Vec<String> {
    let of = |record: Option<&Record>, size: f64| {
        record.and_then(|r| r.value).map_or(NONE.into(), |value| figures(value / size))
    };
    vec![of(row.cpu, unit.ns), of(row.cpus, 1.0)]
}

// Only a floor that lies below the trap for certain has a way to it.
fn to_the_floor(rows: &[Row<'_>]) -> Option<String> {
    let of = |role| rows.iter().find(|row| row.role == role);
    let (fix, floor) = (of(Role::Fix)?, of(Role::Floor)?);
    let (near, far) = (fix.saved?[1], floor.saved?[1]);
    let (fix_says, floor_says) = (fix.verdict?, floor.verdict?);
    let open = matches!(fix_says.word, Word::Unclear | Word::Unresolved) || fix_says.suffix == Some(Suffix::Split);
    if floor_says.word != Word::Wins || floor_says.suffix == Some(Suffix::Split) || far <= 0.0 || open {
        return None;
    }
    Some(match near / far {
        share if share > 1.0 && !floor_is_beaten(fix, floor) => format!("{} reaches the floor.", fix.variant),
        share if share > 1.0 => format!("{} is{TIE}faster than the floor: the floor leaves cost in.", fix.variant),
        share if share > 0.0 => format!("{} gets {} of the way to the floor.", fix.variant, percent(share)),
        _ => format!("{} leads away from the floor.", fix.variant),
    })
}

fn floor_is_beaten(fix: &Row<'_>, floor: &Row<'_>) -> bool {
    fix.span().zip(floor.span()).is_some_and(|(fix, floor)| fix[0] > floor[2])
}
