//! The one argument contract of every bench target:
//! `[FILTER]... [--quick] [--test] [--list] [--layouts L] [--processes K] [--solo] [--unpinned] [--seed S]
//! [--window MS] [--fork-timeout SECONDS]`.
//!
//! `cargo bench -- …` gives one command line to all targets, so criterion's own flags are known here as well: the `time`
//! target passes them on, the others ignore them and say so.

use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::record::{Layouts, Sweeps};
use crate::trap::{Instrument, Trap};

/// Fewer layouts give no interval worth printing.
pub const FEWEST_LAYOUTS: usize = Layouts::FEWEST;

/// What the command line asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Args {
    /// Substrings of trap names; none means all traps.
    pub filters: Vec<String>,
    /// Shorter measurements: five layouts in one process each, at the first headline point of each trap only.
    pub quick: bool,
    /// Run every chosen variant once and check digests; measure nothing.
    pub test: bool,
    /// Say what would be measured.
    pub list: bool,
    /// How many code layouts, where it is asked for; see [`Args::layouts`].
    pub layouts: Option<usize>,
    /// How many processes of each layout, where it is asked for; see [`Args::processes`].
    pub processes: Option<usize>,
    /// Each arm in a process of its own.
    pub solo: bool,
    /// Threads run wherever the kernel puts them.
    pub unpinned: bool,
    /// ms of a window in which a team is timed.
    pub window_ms: u64,
    /// The seed of the first code layout.
    pub seed: u64,
    /// Seconds until a silent fork is given up.
    pub fork_timeout: u64,
    /// Criterion's own flags, as given.
    pub criterion: Vec<String>,
}

// Criterion 0.8's flags that are not also ours: long name, short name, whether it takes a value.
const CRITERION: &[(&str, Option<char>, bool)] = &[
    ("save-baseline", Some('s'), true),
    ("baseline", Some('b'), true),
    ("baseline-lenient", None, true),
    ("load-baseline", None, true),
    ("discard-baseline", None, false),
    ("sample-size", None, true),
    ("warm-up-time", None, true),
    ("measurement-time", None, true),
    ("nresamples", None, true),
    ("noise-threshold", None, true),
    ("confidence-level", None, true),
    ("significance-level", None, true),
    ("profile-time", None, true),
    ("plotting-backend", None, true),
    ("output-format", None, true),
    ("format", None, true),
    ("color", Some('c'), true),
    ("noplot", Some('n'), false),
    ("verbose", Some('v'), false),
    ("quiet", None, false),
    ("exact", None, false),
    ("ignored", None, false),
    ("include-ignored", None, false),
    ("nocapture", None, false),
    ("show-output", None, false),
];

fn command(instrument: Instrument) -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help).action(ArgAction::SetTrue);
    Command::new("cargo bench --")
        .about(format!("trapline's {} target", instrument.word()))
        .arg(
            Arg::new("filter")
                .value_name("FILTER")
                .num_args(0..)
                .help("Substrings of trap names; none means all traps"),
        )
        .arg(flag(
            "quick",
            "The first headline point of each trap: five layouts in one process each, short criterion runs",
        ))
        .arg(flag("test", "Run every chosen variant once and check that the answers agree; measure nothing"))
        .arg(flag("list", "Say what would be measured"))
        .arg(valued("layouts", "L").value_parser(layouts).help("Code layouts, each a relink [10; 5 with --quick]"))
        .arg(
            valued("processes", "K")
                .value_parser(processes)
                .help("Processes of each layout, at most two at points that are no headline [6; 1 with --quick]"),
        )
        // Known only to be refused with the names of its heirs.
        .arg(valued("forks", "N").value_parser(forks).num_args(0..=1).default_missing_value("").hide(true))
        .arg(flag("solo", "Give each variant a process of its own"))
        .arg(flag("unpinned", "Let threads run wherever the kernel puts them"))
        .arg(number("window", "MS", "2").help("Length of the windows in which teams of threads are timed [2]"))
        .arg(number("seed", "S", "1").help("Seed of the first code layout, from 1; the next ones count on from it [1]"))
        .arg(number("fork-timeout", "SECONDS", "60").help("Give up a fork that is silent for so long [60]"))
        .arg(flag("bench", "Given by cargo").hide(true))
        .args(CRITERION.iter().map(|&(name, short, value)| criterion_arg(name, short, value)))
        .after_help("Criterion's own flags, such as --save-baseline NAME, are passed on by the time target.")
}

fn valued(name: &'static str, value: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value)
}

fn number(name: &'static str, value: &'static str, default: &'static str) -> Arg {
    // LLD takes the seed 0 for "choose one", which would give a layout that nobody can repeat.
    let positive = value_parser!(u64).range(1..);
    valued(name, value).default_value(default).hide_default_value(true).value_parser(positive)
}

fn criterion_arg(name: &'static str, short: Option<char>, value: bool) -> Arg {
    let action = if value { ArgAction::Set } else { ArgAction::SetTrue };
    let arg = Arg::new(name).long(name).action(action).hide(true);
    if let Some(short) = short { arg.short(short) } else { arg }
}

fn layouts(text: &str) -> Result<usize, String> {
    let layouts = at_least(FEWEST_LAYOUTS, text)?;
    layouts.ok_or_else(|| {
        format!(
            "an interval over fewer than {FEWEST_LAYOUTS} layouts says nothing (t is 12.7 with two): give {FEWEST_LAYOUTS} or more"
        )
    })
}

fn processes(text: &str) -> Result<usize, String> {
    at_least(1, text)?.ok_or_else(|| "a layout that runs in no process measures nothing: give 1 or more".into())
}

// Nothing if the number is smaller.
fn at_least(fewest: usize, text: &str) -> Result<Option<usize>, String> {
    let number: usize = text.parse().map_err(|_| format!("give a whole number of {fewest} or more"))?;
    Ok((number >= fewest).then_some(number))
}

fn forks(_: &str) -> Result<usize, String> {
    Err(format!(
        "a fork is now a process of a layout: give --layouts L ({FEWEST_LAYOUTS} or more) and --processes K (1 or more)"
    ))
}

impl Args {
    /// Reads a command line, without the program's name.
    ///
    /// # Errors
    /// If a flag or its value is not of the contract, or help was asked for; the error prints itself and knows its exit code.
    pub fn parse<I: IntoIterator<Item = String>>(instrument: Instrument, line: I) -> Result<Self, clap::Error> {
        let command = command(instrument).no_binary_name(true);
        Ok(Self::from_matches(&command.try_get_matches_from(line)?))
    }

    fn from_matches(matches: &ArgMatches) -> Self {
        let number = |name: &str| matches.get_one::<u64>(name).copied().unwrap_or_default();
        Self {
            filters: matches.get_many("filter").unwrap_or_default().cloned().collect(),
            quick: matches.get_flag("quick"),
            test: matches.get_flag("test"),
            list: matches.get_flag("list"),
            layouts: matches.get_one("layouts").copied(),
            processes: matches.get_one("processes").copied(),
            solo: matches.get_flag("solo"),
            unpinned: matches.get_flag("unpinned"),
            window_ms: number("window"),
            seed: number("seed"),
            fork_timeout: number("fork-timeout"),
            criterion: CRITERION.iter().flat_map(|&(name, _, value)| given(matches, name, value)).collect(),
        }
    }

    /// How many code layouts: as asked for, else five when quick and ten when not.
    #[must_use]
    pub fn layouts(&self) -> usize {
        self.layouts.unwrap_or(if self.quick { 5 } else { Sweeps::LAYOUTS })
    }

    /// How many processes of each layout: as asked for, else one when quick and six when not.
    #[must_use]
    pub fn processes(&self) -> usize {
        self.processes.unwrap_or(if self.quick { 1 } else { Sweeps::PROCESSES })
    }

    /// The length of the windows in which teams are timed.
    #[must_use]
    pub fn window(&self) -> Duration {
        Duration::from_millis(self.window_ms)
    }

    /// The traps that the filters choose.
    ///
    /// # Errors
    /// If a filter matches none: a sentence with the near names.
    pub fn choose<'a>(&self, traps: &'a [Trap]) -> Result<Vec<&'a Trap>, String> {
        for filter in &self.filters {
            if !traps.iter().any(|t| t.name.contains(filter.as_str())) {
                return Err(unknown(filter, traps));
            }
        }
        Ok(traps.iter().filter(|trap| self.wants(trap.name)).collect())
    }

    /// Whether the filters choose a trap of this name.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter.as_str()))
    }
}

fn given(matches: &ArgMatches, name: &str, value: bool) -> Vec<String> {
    let flag = format!("--{name}");
    match (value, value.then(|| matches.get_one::<String>(name)).flatten()) {
        (true, Some(value)) => vec![flag, value.clone()],
        (false, _) if matches.get_flag(name) => vec![flag],
        _ => Vec::new(),
    }
}

/// The sentence for a filter that no trap's name contains.
#[must_use]
pub fn unknown(filter: &str, traps: &[Trap]) -> String {
    let mut near: Vec<_> = traps.iter().map(|t| (nearness(filter, t.name), t.name)).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let likely: Vec<_> = near.iter().filter(|(near, _)| *near > 0.5).take(3).map(|(_, name)| *name).collect();
    let all: Vec<_> = traps.iter().map(|t| t.name).collect();
    if likely.is_empty() {
        return format!("no trap's name contains '{filter}'; the traps are {}", all.join(", "));
    }
    format!("no trap's name contains '{filter}'; near names: {}", likely.join(", "))
}

// A filter is a part of a name, so it is held against the words of the name as well as against the whole.
fn nearness(filter: &str, name: &str) -> f64 {
    let words = name.split('_').chain([name]);
    words.map(|word| strsim::jaro_winkler(filter, word)).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Args::parse(Instrument::Ratio, line.split_whitespace().map(String::from))
    }

    #[test]
    fn reads_filters_flags_and_criterions_own() -> Result<(), clap::Error> {
        let args = parse("vec map --quick --bench --layouts 4 --processes 2 --save-baseline old --noplot")?;
        assert_eq!(args.filters, ["vec", "map"]);
        assert_eq!((args.quick, args.layouts(), args.processes(), args.seed), (true, 4, 2, 1));
        assert_eq!(args.criterion, ["--save-baseline", "old", "--noplot"]);
        Ok(())
    }

    #[test]
    fn layouts_and_processes_default_to_ten_by_six_and_five_by_one() -> Result<(), clap::Error> {
        let sweeps = |args: Args| (args.layouts(), args.processes());
        assert_eq!(sweeps(parse("")?), (10, 6));
        assert_eq!(sweeps(parse("--quick")?), (5, 1));
        Ok(())
    }

    #[test]
    fn threads_are_pinned_unless_asked_otherwise() -> Result<(), clap::Error> {
        assert!(!parse("")?.unpinned);
        assert!(parse("--unpinned")?.unpinned);
        Ok(())
    }

    #[test]
    fn refuses_too_few_and_unknown_flags_with_exit_code_2() {
        for line in ["--layouts 2", "--layouts x", "--layouts", "--processes 0", "--nonsense", "--seed 0"] {
            let error = parse(line).expect_err(line);
            assert_eq!(error.exit_code(), 2, "{line}");
        }
        assert!(parse("--layouts 2").expect_err("two").to_string().contains("3 or more"));
        assert!(parse("--processes 0").expect_err("none").to_string().contains("1 or more"));
    }

    #[test]
    fn forks_are_refused_with_the_names_of_what_took_their_place() {
        for line in ["--forks 10", "--forks", "--forks=3", "vec --forks x"] {
            let error = parse(line).expect_err(line);
            let said = error.to_string();
            assert_eq!(error.exit_code(), 2, "{line}");
            assert!(said.contains("--layouts L") && said.contains("--processes K"), "{line}: {said}");
        }
    }
}
