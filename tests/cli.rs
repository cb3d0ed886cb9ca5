//! The command line, by running it.

use assert_cmd::Command;

fn trapline(line: &[&str]) -> assert_cmd::assert::Assert {
    Command::new(env!("CARGO_BIN_EXE_trapline")).args(line).assert()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn list_names_every_trap() {
    let out = text(&trapline(&["list"]).success().get_output().stdout);
    for trap in trapline::catalog::TRAPS {
        assert!(out.contains(trap.name) && out.contains(trap.title), "{} is not in:\n{out}", trap.name);
    }
}

#[test]
fn show_says_what_a_trap_is() {
    let out = text(&trapline(&["show", "fan_in"]).success().get_output().stdout);
    for part in ["results_channel", "indexed_slots", "n=1000,threads=2,1us  (headline)", "E5"] {
        assert!(out.contains(part), "{part} is not in:\n{out}");
    }
}

#[test]
fn show_of_an_unknown_trap_is_a_wrong_command_with_near_names() {
    let error = text(&trapline(&["show", "vec_grow"]).code(2).get_output().stderr);
    assert!(error.contains("vec_grow") && error.contains("vec_growth"), "{error}");
}

#[test]
fn a_report_on_nothing_says_what_to_do() -> std::io::Result<()> {
    let folder = tempfile::tempdir()?;
    let from = folder.path().to_string_lossy();
    let out = text(&trapline(&["report", "--from", &from]).success().get_output().stdout);
    assert!(out.contains("cargo bench"), "{out}");
    Ok(())
}

#[test]
fn damage_is_named_by_file_and_line() -> std::io::Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("ratio.jsonl"), "\u{1}\n")?;
    let from = folder.path().to_string_lossy();
    let error = text(&trapline(&["report", "--from", &from]).success().get_output().stderr);
    assert!(error.contains("ratio.jsonl:1:"), "{error}");
    Ok(())
}

#[test]
fn unknown_words_are_wrong_commands() {
    trapline(&["measure"]).code(2);
    trapline(&["report", "--nonsense"]).code(2);
}
