//! Sections of a report inside other texts: spliced between markers, never typed.

use thiserror::Error;

use super::model::{Block, Section, Table};
use super::section::HEADLINE;
use super::view::{TrapView, View};
use super::{cff, front, ledger, markdown, section, visibility};
use crate::record::Archive;

/// The name of the table of all traps.
const SUMMARY: &str = "summary";
/// The name of the matrix of traps and instruments.
const VISIBILITY: &str = "visibility";
/// The name of the table of claims.
const LEDGER: &str = "ledger";
/// The name of what a citation file says of the results.
const CITATION: &str = "citation";

/// What is wrong with the markers of a text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SpliceError {
    /// An excerpt has no end.
    #[error(
        "line {line}: the marker trapline:{trap} is never closed; add a line like it with /trapline:{trap} after it"
    )]
    Unclosed {
        /// Of the opening marker, from 1.
        line: usize,
        /// The trap.
        trap: String,
    },
    /// An end has no excerpt.
    #[error(
        "line {line}: the marker /trapline:{trap} closes nothing; add a line like it with trapline:{trap} before it"
    )]
    Unopened {
        /// Of the closing marker, from 1.
        line: usize,
        /// The trap.
        trap: String,
    },
    /// There are no records of that trap, or none that can be cited.
    #[error(
        "line {line}: there is nothing in these records for trapline:{trap}; correct the name, or measure it: cargo bench"
    )]
    Unknown {
        /// Of the opening marker, from 1.
        line: usize,
        /// The name.
        trap: String,
    },
}

/// The section of one trap, as Markdown, or of `NAME/headline` what it says of its headline points, or of `summary` the table
/// of all traps, of `visibility` which instrument sees which, or of `ledger` what became of the claims, or of
/// `citation` the abstract of a CITATION.cff; None where there are no records of the trap, or of any.
#[must_use]
pub fn excerpt(archive: &Archive, name: &str) -> Option<String> {
    let view = View::of(archive);
    Excerpts { view: &view, traps: &view.traps() }.of(name)
}

// Records that were looked through once, for all that is taken from them.
struct Excerpts<'v> {
    view: &'v View<'v>,
    traps: &'v [TrapView<'v>],
}

impl Excerpts<'_> {
    fn of(&self, name: &str) -> Option<String> {
        match name {
            CITATION => cff::results(self.view.archive),
            SUMMARY => table(front::table(self.view, self.traps)),
            LEDGER => table(ledger::table(self.view, self.traps)),
            VISIBILITY => table(visibility::matrix(self.traps)),
            trap => self.of_trap(trap),
        }
    }

    fn of_trap(&self, name: &str) -> Option<String> {
        let (trap, whole) = name.strip_suffix("/headline").map_or((name, true), |trap| (trap, false));
        let mut section = section::section(self.traps.iter().find(|known| known.name == trap)?);
        if !whole {
            section.blocks = headlines(section.blocks);
        }
        Some(markdown::section_text(&section))
    }
}

fn table(table: Table) -> Option<String> {
    let some = !table.rows.is_empty();
    let section = || Section { trap: None, heading: String::new(), blocks: vec![Block::Table(table)] };
    some.then(|| markdown::section_text(&section()))
}

// What comes before the first heading, and what stands under a headline point's.
fn headlines(blocks: Vec<Block>) -> Vec<Block> {
    let mut kept = true;
    let told = |block: &Block| {
        if let Block::Heading(title) = block {
            kept = title.ends_with(HEADLINE);
        }
        kept
    };
    blocks.into_iter().filter(told).collect()
}

/// The text with what stands between `<!-- trapline:NAME -->` and `<!-- /trapline:NAME -->`, or in YAML `# trapline:NAME`
/// and `# /trapline:NAME`, each on a line of its own, replaced by the [`excerpt`] of that name. All else stays as it is, the
/// markers too.
///
/// # Errors
/// If a marker is not closed or not opened, or names a trap without records.
pub fn splice(text: &str, archive: &Archive) -> Result<String, SpliceError> {
    let view = View::of(archive);
    let excerpts = Excerpts { view: &view, traps: &view.traps() };
    let mut spliced = String::with_capacity(text.len());
    let mut open: Option<(usize, &str)> = None;
    for (at, line) in text.split_inclusive('\n').enumerate() {
        match (marker(line), open) {
            (Some(Marker::Close(trap)), Some((_, opened))) if trap == opened => {
                open = None;
                spliced.push_str(line);
            }
            (Some(Marker::Close(trap)), None) => {
                return Err(SpliceError::Unopened { line: at + 1, trap: trap.into() });
            }
            (Some(Marker::Open(trap)), None) => {
                let unknown = || SpliceError::Unknown { line: at + 1, trap: trap.into() };
                let excerpt = excerpts.of(trap).ok_or_else(unknown)?;
                open = Some((at + 1, trap));
                spliced.extend([line.trim_end(), "\n\n", excerpt.as_str(), "\n"]);
            }
            (Some(_), Some((line, trap))) => return Err(SpliceError::Unclosed { line, trap: trap.into() }),
            (None, Some(_)) => {}
            (None, None) => spliced.push_str(line),
        }
    }
    match open {
        Some((line, trap)) => Err(SpliceError::Unclosed { line, trap: trap.into() }),
        None => Ok(spliced),
    }
}

/// Whether a text has a marker, so that something would be put there.
#[must_use]
pub fn has_markers(text: &str) -> bool {
    text.lines().any(|line| marker(line).is_some())
}

enum Marker<'a> {
    Open(&'a str),
    Close(&'a str),
}

fn marker(line: &str) -> Option<Marker<'_>> {
    let of_markdown = line.trim().strip_prefix("<!--").and_then(|rest| rest.strip_suffix("-->"));
    let inside = of_markdown.or_else(|| line.trim().strip_prefix("# "))?.trim();
    let open = inside.strip_prefix("trapline:").map(Marker::Open);
    open.or_else(|| inside.strip_prefix("/trapline:").map(Marker::Close))
}
