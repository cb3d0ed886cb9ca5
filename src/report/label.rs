//! The names of columns, and the words for what is not there.

use super::view::{Column, View};
use crate::record::Run;

/// What a cell says where nothing applies: the trap has no ratio to itself.
pub(super) const NONE: &str = "–";

/// What tells a column from the others, in as few words as do.
pub(super) fn column(view: &View<'_>, column: &Column<'_>) -> String {
    let Some(run) = column.run() else { return "unknown".into() };
    let tells = |of: fn(&Run) -> Option<String>| view.columns.iter().any(|c| c.run().and_then(of) != of(run));
    let aspects: [fn(&Run) -> Option<String>; 2] = [|r| r.provenance.cpu.clone(), |r| r.provenance.allocator.clone()];
    let aspects = aspects.into_iter().filter(|&of| tells(of)).map(|of| of(run).unwrap_or_else(|| "unknown".into()));
    let words: Vec<String> = aspects.chain(run.solo.then(|| "solo".into())).collect();
    if words.is_empty() { "here".into() } else { words.join(", ") }
}
