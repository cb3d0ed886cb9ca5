//! `trapline`: what the catalog holds and what was measured. To measure, run `cargo bench`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use trapline::lab::session::{self, args};
use trapline::record::Archive;
use trapline::report::model::Section;
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
        /// A part of the trap's name, as for cargo bench; every trap that has it is shown
        trap: String,
    },
    /// Print the report of what was measured
    Report {
        /// Parts of names of traps; none means the whole report
        traps: Vec<String>,
        /// Folder with records, or with folders of them, such as docs/results [target/trapline/records]
        #[arg(long, value_name = "FOLDER")]
        from: Option<PathBuf>,
        /// As Markdown
        #[arg(long)]
        markdown: bool,
        /// Put each trap's section between its markers in this file instead of printing
        #[arg(long, value_name = "FILE", conflicts_with_all = ["traps", "markdown"])]
        into: Option<PathBuf>,
    },
    /// Print what was timed in a form that other tools read
    #[command(after_help = "Example: trapline export --format gobench > rust.txt; benchstat -col /variant rust.txt")]
    Export {
        /// gobench: Go's benchmark text, a line a process, an op of Go's being a run of n ops
        #[arg(long, value_enum)]
        format: Format,
        /// Folder with records, or with folders of them, such as docs/results [target/trapline/records]
        #[arg(long, value_name = "FOLDER")]
        from: Option<PathBuf>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Gobench,
}

/// What went wrong, and the exit code that says whose fault it is.
type Fault = (u8, String);

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::List => print(&list()),
        Command::Show { trap } => show(&trap).and_then(|text| print(&text)),
        Command::Report { traps, from, markdown, into } => report(&traps, from.as_deref(), markdown, into.as_deref()),
        Command::Export { format, from } => export(format, from.as_deref()),
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
    let chosen: Vec<String> = catalog::TRAPS.iter().filter(|t| t.name.contains(name)).map(described).collect();
    if chosen.is_empty() {
        return Err((session::WRONG_COMMAND, args::unknown(name, catalog::TRAPS)));
    }
    Ok(chosen.join("\n"))
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

fn report(traps: &[String], from: Option<&Path>, markdown: bool, into: Option<&Path>) -> Result<(), Fault> {
    let archive = read(from)?;
    for damage in &archive.damage {
        eprintln!("error: {damage}");
    }
    match into {
        Some(file) => splice(&archive, file),
        None => print(&rendered(&archive, traps, from.is_none(), markdown)?),
    }
}

fn read(from: Option<&Path>) -> Result<Archive, Fault> {
    match from {
        None => Archive::read_folder(&session::target_folder().join("trapline/records")).map_err(failed),
        Some(folder) if folder.is_dir() => Archive::read_tree(folder).map_err(failed),
        Some(folder) => Err((session::WRONG_COMMAND, no_folder(folder))),
    }
}

fn no_folder(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "there is no folder {folder}; name one that holds records, such as docs/results, or none for your own: cargo bench"
    )
}

fn rendered(archive: &Archive, traps: &[String], own: bool, markdown: bool) -> Result<String, Fault> {
    let mut document = report::document(archive);
    if own {
        report::link_criterion(&mut document, &session::target_folder().join("trapline"));
    }
    if !traps.is_empty() {
        document.sections = chosen(document.sections, traps)?;
    }
    Ok(if markdown { report::markdown(&document) } else { report::text(&document) })
}

// The sections of these traps alone.
fn chosen(mut sections: Vec<Section>, traps: &[String]) -> Result<Vec<Section>, Fault> {
    let is = |section: &Section, part: &String| section.trap.as_ref().is_some_and(|name| name.contains(part.as_str()));
    if let Some(part) = traps.iter().find(|part| !sections.iter().any(|s| is(s, part))) {
        return Err(not_measured(part));
    }
    sections.retain(|section| traps.iter().any(|part| is(section, part)));
    Ok(sections)
}

fn not_measured(part: &str) -> Fault {
    match catalog::TRAPS.iter().any(|trap| trap.name.contains(part)) {
        true => (1, format!("there are no records of {part} here; measure it: cargo bench -- {part}")),
        false => (session::WRONG_COMMAND, args::unknown(part, catalog::TRAPS)),
    }
}

fn export(format: Format, from: Option<&Path>) -> Result<(), Fault> {
    let archive = read(from)?;
    for damage in &archive.damage {
        eprintln!("error: {damage}");
    }
    let text = match format {
        Format::Gobench => report::gobench(&archive),
    };
    if text.is_empty() {
        return Err(failed("no times of traps are here; measure some: cargo bench --bench ratio"));
    }
    print(&text)
}

fn splice(archive: &Archive, file: &Path) -> Result<(), Fault> {
    let with = |verb| move |error| failed(format!("cannot {verb} {}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(with("read"))?;
    let spliced = report::splice(&text, archive).map_err(|e| failed(format!("{}: {e}", file.display())))?;
    std::fs::write(file, spliced).map_err(with("write"))
}
