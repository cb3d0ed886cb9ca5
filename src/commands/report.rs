//! `report`: what was measured, as a page.

use std::path::{Path, PathBuf};

use clap::Args;
use trapline::catalog;
use trapline::lab::session;
use trapline::record::{self, Archive};
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
    /// Put excerpts between their markers in these files instead of printing
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["traps", "markdown", "html"])]
    into: Vec<PathBuf>,
}

/// Prints the report, or puts it into files. What can't be read is named, and then that is the fault.
pub(crate) fn report(wanted: &Report) -> Result<(), Fault> {
    let archive = source::read(wanted.from.as_deref())?;
    if archive.records.is_empty() {
        source::whole(&archive)?;
        return Err(Fault::wrong(source::nothing(wanted.from.as_deref())));
    }
    if !wanted.into.is_empty() {
        source::whole(&archive)?;
        return splice(&archive, &wanted.into);
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

// All are made before the first is written, so that a wrong marker in one leaves all as they were.
fn splice(archive: &Archive, files: &[PathBuf]) -> Result<(), Fault> {
    let texts = files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
    if !texts.iter().any(|text| report::has_markers(text)) {
        return Err(Fault::wrong(format!(
            "no line of {} is a marker; put <!-- trapline:TRAP --> and <!-- /trapline:TRAP --> where the section is to be",
            files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ")
        )));
    }
    let page = |(file, text): (&PathBuf, &String)| {
        report::splice(text, archive).map_err(|error| Fault::wrong(format!("{}: {error}", file.display())))
    };
    let pages = files.iter().zip(&texts).map(page).collect::<Result<Vec<_>, _>>()?;
    let mut changed = files.iter().zip(&texts).zip(&pages).filter(|((_, text), page)| text != page);
    changed.try_for_each(|((file, _), page)| write(file, page))
}

fn read(file: &Path) -> Result<String, Fault> {
    std::fs::read_to_string(file).map_err(|error| Fault::failed(format!("cannot read {}: {error}", file.display())))
}

fn write(file: &Path, page: &str) -> Result<(), Fault> {
    let fault = |error| Fault::failed(format!("cannot write {}: {error}; it is as it was", file.display()));
    record::replace(file, page).map_err(fault)
}
