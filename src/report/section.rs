//! A section a trap: what it is, then point by point what was measured, then where it turns.

use std::collections::HashSet;

use super::model::{Block, Section, fact, note, paragraph};
use super::number::many;
use super::view::{Column, Place, TrapView};
use super::{counts, elsewhere, front, resolution, times, turns};
use crate::record::Provenance;

/// What the title of a headline point ends with.
pub(super) const HEADLINE: &str = " · headline";

/// Notes of one section, each said once.
#[derive(Debug, Default)]
pub(super) struct Notes {
    said: HashSet<String>,
}

impl Notes {
    /// The note, unless the section has it already.
    pub(super) fn once(&mut self, text: String) -> Option<Block> {
        self.said.insert(text.clone()).then(|| note(text))
    }
}

pub(super) fn section(trap: &TrapView<'_>) -> Section {
    let mut notes = Notes::default();
    let mut blocks = about(trap);
    blocks.extend(trap.column.into_iter().flat_map(|column| resting(trap, column, &mut notes)));
    for place in trap.places() {
        blocks.push(Block::Heading(title(place)));
        blocks.extend(trap.column.into_iter().flat_map(|column| times::blocks(trap, column, place, &mut notes)));
        blocks.extend(counts::blocks(trap, place, &mut notes));
    }
    blocks.extend(turns::blocks(trap));
    blocks.extend(elsewhere::blocks(trap));
    let heading = trap.note.map_or_else(|| trap.name.into(), |n| format!("{}: {}", trap.name, n.title));
    Section { trap: Some(trap.name.into()), heading, blocks }
}

fn title(place: Place<'_>) -> String {
    format!("{}{}", place.title(), if place.headline { HEADLINE } else { "" })
}

fn about(trap: &TrapView<'_>) -> Vec<Block> {
    let Some(note) = trap.note else { return Vec::new() };
    let claims = if note.claims.is_empty() { "none".into() } else { note.claims.join(", ") };
    let facts = vec![fact("n counts", &note.counts), fact("one op", &note.op), fact("claims", claims)];
    vec![paragraph(&note.habit), Block::Facts(facts)]
}

// A section may be read alone, as an excerpt: it names its machine itself, and repeats what its numbers suffer from.
fn resting(trap: &TrapView<'_>, column: &Column<'_>, notes: &mut Notes) -> Vec<Block> {
    let runs = trap.runs(column);
    let Some(run) = runs.last() else { return Vec::new() };
    let forks = run.sweeps.map_or("an unknown number of forks".into(), |f| many(f.finished, "fork"));
    let from = format!("{forks}, run {}, on {}. {}", run.run, machine(&run.provenance), front::SCOPE);
    let caveats = resolution::caveats(&Column { runs });
    let caveats: Vec<Block> = caveats.into_iter().filter_map(|c| notes.once(c)).collect();
    [vec![paragraph(from)], caveats].concat()
}

fn machine(p: &Provenance) -> String {
    let known = front::known::<String>;
    let rustc = p.rustc.as_ref().map(|r| r.split_whitespace().take(2).collect::<Vec<_>>().join(" "));
    let cores = p.cores.map_or("cores unknown".into(), |c| many(c, "core"));
    let rustc = rustc.unwrap_or_else(|| "rustc unknown".into());
    let [cpu, allocator] = [&p.cpu, &p.allocator].map(|what| known(what.as_ref()));
    let commit = p.commit.as_deref().map_or("commit unknown".into(), |c| format!("commit {}", front::short(c)));
    format!("{cpu} ({cores}), allocator {allocator}, {rustc}, {commit}")
}
