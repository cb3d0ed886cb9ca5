//! A section a trap: what it is, then point by point what was measured, then where it turns.

use super::model::{Block, Section, fact, paragraph};
use super::notes::Notes;
use super::place::Place;
use super::sources::Sources;
use super::view::TrapView;
use super::{counts, elsewhere, ground, in_go, resolution, scatter, side_by_side, tails, times, turns};
use crate::trap::Instrument;

/// What the title of a headline point ends with.
pub(super) const HEADLINE: &str = " · headline";

pub(super) fn section(trap: &TrapView<'_>) -> Section {
    let (mut notes, sources) = (Notes::default(), Sources::of(trap));
    let mut blocks = about(trap);
    blocks.extend(resting(trap, &sources, &mut notes));
    for place in trap.places() {
        blocks.push(Block::Heading(title(trap, place)));
        let column = trap.column.into_iter();
        if !trap.is_elsewhere(place, Instrument::Ratio) {
            blocks.extend(column.flat_map(|column| times::blocks(trap, column, place, &sources, &mut notes)));
        }
        blocks.extend(tails::blocks(trap, place, &sources, &mut notes));
        blocks.extend(counts::blocks(trap, place, &sources, &mut notes));
    }
    blocks.extend(side_by_side::blocks(trap));
    blocks.extend(turns::blocks(trap));
    blocks.extend(in_go::blocks(trap));
    blocks.extend(elsewhere::blocks(trap));
    blocks.extend(trap.column.into_iter().flat_map(|column| scatter::blocks(trap, column)));
    Section { trap: Some(trap.name.into()), heading: heading(trap), blocks }
}

/// The trap's name and title.
pub(super) fn heading(trap: &TrapView<'_>) -> String {
    trap.note.map_or_else(|| trap.name.into(), |n| format!("{}: {}", trap.name, n.title))
}

/// The title of a point, which says whether it carries claims.
pub(super) fn title(trap: &TrapView<'_>, place: Place<'_>) -> String {
    format!("{}{}", place.title(), if trap.is_headline(place) { HEADLINE } else { "" })
}

fn about(trap: &TrapView<'_>) -> Vec<Block> {
    let Some(note) = trap.note else { return Vec::new() };
    let claims = if note.claims.is_empty() { "none".into() } else { note.claims.join(", ") };
    let mut facts = vec![fact("n counts", &note.counts), fact("one op", &note.op)];
    facts.extend(note.cases.iter().map(|(word, what)| fact(&format!("case {word}"), what)));
    facts.push(fact("claims", claims));
    facts.extend(note.unseen.iter().map(|(instrument, why)| fact(instrument.word(), format!("n/a: {why}"))));
    vec![paragraph(&note.habit), Block::Facts(facts)]
}

// A section may be read alone, as an excerpt: it names its machine and its runs itself, and repeats what its numbers suffer from.
fn resting<'a>(trap: &TrapView<'a>, sources: &Sources<'a>, notes: &mut Notes) -> Vec<Block> {
    let Some(first) = sources.main.first() else { return Vec::new() };
    let named = |run: &&crate::record::Run| format!("{}: {}", what(run.instrument), ground::run(run, first));
    let named: Vec<String> = sources.main.iter().map(named).collect();
    let measured = format!("Measured on {}. {}", ground::line(&first.provenance), named.join("; "));
    let runs = trap.column.map(|column| trap.runs(column)).unwrap_or_default();
    let scope = if runs.is_empty() { String::new() } else { format!(" {}", ground::SCOPE) };
    let caveats = resolution::caveats(&runs);
    let caveats: Vec<Block> = caveats.into_iter().filter_map(|c| notes.once(c)).collect();
    [vec![paragraph(format!("{measured}.{scope}"))], caveats].concat()
}

const fn what(instrument: Instrument) -> &'static str {
    match instrument {
        Instrument::Ratio => "Times",
        other => other.word(),
    }
}
