//! What ends a run.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::record::StoreError;
use crate::report::ReportError;

/// Why a run can't go on.
#[derive(Debug, Error)]
pub enum SessionError {
    /// Records can't be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The report can't be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// Criterion's process failed.
    #[error("criterion's part of the time target ended with {0}; what it said is above")]
    Criterion(std::process::ExitStatus),
    /// Go's part of the go target failed.
    #[error("{0}")]
    Go(String),
    /// A file of the run can't be read or written.
    #[error("cannot {verb} {path}: {source}")]
    Io {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
