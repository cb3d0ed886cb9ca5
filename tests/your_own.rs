//! The page on a reader's own trap, followed to the letter: a crate is made of its code blocks alone, and all four targets
//! and the example are run. It is built like a test, for nothing here depends on speed.
//!
//! What it depends on is built in the target directory of this test, where most of it is already. Its records go elsewhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use trapline::record::{Archive, Record};

fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where this test was built, and so what it depends on.
fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is in the target directory")
}

/// The files of the page: each is a code block behind a line of nothing but the file's name and a colon.
fn files_of(page: &str) -> Vec<(&str, String)> {
    let (mut files, mut name, mut lines) = (Vec::new(), None, page.lines());
    while let Some(line) = lines.next() {
        match line.strip_prefix("```") {
            Some("rust" | "toml") => {
                let text = lines.by_ref().take_while(|line| *line != "```").fold(String::new(), |t, l| t + l + "\n");
                files.push((name.take().unwrap_or_else(|| panic!("a block has no file's name:\n{text}")), text));
            }
            Some(_) => drop(lines.by_ref().find(|line| *line == "```")),
            None if line.is_empty() => (),
            None => name = line.strip_prefix('`').and_then(|line| line.strip_suffix("`:")),
        }
    }
    files
}

/// A folder with the crate, and beside it this checkout, as the page has it.
struct Service {
    home: PathBuf,
}

impl Service {
    fn new(page: &str) -> Self {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("your_own");
        let service = Self { home };
        // What an earlier page had is no part of this one.
        let _ = fs::remove_dir_all(&service.home);
        for (name, text) in files_of(page) {
            service.write(name, &text);
        }
        // The same versions as ours, so that nothing has to be fetched.
        service.write("Cargo.lock", &fs::read_to_string(checkout().join("Cargo.lock")).expect("the lock is there"));
        std::os::unix::fs::symlink(checkout(), service.home.join("trapline")).expect("a link can be made");
        service
    }

    fn folder(&self) -> PathBuf {
        self.home.join("my_service")
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.folder().join(name);
        fs::create_dir_all(file.parent().expect("it is in a folder")).expect("a folder can be made");
        fs::write(&file, text).unwrap_or_else(|e| panic!("cannot write {}: {e}", file.display()));
    }

    fn cargo(&self, words: &str) -> Output {
        let (words, ours) = words.split_once(" -- ").unwrap_or((words, ""));
        let mut command = Command::new(env!("CARGO"));
        command.args(words.split(' ')).args(["--offline", "--profile", "dev", "--target-dir"]);
        command.arg(target()).arg("--").args(ours.split_whitespace());
        // A bench target that is told so by the environment keeps its records there.
        command.env("CARGO_TARGET_DIR", self.records_home()).current_dir(self.folder());
        let output = command.output().expect("cargo starts");
        assert!(output.status.success(), "cargo {words} ends with {}:\n{}", output.status, said(&output));
        output
    }

    fn records_home(&self) -> PathBuf {
        self.home.join("records")
    }

    fn archive(&self) -> Archive {
        Archive::read_folder(&self.records_home().join("trapline/records")).expect("there are records")
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn of<'a>(archive: &'a Archive, instrument: &str, variant: &str) -> Vec<&'a Record> {
    let ours = |r: &&Record| r.instrument.word() == instrument && r.variant == variant;
    archive.records.iter().filter(ours).collect()
}

fn value(archive: &Archive, instrument: &str, variant: &str, metric: &str) -> Option<f64> {
    of(archive, instrument, variant).iter().find(|r| r.metric.as_deref() == Some(metric))?.value
}

#[test]
fn the_page_is_a_crate_that_measures_itself() {
    let page = fs::read_to_string(checkout().join("docs/src/your_own.md")).expect("the page is there");
    let service = Service::new(&page);

    service.cargo("bench --bench heap -- --quick");
    service.cargo("bench --bench instructions -- --quick");
    service.cargo("bench --bench ratio -- --quick --layouts 3");
    let timed = said(&service.cargo("bench --bench time -- --quick"));
    let looked = said(&service.cargo("run --example my_look"));

    let archive = service.archive();
    for variant in ["fields_collected", "fields_counted", "lock_for_each", "lock_once", "listed", "summed"] {
        assert!(value(&archive, "ratio", variant, "ns_per_op").is_some_and(|ns| ns > 0.0), "{variant} is timed");
        assert!(timed.contains(&format!("/{variant}/n=")), "criterion has {variant}:\n{timed}");
        assert!(looked.contains(variant), "a look at {variant}:\n{looked}");
    }
    assert_eq!(value(&archive, "heap", "fields_counted", "blocks"), Some(0.0));
    assert!(value(&archive, "heap", "fields_collected", "blocks").is_some_and(|blocks| blocks > 1.0));
    // Without valgrind the row says what to install.
    let counted =
        value(&archive, "instructions", "fields_counted", "instructions").is_some_and(|count| count > 10_000.0);
    let skipped = of(&archive, "instructions", "fields_counted").iter().any(|r| r.skipped.is_some());
    assert!(counted || skipped, "instructions are counted, or skipped with a reason");
    assert!(archive.records.iter().all(|r| r.failed.is_none()), "nothing has failed");
}

#[test]
fn blocks_are_found_by_the_line_before_them() {
    let page = "`a.rs`:\n\n```rust\nfn a() {}\n```\n\nprose `b.rs`:\n\n```text\nnot a file\n```\n\n`c.toml`:\n\n```toml\nx = 1\n```\n";
    let files = [("a.rs", "fn a() {}\n".to_owned()), ("c.toml", "x = 1\n".to_owned())];
    assert_eq!(files_of(page), files);
}

#[test]
#[should_panic(expected = "a block has no file's name")]
fn a_block_without_a_name_is_refused() {
    files_of("prose\n\n```rust\nfn a() {}\n```\n");
}
