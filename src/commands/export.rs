//! `export`: what was measured, in a form that other tools read.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use trapline::report;

use super::fault::{Fault, print};
use super::source;

/// The form, and from what.
#[derive(Args)]
#[command(after_help = "Example: trapline export --format gobench > rust.txt; benchstat -col /variant rust.txt")]
pub(crate) struct Export {
    /// In which form
    #[arg(long, value_enum)]
    format: Format,
    /// Folder with records, or with folders of them, such as docs/results [target/trapline/records]
    #[arg(long, value_name = "FOLDER")]
    from: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A line a measurement, with its interval and what it rests on
    Csv,
    /// Runs and records, whole
    Json,
    /// The whole report
    Markdown,
    /// Go's benchmark text, a line a process, an op of Go's being a run of n ops
    Gobench,
    /// The headline rows that travel with the crate, as records
    Compact,
}

/// Prints the records in this form.
pub(crate) fn export(wanted: &Export) -> Result<(), Fault> {
    let archive = source::read_whole(wanted.from.as_deref())?;
    let text = match wanted.format {
        Format::Csv => report::csv(&archive).map_err(Fault::failed)?,
        Format::Json => report::json(&archive).map_err(Fault::failed)?,
        Format::Markdown => report::markdown(&report::document(&archive)),
        Format::Gobench => report::gobench(&archive),
        Format::Compact => report::compact(&archive),
    };
    if matches!(wanted.format, Format::Gobench) && !text.contains("\nBenchmark") || text.is_empty() {
        return Err(Fault::wrong("no times of processes are here; measure some: cargo bench --bench ratio"));
    }
    print(&text)
}
