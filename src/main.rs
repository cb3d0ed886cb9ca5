//! `trapline`: what the catalog holds and what was measured. To measure, run `cargo bench`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use trapline::lab::session::{self, args};
use trapline::record::Archive;
use trapline::trap::Trap;
use trapline::{catalog, report};

#[derive(Parser)]
#[command(version, about, after_help = "To measure: cargo bench -- [FILTER]... [--quick]")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Name the traps of the catalog
    List,
    /// Say what a trap is, where it is measured and what is compared
    Show {
        /// The trap's name
        trap: String,
    },
    /// Print the report of what was measured
    Report {
        /// Folder with records [target/trapline/records]
        #[arg(long, value_name = "FOLDER")]
        from: Option<PathBuf>,
        /// As Markdown
        #[arg(long)]
        markdown: bool,
        /// Put each trap's section between its markers in this file instead of printing
        #[arg(long, value_name = "FILE")]
        into: Option<PathBuf>,
    },
}

/// What went wrong, and the exit code that says whose fault it is.
type Fault = (u8, String);

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::List => print(&list()),
        Command::Show { trap } => show(&trap).and_then(|text| print(&text)),
        Command::Report { from, markdown, into } => report(from, markdown, into.as_deref()),
    };
    done.map_or_else(fault, |()| ExitCode::SUCCESS)
}

fn fault((code, why): Fault) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::from(code)
}

fn failed(why: impl std::fmt::Display) -> Fault {
    (1, why.to_string())
}

// A reader that has seen enough closes the pipe: no fault of ours.
fn print(text: &str) -> Result<(), Fault> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(failed(format!("cannot print: {error}"))),
        _ => Ok(()),
    }
}

fn list() -> String {
    catalog::TRAPS.iter().map(|t| format!("{:<16} {}\n", t.name, t.title)).collect()
}

fn show(name: &str) -> Result<String, Fault> {
    let trap = catalog::find(name).ok_or_else(|| (session::WRONG_COMMAND, args::unknown(name, catalog::TRAPS)))?;
    Ok(described(trap))
}

fn described(trap: &Trap) -> String {
    let Trap { name, title, section, habit, counts, op, .. } = trap;
    let mut text = format!(
        "{name}: {title} ({section})\n\nThe habit: {habit}.\n\nn counts {counts}; one op is {op}.\n\nPoints:\n"
    );
    for point in trap.points {
        text.push_str(&format!("  {point}{}\n", if point.headline { "  (headline)" } else { "" }));
    }
    text.push_str("\nVariants:\n");
    for variant in trap.variants {
        text.push_str(&format!("  {:<20} {}\n", variant.name, variant.role.word()));
    }
    for (instrument, why) in trap.blind {
        text.push_str(&format!("\nThe {} instrument can't see it: {why}.\n", instrument.word()));
    }
    format!("{text}\nClaims: {}\n", trap.claims.join(", "))
}

fn report(from: Option<PathBuf>, markdown: bool, into: Option<&Path>) -> Result<(), Fault> {
    let folder = from.unwrap_or_else(|| session::target_folder().join("trapline/records"));
    let archive = Archive::read_folder(&folder).map_err(failed)?;
    for damage in &archive.damage {
        eprintln!("error: {damage}");
    }
    match into {
        Some(file) => splice(&archive, file),
        None => print(&rendered(&archive, markdown)),
    }
}

fn rendered(archive: &Archive, markdown: bool) -> String {
    let document = report::document(archive);
    if markdown { report::markdown(&document) } else { report::text(&document) }
}

fn splice(archive: &Archive, file: &Path) -> Result<(), Fault> {
    let with = |verb| move |error| failed(format!("cannot {verb} {}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(with("read"))?;
    let spliced = report::splice(&text, archive).map_err(|e| failed(format!("{}: {e}", file.display())))?;
    std::fs::write(file, spliced).map_err(with("write"))
}
