//! `trapline`: what the catalog holds, what was measured, and what can be said of it. In a checkout, measure with `cargo bench`.

mod commands;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

#[derive(Parser)]
#[command(version, about, after_help = "To measure in a checkout: cargo bench -- [FILTER]... [--quick]")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Name the traps of the catalog
    #[command(after_help = "Example: trapline list")]
    List,
    /// Say what a trap is, where it is measured and what is compared
    #[command(after_help = "Example: trapline show vec_growth")]
    Show {
        /// A part of the trap's name, as for cargo bench; every trap that has it is shown
        trap: String,
    },
    /// Measure by the library itself: ratio, latency and usage
    Run(commands::Run),
    /// Print the report of what was measured
    Report(commands::Report),
    /// Print a number as a sentence and a footnote, for a design review
    Cite(commands::Cite),
    /// Print what differs between two sets of records
    Compare(commands::Compare),
    /// Measure the committed headlines on this machine, and say whether it agrees
    Verify(commands::Verify),
    /// Print what was measured in a form that other tools read
    Export(commands::Export),
    /// Put what was measured into a folder of its own, with its report
    Keep(commands::Keep),
    /// Print a script that completes these commands in a shell
    #[command(after_help = "Example: trapline completions bash > ~/.local/share/bash-completion/completions/trapline")]
    Completions {
        /// Which shell
        shell: Shell,
    },
}

fn main() -> ExitCode {
    if let Some(code) = commands::played() {
        return code;
    }
    let done = match Cli::parse().command {
        Command::List => commands::list(),
        Command::Show { trap } => commands::show(&trap),
        Command::Report(wanted) => commands::report(&wanted),
        Command::Cite(wanted) => commands::cite(&wanted),
        Command::Compare(wanted) => commands::compare(&wanted),
        Command::Verify(wanted) => commands::verify(&wanted),
        Command::Run(wanted) => commands::run(&wanted),
        Command::Export(wanted) => commands::export(&wanted),
        Command::Keep(wanted) => commands::keep(&wanted),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "trapline", &mut script);
            commands::print(&String::from_utf8_lossy(&script))
        }
    };
    done.map_or_else(|fault| fault.told(), |()| ExitCode::SUCCESS)
}
