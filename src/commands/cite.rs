//! `cite`: one number as a sentence for a design review.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use trapline::catalog;
use trapline::lab::session::args;
use trapline::record::Archive;
use trapline::report::{self, CiteError, Cited};

use super::fault::{Fault, print};
use super::source;

/// What to cite, and from what.
#[derive(Args)]
#[command(after_help = "Example: trapline cite vec_growth@n=50000,owning --variant push_reused --format markdown")]
pub(crate) struct Cite {
    /// The trap, and after an @ the point, as the report of cargo bench -- --list names it [its first headline point]
    #[arg(value_name = "TRAP[@POINT]")]
    what: String,
    /// The variant [the advice]
    #[arg(long)]
    variant: Option<String>,
    /// In which form
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Also of a work tree with uncommitted changes; the citation says so
    #[arg(long)]
    allow_dirty: bool,
    /// Folder with records, or with folders of them, such as docs/results [target/trapline/records]
    #[arg(long, value_name = "FOLDER", conflicts_with = "shipped")]
    from: Option<PathBuf>,
    /// From the results that come with trapline, and not from one's own
    #[arg(long)]
    shipped: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A sentence and a footnote
    Text,
    /// The same, for a page
    Markdown,
    /// An entry of a bibliography
    Bibtex,
}

/// Prints the citation.
pub(crate) fn cite(wanted: &Cite) -> Result<(), Fault> {
    let (trap, point) =
        wanted.what.split_once('@').map_or((wanted.what.as_str(), None), |(trap, point)| (trap, Some(point)));
    let archive = records(wanted, trap)?;
    source::whole(&archive)?;
    let cited = Cited { trap, point, variant: wanted.variant.as_deref(), allow_dirty: wanted.allow_dirty };
    let citation = report::cite(&archive, cited).map_err(|error| match error {
        CiteError::Unknown(_) if !is_known(trap) => Fault::wrong(args::unknown(trap, catalog::TRAPS)),
        CiteError::Unknown(why) => Fault::wrong(why),
        CiteError::Refused(why) => Fault::failed(why),
    })?;
    print(&match wanted.format {
        Format::Text => citation.text(),
        Format::Markdown => citation.markdown(),
        Format::Bibtex => citation.bibtex(),
    })
}

fn is_known(trap: &str) -> bool {
    catalog::TRAPS.iter().any(|known| known.name == trap)
}

fn records(wanted: &Cite, trap: &str) -> Result<Archive, Fault> {
    match (wanted.shipped, wanted.from.as_deref()) {
        (true, _) => Ok(report::shipped()),
        (false, None) => source::own_or_shipped(trap),
        (false, from) => source::read(from),
    }
}
