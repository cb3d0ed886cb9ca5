//! What the machine can resolve: the lab's checks of itself, before any trap.

use super::caveat::Caveat;
use super::label;
use super::model::{Block, Section, fact, note};
use super::number::{TIE, figures, half_width, many, percent};
use super::view::{Column, TrapView, View, span};
use crate::record::{CoreProbe, Run};
use crate::trap::Role;
use crate::workload::STEPS_PER_MICROSECOND;

pub(super) fn section(view: &View<'_>, traps: &[TrapView<'_>]) -> Option<Section> {
    let mut blocks = Vec::new();
    for column in &view.columns {
        if view.columns.len() > 1 {
            blocks.push(Block::Heading(label::column(view, column)));
        }
        blocks.push(Block::Facts(facts(column, traps)));
        blocks.extend(caveats(column).into_iter().map(note));
    }
    let heading = "What this machine can resolve".into();
    (!blocks.is_empty()).then_some(Section { trap: None, heading, blocks })
}

fn facts(column: &Column<'_>, traps: &[TrapView<'_>]) -> Vec<(String, String)> {
    let run = column.run();
    vec![
        fact("A/A", same(&controls(column, traps, "same"))),
        fact("planted 5 %", planted(&controls(column, traps, "planted_5_percent"))),
        fact("cores", run.and_then(|r| r.probes.first()).map_or("not probed".into(), cores)),
        fact("layouts", run.map_or("unknown".into(), layouts)),
        fact("chance", chance(headline_rows(column, traps))),
    ]
}

/// The caveats of a column's runs, each once.
pub(super) fn caveats(column: &Column<'_>) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    for run in &column.runs {
        let told = |c: &Caveat| if column.runs.len() > 1 { format!("run {}: {c}", run.run) } else { c.to_string() };
        said.extend(Caveat::of_run(run).iter().map(told));
    }
    said
}

struct Control {
    span: [f64; 3],
    at: String,
}

fn controls(column: &Column<'_>, traps: &[TrapView<'_>], variant: &str) -> Vec<Control> {
    let mut found = Vec::new();
    for trap in traps {
        for place in trap.places() {
            let control = trap.ratio(column, place, variant).and_then(span);
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

fn planted(rows: &[Control]) -> String {
    if rows.is_empty() {
        return "not measured: no headline point here has one thread and runs short enough to plant it".into();
    }
    let seen = rows.iter().filter(|c| c.span[0] > 1.0).count();
    let estimates = || rows.iter().map(|c| c.span[1]);
    let low = estimates().fold(f64::INFINITY, f64::min);
    let high = estimates().fold(0.0, f64::max);
    format!("{seen} of {} seen; estimates from {low:.3} to {high:.3}, where 1.05 was planted", rows.len())
}

fn cores(probe: &CoreProbe) -> String {
    let own_work = probe.step_ns * f64::from(STEPS_PER_MICROSECOND);
    format!(
        "two threads at once take {}x the time of one; a line goes across and back in {}{TIE}ns; \
         own work of 1{TIE}µs ({STEPS_PER_MICROSECOND}{TIE}steps) takes {}{TIE}ns",
        figures(probe.slowdown),
        figures(probe.line_bounce_ns),
        figures(own_work)
    )
}

fn layouts(run: &Run) -> String {
    let forks = match run.sweeps {
        Some(f) if f.finished == f.planned() => many(f.finished, "fork"),
        Some(f) => format!("{} of {}", f.finished, many(f.planned(), "fork")),
        None => "unknown forks".into(),
    };
    match &run.layouts {
        Some(l) => format!("{forks}, {} from seed {}", many(l.distinct, "code layout"), l.seed),
        None => format!("{forks}, code layouts unknown"),
    }
}

fn headline_rows(column: &Column<'_>, traps: &[TrapView<'_>]) -> usize {
    let mut count = 0;
    for trap in traps {
        for place in trap.places().into_iter().filter(|p| p.headline) {
            let rows = trap.rows(column, place);
            count += rows.iter().filter(|row| row.role != Role::Trap && row.ratio.and_then(span).is_some()).count();
        }
    }
    count
}

fn chance(rows: usize) -> String {
    let (wrong, rows) = (0.05 * rows as f64, many(rows, "headline row"));
    let decimals = if wrong < 1.0 { 2 } else { 1 };
    format!("of {rows} with a 95{TIE}% interval {wrong:.decimals$} are expected to be wrong by chance")
}
