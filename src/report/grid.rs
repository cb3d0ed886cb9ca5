//! Lines of cells for a terminal, never more than one line a row: where room is short, names end in `…`.

use super::number::{NONE, TIE};
use super::wrap::WIDTH;

/// No name is cut shorter than this.
const SHORTEST: usize = 6;

/// How a column of a grid takes its room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// Words that are never cut.
    Word,
    /// Words that may be cut.
    Name,
    /// Numbers, which stand to the right.
    Number,
}

enum Line {
    Cells(Vec<String>),
    Plain(String),
}

/// Rows of equally many cells, with lines of prose between them.
pub(super) struct Grid {
    lanes: Vec<Lane>,
    gap: usize,
    lines: Vec<Line>,
}

impl Grid {
    pub(super) fn new(columns: &[(&str, Lane)], gap: usize) -> Self {
        let headers = columns.iter().map(|(header, _)| (*header).into()).collect();
        Self { lanes: columns.iter().map(|(_, lane)| *lane).collect(), gap, lines: vec![Line::Cells(headers)] }
    }

    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.lines.push(Line::Cells(cells));
    }

    pub(super) fn plain(&mut self, text: String) {
        self.lines.push(Line::Plain(text));
    }

    /// The lines. A column in which no row has anything is left out.
    pub(super) fn lines(self) -> Vec<String> {
        let kept: Vec<usize> = (0..self.lanes.len()).filter(|&at| self.says_something(at)).collect();
        let widths = self.widths(&kept);
        self.lines
            .iter()
            .map(|line| match line {
                Line::Plain(text) => text.clone(),
                Line::Cells(cells) => self.line(cells, &kept, &widths),
            })
            .collect()
    }

    fn cells(&self) -> impl Iterator<Item = &Vec<String>> {
        self.lines.iter().filter_map(|line| match line {
            Line::Cells(cells) => Some(cells),
            Line::Plain(_) => None,
        })
    }

    fn says_something(&self, at: usize) -> bool {
        self.cells().skip(1).any(|cells| !cells[at].is_empty() && cells[at] != NONE)
    }

    // Takes from the widest column of names until all fit.
    fn widths(&self, kept: &[usize]) -> Vec<usize> {
        let natural = |&at: &usize| self.cells().map(|cells| length(&cells[at])).max().unwrap_or(0);
        let mut widths: Vec<usize> = kept.iter().map(natural).collect();
        let total = |widths: &[usize]| widths.iter().sum::<usize>() + self.gap * widths.len().saturating_sub(1);
        while total(&widths) > WIDTH {
            let giving = (0..kept.len()).filter(|&i| self.lanes[kept[i]] == Lane::Name && widths[i] > SHORTEST);
            let Some(widest) = giving.max_by_key(|&i| widths[i]) else { break };
            widths[widest] -= 1;
        }
        widths
    }

    fn line(&self, cells: &[String], kept: &[usize], widths: &[usize]) -> String {
        let cell = |(&at, &width): (&usize, &usize)| {
            let text = cut(&cells[at], width);
            if self.lanes[at] == Lane::Number { format!("{text:>width$}") } else { format!("{text:<width$}") }
        };
        let cells: Vec<String> = kept.iter().zip(widths).map(cell).collect();
        cut(cells.join(&" ".repeat(self.gap)).trim_end(), WIDTH).replace(TIE, " ")
    }
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn cut(text: &str, width: usize) -> String {
    if length(text) <= width {
        return text.into();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_give_way_and_empty_columns_go() {
        let mut grid =
            Grid::new(&[("trap", Lane::Word), ("best", Lane::Name), ("n", Lane::Number), ("none", Lane::Word)], 1);
        grid.row(vec!["t".repeat(60), "b".repeat(30), "12".into(), NONE.into()]);
        let lines = grid.lines();
        assert_eq!(lines[1], format!("{} {}… 12", "t".repeat(60), "b".repeat(15)));
        assert!(!lines[0].contains("none") && lines[0].ends_with(" n"));
    }

    proptest! {
        #[test]
        fn no_line_is_too_long(cells in prop::collection::vec("[a-z]{0,60}", 1..9)) {
            let columns: Vec<_> = cells.iter().map(|_| ("a header", Lane::Name)).collect();
            let mut grid = Grid::new(&columns, 2);
            grid.row(cells);
            prop_assert!(grid.lines().iter().all(|line| length(line) <= WIDTH));
        }
    }
}
