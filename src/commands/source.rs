//! Where a command finds its records.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use trapline::catalog;
use trapline::lab::session::{self, args};
use trapline::record::Archive;

use super::fault::Fault;

/// Where the bench targets put them.
pub(crate) fn own_folder() -> PathBuf {
    session::folder().join("records")
}

/// The records of this folder and the folders in it, or one's own.
pub(crate) fn read(from: Option<&Path>) -> Result<Archive, Fault> {
    match from {
        None => Archive::read_folder(&own_folder()).map_err(Fault::failed),
        Some(folder) if folder.is_dir() => Archive::read_tree(folder).map_err(Fault::failed),
        Some(folder) => Err(Fault::wrong(no_folder(folder))),
    }
}

fn no_folder(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "there is no folder {folder}; name one that holds records, such as docs/results, or none for your own: cargo bench"
    )
}

/// The same, where every line counts: some records, all of them whole.
pub(crate) fn read_whole(from: Option<&Path>) -> Result<Archive, Fault> {
    let archive = read(from)?;
    whole(&archive)?;
    match archive.records.is_empty() {
        true => Err(Fault::wrong(nothing(from))),
        false => Ok(archive),
    }
}

/// Refuses records of which a line can't be read.
pub(crate) fn whole(archive: &Archive) -> Result<(), Fault> {
    let Some(first) = archive.damage.first() else { return Ok(()) };
    let others = match archive.damage.len() {
        1 => String::new(),
        many => format!(" (and {} more lines)", many - 1),
    };
    Err(Fault::wrong(format!("{first}{others}; take the line out, or measure again: cargo bench")))
}

/// That there are no records here, and what makes them.
pub(crate) fn nothing(from: Option<&Path>) -> String {
    let folder = from.map_or_else(own_folder, Path::to_path_buf);
    format!("there are no records in {}; cargo bench makes them", folder.display())
}

/// Refuses records of several machines in one folder: which of them is meant can't be known.
pub(crate) fn one_machine(archive: &Archive) -> Result<(), Fault> {
    for run in &archive.runs {
        let cpus: BTreeSet<&str> = archive
            .runs
            .iter()
            .filter(|other| other.source == run.source)
            .filter_map(|other| other.provenance.cpu.as_deref())
            .collect();
        if cpus.len() > 1 {
            let cpus: Vec<&str> = cpus.into_iter().collect();
            let folder = if run.source.is_empty() { "the folder" } else { &run.source };
            let cpus = cpus.join("; ");
            return Err(Fault::wrong(format!(
                "{folder} mixes records of several machines ({cpus}); put each machine's files into a folder of its own"
            )));
        }
    }
    Ok(())
}

/// That there are no records of a trap, or no such trap.
pub(crate) fn not_measured(part: &str) -> Fault {
    match catalog::TRAPS.iter().any(|trap| trap.name.contains(part)) {
        true => Fault::wrong(format!("there are no records of {part} here; measure it: cargo bench -- {part}")),
        false => Fault::wrong(args::unknown(part, catalog::TRAPS)),
    }
}
