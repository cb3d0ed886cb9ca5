//! `compare`: two sets of records beside each other.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use trapline::record::Archive;
use trapline::report::{self, Comparison};

use super::fault::{Fault, print};
use super::source;

/// What to compare, and what makes it fail.
#[derive(Args)]
#[command(after_help = "Example: trapline compare before target/trapline/records --fail-on loses --fail-on allocs")]
pub(crate) struct Compare {
    /// Folder with the old records
    old: PathBuf,
    /// Folder with the new ones
    new: PathBuf,
    /// Every row, and not only those that differ for certain
    #[arg(long)]
    all: bool,
    /// As Markdown
    #[arg(long)]
    markdown: bool,
    /// End with exit code 1 if this has happened
    #[arg(long, value_enum)]
    fail_on: Vec<Loss>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Loss {
    /// A fix gains less than it did, at a headline point and for certain
    Loses,
    /// A variant asks the heap for more than it did
    Allocs,
}

impl Loss {
    const fn word(self) -> &'static str {
        match self {
            Self::Loses => "loses",
            Self::Allocs => "allocs",
        }
    }

    // How both sets come to have what tells it.
    const fn how(self) -> &'static str {
        match self {
            Self::Loses => "both need ratios of headlines on three code layouts or more: cargo bench --bench ratio",
            Self::Allocs => "both need exact counts of the same points: cargo bench --bench heap",
        }
    }
}

fn side(folder: &Path) -> Result<Archive, Fault> {
    let mut archive = source::read_whole(Some(folder))?;
    archive.records.retain(Comparison::looks_at);
    archive.records.shrink_to_fit();
    Ok(archive)
}

/// Prints what differs.
pub(crate) fn compare(wanted: &Compare) -> Result<(), Fault> {
    let (old, new) = (side(&wanted.old)?, side(&wanted.new)?);
    let none = || Fault::wrong("one of them has no ratios and no counts; cargo bench makes them");
    let comparison = Comparison::of(&old, &new).ok_or_else(none)?;
    let document = comparison.document(wanted.all);
    print(&if wanted.markdown { report::markdown(&document) } else { report::text(&document) })?;
    let untold = |loss: &&Loss| match loss {
        Loss::Loses => !comparison.tests_ratios(),
        Loss::Allocs => !comparison.tests_counts(),
    };
    if let Some(loss) = wanted.fail_on.iter().find(untold) {
        return Err(Fault::wrong(format!(
            "nothing here tells whether --fail-on {} has happened: {}",
            loss.word(),
            loss.how()
        )));
    }
    let happened = |loss: &&Loss| match loss {
        Loss::Loses => comparison.loses(),
        Loss::Allocs => comparison.allocates_more(),
    };
    let why = |loss: &Loss| match loss {
        Loss::Loses => Fault::failed("a fix gains less than it did (--fail-on loses)"),
        Loss::Allocs => Fault::failed("a variant asks the heap for more than it did (--fail-on allocs)"),
    };
    wanted.fail_on.iter().find(happened).map_or(Ok(()), |loss| Err(why(loss)))
}
