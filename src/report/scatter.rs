//! Where the scatter of a trap's ratios comes from: shares of layouts, processes and rounds, pooled over its rows.

use super::column::{Column, Kind};
use super::model::{Block, fact};
use super::number::{many, percent};
use super::view::TrapView;
use crate::record::{Record, Variance};
use crate::trap::{Instrument, Role};

pub(super) fn blocks(trap: &TrapView<'_>, column: &Column<'_>) -> Vec<Block> {
    let rows: Vec<&Record> =
        trap.all(Instrument::Ratio).filter(|r| column.holds(r) && r.role != Role::Control).collect();
    let facts: Vec<_> = [Kind::Single, Kind::Threaded].into_iter().filter_map(|kind| pooled(&rows, kind)).collect();
    if facts.is_empty() {
        Vec::new()
    } else {
        vec![Block::Heading("Where the scatter comes from".into()), Block::Facts(facts)]
    }
}

fn pooled(rows: &[&Record], kind: Kind) -> Option<(String, String)> {
    let all = rows.iter().filter(|r| Kind::of(r.threads) == kind).filter_map(|r| r.variance);
    let (told, untold): (Vec<Variance>, Vec<Variance>) = all.partition(|v| v.layouts.is_some());
    // Rows of one process a layout do not know theirs: they are pooled only where no row does.
    let (told, known) = if told.is_empty() { (false, untold) } else { (true, told) };
    let sum = |of: fn(&Variance) -> f64| known.iter().map(of).sum::<f64>();
    let (layouts, processes, rounds) = (sum(|v| v.layouts.unwrap_or(0.0)), sum(|v| v.processes), sum(|v| v.rounds));
    let all = layouts + processes + rounds;
    if all <= 0.0 {
        return None;
    }
    let share = |part: f64| percent(part / all);
    let parts = if told {
        format!("layouts {}, processes {}, rounds {}", share(layouts), share(processes), share(rounds))
    } else {
        format!("layouts and processes {}, rounds {}", share(layouts + processes), share(rounds))
    };
    let one = percent((all / known.len() as f64).sqrt());
    Some(fact(
        kind.word(),
        format!("{parts} of the variance; a single process scatters by {one} ({})", many(known.len(), "row")),
    ))
}
