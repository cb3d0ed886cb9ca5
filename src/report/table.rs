//! Tables for a terminal: as wide as they need to be; where that is too wide, cells wrap; where that does not help, the
//! table folds, and the columns that are left stand below, beside the names of the rows again.

use super::model::{Align, Table};
use super::wrap::{WIDTH, wrap};

const GAP: usize = 2;

pub(super) fn lines(table: &Table) -> Vec<String> {
    let widths: Vec<usize> = (0..table.columns.len()).map(|at| natural(table, at)).collect();
    let all: Vec<usize> = (0..widths.len()).collect();
    match shrunk(table, &widths) {
        Some(widths) => band(table, &all, &widths),
        None => folded(table, &widths),
    }
}

fn cells(table: &Table, at: usize) -> impl Iterator<Item = &str> {
    let header = table.columns[at].header.as_str();
    std::iter::once(header).chain(table.rows.iter().map(move |row| row[at].as_str()))
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn natural(table: &Table, at: usize) -> usize {
    cells(table, at).map(length).max().unwrap_or(0)
}

fn narrowest(table: &Table, at: usize) -> usize {
    match table.columns[at].align {
        Align::Drawing => natural(table, at),
        _ => cells(table, at).flat_map(|cell| cell.split(' ')).map(length).max().unwrap_or(0),
    }
}

fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

// Takes from the widest column that can give, until all fit.
fn shrunk(table: &Table, natural: &[usize]) -> Option<Vec<usize>> {
    let narrowest: Vec<usize> = (0..natural.len()).map(|at| narrowest(table, at)).collect();
    let mut widths = natural.to_vec();
    while total(&widths) > WIDTH {
        let giving = (0..widths.len()).filter(|&at| widths[at] > narrowest[at]);
        let widest = giving.max_by_key(|&at| widths[at])?;
        widths[widest] -= 1;
    }
    Some(widths)
}

fn folded(table: &Table, natural: &[usize]) -> Vec<String> {
    let name = natural[0].min(30);
    let widths: Vec<usize> = natural.iter().map(|&w| w.min(WIDTH - name - GAP)).collect();
    let widths = [&[name], &widths[1..]].concat();
    let mut lines = Vec::new();
    for columns in bands(&widths) {
        lines.extend((!lines.is_empty()).then(String::new));
        lines.extend(band(table, &columns, &widths));
    }
    lines
}

// The first column in each band, and as many of the others as fit.
fn bands(widths: &[usize]) -> Vec<Vec<usize>> {
    let mut bands = vec![vec![0]];
    for at in 1..widths.len() {
        let used: usize = bands.last().map_or(0, |band| band.iter().map(|&c| widths[c] + GAP).sum());
        match bands.last_mut() {
            Some(band) if used + widths[at] <= WIDTH => band.push(at),
            _ => bands.push(vec![0, at]),
        }
    }
    bands
}

fn band(table: &Table, columns: &[usize], widths: &[usize]) -> Vec<String> {
    let headers: Vec<&str> = table.columns.iter().map(|c| c.header.as_str()).collect();
    let mut lines = row(table, &headers, columns, widths);
    lines.push(columns.iter().map(|&at| "-".repeat(widths[at])).collect::<Vec<_>>().join("  "));
    for cells in &table.rows {
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        lines.extend(row(table, &cells, columns, widths));
    }
    lines
}

fn row(table: &Table, cells: &[&str], columns: &[usize], widths: &[usize]) -> Vec<String> {
    let cell = |&at: &usize| match table.columns[at].align {
        Align::Drawing => vec![cells[at].to_owned()],
        _ => wrap(cells[at], widths[at]),
    };
    let wrapped: Vec<Vec<String>> = columns.iter().map(cell).collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
    let part = |line: usize, (at, cell): (&usize, &Vec<String>)| {
        let (text, width) = (cell.get(line).map_or("", String::as_str), widths[*at]);
        if table.columns[*at].align == Align::Right { format!("{text:>width$}") } else { format!("{text:<width$}") }
    };
    let line = |line| columns.iter().zip(&wrapped).map(|c| part(line, c)).collect::<Vec<_>>().join("  ");
    (0..height).map(line).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(headers: &[(&str, Align)], cells: &[&str]) -> Table {
        let rows = vec![cells.iter().map(|&c| c.into()).collect()];
        Table { rows, ..Table::of(headers) }
    }

    #[test]
    fn a_narrow_table_is_as_wide_as_its_cells() {
        let lines = lines(&table(&[("name", Align::Left), ("ns", Align::Right)], &["a", "12.5"]));
        assert_eq!(lines, ["name    ns", "----  ----", "a     12.5"]);
    }

    #[test]
    fn a_wide_table_folds_beside_its_names() {
        let (a, b) = ("x".repeat(50), "y".repeat(50));
        let lines = lines(&table(&[("n", Align::Left), ("a", Align::Left), ("b", Align::Left)], &["name", &a, &b]));
        assert_eq!(lines.len(), 7);
        assert!(lines[2].starts_with("name  xx") && lines[6].starts_with("name  yy"));
    }

    proptest! {
        #[test]
        fn no_line_is_too_long(cells in prop::collection::vec("[a-z]{1,40}( [a-z]{1,90})?", 1..12)) {
            let headers = vec![("a header", Align::Right); cells.len()];
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            prop_assert!(lines(&table(&headers, &cells)).iter().all(|line| length(line) <= WIDTH));
        }
    }
}
