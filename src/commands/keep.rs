//! `keep`: what was measured, put away in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use trapline::{catalog, report};

use super::fault::{Fault, print};
use super::source;

/// Where to, and from what.
#[derive(Args)]
#[command(after_help = "Example: trapline keep docs/results/2026-11-26T0205-epyc-2cores")]
pub(crate) struct Keep {
    /// A folder that does not exist yet
    to: PathBuf,
    /// Folder with records [target/trapline/records]
    #[arg(long, value_name = "FOLDER")]
    from: Option<PathBuf>,
}

/// Copies the records, and writes the report of them beside. Nothing is ever overwritten.
pub(crate) fn keep(wanted: &Keep) -> Result<(), Fault> {
    let archive = source::read_whole(wanted.from.as_deref())?;
    let to = &wanted.to;
    if to.exists() {
        return Err(Fault::wrong(format!(
            "{} is there already, and nothing is overwritten: name another folder",
            to.display()
        )));
    }
    let from = wanted.from.clone().unwrap_or_else(source::own_folder);
    if records(&from).map_err(Fault::failed)?.is_empty() {
        let from = from.display();
        return Err(Fault::wrong(format!("{from} holds folders of records and none of its own: name one of them")));
    }
    let fault = |error: std::io::Error| Fault::failed(format!("cannot write {}: {error}", to.display()));
    fs::create_dir_all(to).map_err(fault)?;
    let files = records(&from).and_then(|files| copied(&files, to)).map_err(fault)?;
    fs::write(to.join("report.md"), report::markdown(&report::document(&archive))).map_err(fault)?;
    fs::write(to.join("report.html"), report::html(&archive, catalog::source)).map_err(fault)?;
    print(&format!("{files} files of records, report.md and report.html are in {}\n", to.display()))
}

fn records(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let paths = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    Ok(paths)
}

fn copied(files: &[PathBuf], to: &Path) -> std::io::Result<usize> {
    for path in files {
        fs::copy(path, to.join(path.file_name().unwrap_or_default()))?;
    }
    Ok(files.len())
}
