//! Code layout: one link decides it, so the target is linked again for each of several.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::args::FEWEST_LAYOUTS;
use super::machine;
use super::paths::target_name;

/// The layouts that a run has.
#[derive(Clone, Debug)]
pub(in crate::lab) struct Linked {
    /// The executables, as many as were asked for; all of them the one that cargo linked where there can be no other.
    pub(in crate::lab) layouts: Vec<PathBuf>,
    /// How many different ones there are.
    pub(in crate::lab) distinct: usize,
    /// Why there is only one, if so.
    pub(in crate::lab) one: Option<String>,
    /// Why there are fewer than were asked for, if a link failed after others had been made.
    pub(in crate::lab) fewer: Option<String>,
}

/// Links the running bench target so many times with its functions in another order, from this seed on, or takes what an
/// earlier run has linked. Two seeds that give one executable are one layout, and another seed is tried.
pub(in crate::lab) fn layouts(
    folder: &Path,
    executable: &[u8],
    wanted: usize,
    seed: u64,
    interrupted: &AtomicBool,
) -> Linked {
    let (relinker, mut found) = (Relinker::new(folder, executable), BTreeMap::new());
    let mut fewer = None;
    for seed in (seed..).take(SEEDS * wanted) {
        if found.len() == wanted || interrupted.load(Ordering::Relaxed) {
            break;
        }
        match relinker.relink(seed) {
            Ok((hash, path)) => drop(found.entry(hash).or_insert((seed, path))),
            // An interrupted linker says nothing about what it can do.
            Err(_) if interrupted.load(Ordering::Relaxed) => break,
            Err(why) if found.len() < FEWEST_LAYOUTS => return one(wanted, why),
            Err(why) => {
                fewer = Some(why);
                break;
            }
        }
    }
    let distinct = found.len();
    let mut layouts: Vec<_> = found.into_values().collect();
    layouts.sort();
    Linked { layouts: layouts.into_iter().map(|(_, path)| path).collect(), distinct, one: None, fewer }
}

// How many seeds are tried for each layout.
const SEEDS: usize = 3;

fn one(wanted: usize, why: String) -> Linked {
    let path = std::env::current_exe().unwrap_or_default();
    Linked { layouts: vec![path; wanted], distinct: 1, one: Some(why), fewer: None }
}

/// Executables of the running bench target, linked again with their functions in another order.
///
/// A relink is `$CARGO rustc --bench NAME -- -Clink-arg=-Wl,--shuffle-sections=.text*=SEED` with the flags of the cargo
/// command that started us; see the manual of LLD for the option. The result does not replace the original executable,
/// and is kept under a name that holds the original's hash.
#[derive(Debug)]
struct Relinker {
    folder: PathBuf,
    bench: String,
    hash: String,
    cargo: Option<OsString>,
    flags: Vec<String>,
}

impl Relinker {
    fn new(folder: &Path, executable: &[u8]) -> Self {
        let hash = machine::sha256(executable)[..16].to_owned();
        let (folder, cargo) = (folder.join("layouts"), std::env::var_os("CARGO"));
        let bench = cargo.as_deref().and_then(stated_name).unwrap_or_else(target_name);
        Self { folder, bench, hash, cargo, flags: cargo_flags(&parent_command()) }
    }

    // The executable of this seed and the hash of its content, or a sentence that says why it can't be linked.
    fn relink(&self, seed: u64) -> Result<(String, PathBuf), String> {
        let kept = self.folder.join(format!("{}-{}-{seed}", self.bench, self.hash));
        if !kept.exists() {
            self.forget_others();
            let linked = self.link(seed)?;
            std::fs::create_dir_all(&self.folder).map_err(|e| format!("cannot make {}: {e}", self.folder.display()))?;
            // Moved, so that they do not pile up among cargo's own; no reader ever sees half of one.
            std::fs::rename(&linked, &kept).map_err(|e| format!("cannot keep {}: {e}", kept.display()))?;
        }
        let content = std::fs::read(&kept).map_err(|e| format!("cannot read {}: {e}", kept.display()))?;
        Ok((machine::sha256(&content), kept))
    }

    fn link(&self, seed: u64) -> Result<PathBuf, String> {
        let cargo = self.cargo.as_ref().ok_or("the executable was not started by cargo, which would link it again")?;
        let mut command = Command::new(cargo);
        command.args(["rustc", "--bench", &self.bench, "--message-format=json"]).args(&self.flags);
        command.arg("--").arg(format!("-Clink-arg=-Wl,--shuffle-sections=.text*={seed}"));
        let output = command.output().map_err(|e| format!("cannot start cargo to link again: {e}"))?;
        if !output.status.success() {
            return Err(format!("the linker can't shuffle sections: {}", reason(&output)));
        }
        executable_of(&output.stdout, &self.bench).ok_or_else(|| "cargo names no executable that it linked".into())
    }

    // Layouts of executables that are gone are of no use, and each takes megabytes.
    fn forget_others(&self) {
        let (ours, bench) = (format!("{}-{}-", self.bench, self.hash), format!("{}-", self.bench));
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let old = entries.filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.starts_with(&bench) && !name.starts_with(&ours)
        });
        for entry in old {
            // One that can't be removed costs space only.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

// What Cargo.toml calls the running target: cargo writes `_` for `-` in the names of executables.
fn stated_name(cargo: &OsStr) -> Option<String> {
    let output =
        Command::new(cargo).args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).output().ok()?;
    let metadata: Value = serde_json::from_slice(&output.stdout).ok()?;
    let package = std::env::var("CARGO_PKG_NAME").ok()?;
    let package = metadata["packages"].as_array()?.iter().find(|p| p["name"] == *package)?;
    let names = package["targets"].as_array()?.iter().filter_map(|target| target["name"].as_str());
    names.into_iter().find(|name| name.replace('-', "_") == target_name().replace('-', "_")).map(str::to_owned)
}

// The words of the command that started us: cargo's, when `cargo bench` did.
fn parent_command() -> Vec<String> {
    #[cfg(unix)]
    let bytes = std::fs::read(format!("/proc/{}/cmdline", std::os::unix::process::parent_id())).unwrap_or_default();
    #[cfg(not(unix))]
    let bytes: Vec<u8> = Vec::new();
    bytes.split(|&byte| byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

// The flags of a `cargo bench` command that decide what is built, for a `cargo rustc` that builds the same.
fn cargo_flags(command: &[String]) -> Vec<String> {
    const VALUED: &[&str] =
        &["--features", "-F", "--profile", "--target", "--config", "--target-dir", "--package", "-p"];
    const BARE: &[&str] = &["--all-features", "--no-default-features", "--locked", "--offline", "--frozen"];
    let mut flags = Vec::new();
    let mut words = command.iter().skip(1).take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        if VALUED.contains(&word.as_str()) {
            flags.extend([Some(word), words.next()].into_iter().flatten().cloned());
        } else if BARE.contains(&word.as_str()) || VALUED.iter().any(|flag| word.starts_with(&format!("{flag}="))) {
            flags.push(word.clone());
        }
    }
    if !flags.iter().any(|flag| flag.starts_with("--profile")) {
        flags.extend(["--profile".into(), "bench".into()]);
    }
    flags
}

// What a failed cargo said last of what the linker said.
fn reason(output: &Output) -> String {
    let text = format!("{}{}", String::from_utf8_lossy(&output.stderr), rendered(&output.stdout));
    let line = |word: &str| text.lines().rfind(|line| line.contains(word)).map(|line| line.trim().to_owned());
    line("shuffle-sections").or_else(|| line("error")).unwrap_or_else(|| output.status.to_string())
}

fn rendered(stdout: &[u8]) -> String {
    let messages = String::from_utf8_lossy(stdout);
    let values = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    values.filter_map(|value| value["message"]["rendered"].as_str().map(str::to_owned)).collect()
}

fn executable_of(stdout: &[u8], bench: &str) -> Option<PathBuf> {
    let messages = String::from_utf8_lossy(stdout);
    let mut values = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let artifact = values.find(|v| v["target"]["name"] == bench && v["executable"].is_string())?;
    artifact["executable"].as_str().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(command: &str) -> Vec<String> {
        cargo_flags(&command.split(' ').map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn takes_over_the_flags_that_decide_what_is_built() {
        assert_eq!(
            flags("cargo bench --features mimalloc -- --features x"),
            ["--features", "mimalloc", "--profile", "bench"]
        );
        assert_eq!(
            flags("cargo bench --bench ratio -F=a --offline --profile p"),
            ["-F=a", "--offline", "--profile", "p"]
        );
        assert_eq!(flags(""), ["--profile", "bench"]);
    }

    #[test]
    fn finds_the_executable_among_cargos_messages() {
        let messages = br#"{"reason":"compiler-artifact","target":{"name":"trapline"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"ratio"},"executable":"/t/ratio-1"}"#;
        assert_eq!(executable_of(messages, "ratio"), Some("/t/ratio-1".into()));
        assert_eq!(executable_of(messages, "heap"), None);
    }
}
