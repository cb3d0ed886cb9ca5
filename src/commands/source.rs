//! Where a command finds its records.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use trapline::catalog;
use trapline::lab::session::{self, args};
use trapline::record::Archive;
use trapline::report;
use trapline::trap::Instrument;

use super::fault::Fault;

/// Where the bench targets put them.
pub(crate) fn own_folder() -> PathBuf {
    session::folder().join("records")
}

/// The records of this folder and the folders in it, or one's own; of one machine a folder.
pub(crate) fn read(from: Option<&Path>) -> Result<Archive, Fault> {
    let archive = match from {
        None => Archive::read_folder(&own_folder()),
        Some(folder) if folder.is_dir() => Archive::read_tree(folder),
        Some(folder) => return Err(Fault::wrong(no_folder(folder))),
    };
    let archive = archive.map_err(Fault::failed)?;
    one_machine(&archive, &from.map_or_else(own_folder, Path::to_path_buf))?;
    Ok(archive)
}

fn no_folder(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "there is no folder {folder}; name one that holds records, such as docs/results, or none for your own: cargo bench"
    )
}

/// One's own where they have of the trap what is cited; else those that travel with the crate, which is said.
pub(crate) fn own_or_shipped(trap: &str) -> Result<Archive, Fault> {
    let archive = read(None)?;
    // What time can't see is not ratio's to tell.
    let unseen = catalog::find(trap).is_some_and(|trap| trap.blind_to(Instrument::Ratio).is_some());
    let told_by: &[Instrument] = if unseen { &[Instrument::Usage, Instrument::Heap] } else { &[Instrument::Ratio] };
    let has = archive.records.iter().any(|record| record.trap == trap && told_by.contains(&record.instrument));
    if has || !archive.damage.is_empty() {
        return Ok(archive);
    }
    eprintln!("note: no records of your own of {trap}; this is from the results that come with trapline");
    Ok(report::shipped())
}

/// The records of a folder, or one's own, where every line counts: some, and all of them whole.
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

// Records of several machines in one folder: which of them is meant can't be known.
fn one_machine(archive: &Archive, folder: &Path) -> Result<(), Fault> {
    let mut cpus: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for run in &archive.runs {
        cpus.entry(&run.source).or_default().extend(run.provenance.cpu.as_deref());
    }
    let Some((source, cpus)) = cpus.into_iter().find(|(_, cpus)| cpus.len() > 1) else { return Ok(()) };
    let (folder, cpus) = (folder.join(source), Vec::from_iter(cpus).join("; "));
    Err(Fault::wrong(format!(
        "{} mixes records of several machines ({cpus}); put each machine's files into a folder of its own",
        folder.display()
    )))
}

/// That there are no records of a trap, or no such trap.
pub(crate) fn not_measured(part: &str) -> Fault {
    match catalog::TRAPS.iter().any(|trap| trap.name.contains(part)) {
        true => Fault::wrong(format!("there are no records of {part} here; measure it: cargo bench -- {part}")),
        false => Fault::wrong(args::unknown(part, catalog::TRAPS)),
    }
}
