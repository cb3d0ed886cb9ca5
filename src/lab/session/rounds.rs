//! Every round of every process, in a file beside the records: what intervals and variance components can be computed from
//! again. It is large, so no report reads it and it is never committed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::error::SessionError;
use super::ring::Taken;
use crate::trap::Point;

// The files of so many runs are kept.
const KEPT: usize = 5;

/// The rounds of one run: a line a process and point, `{"trap","point","layout","ns":{arm:[ns a run, …]}}`.
#[derive(Debug)]
pub(in crate::lab) struct RoundsFile {
    path: PathBuf,
    file: BufWriter<File>,
}

impl RoundsFile {
    /// A new file in `rounds` below this folder; the oldest go.
    ///
    /// # Errors
    /// If it can't be made.
    pub(in crate::lab) fn create(folder: &Path, run: &str) -> Result<Self, SessionError> {
        let folder = folder.join("rounds");
        let fail = |verb, path: &Path| {
            let path = path.to_path_buf();
            move |source| SessionError::Io { verb, path, source }
        };
        fs::create_dir_all(&folder).map_err(fail("make the folder", &folder))?;
        prune(&folder);
        let path = folder.join(format!("{run}.jsonl"));
        let file = BufWriter::new(File::create(&path).map_err(fail("write", &path))?);
        Ok(Self { path, file })
    }

    /// Keeps what the arms of a point took in one process of a layout.
    ///
    /// # Errors
    /// If it can't be written.
    pub(in crate::lab) fn keep(
        &mut self,
        trap: &str,
        point: &Point,
        layout: usize,
        arms: &[(String, Taken)],
    ) -> Result<(), SessionError> {
        let ns = |taken: &Taken| taken.ns.iter().copied().map(rounded).collect::<Vec<_>>();
        let ns: BTreeMap<&str, Vec<f64>> = arms.iter().map(|(arm, taken)| (arm.as_str(), ns(taken))).collect();
        let line = json!({ "trap": trap, "point": point.to_string(), "layout": layout, "ns": ns });
        let written = writeln!(self.file, "{line}").and_then(|()| self.file.flush());
        written.map_err(|source| SessionError::Io { verb: "write", path: self.path.clone(), source })
    }
}

/// Six digits: the sixth is far below what any clock or interval says, and files stay small.
pub(in crate::lab) fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

// Names hold the time, so their order is that of the runs. One that can't be removed costs space only.
fn prune(folder: &Path) {
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|e| e == "jsonl")).collect();
    files.sort();
    let old = files.len().saturating_sub(KEPT - 1);
    files[..old].iter().for_each(|path| drop(fs::remove_file(path)));
}
