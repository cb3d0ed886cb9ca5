//! The table of times at one point.

use super::caveat::Caveat;
use super::front::said;
use super::label::NONE;
use super::model::{Align, Block, Column as Header, Table, paragraph};
use super::number::{TIE, Unit, figures, interval, percent};
use super::section::Notes;
use super::strip::Axis;
use super::verdict::{Suffix, Word};
use super::view::{Column, Missing, Place, Row, TrapView, span};
use crate::record::Record;
use crate::trap::Role;

pub(super) fn blocks(trap: &TrapView<'_>, column: &Column<'_>, place: Place<'_>, notes: &mut Notes) -> Vec<Block> {
    let rows = trap.rows(column, place);
    if rows.is_empty() {
        return vec![paragraph("Time: not measured here yet. With --quick only headline points are.")];
    }
    let mut blocks = vec![Block::Table(table(&rows))];
    blocks.extend(to_the_floor(&rows).map(paragraph));
    let missing: Vec<(&str, Missing)> = rows.iter().filter_map(|r| Some((r.variant, r.missing.clone()?))).collect();
    blocks.extend(reasons(&missing).into_iter().filter_map(|text| notes.once(text)));
    blocks.extend(at_point(trap, column, place).into_iter().filter_map(|text| notes.once(text)));
    // Said of one row at one point: never a repetition.
    blocks.extend(rows.iter().flat_map(of_row).map(super::model::note));
    blocks
}

fn at_point(trap: &TrapView<'_>, column: &Column<'_>, place: Place<'_>) -> Vec<String> {
    let cores = trap.runs(column).last().and_then(|run| run.provenance.cores);
    let same = trap.ratio(column, place, "same");
    Caveat::of_point(place.threads, cores, same).iter().map(Caveat::to_string).collect()
}

fn of_row(row: &Row<'_>) -> Vec<String> {
    let caveats = row.ratio.map(|ratio| Caveat::of_row(ratio, row.medians, row.totals)).unwrap_or_default();
    caveats.iter().map(|caveat| format!("{}: {caveat}", row.variant)).collect()
}

/// Why cells are empty, the variants of one reason together.
pub(super) fn reasons(missing: &[(&str, Missing)]) -> Vec<String> {
    let mut reasons: Vec<(&Missing, Vec<&str>)> = Vec::new();
    for (variant, why) in missing {
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, variants)) => variants.push(variant),
            None => reasons.push((why, vec![variant])),
        }
    }
    reasons.iter().map(|(m, variants)| format!("{}: {} ({})", m.word, m.why, variants.join(", "))).collect()
}

fn table(rows: &[Row<'_>]) -> Table {
    let unit = Unit::for_ns(rows.iter().filter_map(|r| r.ns?.value).fold(0.0, f64::max));
    let axis = Axis::over(rows.iter().filter_map(|r| r.ratio).flat_map(|r| r.samples.iter().copied()));
    let forks = axis.map_or("forks".into(), |axis| axis.header());
    let header = |header: String, align| Header { header, align };
    let columns = vec![
        header("variant".into(), Align::Left),
        header("role".into(), Align::Left),
        header(format!("{}/op", unit.word), Align::Right),
        header("ratio [95 %]".into(), Align::Left),
        header("verdict".into(), Align::Left),
        header(format!("saved {}/op", unit.word), Align::Left),
        header(forks, Align::Drawing),
    ];
    Table { columns, rows: rows.iter().map(|row| cells(row, unit, axis)).collect() }
}

fn cells(row: &Row<'_>, unit: Unit, axis: Option<Axis>) -> Vec<String> {
    let [verdict, ratio] = said(row);
    let absent = row.missing.as_ref().map_or("not run", |m| m.word);
    let ns = row.ns.and_then(|r| r.value).map_or(absent.into(), |ns| figures(ns / unit.ns));
    let saved = row.saved.map_or(NONE.into(), |saved| {
        saving(saved, unit, row.verdict().is_some_and(|v| v.suffix == Some(Suffix::Split)))
    });
    let forks = row.ratio.zip(axis).map_or(NONE.into(), |(ratio, axis)| axis.strip(&ratio.samples));
    vec![row.variant.into(), row.role.word().into(), ns, ratio, verdict, saved, forks]
}

// Of modes that disagree, the range of what forks saved; an interval would claim what none has shown.
fn saving(saved: &Record, unit: Unit, bimodal: bool) -> String {
    if !bimodal {
        return span(saved).map_or(NONE.into(), |span| interval(span.map(|ns| ns / unit.ns)));
    }
    let low = saved.samples.iter().copied().fold(f64::INFINITY, f64::min);
    let high = saved.samples.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{} to{TIE}{}", figures(low / unit.ns), figures(high / unit.ns))
}

// Only a floor that lies below the trap for certain has a way to it.
fn to_the_floor(rows: &[Row<'_>]) -> Option<String> {
    let of = |role| rows.iter().find(|row| row.role == role);
    let (fix, floor) = (of(Role::Fix)?, of(Role::Floor)?);
    let saved = |row: &Row<'_>| row.saved.and_then(|r| r.value);
    let (near, far) = (saved(fix)?, saved(floor)?);
    if floor.verdict()?.word != Word::Wins || far <= 0.0 || matches!(fix.verdict()?.word, Word::Unclear) {
        return None;
    }
    Some(match near / far {
        share if share >= 1.0 => format!("{} gets all the way to the floor.", fix.variant),
        share if share > 0.0 => format!("{} gets {} of the way to the floor.", fix.variant, percent(share)),
        _ => format!("{} leads away from the floor.", fix.variant),
    })
}
