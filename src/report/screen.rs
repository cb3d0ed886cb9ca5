//! What one bench target says of its own run, on one screen.

use super::detail;
use super::errors;
use super::gist::{Gist, uncounted};
use super::grid::{Grid, Lane};
use super::in_go;
use super::number::{NONE, TIE, arrow, change, count, factor, fewer, many, ratio_within};
use super::resolution;
use super::row::Row;
use super::tails;
use super::text::hanging;
use super::view::{TrapView, View};
use crate::record::{Archive, Run};
use crate::trap::{Instrument, Role};

/// Lines of a screen of the whole catalog.
const LINES: usize = 40;

/// What an instrument's target prints of its run, whose records these are: with `detailed` all rows, a line each; else a line a
/// trap, and 40 lines of 80 columns at most. Failed rows come last. Nothing for `time`, whose rows are criterion's.
#[must_use]
pub fn screen(archive: &Archive, instrument: Instrument, detailed: bool) -> String {
    if instrument == Instrument::Time {
        return String::new();
    }
    let view = View::of(archive);
    let traps = view.traps();
    let mut lines = if detailed { detail::lines(&traps, instrument) } else { overview(&traps, instrument) };
    lines.extend(beside(&view, &traps, instrument, detailed));
    let room = if detailed { usize::MAX } else { LINES.saturating_sub(lines.len()) };
    lines.extend(errors::lines(archive, room));
    lines.iter().map(|line| format!("{}\n", line.trim_end().replace(TIE, " "))).collect()
}

fn overview(traps: &[TrapView<'_>], instrument: Instrument) -> Vec<String> {
    if instrument == Instrument::Go {
        return overview_in_go(traps);
    }
    let gists: Vec<(&TrapView<'_>, Gist<'_>)> = traps.iter().filter_map(|t| Some((t, Gist::of(t)?))).collect();
    let of = many(gists.len(), "trap");
    let (title, grid, legend) = match instrument {
        Instrument::Heap => ("trap→advice, one run", heap(&gists), HEAP),
        Instrument::Instructions => {
            ("trap, advice and how many times fewer, one run", instructions(&gists), INSTRUCTIONS)
        }
        Instrument::Latency => ("µs from due to done, trap→advice", latency(&gists), LATENCY),
        Instrument::Usage => ("trap→advice, of the process", usage(&gists), USAGE),
        _ => ("time of the trap ÷ time of the advice", times(&gists), TIMES),
    };
    let mut lines = vec![format!("{}, {of}: {title}", instrument.word())];
    lines.extend(grid.lines());
    lines.extend(hanging("", legend));
    lines
}

fn overview_in_go(traps: &[TrapView<'_>]) -> Vec<String> {
    let mut lines = vec!["go: time of the trap ÷ time of the advice, in Go".to_owned()];
    lines.extend(in_go::overview(traps).lines());
    lines.extend(hanging("", GO));
    lines
}

const GO: &str = "At the first headline of a trap. ±: 95 % interval over re-runs here. best: another fix that wins by more. Blocks, tails, \
                  memory and all rows: give a trap's name.";

const TIMES: &str = "±: 95 % interval over re-links and re-runs here, up and down (±50%: ÷1.5 to ×1.5). +1: more \
                     headline points. best fix: another that wins by more. ^ links differ, * another word at \
                     another headline. All rows: give a trap's name.";
const HEAP: &str =
    "+1: more headline points. peak: most at once; held: kept after a run. All rows: give a trap's name.";
const INSTRUCTIONS: &str = "÷: times fewer, at the one point of a trap that is counted, of n = 10 000 at most. est. cycles: of simulated \
                            caches. All rows: give a trap's name.";

const LATENCY: &str = "At the first paced point of a trap. n/a: too few ops lie beyond it to tell. All arms and the time in queues: give \
                       a trap's name. Ratios with intervals: cargo run -- report.";

fn latency(gists: &[(&TrapView<'_>, Gist<'_>)]) -> Grid {
    let columns = [("p50_ns", "p50"), ("p95_ns", "p95"), ("p99_ns", "p99"), ("p999_ns", "p99.9"), ("mean_ns", "mean")];
    between(gists, Instrument::Latency, &columns, 1e3)
}

const USAGE: &str = "CPUs: how many were busy. waits, preempted, faults: an op's. RSS/op: what it adds to what is held. Means of \
                     the processes; intervals and all rows: give a trap's name.";

fn usage(gists: &[(&TrapView<'_>, Gist<'_>)]) -> Grid {
    let columns = [
        ("cpu_ns_per_op", "CPU ns/op"),
        ("cpu_share", "CPUs"),
        ("voluntary_switches_per_op", "waits"),
        ("minor_faults_per_op", "faults"),
        ("rss_bytes_per_op", "RSS/op"),
    ];
    between(gists, Instrument::Usage, &columns, 1.0)
}

// What an instrument has of the trap and of the advice, in units of so many.
fn between(gists: &[(&TrapView<'_>, Gist<'_>)], instrument: Instrument, columns: &[(&str, &str)], unit: f64) -> Grid {
    let names = [("trap", Lane::Word), ("advice", Lane::Name)];
    let lanes: Vec<_> = names.into_iter().chain(columns.iter().map(|(_, header)| (*header, Lane::Word))).collect();
    let mut grid = Grid::new(&lanes, 1);
    let measured = |trap: &TrapView<'_>| trap.all(instrument).any(|r| r.value.is_some());
    for (trap, gist) in gists.iter().filter(|(trap, _)| measured(trap)) {
        let told = |metric| {
            gist.count(trap, instrument, metric).map_or("n/a".into(), |[from, to]| change(from / unit, to / unit))
        };
        let names = [trap.name.into(), gist.advice.unwrap_or(NONE).into()];
        grid.row(names.into_iter().chain(columns.iter().map(|(metric, _)| told(metric))).collect());
    }
    grid
}

fn times(gists: &[(&TrapView<'_>, Gist<'_>)]) -> Grid {
    let mut grid = Grid::new(
        &[
            ("trap", Lane::Word),
            ("point", Lane::Name),
            ("", Lane::Word),
            ("advice", Lane::Name),
            ("ratio", Lane::Word),
            ("verdict", Lane::Word),
            ("best", Lane::Name),
            ("", Lane::Number),
        ],
        1,
    );
    for (trap, gist) in gists {
        let best = gist.best.as_ref();
        let value = best.and_then(Row::span).map_or(String::new(), |[_, value, _]| factor(value));
        grid.row(vec![
            trap.name.into(),
            gist.place.short(),
            gist.more(),
            gist.advice.unwrap_or(NONE).into(),
            said(trap, gist),
            gist.word(),
            best.map_or(String::new(), |row| row.variant.into()),
            value,
        ]);
    }
    grid
}

/// The ratio of the advice in a few characters, or why there is none.
pub(super) fn said(trap: &TrapView<'_>, gist: &Gist<'_>) -> String {
    match gist.row.as_ref().map(|row| (row.span(), row.said())) {
        Some((Some(span), _)) => ratio_within(span),
        Some((None, said)) => said,
        None => uncounted(trap, Instrument::Ratio).into(),
    }
}

fn heap(gists: &[(&TrapView<'_>, Gist<'_>)]) -> Grid {
    let columns = [("blocks", Lane::Word), ("bytes", Lane::Word), ("peak", Lane::Word), ("held", Lane::Word)];
    let names = [("trap", Lane::Word), ("point", Lane::Name), ("", Lane::Word), ("advice", Lane::Name)];
    let mut grid = Grid::new(&[&names[..], &columns[..]].concat(), 1);
    for (trap, gist) in gists {
        let mut cells = vec![trap.name.into(), gist.place.short(), gist.more(), gist.advice.unwrap_or(NONE).into()];
        cells.extend(
            ["blocks", "bytes", "peak_bytes"].map(|metric| gist.counted(trap, Instrument::Heap, metric, arrow)),
        );
        cells.push(held(trap, gist));
        grid.row(cells);
    }
    grid
}

// After a run, or where nothing runs by an op.
fn held(trap: &TrapView<'_>, gist: &Gist<'_>) -> String {
    match gist.count(trap, Instrument::Heap, "live_bytes_per_op") {
        Some([from, to]) if gist.count(trap, Instrument::Heap, "held_bytes").is_none() => {
            format!("{}/op", arrow(from, to))
        }
        _ => gist.counted(trap, Instrument::Heap, "held_bytes", arrow),
    }
}

fn instructions(gists: &[(&TrapView<'_>, Gist<'_>)]) -> Grid {
    let columns = [
        ("trap", Lane::Word),
        ("advice", Lane::Name),
        ("of the trap", Lane::Number),
        ("of the advice", Lane::Number),
        ("", Lane::Number),
        ("est. cycles", Lane::Number),
    ];
    let mut grid = Grid::new(&columns, 2);
    for (trap, gist) in gists {
        let of = |metric| gist.count(trap, Instrument::Instructions, metric);
        let absent = || uncounted(trap, Instrument::Instructions).to_owned();
        let cells = match (of("instructions"), of("estimated_cycles")) {
            (Some([from, to]), cycles) => {
                let cycles = cycles.map_or(NONE.into(), |[from, to]| fewer(from, to));
                [count(from), count(to), fewer(from, to), cycles]
            }
            (None, _) => [absent(), absent(), String::new(), String::new()],
        };
        grid.row([vec![trap.name.into(), gist.advice.unwrap_or(NONE).into()], cells.to_vec()].concat());
    }
    grid
}

// What holds for the whole screen: what can be resolved, what the run suffers from, what it is blind to and has skipped.
fn beside(view: &View<'_>, traps: &[TrapView<'_>], instrument: Instrument, detailed: bool) -> Vec<String> {
    let runs: Vec<&Run> = view.archive.runs.iter().filter(|run| run.instrument == instrument).collect();
    let today = resolution::today(view, traps);
    let notes = resolution::caveats(&runs)
        .into_iter()
        .chain(tails::crowded(&view.archive.records))
        .chain(blind(view.archive, instrument, detailed))
        .chain(skipped(view.archive, instrument));
    let notes = notes.flat_map(|note| hanging("! ", &note));
    today.into_iter().flat_map(|today| hanging("", &today)).chain(notes).collect()
}

// Why cells say n/a: one mark, explained once; with a filter, each reason and the traps that it is of.
fn blind(archive: &Archive, instrument: Instrument, detailed: bool) -> Vec<String> {
    let records = || archive.records.iter().filter(|r| r.instrument == instrument);
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for (why, trap) in records().filter_map(|r| Some((r.blind.as_deref()?, r.trap.as_str()))) {
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, traps)) if traps.contains(&trap) => {}
            Some((_, traps)) => traps.push(trap),
            None => reasons.push((why, vec![trap])),
        }
    }
    if detailed {
        return reasons.iter().map(|(why, traps)| format!("n/a: {why} ({})", traps.join(", "))).collect();
    }
    let shown = records().any(|r| r.role == Role::Trap && r.blind.is_some());
    shown.then(|| format!("n/a: {} can't see it; why: cargo run -- report", instrument.word())).into_iter().collect()
}

fn skipped(archive: &Archive, instrument: Instrument) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::new();
    for why in archive.records.iter().filter(|r| r.instrument == instrument).filter_map(|r| r.skipped.as_ref()) {
        let text = format!("skipped: {why}");
        if !reasons.contains(&text) {
            reasons.push(text);
        }
    }
    reasons
}
