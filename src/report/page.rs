//! The pages of the report, in files beside the records.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::document::document;
use super::html::html;
use super::markdown::markdown;
use super::model::{Block, Document};
#[cfg(feature = "catalog")]
use crate::catalog::source;
use crate::record::{Archive, StoreError, replace};

const CRITERION: &str = "../criterion/report/index.html";

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

// Without the catalog no trap's source is known.
#[cfg(not(feature = "catalog"))]
const fn source(_name: &str) -> Option<&'static str> {
    None
}

/// Reads the records under this folder (`records/*.jsonl`), writes the pages (`report.md`, `report.html`) beside them, each in one
/// step, and returns what it has read.
///
/// # Errors
/// If the records can't be read or a page can't be written.
pub fn write(folder: &Path) -> Result<Archive, ReportError> {
    let archive = Archive::read_folder(&folder.join("records"))?;
    let mut document = document(&archive);
    link_criterion(&mut document, folder);
    for (name, page) in [("report.md", markdown(&document)), ("report.html", html(&archive, source))] {
        let path = folder.join(name);
        put(&path, &page).map_err(|source| ReportError::Io { path, source })?;
    }
    Ok(archive)
}

/// Adds the link to criterion's own report, if a page in this folder can lead to one.
pub fn link_criterion(document: &mut Document, folder: &Path) {
    let there = folder.join(CRITERION).exists();
    if let Some(front) = document.sections.first_mut().filter(|_| there) {
        let text = "Throughput over time and against baselines is in criterion's own report".into();
        front.blocks.push(Block::Link { text, target: CRITERION.into() });
    }
}

fn put(path: &Path, page: &str) -> io::Result<()> {
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    replace(path, page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_cannot_be_written_is_named() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("file"), "")?;
        let error = put(&folder.path().join("file/report.md"), "").expect_err("a file is no folder");
        let error = ReportError::Io { path: "file/report.md".into(), source: error };
        assert!(error.to_string().starts_with("cannot write the report to file/report.md: "));
        Ok(())
    }

    #[test]
    fn a_page_leads_to_criterion_only_where_it_is() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let (page, there) = (folder.path().join("trapline/report.md"), folder.path().join("criterion/report"));
        write(&folder.path().join("trapline"))?;
        assert!(!std::fs::read_to_string(&page)?.contains(CRITERION));
        std::fs::create_dir_all(&there)?;
        std::fs::write(there.join("index.html"), "")?;
        write(&folder.path().join("trapline"))?;
        assert!(std::fs::read_to_string(&page)?.contains(CRITERION));
        Ok(())
    }

    #[cfg(unix)]
    #[test]
    fn a_page_is_as_readable_as_any_new_file() -> Result<(), Box<dyn std::error::Error>> {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir()?;
        write(folder.path())?;
        std::fs::write(folder.path().join("plain"), "")?;
        let mode = |name| std::fs::metadata(folder.path().join(name)).map(|m| m.permissions().mode());
        assert_eq!(mode("report.md")?, mode("plain")?);
        Ok(())
    }
}
