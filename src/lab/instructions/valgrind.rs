//! Whether valgrind is here and can run this executable.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Asks the executable to exit at once: what a probe runs under valgrind.
pub(super) const PROBE: &str = "--trapline-probe";

const HOW_TO_GET: &str = "valgrind is not on PATH; on Debian or Ubuntu: apt-get install valgrind; on Fedora: dnf install \
    valgrind";
const TOO_NEW: &str = "build without -Ctarget-cpu=native, whose newest instructions valgrind may not know, or get a newer \
    valgrind";

/// What a case needs to run under valgrind.
#[derive(Clone, Debug)]
pub(super) struct Tool {
    /// This executable.
    pub(super) exe: PathBuf,
    /// Whether the address space can be kept from moving. Containers often refuse it, and it is a finer point: valgrind
    /// places memory itself.
    pub(super) fixed_addresses: bool,
}

/// Looks for valgrind and lets it run this executable once.
///
/// # Errors
/// A sentence: why nothing can be counted, and what to do.
pub(super) fn find() -> Result<Tool, String> {
    let exe = std::env::current_exe().map_err(|e| format!("cannot tell where this executable is: {e}"))?;
    judge(probe(&mut Command::new("valgrind"), &exe))?;
    let fixed = probe(Command::new("setarch").args([std::env::consts::ARCH, "-R", "valgrind"]), &exe);
    Ok(Tool { exe, fixed_addresses: fixed.is_ok_and(|output| output.status.success()) })
}

fn probe(valgrind: &mut Command, exe: &Path) -> io::Result<Output> {
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(exe).arg(PROBE).output()
}

fn judge(outcome: io::Result<Output>) -> Result<(), String> {
    match outcome {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(died(&output)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(HOW_TO_GET.into()),
        Err(error) => Err(format!("valgrind on PATH does not start: {error}; {HOW_TO_REPAIR}")),
    }
}

const HOW_TO_REPAIR: &str = "check that `valgrind --version` works";

fn died(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let unknown = |line: &&str| line.contains("nhandled instruction") || line.contains("nrecognised instruction");
    match text.lines().find(unknown) {
        Some(line) => format!("valgrind cannot run this executable: {}; {TOO_NEW}", line.trim()),
        None => format!("valgrind cannot run this executable ({}): {}; {HOW_TO_REPAIR}", output.status, last(&text)),
    }
}

fn last(text: &str) -> &str {
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it said nothing")
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    fn ended(raw: i32, stderr: &str) -> io::Result<Output> {
        Ok(Output { status: ExitStatus::from_raw(raw), stdout: Vec::new(), stderr: stderr.into() })
    }

    #[test]
    fn a_missing_valgrind_says_how_to_get_it() {
        let why = judge(Err(io::ErrorKind::NotFound.into())).expect_err("not there");
        assert!(why.starts_with("valgrind is not on PATH; on Debian or Ubuntu: apt-get install valgrind"), "{why}");
    }

    #[test]
    fn an_unknown_instruction_is_named_with_the_flag() {
        let why = judge(ended(4, "==1== x\nvex amd64->IR: unhandled instruction bytes: 0x62 0xF1\n==1== y\n"));
        let why = why.expect_err("died");
        assert!(why.contains("unhandled instruction bytes: 0x62 0xF1; build without -Ctarget-cpu=native"), "{why}");
    }

    #[test]
    fn any_other_death_gives_status_and_last_words() {
        let why = judge(ended(256, "valgrind: failed to start tool\n\n")).expect_err("died");
        assert!(why.contains("(exit status: 1): valgrind: failed to start tool; check"), "{why}");
    }

    #[test]
    fn a_clean_exit_is_fine() {
        assert_eq!(judge(ended(0, "==1== Collected : 12")), Ok(()));
    }
}
