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
fn show_takes_the_parts_of_names_that_cargo_bench_takes() {
    let out = text(&trapline(&["show", "vec_grow"]).success().get_output().stdout);
    assert!(out.starts_with("vec_growth: "), "{out}");
    let out = text(&trapline(&["show", "b"]).success().get_output().stdout);
    assert!(out.contains("boxed_trait: ") && out.contains("buffer_pool: ") && !out.contains("vec_growth: "), "{out}");
}

#[test]
fn show_of_an_unknown_trap_is_a_wrong_command_with_near_names() {
    let error = text(&trapline(&["show", "vec_grwth"]).code(2).get_output().stderr);
    assert!(error.contains("vec_grwth") && error.contains("vec_growth"), "{error}");
}

#[test]
fn a_report_from_nowhere_is_a_wrong_command_that_says_what_to_do() {
    let error = text(&trapline(&["report", "--from", "/nonexistent"]).code(2).get_output().stderr);
    assert!(error.contains("/nonexistent") && error.contains("docs/results"), "{error}");
}

#[test]
fn a_report_of_one_trap_is_of_that_trap_alone() {
    let results = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/results");
    let out = text(&trapline(&["report", "vec_gr", "--from", results]).success().get_output().stdout);
    assert!(out.contains("vec_growth: ") && !out.contains("fan_in") && !out.contains("How to read it"), "{out}");
    let error = text(&trapline(&["report", "nothing", "--from", results]).code(2).get_output().stderr);
    assert!(error.contains("no trap's name contains 'nothing'"), "{error}");
}

#[test]
fn what_was_timed_is_exported_as_go_s_benchmark_text() -> std::io::Result<()> {
    let results = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/results");
    let out = text(&trapline(&["export", "--format", "gobench", "--from", results]).success().get_output().stdout);
    let (header, lines): (Vec<&str>, Vec<&str>) = out.lines().partition(|line| !line.starts_with("Benchmark"));
    assert!(header.len() == 4 && header[0] == "goos: linux", "{header:?}");
    for line in &lines {
        let read = trapline::lab::go::parse(line).unwrap_or_else(|why| panic!("{why}"));
        assert!(read.is_some_and(|line| line.values.contains_key("ns/op") && line.keys.contains_key("variant")));
    }
    let processes = "BenchmarkVecGrowth/n=100/threads=1/case=plain/variant=push_unsized\t";
    assert_eq!(lines.iter().filter(|line| line.starts_with(processes)).count(), 60);
    let folder = tempfile::tempdir()?;
    let nothing = ["export", "--format", "gobench", "--from", &folder.path().to_string_lossy()];
    let error = text(&trapline(&nothing).code(1).get_output().stderr);
    assert!(error.contains("cargo bench --bench ratio"), "{error}");
    Ok(())
}

#[test]
fn a_trap_without_records_is_no_wrong_command() -> std::io::Result<()> {
    let folder = tempfile::tempdir()?;
    let from = folder.path().to_string_lossy();
    let error = text(&trapline(&["report", "fan_in", "--from", &from]).code(1).get_output().stderr);
    assert!(error.contains("cargo bench -- fan_in"), "{error}");
    Ok(())
}

#[test]
fn results_of_several_machines_are_columns_of_one_report() {
    let results = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/results");
    let out = text(&trapline(&["report", "--from", results]).success().get_output().stdout);
    assert!(out.contains("ratio-20261123T152331Z-13411") && !out.contains("No ratios of time yet"), "{out}");
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
