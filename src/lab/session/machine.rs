//! Where a number comes from: the machine, the build and the commit, as far as they can be found out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::record::Provenance;

/// Finds out the provenance of a run of the executable with this content.
#[must_use]
pub fn provenance(executable: &[u8]) -> Provenance {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let folder = package.unwrap_or_default();
    Provenance {
        trapline: env!("CARGO_PKG_VERSION").into(),
        package: name_and_version(),
        commit: git(&folder, &["rev-parse", "HEAD"]),
        dirty: git(&folder, &["status", "--porcelain"]).map(|changes| !changes.is_empty()),
        rustc: run(Command::new(rustc()).arg("-vV")).map(|text| text.replace('\n', "; ")),
        profile: profile(),
        linker: linker(executable),
        target_cpu: Some(target_cpu()),
        allocator: Some(allocator()),
        allocator_env: allocator_env(),
        huge_pages: chosen("/sys/kernel/mm/transparent_hugepage/enabled"),
        lock: lock_file(&folder).map(|lock| sha256(&lock)),
        cpu: cpu_model(),
        cores: std::thread::available_parallelism().ok().map(usize::from),
        quota: line("/sys/fs/cgroup/cpu.max"),
        cache_line: number("/sys/devices/system/cpu/cpu0/cache/index0/coherency_line_size"),
        kernel: kernel(),
        governor: observed("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        turbo: turbo(),
        load_before: load(),
        go: None,
    }
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn line(path: impl AsRef<Path>) -> Option<String> {
    std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn number(path: &str) -> Option<u64> {
    line(path)?.parse().ok()
}

fn observed(path: &str) -> String {
    line(path).unwrap_or_else(|| "unavailable".into())
}

// The one in brackets of `always [madvise] never`.
fn chosen(path: &str) -> Option<String> {
    let text = line(path)?;
    let (_, rest) = text.split_once('[')?;
    rest.split_once(']').map(|(word, _)| word.to_owned())
}

fn run(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|o| o.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn git(folder: &Path, words: &[&str]) -> Option<String> {
    run(Command::new("git").arg("-C").arg(folder).args(words))
}

fn name_and_version() -> Option<String> {
    let get = |key| std::env::var(key).ok();
    Some(format!("{} {}", get("CARGO_PKG_NAME")?, get("CARGO_PKG_VERSION")?))
}

// The compiler beside the cargo that runs us, else the one on PATH.
fn rustc() -> PathBuf {
    let beside = std::env::var_os("CARGO").map(|cargo| PathBuf::from(cargo).with_file_name("rustc"));
    beside.filter(|path| path.exists()).unwrap_or_else(|| "rustc".into())
}

fn profile() -> Option<String> {
    let executable = std::env::current_exe().ok()?;
    let folder = executable.parent()?;
    let folder = if folder.ends_with("deps") { folder.parent()? } else { folder };
    let asserts = if cfg!(debug_assertions) { "on" } else { "off" };
    Some(format!("{}, debug assertions {asserts}", folder.file_name()?.to_str()?))
}

// LLD signs the executables that it links, in the section .comment.
fn linker(executable: &[u8]) -> Option<String> {
    const SIGNATURE: &[u8] = b"Linker: ";
    // Our own constant lies in the executable too, so a match must go on like a version.
    let signed = |from: &usize| executable[from + SIGNATURE.len()..].starts_with(b"LLD");
    let starts = executable.windows(SIGNATURE.len()).enumerate().filter(|(_, w)| *w == SIGNATURE).map(|(i, _)| i);
    let from = starts.into_iter().find(signed)? + SIGNATURE.len();
    let text = executable[from..].split(|&byte| byte == 0).next()?;
    let text = String::from_utf8_lossy(text);
    Some(text.split(" (").next()?.to_owned())
}

fn target_cpu() -> String {
    let features = [
        ("sse4.2", cfg!(target_feature = "sse4.2")),
        ("avx", cfg!(target_feature = "avx")),
        ("avx2", cfg!(target_feature = "avx2")),
        ("bmi2", cfg!(target_feature = "bmi2")),
        ("avx512f", cfg!(target_feature = "avx512f")),
        ("lse", cfg!(target_feature = "lse")),
        ("sve", cfg!(target_feature = "sve")),
    ];
    let on: String = features.iter().filter(|(_, on)| *on).map(|(name, _)| format!(" +{name}")).collect();
    format!("{}{on}", std::env::consts::ARCH)
}

/// The allocator under the measured code, as far as trapline knows: its own feature `mimalloc`, else the system's.
#[must_use]
pub fn allocator() -> String {
    if cfg!(feature = "mimalloc") { "mimalloc".into() } else { system_allocator() }
}

/// The system's allocator.
#[must_use]
pub fn system_allocator() -> String {
    if cfg!(target_env = "gnu") { glibc() } else { format!("the system's ({})", std::env::consts::OS) }
}

fn glibc() -> String {
    let version = run(Command::new("getconf").arg("GNU_LIBC_VERSION"));
    version.unwrap_or_else(|| "glibc".into())
}

fn allocator_env() -> BTreeMap<String, String> {
    let ours = |key: &str| key.starts_with("MALLOC_") || key.starts_with("MIMALLOC_") || key == "GLIBC_TUNABLES";
    std::env::vars().filter(|(key, _)| ours(key)).collect()
}

fn lock_file(folder: &Path) -> Option<Vec<u8>> {
    folder.ancestors().find_map(|folder| std::fs::read(folder.join("Cargo.lock")).ok())
}

fn cpu_model() -> Option<String> {
    named(&line("/proc/cpuinfo")?)
}

// Where a hypervisor hides the number in the name, family and model tell generations apart.
fn named(cpuinfo: &str) -> Option<String> {
    let fields = || cpuinfo.lines().filter_map(|line| line.split_once(':'));
    let field = |key: &str| fields().find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim());
    let name = field("model name")?;
    let generation = || Some(format!("{name} family {} model {}", field("cpu family")?, field("model")?));
    let hidden = !name.contains(|c: char| c.is_ascii_digit());
    hidden.then(generation).flatten().or_else(|| Some(name.to_owned()))
}

fn kernel() -> Option<String> {
    Some(format!("{} {}", line("/proc/sys/kernel/ostype")?, line("/proc/sys/kernel/osrelease")?))
}

fn turbo() -> String {
    match line("/sys/devices/system/cpu/intel_pstate/no_turbo").as_deref() {
        Some("0") => "on".into(),
        Some("1") => "off".into(),
        _ => match line("/sys/devices/system/cpu/cpufreq/boost").as_deref() {
            Some("1") => "on".into(),
            Some("0") => "off".into(),
            _ => "unavailable".into(),
        },
    }
}

fn load() -> Option<f64> {
    line("/proc/loadavg")?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_without_a_number_in_its_name_is_named_by_its_generation() {
        let cpuinfo = "processor\t: 0\ncpu family\t: 25\nmodel\t\t: 1\nmodel name\t: AMD EPYC\n";
        assert_eq!(named(cpuinfo).as_deref(), Some("AMD EPYC family 25 model 1"));
        assert_eq!(named("model name\t: AMD EPYC\n").as_deref(), Some("AMD EPYC"));
        let full = cpuinfo.replace("EPYC", "EPYC 7B13");
        assert_eq!(named(&full).as_deref(), Some("AMD EPYC 7B13"));
        assert_eq!(named("processor\t: 0\n"), None);
    }
}
