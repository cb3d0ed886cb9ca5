//! `report`: what was measured, as a page.

use std::path::{Path, PathBuf};

use clap::Args;
use trapline::catalog;
use trapline::lab::session;
use trapline::record::Archive;
use trapline::report::{self, model::Section};

use super::fault::{Fault, print};
use super::source;

/// What to print, and from what.
#[derive(Args)]
#[command(after_help = "Example: trapline report vec_growth --from docs/results")]
pub(crate) struct Report {
    /// Parts of names of traps; none means the whole report
    traps: Vec<String>,
    /// Folder with records, or with folders of them, such as docs/results [target/trapline/records]
    #[arg(long, value_name = "FOLDER")]
    from: Option<PathBuf>,
    /// As Markdown
    #[arg(long)]
    markdown: bool,
    /// As one page of HTML
    #[arg(long, conflicts_with_all = ["traps", "markdown"])]
    html: bool,
    /// Put each trap's section between its markers in this file instead of printing
    #[arg(long, value_name = "FILE", conflicts_with_all = ["traps", "markdown", "html"])]
    into: Option<PathBuf>,
}

/// Prints the report, or puts it into a file. What can't be read is named, and then that is the fault.
pub(crate) fn report(wanted: &Report) -> Result<(), Fault> {
    let archive = source::read(wanted.from.as_deref())?;
    if archive.records.is_empty() {
        source::whole(&archive)?;
        return Err(Fault::wrong(source::nothing(wanted.from.as_deref())));
    }
    if let Some(file) = &wanted.into {
        source::whole(&archive)?;
        return splice(&archive, file);
    }
    print(&rendered(&archive, wanted)?)?;
    source::whole(&archive)
}

fn rendered(archive: &Archive, wanted: &Report) -> Result<String, Fault> {
    if wanted.html {
        return Ok(report::html(archive, catalog::source));
    }
    let mut document = report::document(archive);
    if wanted.from.is_none() {
        report::link_criterion(&mut document, &session::folder());
    }
    if !wanted.traps.is_empty() {
        document.sections = chosen(document.sections, &wanted.traps)?;
    }
    Ok(if wanted.markdown { report::markdown(&document) } else { report::text(&document) })
}

// The sections of these traps alone.
fn chosen(mut sections: Vec<Section>, traps: &[String]) -> Result<Vec<Section>, Fault> {
    let is = |section: &Section, part: &String| section.trap.as_ref().is_some_and(|name| name.contains(part.as_str()));
    if let Some(part) = traps.iter().find(|part| !sections.iter().any(|s| is(s, part))) {
        return Err(source::not_measured(part));
    }
    sections.retain(|section| traps.iter().any(|part| is(section, part)));
    Ok(sections)
}

fn splice(archive: &Archive, file: &Path) -> Result<(), Fault> {
    let with = |verb| move |error| Fault::failed(format!("cannot {verb} {}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(with("read"))?;
    let spliced = report::splice(&text, archive).map_err(|e| Fault::wrong(format!("{}: {e}", file.display())))?;
    std::fs::write(file, spliced).map_err(with("write"))
}
