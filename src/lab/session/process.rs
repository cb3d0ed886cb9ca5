//! A process that measures: how it is started, listened to, and how it ended; and what it does itself.
//!
//! A bench target is started again as one, with an argument that says which. The plan comes on standard input, and what was
//! measured goes to standard output, a line a message, so that a process that dies loses only what it was at.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::SessionError;
use super::progress::Progress;

// How often the listener looks up to see whether it was interrupted; seldom, for it takes its time from what is measured. On
// Ctrl-C the process ends with us and is heard at once.
const GLANCE: Duration = Duration::from_secs(1);

/// How a process ended.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::lab) enum End {
    /// It did what it was to do.
    Done,
    /// It died or was given up, for this reason.
    Died(String),
    /// The user wants no more.
    Interrupted,
}

/// Plays this role, if the arguments say so: reads the plan and carries it out. Otherwise gives nothing.
pub(in crate::lab) fn play<P: DeserializeOwned>(
    role: &str,
    carry_out: impl FnOnce(P) -> io::Result<()>,
) -> Option<ExitCode> {
    if std::env::args().nth(1).as_deref() != Some(role) {
        return None;
    }
    let done = read_plan(io::stdin().lock()).and_then(carry_out);
    Some(done.map_or_else(|error| fault(&error), |()| ExitCode::SUCCESS))
}

fn fault(error: &io::Error) -> ExitCode {
    eprintln!("error: this process can't go on: {error}");
    ExitCode::FAILURE
}

fn read_plan<P: DeserializeOwned>(mut input: impl BufRead) -> io::Result<P> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

/// Tells the one who started this process.
pub(in crate::lab) fn tell(message: &impl Serialize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, message)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Parks a thread for life. glibc's malloc has a faster mode until the first thread starts, and services have threads.
pub(in crate::lab) fn have_threads() {
    thread::spawn(|| {
        loop {
            thread::park();
        }
    });
}

/// Starts an executable in a role with this plan and hands over each of its messages, until it ends, or is silent for longer
/// than `patience`, or `interrupted` is set. No process is left behind.
///
/// # Errors
/// If the executable can't be started.
pub(in crate::lab) fn listen<M: DeserializeOwned>(
    executable: &Path,
    (role, plan): (&str, &impl Serialize),
    patience: Duration,
    interrupted: &AtomicBool,
    mut hear: impl FnMut(M),
) -> io::Result<End> {
    let process = start(executable, role, plan)?;
    let message = |line: &str| match serde_json::from_str(line) {
        Ok(message) => {
            hear(message);
            Ok(())
        }
        Err(_) => Err(format!("it printed a line that is no message: {line}")),
    };
    attend(process, patience, interrupted, message)
}

/// Hands over each line of a process that was started with its output piped, until it ends, or is silent for longer than
/// `patience`, or `interrupted` is set, or a line is not what it should be. No process is left behind.
///
/// # Errors
/// If it can't be waited for.
pub(in crate::lab) fn attend(
    mut process: Child,
    patience: Duration,
    interrupted: &AtomicBool,
    mut hear: impl FnMut(&str) -> Result<(), String>,
) -> io::Result<End> {
    let messages = lines(&mut process);
    let complaint = collect(&mut process);
    let end = until_it_ends(&messages, patience, interrupted, &mut hear);
    if end.is_some() {
        // It may have died by itself in the meantime; either way it is gone after the wait.
        let _ = process.kill();
    }
    let status = process.wait()?;
    let complaint = complaint.join().unwrap_or_default();
    // Ctrl-C goes to the whole group of processes: then it did not die of itself.
    if interrupted.load(Ordering::Relaxed) {
        return Ok(End::Interrupted);
    }
    Ok(end.unwrap_or_else(|| verdict(status, &complaint)))
}

/// What a process said that has one thing to say.
#[derive(Debug)]
pub(in crate::lab) enum Answer<M> {
    /// This.
    Said(M),
    /// Nothing, for this reason.
    Failed(String),
    /// The user wants no more.
    Interrupted,
}

/// Starts an executable in a role with this plan, and hears the one thing that it says.
///
/// # Errors
/// If the executable can't be started.
pub(in crate::lab) fn ask<M: DeserializeOwned>(
    executable: &Path,
    told: (&str, &impl Serialize),
    patience: Duration,
    interrupted: &AtomicBool,
) -> Result<Answer<M>, SessionError> {
    let mut heard = None;
    let end = listen(executable, told, patience, interrupted, |message| heard = Some(message));
    let end = end.map_err(|source| SessionError::Io { verb: "start", path: executable.into(), source })?;
    Ok(match (end, heard) {
        (End::Interrupted, _) => Answer::Interrupted,
        (End::Done, Some(message)) => Answer::Said(message),
        (End::Done, None) => Answer::Failed("it ended without a word".into()),
        (End::Died(why), _) => Answer::Failed(why),
    })
}

/// One pass: each cell once, in random order. False if `one` says that it was interrupted.
///
/// # Errors
/// As `one` has.
pub(in crate::lab) fn pass<C>(
    progress: &Progress,
    pass: usize,
    cells: &mut [C],
    mut one: impl FnMut(&C) -> Result<bool, SessionError>,
) -> Result<bool, SessionError> {
    let start = Instant::now();
    fastrand::shuffle(cells);
    for cell in cells.iter() {
        if !one(cell)? {
            return Ok(false);
        }
        progress.step();
    }
    let took = start.elapsed().as_secs_f64();
    progress.pass(&format!("pass {}: {} processes in {took:.0} s", pass + 1, cells.len()));
    Ok(true)
}

fn start(executable: &Path, role: &str, plan: &impl Serialize) -> io::Result<Child> {
    let mut command = Command::new(executable);
    command.arg(role).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn()?;
    if let Some(mut input) = process.stdin.take() {
        // One that dies before it has read its plan is judged by how it died.
        let _ = writeln!(input, "{}", serde_json::to_string(plan)?);
    }
    Ok(process)
}

fn lines(process: &mut Child) -> Receiver<String> {
    let (sender, lines) = channel();
    let output = process.stdout.take();
    thread::spawn(move || {
        for line in output.into_iter().flat_map(|o| BufReader::new(o).lines()).map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

fn collect(process: &mut Child) -> JoinHandle<String> {
    let errors = process.stderr.take();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What could be read of it is good enough for a message.
        let _ = errors.map(|mut e| e.read_to_end(&mut bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

// Nothing if it closed its output by itself.
fn until_it_ends(
    lines: &Receiver<String>,
    patience: Duration,
    interrupted: &AtomicBool,
    hear: &mut impl FnMut(&str) -> Result<(), String>,
) -> Option<End> {
    let mut heard = Instant::now();
    loop {
        if interrupted.load(Ordering::Relaxed) {
            return Some(End::Interrupted);
        }
        match lines.recv_timeout(GLANCE) {
            Ok(line) => {
                heard = Instant::now();
                if let Err(why) = hear(&line) {
                    return Some(End::Died(why));
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
