//! A fork seen from outside: start it, listen to it, and know how it ended.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::protocol::{FORK, Message, Plan};

// How often the listener looks up to see whether it was interrupted; seldom, for it takes its time from what is measured. On
// Ctrl-C the fork ends with us and is heard at once.
const GLANCE: Duration = Duration::from_secs(1);

/// How a fork ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It swept its plan.
    Done,
    /// It died or was given up, for this reason.
    Died(String),
    /// The user wants no more.
    Interrupted,
}

/// Starts an executable as a fork with this plan and hands over each of its messages, until it ends, or is silent for longer
/// than `patience`, or `interrupted` is set. No process is left behind.
///
/// # Errors
/// If the executable can't be started.
pub(super) fn listen(
    executable: &Path,
    plan: &Plan,
    patience: Duration,
    interrupted: &AtomicBool,
    mut hear: impl FnMut(Message),
) -> io::Result<End> {
    let mut fork = start(executable, plan)?;
    let messages = lines(&mut fork);
    let complaint = collect(&mut fork);
    let end = attend(&messages, patience, interrupted, &mut hear);
    if end.is_some() {
        // It may have died by itself in the meantime; either way it is gone after the wait.
        let _ = fork.kill();
    }
    let status = fork.wait()?;
    let complaint = complaint.join().unwrap_or_default();
    // Ctrl-C goes to the whole group of processes: then the fork did not die of itself.
    if interrupted.load(Ordering::Relaxed) {
        return Ok(End::Interrupted);
    }
    Ok(end.unwrap_or_else(|| verdict(status, &complaint)))
}

fn start(executable: &Path, plan: &Plan) -> io::Result<Child> {
    let mut command = Command::new(executable);
    command.arg(FORK).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut fork = command.spawn()?;
    if let Some(mut input) = fork.stdin.take() {
        // A fork that dies before it has read its plan is judged by how it died.
        let _ = writeln!(input, "{}", serde_json::to_string(plan)?);
    }
    Ok(fork)
}

fn lines(fork: &mut Child) -> Receiver<String> {
    let (sender, lines) = channel();
    let output = fork.stdout.take();
    thread::spawn(move || {
        for line in output.into_iter().flat_map(|o| BufReader::new(o).lines()).map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

fn collect(fork: &mut Child) -> JoinHandle<String> {
    let errors = fork.stderr.take();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What could be read of it is good enough for a message.
        let _ = errors.map(|mut e| e.read_to_end(&mut bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

// Nothing if the fork closed its output by itself.
fn attend(
    lines: &Receiver<String>,
    patience: Duration,
    interrupted: &AtomicBool,
    hear: &mut impl FnMut(Message),
) -> Option<End> {
    let mut heard = Instant::now();
    loop {
        if interrupted.load(Ordering::Relaxed) {
            return Some(End::Interrupted);
        }
        match lines.recv_timeout(GLANCE) {
            Ok(line) => {
                heard = Instant::now();
                match serde_json::from_str(&line) {
                    Ok(message) => hear(message),
                    Err(_) => return Some(End::Died(format!("it printed a line that is no message: {line}"))),
                }
            }
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) if heard.elapsed() > patience => {
                return Some(End::Died(format!("no word for {} s: it hangs, and was killed", patience.as_secs())));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

fn verdict(status: ExitStatus, complaint: &str) -> End {
    if status.success() {
        return End::Done;
    }
    let telling = |line: &&str| !line.trim().is_empty() && !line.starts_with("note:");
    let last: Vec<_> = complaint.lines().filter(telling).take(2).collect();
    let how = named(status);
    End::Died(if last.is_empty() { how } else { format!("{how}: {}", last.join(" ")) })
}

#[cfg(unix)]
fn named(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        Some(signal) => {
            let name = signal_hook::low_level::signal_name(signal).unwrap_or("unknown");
            format!("killed by signal {signal} ({name})")
        }
        None => format!("exit status {}", status.code().unwrap_or_default()),
    }
}

#[cfg(not(unix))]
fn named(status: ExitStatus) -> String {
    status.to_string()
}
