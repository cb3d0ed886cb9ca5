//! The one argument contract of every bench target:
//! `[FILTER]... [--quick] [--test] [--list] [--forks N] [--solo] [--seed S] [--fork-timeout SECONDS]`.
//!
//! `cargo bench -- …` gives one command line to all targets, so criterion's own flags are known here as well: the `time`
//! target passes them on, the others ignore them and say so.

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::trap::{Instrument, Trap};

/// Fewer forks give no interval worth printing: with two, t(0.975, 1) is 12.7.
pub const FEWEST_FORKS: usize = 3;

/// What the command line asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Args {
    /// Substrings of trap names; none means all traps.
    pub filters: Vec<String>,
    /// Shorter measurements: five forks at the headline points only.
    pub quick: bool,
    /// Run every chosen variant once and check digests; measure nothing.
    pub test: bool,
    /// Say what would be measured.
    pub list: bool,
    /// How many forks.
    pub forks: Option<usize>,
    /// Each arm in a process of its own.
    pub solo: bool,
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
        .arg(flag("quick", "Five forks at the headline points; short criterion runs"))
        .arg(flag("test", "Run every chosen variant once and check that the answers agree; measure nothing"))
        .arg(flag("list", "Say what would be measured"))
        .arg(
            Arg::new("forks")
                .long("forks")
                .value_name("N")
                .value_parser(forks)
                .help("Processes, each a relink [10; 5]"),
        )
        .arg(flag("solo", "Give each variant a process of its own"))
        .arg(
            number("seed", "S", "1").help("Seed of the first code layout, from 1; the next forks count on from it [1]"),
        )
        .arg(number("fork-timeout", "SECONDS", "60").help("Give up a fork that is silent for so long [60]"))
        .arg(flag("bench", "Given by cargo").hide(true))
        .args(CRITERION.iter().map(|&(name, short, value)| criterion_arg(name, short, value)))
        .after_help("Criterion's own flags, such as --save-baseline NAME, are passed on by the time target.")
}

fn number(name: &'static str, value: &'static str, default: &'static str) -> Arg {
    // LLD takes the seed 0 for "choose one", which would give a layout that nobody can repeat.
    let positive = value_parser!(u64).range(1..);
    Arg::new(name).long(name).value_name(value).default_value(default).hide_default_value(true).value_parser(positive)
}

fn criterion_arg(name: &'static str, short: Option<char>, value: bool) -> Arg {
    let action = if value { ArgAction::Set } else { ArgAction::SetTrue };
    let arg = Arg::new(name).long(name).action(action).hide(true);
    if let Some(short) = short { arg.short(short) } else { arg }
}

fn forks(text: &str) -> Result<usize, String> {
    let forks: usize = text.parse().map_err(|_| format!("give a whole number of {FEWEST_FORKS} or more"))?;
    if forks < FEWEST_FORKS {
        return Err(format!(
            "an interval over fewer than {FEWEST_FORKS} forks says nothing (t is 12.7 with two): give {FEWEST_FORKS} or more"
        ));
    }
    Ok(forks)
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
            forks: matches.get_one("forks").copied(),
            solo: matches.get_flag("solo"),
            seed: number("seed"),
            fork_timeout: number("fork-timeout"),
            criterion: CRITERION.iter().flat_map(|&(name, _, value)| given(matches, name, value)).collect(),
        }
    }

    /// How many forks: as asked for, else five when quick and ten when not.
    #[must_use]
    pub fn forks(&self) -> usize {
        self.forks.unwrap_or(if self.quick { 5 } else { 10 })
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
        let chosen = |t: &&Trap| self.filters.is_empty() || self.filters.iter().any(|f| t.name.contains(f.as_str()));
        Ok(traps.iter().filter(chosen).collect())
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
        let args = parse("vec map --quick --bench --forks 4 --save-baseline old --noplot")?;
        assert_eq!(args.filters, ["vec", "map"]);
        assert_eq!((args.quick, args.forks(), args.seed), (true, 4, 1));
        assert_eq!(args.criterion, ["--save-baseline", "old", "--noplot"]);
        Ok(())
    }

    #[test]
    fn forks_default_to_ten_and_five() -> Result<(), clap::Error> {
        assert_eq!(parse("")?.forks(), 10);
        assert_eq!(parse("--quick")?.forks(), 5);
        Ok(())
    }

    #[test]
    fn refuses_too_few_forks_and_unknown_flags_with_exit_code_2() {
        for line in ["--forks 1", "--forks 2", "--forks x", "--nonsense", "--forks", "--seed 0"] {
            let error = parse(line).expect_err(line);
            assert_eq!(error.exit_code(), 2, "{line}");
        }
        assert!(parse("--forks 2").expect_err("two").to_string().contains("3 or more"));
    }
}
