//! Child processes with a time limit and a log.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Runs a command to its end with its output in a log.
///
/// # Errors
/// A sentence: it did not start, did not end in time, or did not succeed; with the end of the log.
pub(super) fn run_to_log(command: &mut Command, log: &Path, limit: Duration) -> Result<(), String> {
    let status = start(command, log).and_then(|child| wait(child, limit)).map_err(|e| e.to_string())?;
    match status {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(told(&format!("ended with {status}"), log)),
        None => Err(told(&format!("was still running after {} s", limit.as_secs()), log)),
    }
}

// In a process group of its own, so that it can be ended with its children.
fn start(command: &mut Command, log: &Path) -> io::Result<Child> {
    let file = File::create(log)?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).process_group(0).spawn()
}

// The status, or none if it had to be ended.
fn wait(mut child: Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    while start.elapsed() < limit {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        // The standard library has no wait with a limit; nothing is timed while a count goes on.
        sleep(Duration::from_millis(5));
    }
    end_group(child.id())?;
    child.wait()?;
    Ok(None)
}

// The standard library can't signal a group. The shell's own `kill` is there where the program is not.
fn end_group(id: u32) -> io::Result<()> {
    Command::new("sh").args(["-c", &format!("kill -KILL -{id}")]).status().map(|_| ())
}

fn told(what: &str, log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    match last_lines(&String::from_utf8_lossy(&text)) {
        end if end.is_empty() => what.into(),
        end => format!("{what}: {end} (log: {})", log.display()),
    }
}

// The last three lines that say something, on one line; neither the runner's heading nor the hint at backtraces does.
fn last_lines(text: &str) -> String {
    let noise = |line: &str| line.starts_with("trapline::") || line.starts_with("note: run with");
    let says = |line: &&str| line.chars().any(char::is_alphabetic) && !noise(line);
    let mut lines: Vec<&str> = text.lines().map(plain).filter(says).rev().take(3).collect();
    lines.reverse();
    lines.join(" / ")
}

// Without valgrind's `==1234==`, which changes with every process.
fn plain(line: &str) -> &str {
    let rest = line.trim().strip_prefix("==").and_then(|rest| rest.split_once("=="));
    rest.map_or(line, |(_, said)| said).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    fn run(script: &str, limit: Duration) -> Result<(), String> {
        let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
        run_to_log(Command::new("sh").args(["-c", script]), &folder.path().join("log"), limit)
    }

    #[test]
    fn success_is_silent() {
        assert_eq!(run("echo counted", SOON), Ok(()));
    }

    #[test]
    fn a_failure_gives_status_and_last_words() {
        let error =
            run("echo one; echo '==77== two' >&2; echo; echo note: run with this; exit 3", SOON).expect_err("exit 3");
        assert!(error.starts_with("ended with exit status: 3: one / two (log: "), "{error}");
    }

    #[test]
    fn a_hang_is_ended_with_its_children() {
        let start = Instant::now();
        let error = run("sleep 60 & sleep 60", Duration::from_millis(50)).expect_err("hangs");
        assert_eq!(error, "was still running after 0 s");
        assert!(start.elapsed() < SOON);
    }
}
