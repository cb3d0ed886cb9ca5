//! Running the command line, for the tests that do.

use assert_cmd::Command;
use assert_cmd::assert::Assert;

pub(crate) fn trapline(line: &[&str]) -> Assert {
    Command::new(env!("CARGO_BIN_EXE_trapline")).args(line).assert()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
