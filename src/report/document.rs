//! The whole report.

use super::model::Document;
use super::view::View;
use super::{front, guide, ledger, resolution, section, visibility};
use crate::record::Archive;

/// The report on these records.
#[must_use]
pub fn document(archive: &Archive) -> Document {
    let view = View::of(archive);
    let traps = view.traps();
    let mut sections = vec![front::section(&view, &traps)];
    sections.extend(resolution::section(&view, &traps));
    sections.extend((!view.columns.is_empty()).then(guide::section));
    sections.extend(ledger::section(&view, &traps));
    sections.extend(visibility::section(&view, &traps));
    sections.extend(traps.iter().map(section::section));
    Document { title: "Trapline: traps, fixes and floors, measured".into(), sections }
}
