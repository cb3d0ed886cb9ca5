//! The first page: what was measured on what, and one line a headline row.

use std::collections::BTreeMap;

use super::label;
use super::model::{Align, Block, Section, Table, fact, note, paragraph};
use super::number::{TIE, figures, interval, many};
use super::verdict::Suffix;
use super::view::{Column, Place, Row, TrapView, View, span};
use crate::lab::stats;
use crate::record::{Provenance, Run};
use crate::trap::{Instrument, Role};

/// How far a number reaches: said wherever one could be taken away.
pub(super) const SCOPE: &str =
    "An interval covers re-links and re-runs on this machine, allocator and compiler; not others.";

pub(super) fn section(view: &View<'_>, traps: &[TrapView<'_>]) -> Section {
    let mut blocks = vec![Block::Facts(facts(view))];
    blocks.extend(lost(view));
    if traps.is_empty() {
        blocks.push(paragraph("Nothing measured yet: run `cargo bench`."));
    } else {
        blocks.push(paragraph(SCOPE));
        blocks.extend(
            view.columns.is_empty().then(|| paragraph("No ratios of time yet: run `cargo bench --bench ratio`.")),
        );
        blocks.extend(summary(traps));
    }
    blocks.extend(criterion(view));
    Section { trap: None, heading: String::new(), blocks }
}

fn facts(view: &View<'_>) -> Vec<(String, String)> {
    let Some(run) = view.columns.first().and_then(Column::run).or(view.archive.runs.last()) else {
        return vec![fact("runs", "none")];
    };
    let mut facts = machine(&run.provenance);
    facts.extend(view.archive.runs.iter().map(|other| fact(other.instrument.word(), about(other, run))));
    facts
}

fn machine(p: &Provenance) -> Vec<(String, String)> {
    vec![
        fact("machine", known(p.cpu.as_ref())),
        fact("cores", known(p.cores.as_ref())),
        fact("kernel", known(p.kernel.as_ref())),
        fact("allocator", known(p.allocator.as_ref()) + &settings(&p.allocator_env)),
        fact("rustc", known(p.rustc.as_deref().map(compiler).as_ref())),
        fact("commit", commit(p)),
    ]
}

// Of the lines of `rustc -vV`, those that tell one compiler from another.
fn compiler(lines: &str) -> String {
    let telling = |line: &&str| ["rustc ", "host: ", "LLVM "].iter().any(|start| line.starts_with(start));
    let words =
        lines.split("; ").filter(telling).map(|line| line.trim_start_matches("rustc ").trim_start_matches("host: "));
    words.collect::<Vec<_>>().join(", ").replace("LLVM version: ", "LLVM ")
}

/// A commit, as long as it has to be to find it.
pub(super) fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

/// What is known, or the word for what is not.
pub(super) fn known<T: ToString>(what: Option<&T>) -> String {
    what.map_or_else(|| "unknown".into(), T::to_string)
}

fn settings(env: &BTreeMap<String, String>) -> String {
    env.iter().map(|(name, value)| format!(" {name}={value}")).collect()
}

fn commit(p: &Provenance) -> String {
    let dirty = match p.dirty {
        Some(true) => ", with uncommitted changes",
        Some(false) => "",
        None => ", clean or not: unknown",
    };
    format!("{}{dirty} (trapline {})", known(p.commit.as_deref().map(short).as_ref()), p.trapline)
}

// A run on other ground than the one above says what is other.
fn about(run: &Run, first: &Run) -> String {
    let forks = run.sweeps.map(|f| match f {
        f if f.finished == f.planned() => format!(", {}", many(f.finished, "fork")),
        f => format!(", {} of {}", f.finished, many(f.planned(), "fork")),
    });
    let flags = [(run.quick, ", quick"), (run.solo, ", solo"), (run.partial.is_some(), ", partial")];
    let flags: String = flags.iter().filter(|(on, _)| *on).map(|(_, word)| *word).collect();
    let grounds: [fn(&Provenance) -> Option<&String>; 2] = [|p| p.cpu.as_ref(), |p| p.allocator.as_ref()];
    let other = grounds.iter().filter(|of| of(&run.provenance) != of(&first.provenance));
    let other: String = other.map(|of| format!(", {}", known(of(&run.provenance)))).collect();
    format!("run {}, started {}{}{flags}{other}", run.run, run.started, forks.unwrap_or_default())
}

fn lost(view: &View<'_>) -> Vec<Block> {
    let damage = view.archive.damage.iter().map(|damage| note(format!("not read: {damage}")));
    let orphans = Some(view.orphans()).filter(|&orphans| orphans > 0);
    let orphans = orphans.map(|o| note(format!("{} without a run's line left out: no provenance", many(o, "record"))));
    damage.chain(orphans).collect()
}

fn criterion(view: &View<'_>) -> Option<Block> {
    view.archive.runs.iter().find(|run| run.instrument == Instrument::Time)?;
    let text = "Throughput over time and against baselines is in criterion's own report".into();
    Some(Block::Link { text, target: "../criterion/report/index.html".into() })
}

fn summary(traps: &[TrapView<'_>]) -> Option<Block> {
    let headers = ["verdict", "ratio [95 %]", "first fix", "trap", "point"];
    let mut table = Table::of(&headers.map(|header| (header, Align::Left)));
    for trap in traps {
        for place in trap.places().into_iter().filter(|p| p.headline) {
            table.rows.extend(line(trap, place));
        }
    }
    (!table.rows.is_empty()).then_some(Block::Table(table))
}

fn line(trap: &TrapView<'_>, place: Place<'_>) -> Option<Vec<String>> {
    let rows = trap.rows(trap.column?, place);
    let fix = rows.iter().find(|row| row.role == Role::Fix)?;
    let [verdict, ratio] = said(fix);
    Some(vec![verdict, ratio, fix.variant.into(), trap.name.into(), place.title()])
}

/// The word and the ratio of a row, or why there is none in a word.
pub(super) fn said(row: &Row<'_>) -> [String; 2] {
    let estimate = row.ratio.and_then(|r| r.value);
    match (row.ratio.and_then(span), estimate, &row.missing) {
        (Some(_), ..) if row.verdict().is_some_and(|v| v.suffix == Some(Suffix::Split)) => {
            ["split".into(), ranges(row)]
        }
        (Some(span), ..) => [row.verdict().map_or(label::NONE.into(), |v| v.to_string()), interval(span)],
        (None, Some(value), _) => [label::NONE.into(), format!("{}{TIE}(no interval)", figures(value))],
        (None, None, Some(missing)) => [label::NONE.into(), missing.word.into()],
        (None, None, None) => [label::NONE.into(), if row.role == Role::Trap { "reference" } else { "not run" }.into()],
    }
}

// One interval over modes that disagree would claim what no fork has shown.
fn ranges(row: &Row<'_>) -> String {
    let modes = row.ratio.map(|r| stats::modes(&r.samples)).unwrap_or_default();
    let range = |low, high| if low == high { figures(low) } else { format!("{}–{}", figures(low), figures(high)) };
    match modes[..] {
        [a, b] => format!("{} or{TIE}{}", range(a.low, a.high), range(b.low, b.high)),
        [a, .., b] => range(a.low, b.high),
        _ => label::NONE.into(),
    }
}
