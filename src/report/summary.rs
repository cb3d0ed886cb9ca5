//! The summary over all instruments: a line a trap.

use super::errors;
use super::gist::Gist;
use super::grid::{Grid, Lane};
use super::number::{TIE, arrow, factor, fewer, many};
use super::resolution;
use super::row::Row;
use super::screen::said;
use super::text::hanging;
use super::view::{TrapView, View};
use crate::record::Archive;
use crate::trap::Instrument;

/// Lines of a summary.
const LINES: usize = 30;
/// Of them, where words change: few, so that the table stays on the screen.
const TURNS: usize = 6;

const LEGEND: &str = "ratio: time of trap ÷ advice, ± its 95 % interval over re-links and re-runs here. +1: more headline \
                      points, * another word at another headline, ^ links differ, ÷ times fewer, n/a can't be seen. \
                      instr at n = 10 000 at most, p99 at a constant rate, ? unclear. All rows: cargo run --release -- report [TRAP]";

/// What all instruments say, as the last target prints it: a line a trap, and 30 lines of 80 columns at most for 21 traps. Below it,
/// in six lines at most, where the advice and the best fix turn.
#[must_use]
pub fn summary(archive: &Archive) -> String {
    let view = View::of(archive);
    let traps = view.traps();
    let gists: Vec<(&TrapView<'_>, Gist<'_>)> = traps.iter().filter_map(|t| Some((t, Gist::of(t)?))).collect();
    if gists.is_empty() {
        return "Nothing measured yet: run cargo bench.\n".into();
    }
    let mut lines = vec![format!("Summary, {}: the advice against the trap", many(gists.len(), "trap"))];
    lines.extend(grid(&gists).lines());
    let mut below: Vec<String> = resolution::today(&view, &traps).iter().flat_map(|today| hanging("", today)).collect();
    below.extend(hanging("", LEGEND));
    let room = LINES.saturating_sub(lines.len() + below.len());
    let failed = errors::lines(archive, room);
    let room = room.saturating_sub(failed.len());
    lines.extend(turns(&gists, room.min(TURNS)));
    let all = lines.iter().chain(&below).chain(&failed);
    all.map(|line| format!("{}\n", line.trim_end().replace(TIE, " "))).collect()
}

fn grid(gists: &[(&TrapView<'_>, Gist<'_>)]) -> Grid {
    let columns = [
        ("trap", Lane::Word),
        ("point", Lane::Name),
        ("", Lane::Word),
        ("ratio", Lane::Word),
        ("verdict", Lane::Word),
        ("best", Lane::Name),
        ("", Lane::Number),
        ("blocks", Lane::Word),
        ("instr", Lane::Word),
        ("p99", Lane::Word),
    ];
    let mut grid = Grid::new(&columns, 1);
    for (trap, gist) in gists {
        let best = gist.best.as_ref();
        let value = best.and_then(Row::span).map_or(String::new(), |[_, value, _]| factor(value));
        let mut cells = vec![trap.name.into(), gist.place.short(), gist.more(), said(trap, gist), gist.word()];
        cells.extend([best.map_or(String::new(), |row| row.variant.into()), value]);
        cells.extend([
            gist.counted(trap, Instrument::Heap, "blocks", few),
            gist.counted(trap, Instrument::Instructions, "instructions", fewer),
            tail(trap, gist),
        ]);
        grid.row(cells);
    }
    grid
}

// Of two tails that can't be told apart a figure alone would promise too much.
fn tail(trap: &TrapView<'_>, gist: &Gist<'_>) -> String {
    let told = gist.counted(trap, Instrument::Latency, "p99_ns", fewer);
    if gist.tail_is_open(trap) { format!("{told}?") } else { told }
}

// Counts that are too long to read are told by how many times fewer there are.
fn few(from: f64, to: f64) -> String {
    let told = arrow(from, to);
    if from < 1_000.0 && told.chars().count() <= 6 { told } else { fewer(from, to) }
}

// Whole sentences only, as many as fit; the report has all.
fn turns(gists: &[(&TrapView<'_>, Gist<'_>)], room: usize) -> Vec<String> {
    let sentence = |trap: &TrapView<'_>, (variant, between): &(String, String)| {
        format!("{}: {variant} turns {between}", trap.name)
    };
    let sentences = gists.iter().flat_map(|(trap, gist)| gist.told_turns().map(move |turn| sentence(trap, turn)));
    let mut lines: Vec<String> = Vec::new();
    for sentence in sentences.map(|sentence| hanging("", &sentence)) {
        if lines.len() + sentence.len() <= room {
            lines.extend(sentence);
        }
    }
    lines
}
