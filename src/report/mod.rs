//! What is said of the records: one [`Document`], as text for a terminal or as Markdown for a page.
//!
//! A report reads records only. It computes nothing that a record does not hold, except words ([`verdict`]) and warnings
//! ([`caveat`]), each by a rule that is written once.

pub mod caveat;
mod counts;
mod elsewhere;
mod excerpt;
mod front;
mod label;
#[cfg(test)]
mod made_up;
mod markdown;
pub mod model;
mod number;
mod resolution;
mod section;
mod strip;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod times;
mod turns;
pub mod verdict;
mod view;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

pub use excerpt::{SpliceError, excerpt, splice};
pub use markdown::markdown;
pub use model::Document;
pub use text::{WIDTH, text};

use crate::record::{Archive, StoreError};
use model::{Section, fact};
use view::View;

/// What went wrong with a report.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The records could not be read.
    #[error(transparent)]
    Records(#[from] StoreError),
    /// The page could not be written.
    #[error("cannot write the report to {path}: {source}; the records are as they were")]
    Io {
        /// Where to.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The report on these records.
#[must_use]
pub fn document(archive: &Archive) -> Document {
    let view = View::of(archive);
    let traps = view.traps();
    let mut sections = vec![front::section(&view, &traps)];
    sections.extend(resolution::section(&view, &traps));
    sections.extend((!view.columns.is_empty()).then(how_to_read));
    sections.extend(traps.iter().map(section::section));
    Document { title: "Trapline: traps, fixes and floors, measured".into(), sections }
}

/// Reads the records under this folder (`records/*.jsonl`), writes the page (`report.md`) beside them in one step, and
/// returns what it has read.
///
/// # Errors
/// If the records can't be read or the page can't be written.
pub fn write(folder: &Path) -> Result<Archive, ReportError> {
    let archive = Archive::read_folder(&folder.join("records"))?;
    let path = folder.join("report.md");
    replace(&path, &markdown(&document(&archive))).map_err(|source| ReportError::Io { path, source })?;
    Ok(archive)
}

fn replace(path: &Path, page: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(page.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn how_to_read() -> Section {
    let facts = vec![
        fact(
            "ratio",
            "time of the trap ÷ time of the variant: above 1 the variant is faster. Where threads share the work, of total times; else the geometric mean of each fork's median",
        ),
        fact("[95 %]", "the interval over forks: fresh processes of fresh links"),
        fact("wins, loses", "the whole interval lies more than 5 % from 1. Only headline points carry claims"),
        fact("ties", "the whole interval lies within 5 % of 1: a finding, too"),
        fact("faster, slower", "the interval leaves out 1, but not 5 %: the size is open"),
        fact("unclear", "the interval holds 1 and more than a tie"),
        fact("bimodal", "forks fall into modes that do not agree on a word"),
        fact("saved", "time of the trap less time of the variant, an op"),
        fact(
            "strip",
            "where each fork's ratio fell, between the numbers above it, on a log scale: · one fork, : two, + more, | at 1.0",
        ),
        fact("one run", "exact counts of one run, all n ops of it"),
        fact("–", "does not apply; n/a, skipped and failed say why below"),
    ];
    Section { trap: None, heading: "How to read it".into(), blocks: vec![model::Block::Facts(facts)] }
}
