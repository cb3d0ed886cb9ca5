//! The names of columns.

use super::column::Column;
use super::view::View;
use crate::record::Run;

/// What tells a column from the others, in as few words as do; two sittings of one kind are told by their start.
pub(super) fn column(view: &View<'_>, column: &Column<'_>) -> String {
    let own = words(view, column);
    let alike = view.columns.iter().filter(|c| words(view, c) == own).count();
    match column.run().filter(|_| alike > 1) {
        Some(run) => [own, minute(&run.started)].into_iter().filter(|w| !w.is_empty()).collect::<Vec<_>>().join(", "),
        None if own.is_empty() => "here".into(),
        None => own,
    }
}

fn words(view: &View<'_>, column: &Column<'_>) -> String {
    let Some(run) = column.run() else { return "unknown".into() };
    let tells = |of: fn(&Run) -> Option<String>| view.columns.iter().any(|c| c.run().and_then(of) != of(run));
    let aspects: [fn(&Run) -> Option<String>; 2] = [|r| r.provenance.cpu.clone(), |r| r.provenance.allocator.clone()];
    let aspects = aspects.into_iter().filter(|&of| tells(of)).map(|of| of(run).unwrap_or_else(|| "unknown".into()));
    let ways = [(run.solo, "solo"), (run.unpinned, "unpinned")];
    let ways = ways.into_iter().filter(|(on, _)| *on).map(|(_, word)| word.to_owned());
    aspects.chain(ways).collect::<Vec<_>>().join(", ")
}

/// `2026-05-04 10:00`, of a time in RFC 3339; the text itself where it is none.
pub(super) fn minute(started: &str) -> String {
    started.get(..16).map_or_else(|| started.into(), |minute| minute.replace('T', " "))
}
