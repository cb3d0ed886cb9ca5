//! What the machine can resolve: the lab's checks of itself, before any trap.

use super::caveat::Caveat;
use super::cell::span;
use super::column::{Column, Kind, seen};
use super::ground;
use super::label;
use super::model::{Block, Section, fact, note};
use super::number::{TIE, figures, half_width, many, percent};
use super::view::{TrapView, View};
use crate::lab::stats::median;
use crate::record::{CoreProbe, Record, Run};
use crate::trap::Role;
use crate::workload::STEPS_PER_MICROSECOND;

pub(super) fn section(view: &View<'_>, traps: &[TrapView<'_>]) -> Option<Section> {
    let mut blocks = Vec::new();
    for column in &view.columns {
        if view.columns.len() > 1 {
            blocks.push(Block::Heading(label::column(view, column)));
        }
        blocks.push(Block::Facts(facts(column, traps)));
        blocks.extend(caveats(&column.runs).into_iter().map(note));
    }
    let heading = "What this machine can resolve".into();
    (!blocks.is_empty()).then_some(Section { trap: None, heading, blocks })
}

fn facts(column: &Column<'_>, traps: &[TrapView<'_>]) -> Vec<(String, String)> {
    let run = column.run();
    vec![
        fact("A/A", same(&controls(column, traps))),
        fact("planted 5 %", format!("{}; {}", planted(column, Kind::Single), planted(column, Kind::Threaded))),
        fact("cores", cores(&column.runs)),
        fact("stolen", stolen(&column.runs)),
        fact("layouts", run.map_or("unknown".into(), layouts)),
        fact("chance", chance(headline_rows(column, traps))),
    ]
}

/// One line on what a column's machine can resolve today; None where nothing checks it.
pub(super) fn today(view: &View<'_>, traps: &[TrapView<'_>]) -> Option<String> {
    let column = view.columns.first()?;
    let rows = controls(column, traps);
    let widths: Vec<f64> = rows.iter().map(|c| half_width(c.span[0], c.span[2])).collect();
    let hold = rows.iter().filter(|c| (c.span[0]..=c.span[2]).contains(&1.0)).count();
    let same =
        (!rows.is_empty()).then(|| format!("A/A ±{}, holds 1 in {hold} of {}", percent(median(&widths)), rows.len()));
    let [single, threaded] = [Kind::Single, Kind::Threaded].map(|kind| told(column, kind));
    let planted: Vec<String> = single.into_iter().chain(threaded).collect();
    let planted = (!planted.is_empty()).then(|| format!("planted 5{TIE}%: {}", planted.join(", ")));
    let parts: Vec<String> = same.into_iter().chain(planted).collect();
    (!parts.is_empty()).then(|| format!("Today: {}.", parts.join("; ")))
}

fn told(column: &Column<'_>, kind: Kind) -> Option<String> {
    let rows: Vec<&Record> = column.planted(kind, None).collect();
    let missed = rows.iter().filter(|r| !seen(r)).count();
    let estimates: Vec<String> = rows.iter().filter_map(|r| r.value).map(|v| percent(v - 1.0)).collect();
    match (rows.len(), missed) {
        (0, _) => None,
        (_, 0) => Some(format!("{} {}", kind.word(), estimates.join(", "))),
        _ => Some(format!("can't resolve 5{TIE}% today with {} ({})", kind.word(), estimates.join(", "))),
    }
}

/// The caveats of runs, each once.
pub(super) fn caveats(runs: &[&Run]) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    for run in runs {
        let told = |c: &Caveat| if runs.len() > 1 { format!("run {}: {c}", run.run) } else { c.to_string() };
        said.extend(Caveat::of_run(run).iter().map(told));
    }
    said
}

struct Control {
    span: [f64; 3],
    at: String,
}

fn controls(column: &Column<'_>, traps: &[TrapView<'_>]) -> Vec<Control> {
    let mut found = Vec::new();
    for trap in traps {
        for place in trap.places() {
            let control = trap.same(column, place).and_then(span);
            found.extend(control.map(|span| Control { span, at: format!("{}, {}", trap.name, place.title()) }));
        }
    }
    found
}

fn same(rows: &[Control]) -> String {
    let width = |c: &Control| half_width(c.span[0], c.span[2]);
    let Some(widest) = rows.iter().max_by(|a, b| width(a).total_cmp(&width(b))) else {
        return "not measured".into();
    };
    let hold = rows.iter().filter(|c| (c.span[0]..=c.span[2]).contains(&1.0)).count();
    let (all, width) = (many(rows.len(), "interval"), percent(width(widest)));
    format!("1.0 lies in {hold} of {all} of the trap against itself; the widest is ±{width}, at {}", widest.at)
}

fn planted(column: &Column<'_>, kind: Kind) -> String {
    let rows: Vec<&Record> = column.planted(kind, None).collect();
    if rows.is_empty() {
        return format!("{}: not measured", kind.word());
    }
    let told = |r: &&Record| match (seen(r), r.value) {
        (true, Some(value)) => format!("seen as {value:.3}"),
        (false, Some(value)) => format!("missed, as {value:.3}"),
        (_, None) => "failed".into(),
    };
    format!("{}: {}", kind.word(), rows.iter().map(told).collect::<Vec<_>>().join(", "))
}

fn cores(runs: &[&Run]) -> String {
    let probes: Vec<&CoreProbe> = runs.iter().flat_map(|run| &run.probes).collect();
    if probes.is_empty() {
        return "not probed".into();
    }
    let middle = |of: fn(&CoreProbe) -> Option<f64>| {
        let values: Vec<f64> = probes.iter().filter_map(|p| of(p)).collect();
        (!values.is_empty()).then(|| figures(median(&values)))
    };
    let parts = [
        middle(|p| Some(p.slowdown)).map(|x| format!("two threads at once take {x}x the time of one")),
        middle(|p| p.busy_slowdown).map(|x| format!("{x}x with work that fills a core")),
        middle(|p| Some(p.line_bounce_ns)).map(|ns| format!("a line goes across and back in {ns}{TIE}ns")),
        middle(|p| p.wake_ns.map(|ns| ns / 1e3)).map(|us| format!("a parked thread wakes in {us}{TIE}µs")),
        middle(|p| p.fault_ns).map(|ns| format!("the first touch of a page takes {ns}{TIE}ns")),
        middle(|p| Some(p.step_ns * f64::from(STEPS_PER_MICROSECOND)))
            .map(|ns| format!("own work of 1{TIE}µs ({STEPS_PER_MICROSECOND}{TIE}steps) takes {ns}{TIE}ns")),
    ];
    let said = parts.into_iter().flatten().collect::<Vec<_>>().join("; ");
    format!("{said} (median of {})", many(probes.len(), "probe"))
}

fn stolen(runs: &[&Run]) -> String {
    let most =
        runs.iter().filter_map(|run| run.stolen).fold(None, |most: Option<f64>, s| Some(most.map_or(s, |m| m.max(s))));
    most.map_or("unknown".into(), |share| format!("the host gave {} of the CPU time to others", percent(share)))
}

fn layouts(run: &Run) -> String {
    let processes = ground::sweeps(run).unwrap_or_else(|| "unknown processes".into());
    match &run.layouts {
        Some(l) => format!("{processes}, {} from seed {}", many(l.distinct, "code layout"), l.seed),
        None => format!("{processes}, code layouts unknown"),
    }
}

fn headline_rows<'a>(column: &Column<'a>, traps: &[TrapView<'a>]) -> usize {
    let mut count = 0;
    for trap in traps {
        for place in trap.headlines() {
            let rows = trap.rows(column, place);
            count += rows.iter().filter(|row| row.role != Role::Trap && row.span().is_some()).count();
        }
    }
    count
}

fn chance(rows: usize) -> String {
    let (wrong, rows) = (0.05 * rows as f64, many(rows, "headline row"));
    let decimals = if wrong < 1.0 { 2 } else { 1 };
    format!("of {rows} with a 95{TIE}% interval {wrong:.decimals$} are expected to be wrong by chance")
}
