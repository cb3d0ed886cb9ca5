//! The headline rows of a trap in the other columns: another machine, another allocator, each arm alone.

use super::cell::overlap;
use super::column::Column;
use super::label;
use super::model::{Align, Block, Column as Header, Table, paragraph};
use super::place::Place;
use super::row::Row;
use super::view::TrapView;
use crate::trap::Role;

/// What marks a ratio whose interval has nothing in common with the first column's.
const DIFFERS: &str = "≠ ";

pub(super) fn blocks(trap: &TrapView<'_>) -> Vec<Block> {
    let Some(first) = trap.column else { return Vec::new() };
    let measured = |c: &&Column<'_>| !std::ptr::eq(*c, first) && !trap.runs(c).is_empty();
    let others: Vec<&Column<'_>> = trap.view.columns.iter().filter(measured).collect();
    if others.is_empty() {
        return Vec::new();
    }
    let legend = format!("Ratios; {DIFFERS}marks an interval that has nothing in common with the first.");
    let heading = Block::Heading("The same rows elsewhere".into());
    vec![heading, paragraph(legend), Block::Table(table(trap, first, &others))]
}

fn table<'a>(trap: &TrapView<'a>, first: &Column<'a>, others: &[&Column<'a>]) -> Table {
    let header = |header: String| Header { header, align: Align::Left };
    let columns = std::iter::once(first).chain(others.iter().copied()).map(|c| header(label::column(trap.view, c)));
    let columns = ["variant", "point"].map(|h| header(h.into())).into_iter().chain(columns).collect();
    Table { columns, rows: trap.headlines().into_iter().flat_map(|place| lines(trap, first, others, place)).collect() }
}

fn lines<'a>(trap: &TrapView<'a>, first: &Column<'a>, others: &[&Column<'a>], place: Place<'a>) -> Vec<Vec<String>> {
    let elsewhere: Vec<Vec<Row<'_>>> = others.iter().map(|column| trap.rows(column, place)).collect();
    let line = |row: &Row<'_>| {
        let there = elsewhere.iter().map(|rows| cell(row, rows.iter().find(|r| r.variant == row.variant)));
        [row.variant.into(), place.title(), row.said()].into_iter().chain(there).collect()
    };
    trap.rows(first, place).iter().filter(|row| row.role != Role::Trap).map(line).collect()
}

fn cell(here: &Row<'_>, there: Option<&Row<'_>>) -> String {
    let Some(there) = there else { return "not run".into() };
    let both = here.span().zip(there.span());
    let mark = if both.is_some_and(|(a, b)| !overlap(a, b)) { DIFFERS } else { "" };
    format!("{mark}{}", there.said())
}
