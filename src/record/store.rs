//! The store: JSON Lines, a file an instrument. A file is never changed in place: the new one is written beside it, synced
//! and renamed, so that an interrupted run keeps all that was finished, and a full disk loses nothing.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::measurement::Record;
use super::replace::{beside, replace};
use super::run::Run;
use super::upgrade::{self, Line};
use crate::trap::Instrument;

/// What went wrong with a records file.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A file or folder could not be read or written.
    #[error("cannot {verb} {path}: {source}; earlier records are as they were")]
    Io {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A record could not be put in words.
    #[error("cannot write a record to {path} as JSON: {source}; earlier records are as they were")]
    Json {
        /// Where to.
        path: PathBuf,
        /// What the library said.
        source: serde_json::Error,
    },
}

fn io_error<'a>(verb: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> StoreError + 'a {
    move |source| StoreError::Io { verb, path: path.into(), source }
}

/// A line that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}:{line}: not a record of trapline: {why}", path.display())]
pub struct Damage {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

/// The runs and records of one file or several.
#[derive(Clone, Debug, Default)]
pub struct Archive {
    /// The circumstances.
    pub runs: Vec<Run>,
    /// The measurements.
    pub records: Vec<Record>,
    /// The lines that could not be read.
    pub damage: Vec<Damage>,
}

impl Archive {
    /// Reads every `.jsonl` file of a folder. A folder that does not exist holds nothing.
    ///
    /// # Errors
    /// If the folder or a file in it can't be read; damaged lines are not an error but listed.
    pub fn read_folder(folder: &Path) -> Result<Self, StoreError> {
        let mut archive = Self::default();
        for path in jsonl_files(folder)? {
            archive.read_file(&path)?;
        }
        Ok(archive)
    }

    /// Reads a folder and the folders in it, such as `docs/results`: each inner one is a column of the report, by its name.
    ///
    /// # Errors
    /// If a folder or a file can't be read.
    pub fn read_tree(folder: &Path) -> Result<Self, StoreError> {
        let mut archive = Self::read_folder(folder)?;
        for inner in folders(folder)? {
            let mut read = Self::read_folder(&inner)?;
            let name = inner.file_name().unwrap_or_default().to_string_lossy();
            read.runs.iter_mut().for_each(|run| run.source = name.clone().into_owned());
            archive.runs.append(&mut read.runs);
            archive.records.append(&mut read.records);
            archive.damage.append(&mut read.damage);
        }
        Ok(archive)
    }

    fn read_file(&mut self, path: &Path) -> Result<(), StoreError> {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other.map_err(io_error("read", path))?,
        };
        self.take(path, BufReader::new(file)).map_err(io_error("read", path))
    }

    /// Reads the lines of a text that is no file, by the name that damage is told under.
    ///
    /// # Panics
    /// Never: memory can always be read.
    #[must_use]
    pub fn read_text(name: &Path, text: &str) -> Self {
        let mut archive = Self::default();
        archive.take(name, text.as_bytes()).expect("memory can be read");
        archive
    }

    // Line by line: a file's text is several times as large as its records.
    fn take(&mut self, path: &Path, lines: impl BufRead) -> io::Result<()> {
        let (runs, records) = (self.runs.len(), self.records.len());
        for (number, line) in lines.split(b'\n').enumerate() {
            // One damaged byte must not cost the other lines, so a line that isn't UTF-8 fails on its own.
            match upgrade::line(&line?) {
                Ok(Line::Run(run)) => self.runs.push(*run),
                Ok(Line::Record(record)) => self.records.push(*record),
                Err(why) => self.damage.push(Damage { path: path.into(), line: number + 1, why }),
            }
        }
        upgrade::all(&mut self.runs[runs..], &mut self.records, records);
        Ok(())
    }

    /// What one run measured.
    #[must_use]
    pub fn only(mut self, run: &str) -> Self {
        self.runs.retain(|r| r.run == run);
        self.records.retain(|r| r.run == run);
        self
    }

    /// The run of a record.
    #[must_use]
    pub fn run_of(&self, record: &Record) -> Option<&Run> {
        self.runs.iter().find(|r| r.run == record.run)
    }
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut inner = paths(folder)?;
    inner.retain(|path| path.is_dir());
    Ok(inner)
}

fn jsonl_files(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut files = paths(folder)?;
    files.retain(|path| path.extension().is_some_and(|e| e == "jsonl"));
    Ok(files)
}

// In order; nothing of a folder that does not exist.
fn paths(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(io_error("read", folder))?,
    };
    let paths = entries.map(|entry| entry.map(|e| e.path()).map_err(io_error("read", folder)));
    let mut paths = paths.collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

/// The name of an instrument's records file.
#[must_use]
pub fn file_name(instrument: Instrument) -> String {
    format!("{}.jsonl", instrument.word())
}

/// The records file of one instrument, open for a run of it.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    archive: Archive,
}

// What takes the place of an old record comes where that was, for the report takes points in the order of the records.
fn in_order<'a>(old: &[Record], records: impl Iterator<Item = &'a Record>) -> Vec<Record> {
    let mut places = HashMap::new();
    for (at, record) in old.iter().enumerate() {
        places.entry(record.cell()).or_insert(at);
    }
    let mut records: Vec<&Record> = records.collect();
    records.sort_by_key(|record| places.get(&record.cell()).copied().unwrap_or(usize::MAX));
    records.into_iter().cloned().collect()
}

impl Store {
    /// Opens the records file in this folder, which is made if need be. A damaged file is set aside under another name
    /// before anything is written, and its good lines are kept.
    ///
    /// # Errors
    /// If the folder can't be made or written to, or the file can't be read or set aside.
    pub fn open(folder: &Path, instrument: Instrument) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder).map_err(io_error("make the folder", folder))?;
        let path = folder.join(file_name(instrument));
        let mut archive = Archive::default();
        archive.read_file(&path)?;
        let store = Self { path, archive };
        store.probe_space()?;
        Ok(store)
    }

    /// The lines that could not be read.
    #[must_use]
    pub fn damage(&self) -> &[Damage] {
        &self.archive.damage
    }

    /// Copies a damaged file to a name of its own, and says which; does nothing for a sound one.
    ///
    /// # Errors
    /// If it can't be copied.
    pub fn set_aside(&mut self) -> Result<Option<PathBuf>, StoreError> {
        if self.archive.damage.is_empty() {
            return Ok(None);
        }
        let free = |k: &u32| !aside(&self.path, *k).exists();
        let to = aside(&self.path, (1..).find(free).unwrap_or(u32::MAX));
        std::fs::copy(&self.path, &to).map_err(io_error("set aside the damaged file as", &to))?;
        self.archive.damage.clear();
        self.save()?;
        Ok(Some(to))
    }

    /// Puts a run and its records in the place of what they measure again: earlier records of the same cells in the same
    /// column go, and runs that no record rests on any more. Writes the file.
    ///
    /// # Errors
    /// If the file can't be written; what was in it before is then still there.
    pub fn put(&mut self, run: &Run, records: &[Record]) -> Result<(), StoreError> {
        let same_column: Vec<String> =
            self.archive.runs.iter().filter(|r| r.same_column(run)).map(|r| r.run.clone()).collect();
        let replaced = |old: &Record| same_column.contains(&old.run) && records.iter().any(|new| new.same_cell(old));
        let kept = self.archive.records.iter().filter(|old| old.run != run.run && !replaced(old));
        self.archive.records = in_order(&self.archive.records, kept.chain(records));
        self.archive.runs.retain(|r| r.run != run.run && self.archive.records.iter().any(|rec| rec.run == r.run));
        self.archive.runs.push(run.clone());
        self.save()
    }

    /// Forgets the records of this bench target that `keep` does not want: of points, variants and traps that the code no longer
    /// has. Says how many went; the file is written with the next [`Store::put`].
    pub fn forget(&mut self, target: &str, keep: impl Fn(&Record) -> bool) -> usize {
        let before = self.archive.records.len();
        let ours: Vec<String> =
            self.archive.runs.iter().filter(|r| r.target == target).map(|r| r.run.clone()).collect();
        self.archive.records.retain(|record| !ours.contains(&record.run) || keep(record));
        before - self.archive.records.len()
    }

    fn save(&self) -> Result<(), StoreError> {
        replace(&self.path, &self.text()?).map_err(io_error("write", &self.path))
    }

    fn text(&self) -> Result<String, StoreError> {
        let fail = |source| StoreError::Json { path: self.path.clone(), source };
        let runs = self.archive.runs.iter().map(serde_json::to_string);
        let records = self.archive.records.iter().map(serde_json::to_string);
        let lines = runs.chain(records).collect::<Result<Vec<_>, _>>().map_err(fail)?;
        Ok(lines.iter().map(|line| format!("{line}\n")).collect())
    }

    // A run of minutes whose records can't be kept is worth refusing before it starts.
    fn probe_space(&self) -> Result<(), StoreError> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut file = beside(&self.path).map_err(io_error("write to", folder))?;
        file.write_all(&[0; 1 << 16]).map_err(io_error("write to", folder))?;
        file.as_file().sync_all().map_err(io_error("write to", folder))
    }
}

fn aside(path: &Path, k: u32) -> PathBuf {
    path.with_extension(format!("jsonl.damaged-{k}"))
}
