//! Go's toolchain, as it is found on PATH, and the test binary that it builds.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::twin::Twin;
use crate::record::GoProvenance;

/// The oldest Go that has `testing.B.Loop`.
const OLDEST: (u32, u32) = (1, 24);
const HOW: &str = "put one on PATH; the README says how to get it without installing anything";

/// A Go that is new enough.
#[derive(Clone, Debug)]
pub struct Toolchain {
    /// What `go version` says.
    pub version: String,
}

/// A test binary.
#[derive(Clone, Debug)]
pub struct Binary {
    /// Where it is.
    pub path: PathBuf,
}

impl Toolchain {
    /// Looks for one on PATH.
    ///
    /// # Errors
    /// If there is none that is new enough: which is needed, and how to get it.
    pub fn find() -> Result<Self, String> {
        let needed = format!("{}.{} or newer", OLDEST.0, OLDEST.1);
        let said = go().arg("version").output().ok().filter(|output| output.status.success());
        let version = said.ok_or(format!("no Go toolchain ({needed}): {HOW}"))?;
        let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
        match numbered(&version) {
            Some(number) if number >= OLDEST => Ok(Self { version }),
            _ => Err(format!("{version} is no Go {needed}: {HOW}")),
        }
    }

    /// Builds the test binary of the module in a folder.
    ///
    /// # Errors
    /// If it can't be built: what Go says.
    pub fn build(&self, module: &Path, into: &Path) -> Result<Binary, String> {
        let fault = |why: String| format!("cannot build the Go module in {}: {why}", module.display());
        // Go runs in the module's folder, from where a relative path would be another.
        let path = std::path::absolute(into.join("trapline.test")).map_err(|error| fault(error.to_string()))?;
        let built = go().current_dir(module).args(["test", "-c", "-o"]).arg(&path).arg(".").output();
        let built = built.map_err(|error| fault(error.to_string()))?;
        if built.status.success() { Ok(Binary { path }) } else { Err(fault(complaint(&built))) }
    }

    /// What a number depends on besides the machine.
    #[must_use]
    pub fn provenance(&self) -> GoProvenance {
        let set = |name| go().args(["env", name]).output().ok();
        let told = |output: Output| String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let known = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        GoProvenance {
            version: self.version.clone(),
            goamd64: set("GOAMD64").map(told).filter(|value| !value.is_empty()),
            gogc: known("GOGC"),
            gomaxprocs: known("GOMAXPROCS"),
        }
    }
}

impl Binary {
    /// Its arms at all points; in `answers` with the answer of each.
    ///
    /// # Errors
    /// If it fails, or says what is no list.
    pub fn ask(&self, for_what: &str) -> Result<Vec<Twin>, String> {
        let said = Command::new(&self.path).env("TRAPLINE", for_what).output().map_err(|error| error.to_string())?;
        if !said.status.success() {
            return Err(format!("{for_what} of the Go binary: {}", complaint(&said)));
        }
        let lines = String::from_utf8_lossy(&said.stdout).into_owned();
        lines.lines().map(|line| serde_json::from_str(line).map_err(|why| format!("{line}: {why}"))).collect()
    }
}

// Nothing is fetched: neither another toolchain nor a module; and no C compiler is asked for.
fn go() -> Command {
    let mut go = Command::new("go");
    go.envs([("GOTOOLCHAIN", "local"), ("GOFLAGS", "-mod=mod"), ("GOWORK", "off"), ("CGO_ENABLED", "0")]);
    go
}

fn numbered(version: &str) -> Option<(u32, u32)> {
    let word = version.split_whitespace().find_map(|word| word.strip_prefix("go1."))?;
    let minor: String = word.chars().take_while(char::is_ascii_digit).collect();
    Some((1, minor.parse().ok()?))
}

fn complaint(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    said.lines().filter(|line| !line.trim().is_empty()).take(3).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_as_go_tells_it() {
        assert_eq!(numbered("go version go1.27.3 linux/amd64"), Some((1, 27)));
        assert_eq!(numbered("go version go1.24 darwin/arm64"), Some((1, 24)));
        assert_eq!(numbered("go version go1.25rc1 linux/amd64"), Some((1, 25)));
        assert_eq!(numbered("gccgo 12"), None);
    }
}
