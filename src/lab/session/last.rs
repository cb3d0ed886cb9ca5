//! Which target is the last of a `cargo bench`: that one has the last word.
//!
//! Cargo runs targets by name and does not say which they are. So `usage` is the last where it follows `time`, and `time` is the last
//! where no `usage` will follow it.

use std::ffi::OsStr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::record::Run;
use crate::trap::Instrument;

// Longer than `time` takes, and shorter than two commands are apart that have nothing to do with each other.
const ONE_COMMAND: Duration = Duration::from_secs(600);

/// Whether this run is the last of its command, among these runs.
pub(super) fn is_last(run: &Run, runs: &[Run]) -> bool {
    match run.instrument {
        Instrument::Time => !std::env::current_exe().is_ok_and(|time| has_usage_beside(&time)),
        Instrument::Usage => {
            runs.iter().any(|other| other.instrument == Instrument::Time && follows(start(run), start(other)))
        }
        _ => false,
    }
}

// When it started and its command line.
type Start<'a> = (&'a str, &'a str);

fn start(run: &Run) -> Start<'_> {
    (&run.started, &run.command)
}

// One command gives all targets one line of arguments.
fn follows((started, command): Start<'_>, (before, other): Start<'_>) -> bool {
    let [mine, its] = [command, other].map(|command| command.split_once(' ').map(|(_, arguments)| arguments));
    let time = |text: &str| humantime::parse_rfc3339(text).unwrap_or(SystemTime::UNIX_EPOCH);
    let apart = time(started).duration_since(time(before));
    mine == its && apart.is_ok_and(|apart| apart < ONE_COMMAND)
}

// Cargo puts the executables of all targets into one folder, each by its name and a hash.
fn has_usage_beside(executable: &Path) -> bool {
    let is_usage = |name: &OsStr| name.to_str().is_some_and(|name| name.starts_with("usage-") && !name.contains('.'));
    let beside = executable.parent().and_then(|folder| folder.read_dir().ok());
    beside.is_some_and(|mut files| files.any(|file| file.is_ok_and(|file| is_usage(&file.file_name()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_command_is_the_same_arguments_within_ten_minutes() {
        let usage = ("2026-01-01T10:05:00Z", "/deps/usage-1 --quick --bench");
        assert!(follows(usage, ("2026-01-01T10:00:00Z", "/deps/time-2 --quick --bench")));
        assert!(!follows(usage, ("2026-01-01T10:00:00Z", "/deps/time-2 --bench")));
        assert!(!follows(usage, ("2026-01-01T09:00:00Z", "/deps/time-2 --quick --bench")));
        assert!(!follows(usage, ("2026-01-01T10:06:00Z", "/deps/time-2 --quick --bench")));
    }

    #[test]
    fn time_is_last_where_no_usage_lies_beside_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let time = folder.path().join("time-2");
        assert!(!has_usage_beside(&time));
        std::fs::write(folder.path().join("usage-1.d"), "").expect("a file");
        assert!(!has_usage_beside(&time));
        std::fs::write(folder.path().join("usage-1"), "").expect("a file");
        assert!(has_usage_beside(&time));
    }
}
