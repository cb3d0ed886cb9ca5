//! The ground that numbers stand on: machine, build and run, in words.

use std::collections::BTreeMap;

use super::label::minute;
use super::model::fact;
use super::number::many;
use crate::record::{Provenance, Run};
use crate::trap::Instrument;

/// How far a number reaches: said wherever one could be taken away.
pub(super) const SCOPE: &str =
    "An interval covers re-links and re-runs of one sitting on this machine, allocator and compiler; not others.";

/// What is known, or the word for what is not.
fn known<T: ToString>(what: Option<&T>) -> String {
    what.map_or_else(|| "unknown".into(), T::to_string)
}

/// The machine and the build, a fact each.
pub(super) fn facts(p: &Provenance) -> Vec<(String, String)> {
    vec![
        fact("machine", known(p.cpu.as_ref())),
        fact("cores", known(p.cores.as_ref())),
        fact("kernel", known(p.kernel.as_ref())),
        fact("allocator", known(p.allocator.as_ref()) + &settings(&p.allocator_env)),
        fact("rustc", known(p.rustc.as_deref().map(compiler).as_ref())),
        fact("commit", commit(p)),
    ]
}

/// The machine and the build in one line.
pub(super) fn line(p: &Provenance) -> String {
    let rustc = p.rustc.as_ref().map(|r| r.split_whitespace().take(2).collect::<Vec<_>>().join(" "));
    let cores = p.cores.map_or("cores unknown".into(), |c| many(c, "core"));
    let rustc = rustc.unwrap_or_else(|| "rustc unknown".into());
    let [cpu, allocator] = [&p.cpu, &p.allocator].map(|what| known(what.as_ref()));
    let commit = p.commit.as_deref().map_or("commit unknown".into(), |c| format!("commit {}", short(c)));
    format!("{cpu} ({cores}), allocator {allocator}, {rustc}, {commit}")
}

// Of the lines of `rustc -vV`, those that tell one compiler from another.
fn compiler(lines: &str) -> String {
    let telling = |line: &&str| ["rustc ", "host: ", "LLVM "].iter().any(|start| line.starts_with(start));
    let words =
        lines.split("; ").filter(telling).map(|line| line.trim_start_matches("rustc ").trim_start_matches("host: "));
    words.collect::<Vec<_>>().join(", ").replace("LLVM version: ", "LLVM ")
}

// A commit, as long as it has to be to find it.
fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

fn settings(env: &BTreeMap<String, String>) -> String {
    env.iter().map(|(name, value)| format!(" {name}={value}")).collect()
}

/// The commit, whether its work tree was clean, and the version.
pub(super) fn commit(p: &Provenance) -> String {
    let dirty = match p.dirty {
        Some(true) => ", with uncommitted changes",
        Some(false) => "",
        None => ", clean or not: unknown",
    };
    format!("{}{dirty} (trapline {})", known(p.commit.as_deref().map(short).as_ref()), p.trapline)
}

/// A run in one line, and what is other than on the ground of the first one.
pub(super) fn run(run: &Run, first: &Run) -> String {
    let grounds: [fn(&Provenance) -> Option<&String>; 3] =
        [|p| p.cpu.as_ref(), |p| p.allocator.as_ref(), |p| p.commit.as_ref()];
    let other = grounds.iter().map(|of| (of(&run.provenance), of(&first.provenance))).filter(|(a, b)| a != b);
    let other: Vec<String> = other.map(|(here, _)| known(here)).collect();
    let other: String = other.iter().map(|word| format!(", {}", short_if_commit(word, run))).collect();
    format!("run {}, {}{}{other}", run.run, minute(&run.started), ways(run))
}

fn short_if_commit(word: &str, run: &Run) -> String {
    if run.provenance.commit.as_deref() == Some(word) { format!("commit {}", short(word)) } else { word.into() }
}

// How it was run, where that is not the usual way.
fn ways(run: &Run) -> String {
    let flags = [
        (run.quick, ", quick"),
        (run.solo, ", solo"),
        (run.unpinned && run.instrument == Instrument::Ratio, ", unpinned"),
        (run.partial.is_some(), ", partial"),
        (run.provenance.dirty == Some(true), ", with uncommitted changes"),
    ];
    let flags: String = flags.iter().filter(|(on, _)| *on).map(|(_, word)| *word).collect();
    format!("{}{flags}", sweeps(run).map_or(String::new(), |sweeps| format!(", {sweeps}")))
}

/// `10 layouts × 3 processes`, and how many of them have finished if not all.
pub(super) fn sweeps(run: &Run) -> Option<String> {
    let sweeps = run.sweeps?;
    let all = format!("{} × {}", many(sweeps.layouts, "layout"), many(sweeps.processes, "process"));
    let left = sweeps.finished < sweeps.planned();
    Some(if left { format!("{} of {all}", sweeps.finished) } else { all })
}
