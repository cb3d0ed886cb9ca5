//! What the repository's citation file (CITATION.cff, version 1.2) says of the results: where they are from, and three
//! of them.

use std::collections::HashSet;

use super::cite::{self, Cited};
use super::column::Column;
use super::ground;
use super::label::minute;
use super::number::TIE;
use super::view::{TrapView, View};
use super::wrap::wrap;
use crate::record::Archive;

// Few enough for an abstract.
const SENTENCES: usize = 3;
const WIDTH: usize = 100;

/// The key `abstract` of YAML, as a folded block, in which nothing need be quoted; None where nothing can be cited.
pub(super) fn results(archive: &Archive) -> Option<String> {
    let view = View::of(archive);
    let run = view.columns.first()?.run()?;
    let sentences = sentences(&view.traps(), &run.run);
    let ground = format!("Measured on {}, on {}.", minute(&run.started), ground::line(&run.provenance));
    let said = format!("{ground} {} {}", sentences.join(" "), ground::SCOPE).replace(TIE, " ");
    let lines: String = wrap(&said, WIDTH).iter().map(|line| format!("  {line}\n")).collect();
    (!sentences.is_empty()).then(|| format!("abstract: >-\n{lines}"))
}

// Not those that say most: of the first trap of each section the first headline of the main column.
fn sentences(traps: &[TrapView<'_>], main: &str) -> Vec<String> {
    let mut sections = HashSet::new();
    let is_main = |trap: &&TrapView<'_>| trap.column.and_then(Column::run).is_some_and(|run| run.run == main);
    let cited = |trap: &TrapView<'_>| {
        let first = Cited { trap: trap.name, point: None, variant: None, allow_dirty: false };
        Some((trap.note?.section.clone(), cite::of_trap(trap, first).ok()?.sentence))
    };
    let cited = traps.iter().filter(is_main).filter_map(cited).filter(|(section, _)| sections.insert(section.clone()));
    cited.take(SENTENCES).map(|(_, sentence)| sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{made_up_archives, splice};

    #[test]
    fn a_citation_file_names_the_machine_and_what_it_gave_as_cite_does() {
        let archive = made_up_archives::archive();
        let file = "type: software\n# trapline:citation\nabstract: old\n# /trapline:citation\nversion: 1\n";
        let once = splice(file, &archive).expect("something can be cited");
        assert_eq!(splice(&once, &archive).expect("again"), once, "splicing again changes nothing");
        insta::assert_snapshot!("citation_cff", once);
    }

    #[test]
    fn nothing_is_said_of_what_cannot_be_cited() {
        let mut archive = made_up_archives::archive();
        archive.runs.iter_mut().for_each(|run| run.provenance.dirty = Some(true));
        assert_eq!(results(&archive), None);
        assert_eq!(results(&Archive::default()), None);
    }
}
