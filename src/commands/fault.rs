//! What went wrong, and whose fault it is.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use trapline::lab::session;

/// An exit code and a sentence.
#[derive(Debug)]
pub(crate) struct Fault {
    code: u8,
    why: String,
}

impl Fault {
    /// The command did not succeed.
    pub(crate) fn failed(why: impl Display) -> Self {
        Self { code: 1, why: why.to_string() }
    }

    /// The command, or what it was given, is not what it should be.
    pub(crate) fn wrong(why: impl Display) -> Self {
        Self { code: session::WRONG_COMMAND, why: why.to_string() }
    }

    /// Another process ended with this code, and has said what went wrong; one without a code was killed.
    pub(crate) fn passed_on(code: Option<i32>) -> Self {
        let why = if code.is_some() { String::new() } else { "the process that measures was ended by a signal".into() };
        Self { code: code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1), why }
    }

    /// Says what went wrong.
    pub(crate) fn told(&self) -> ExitCode {
        if !self.why.is_empty() {
            eprintln!("error: {}", self.why);
        }
        ExitCode::from(self.code)
    }
}

/// Prints a text. A reader that has seen enough closes the pipe: no fault of ours.
pub(crate) fn print(text: &str) -> Result<(), Fault> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Fault::failed(format!("cannot print: {error}"))),
        _ => Ok(()),
    }
}
