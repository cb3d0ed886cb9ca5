//! What safe Rust refuses is refused for the reason that is stated: rustdoc compares error codes on a nightly toolchain only,
//! and on a stable one a snippet with a slip in it would pass as refused.

use std::fs;
use std::path::Path;
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("cannot read {path}: {error}"))
}

/// The code of each snippet that must not compile, and its lines.
fn refused() -> Vec<(String, String)> {
    let module = read("src/prevented.rs");
    let lines: Vec<&str> = module.lines().filter_map(|line| line.strip_prefix("//!")).map(str::trim_start).collect();
    let fences = lines.iter().enumerate().filter_map(|(at, line)| Some((at, line.strip_prefix("```compile_fail,")?)));
    let snippet = |at: usize| lines[at + 1..].iter().take_while(|line| **line != "```").copied().collect::<Vec<_>>();
    fences.map(|(at, code)| (code.to_owned(), snippet(at).join("\n"))).collect()
}

/// The codes of the errors that the compiler names, each as often as it does.
fn errors(snippet: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = folder.path().join("refused.rs");
    fs::write(&source, format!("fn main() {{\n{snippet}\n}}\n")).expect("it can be written");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(rustc);
    command.args(["--edition", "2024", "--emit", "metadata", "--error-format", "short", "--out-dir"]);
    let output = command.arg(folder.path()).arg(&source).output().expect("rustc starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "it compiles:\n{snippet}\n{said}");
    let code = |rest: &str| rest.split(']').next().map(str::to_owned);
    said.split("error[").skip(1).filter_map(code).collect()
}

#[test]
fn each_snippet_is_refused_with_its_code_and_no_other() {
    let refused = refused();
    assert_eq!(refused.len(), 7, "the snippets were not found");
    for (code, snippet) in refused {
        assert_eq!(errors(&snippet), [code], "{snippet}");
    }
}

#[test]
fn the_page_names_every_code() {
    let page = read("docs/src/prevented.md");
    for (code, _) in refused() {
        assert!(page.contains(&format!("`{code}`")), "docs/src/prevented.md does not name {code}");
    }
}
