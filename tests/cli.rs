//! The command line, by running it.

mod common;

use assert_cmd::Command;
use common::{text, trapline};

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
    for part in [
        "results_channel",
        "\nCases:\n  1us                  a unit is about 1 µs of own work\n",
        "indexed_slots",
        "n=1000,threads=2,1us  (headline)",
        "E5",
        "\nfn indexed_slots(p: &Point) -> Box<dyn Routine> {\n",
        "against results_channel (fan_in: ",
        " at n = 1 000 units, 2 threads, 1us",
        "\nWhat that rests on, and what there is besides: trapline cite fan_in, trapline report fan_in\n",
    ] {
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
fn unknown_words_are_wrong_commands() {
    trapline(&["measure"]).code(2);
    trapline(&["report", "--nonsense"]).code(2);
}

/// The records that travel with the crate, in a folder of their own.
fn shipped() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let headlines = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/headlines.jsonl");
    std::fs::copy(headlines, folder.path().join("ratio.jsonl")).expect("the headlines are there");
    folder
}

fn path(folder: &tempfile::TempDir) -> String {
    folder.path().to_string_lossy().into_owned()
}

#[test]
fn where_there_are_no_records_every_command_says_what_makes_them() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let headlines = shipped();
    let (from, some) = (path(&folder), path(&headlines));
    let lines: [&[&str]; 6] = [
        &["report", "--from", &from],
        &["report", "fan_in", "--from", &from],
        &["export", "--format", "csv", "--from", &from],
        &["compare", &from, &some],
        &["keep", "/tmp/never", "--from", &from],
        &["cite", "vec_growth", "--from", &from],
    ];
    for line in lines {
        let error = text(&trapline(line).code(2).get_output().stderr);
        assert!(error.contains("cargo bench"), "{line:?}: {error}");
    }
}

#[test]
fn what_cannot_be_read_is_named_by_file_and_line_and_nothing_is_overwritten() -> std::io::Result<()> {
    let folder = shipped();
    let file = folder.path().join("ratio.jsonl");
    let whole = std::fs::read_to_string(&file)?;
    let (lines, page) = (whole.lines().count(), page(&folder, "page.md", EXCERPT)?);
    let schema = format!("\"schema\":{}", trapline::record::SCHEMA);
    let damages = [whole.trim_end()[..whole.len() - 20].to_owned(), whole.replace(&schema, "\"schema\":99")];
    for (damaged, line) in damages.iter().zip([lines, 1]) {
        std::fs::write(&file, damaged)?;
        let (from, to) = (path(&folder), folder.path().join("kept"));
        let to = to.to_string_lossy();
        let commands: [&[&str]; 6] = [
            &["report", "--from", &from],
            &["report", "--into", &page, "--from", &from],
            &["export", "--format", "json", "--from", &from],
            &["compare", &from, &from],
            &["keep", &to, "--from", &from],
            &["cite", "vec_growth", "--from", &from],
        ];
        for command in commands {
            let error = text(&trapline(command).code(2).get_output().stderr);
            assert!(error.contains(&format!("ratio.jsonl:{line}: ")), "{command:?}: {error}");
        }
        assert!(std::fs::read_to_string(&page)?.contains("old") && !folder.path().join("kept").exists());
    }
    Ok(())
}

#[test]
fn two_machines_in_one_folder_are_not_told_apart_and_refused() -> std::io::Result<()> {
    let folder = shipped();
    let other = std::fs::read_to_string(folder.path().join("ratio.jsonl"))?;
    let other: String = other.lines().map(|line| format!("{}\n", renamed(line))).collect();
    std::fs::write(folder.path().join("other.jsonl"), other)?;
    let page = page(&folder, "page.md", EXCERPT)?;
    let from = path(&folder);
    for line in [
        &["report", "--from", &from][..],
        &["report", "--html", "--from", &from],
        &["report", "--from", &from, "--into", &page],
        &["export", "--format", "csv", "--from", &from],
        &["cite", "vec_growth", "--from", &from],
        &["compare", &from, &from],
        &["keep", "/tmp/never", "--from", &from],
    ] {
        let said = trapline(line).code(2).stdout("");
        let error = text(&said.get_output().stderr);
        assert!(error.contains("several machines") && error.contains("Another CPU"), "{line:?}: {error}");
    }
    assert_eq!(std::fs::read_to_string(page)?, EXCERPT);
    Ok(())
}

#[test]
fn a_folder_of_folders_may_hold_a_machine_each() -> std::io::Result<()> {
    let (all, own) = (tempfile::tempdir()?, shipped());
    let lines = std::fs::read_to_string(own.path().join("ratio.jsonl"))?;
    let other: String = lines.lines().map(|line| format!("{}\n", renamed(line))).collect();
    for (name, lines) in [("one", &lines), ("other", &other)] {
        std::fs::create_dir(all.path().join(name))?;
        std::fs::write(all.path().join(name).join("ratio.jsonl"), lines)?;
    }
    let said = text(&trapline(&["report", "vec_growth", "--from", &path(&all)]).success().get_output().stdout);
    assert!(said.contains("Another CPU"), "{said}");
    std::fs::write(all.path().join("one/other.jsonl"), other)?;
    let error = text(&trapline(&["report", "--from", &path(&all)]).code(2).get_output().stderr);
    assert!(error.contains("one mixes records of several machines"), "{error}");
    Ok(())
}

/// Where a section is put.
const EXCERPT: &str = "<!-- trapline:vec_growth -->\nold\n<!-- /trapline:vec_growth -->\n";

fn page(folder: &tempfile::TempDir, name: &str, text: &str) -> std::io::Result<String> {
    let page = folder.path().join(name);
    std::fs::write(&page, text)?;
    Ok(page.to_string_lossy().into_owned())
}

#[test]
fn several_files_are_spliced_and_one_without_a_marker_stays() -> std::io::Result<()> {
    let (from, folder) = (shipped(), tempfile::tempdir()?);
    let [one, two] = ["one.md", "two.md"].map(|name| page(&folder, name, EXCERPT));
    let (one, two, plain) = (one?, two?, page(&folder, "plain.md", "text\n")?);
    trapline(&["report", "--from", &path(&from), "--into", &one, &plain, &two]).success().stdout("");
    let [one, two] = [one, two].map(std::fs::read_to_string);
    let (one, two) = (one?, two?);
    assert!(one.contains("push_presized") && !one.contains("old") && one == two, "{one}");
    assert_eq!(std::fs::read_to_string(plain)?, "text\n");
    Ok(())
}

#[test]
fn no_file_is_written_unless_all_can_be() -> std::io::Result<()> {
    let (from, folder) = (shipped(), tempfile::tempdir()?);
    let (whole, plain) = (page(&folder, "whole.md", EXCERPT)?, page(&folder, "plain.md", "text\n")?);
    let open = page(&folder, "open.md", EXCERPT.lines().next().unwrap_or_default())?;
    let (from, none) = (path(&from), "/nonexistent.md".to_owned());
    for (files, code, told) in [
        ([&whole, &open], 2, "open.md: line 1: the marker trapline:vec_growth is never closed"),
        ([&whole, &none], 1, "cannot read /nonexistent.md"),
        ([&plain, &plain], 2, "no line of"),
    ] {
        let error =
            text(&trapline(&["report", "--from", &from, "--into", files[0], files[1]]).code(code).get_output().stderr);
        assert!(error.contains(told), "{error}");
        assert_eq!(std::fs::read_to_string(&whole)?, EXCERPT);
    }
    Ok(())
}

#[test]
fn what_time_cannot_see_is_cited_by_what_is_held() {
    let said = text(&trapline(&["cite", "leaked_worker", "--shipped"]).success().get_output().stdout);
    for part in [
        "time is not what shows it",
        "1.00 threads become 0",
        "resident bytes",
        "--bench usage --bench heap -- leaked_worker",
    ] {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
}

// The same line of another machine's run.
fn renamed(line: &str) -> String {
    let mut value: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
    let run = format!("other-{}", value["run"].as_str().unwrap_or_default());
    value["run"] = run.into();
    if value.get("provenance").is_some() {
        value["provenance"]["cpu"] = "Another CPU".into();
    }
    value.to_string()
}

#[test]
fn a_citation_comes_from_the_shipped_results_where_there_are_no_others() {
    let empty = tempfile::tempdir().expect("a temporary folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_trapline"));
    let command = command.args(["cite", "vec_growth"]).env("CARGO_TARGET_DIR", empty.path()).current_dir(empty.path());
    let out = command.assert().success();
    let (said, note) = (text(&out.get_output().stdout), text(&out.get_output().stderr));
    assert!(
        said.contains("push_presized") && said.contains("cargo bench --bench ratio --bench heap -- vec_growth"),
        "{said}"
    );
    assert!(note.contains("come with trapline"), "{note}");
}

#[test]
fn every_figure_of_a_citation_is_in_the_records() {
    let said = text(&trapline(&["cite", "vec_growth", "--shipped"]).success().get_output().stdout);
    let report = text(&trapline(&["report", "vec_growth", "--from", &path(&shipped())]).success().get_output().stdout);
    let ratio = said.split("the trap takes ").nth(1).and_then(|rest| rest.split(" times").next()).expect("a ratio");
    assert!(report.contains(ratio), "{ratio} is not in\n{report}");
    let saved = said.split("it saves ").nth(1).and_then(|rest| rest.split(" ns").next()).expect("what is saved");
    assert!(
        report.replace('\n', " ").contains(saved.split(' ').next().expect("a figure")),
        "{saved} is not in\n{report}"
    );
}

#[test]
fn a_number_of_a_changed_work_tree_is_refused_unless_it_says_so() -> std::io::Result<()> {
    let folder = shipped();
    let file = folder.path().join("ratio.jsonl");
    let dirty = std::fs::read_to_string(&file)?.replace("\"dirty\":false", "\"dirty\":true");
    std::fs::write(&file, dirty)?;
    let from = path(&folder);
    let error = text(&trapline(&["cite", "vec_growth", "--from", &from]).code(1).get_output().stderr);
    assert!(error.contains("--allow-dirty"), "{error}");
    let allowed = ["cite", "vec_growth", "--from", &from, "--allow-dirty"];
    let said = text(&trapline(&allowed).success().get_output().stdout);
    assert!(said.contains("uncommitted changes"), "{said}");
    Ok(())
}

#[test]
fn what_cannot_be_cited_is_a_wrong_command_with_what_can() {
    for (line, told) in [
        (&["cite", "vec_grwth", "--shipped"][..], "vec_growth"),
        (&["cite", "vec_growth@n=7", "--shipped"], "n=100,plain"),
        (&["cite", "vec_growth", "--variant", "nothing", "--shipped"], "push_presized"),
    ] {
        let error = text(&trapline(line).code(2).get_output().stderr);
        assert!(error.contains(told), "{line:?}: {error}");
    }
}

#[test]
fn records_compared_with_themselves_do_not_differ() {
    let folder = shipped();
    let from = path(&folder);
    let line = ["compare", &from, &from, "--fail-on", "loses", "--fail-on", "allocs"];
    let said = text(&trapline(&line).success().get_output().stdout).replace('\n', " ");
    assert!(
        said.contains(", 0 differ at 5 % each by itself, and 0 once corrected")
            && said.contains("exact counts, 0 differ"),
        "{said}"
    );
}

#[test]
fn a_fix_that_gains_less_and_a_count_that_grows_fail_where_they_are_asked_to() -> std::io::Result<()> {
    let (old, new) = (shipped(), shipped());
    let file = new.path().join("ratio.jsonl");
    let mut changed = 0;
    let lines: Vec<String> = std::fs::read_to_string(&file)?
        .lines()
        .map(|line| {
            let mut value: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
            let is = |of: &str, what: &str| value[of].as_str() == Some(what);
            let here =
                is("trap", "vec_growth") && is("variant", "push_presized") && value["n"] == 100 && is("case", "plain");
            if here && is("metric", "ratio") {
                changed += 1;
                let slower =
                    |sample: &mut serde_json::Value| *sample = (sample.as_f64().expect("a ratio") / 1.3).into();
                value["samples"].as_array_mut().expect("layouts").iter_mut().for_each(slower);
            } else if here && is("metric", "blocks") {
                changed += 1;
                (value["value"], value["low"], value["high"]) = (9.0.into(), 9.0.into(), 9.0.into());
            }
            value.to_string()
        })
        .collect();
    assert_eq!(changed, 2);
    std::fs::write(&file, lines.join("\n"))?;
    let (old, new) = (path(&old), path(&new));
    let said = text(&trapline(&["compare", &old, &new]).success().get_output().stdout);
    let rows: Vec<&str> =
        said.lines().filter(|line| line.starts_with("vec_growth n=100,plain push_presized")).collect();
    assert!(rows.len() == 2 && rows[0].contains("loses") && rows[1].contains("9"), "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("1.00 times for headline rows, not at all for others, which are fewer than twenty"),
        "{said}"
    );
    for what in ["loses", "allocs"] {
        let error = text(&trapline(&["compare", &old, &new, "--fail-on", what]).code(1).get_output().stderr);
        assert!(error.contains(what), "{error}");
    }
    Ok(())
}

#[test]
fn what_is_kept_is_never_overwritten() -> std::io::Result<()> {
    let (from, parent) = (shipped(), tempfile::tempdir()?);
    let (from, to) = (path(&from), parent.path().join("kept"));
    let to = to.to_string_lossy();
    trapline(&["keep", &to, "--from", &from]).success();
    for file in ["ratio.jsonl", "report.md", "report.html"] {
        assert!(parent.path().join("kept").join(file).exists(), "{file}");
    }
    let error = text(&trapline(&["keep", &to, "--from", &from]).code(2).get_output().stderr);
    assert!(error.contains("nothing is overwritten"), "{error}");
    Ok(())
}

#[test]
fn a_folder_of_folders_is_not_kept_and_a_gate_without_ratios_does_not_pass() -> std::io::Result<()> {
    let parent = tempfile::tempdir()?;
    let (from, to) = (parent.path().join("all/one"), parent.path().join("kept"));
    std::fs::create_dir_all(&from)?;
    let headlines = shipped();
    let lines = std::fs::read_to_string(headlines.path().join("ratio.jsonl"))?;
    // Of one layout nothing is certain.
    let one = lines.replace("\"one\":null", "\"one\":\"no lld\"");
    std::fs::write(from.join("ratio.jsonl"), one)?;
    let (all, from, to) = (parent.path().join("all"), from.to_string_lossy(), to.to_string_lossy());
    let error = text(&trapline(&["keep", &to, "--from", &all.to_string_lossy()]).code(2).get_output().stderr);
    assert!(error.contains("name one of them"), "{error}");
    let error = text(&trapline(&["compare", &from, &from, "--fail-on", "loses"]).code(2).get_output().stderr);
    assert!(error.contains("three code layouts"), "{error}");
    Ok(())
}

#[test]
fn the_report_is_one_page_of_html_as_well() {
    let page = text(&trapline(&["report", "--html", "--from", &path(&shipped())]).success().get_output().stdout);
    assert!(
        page.starts_with("<!DOCTYPE html>")
            && page.contains("id=\"vec_growth\"")
            && page.contains("fn</span> push_presized")
    );
    assert!(!page.contains("http://") && !page.contains("https://"), "nothing is fetched");
}

#[test]
fn every_command_has_an_example_in_its_help() {
    for command in ["list", "show", "run", "report", "cite", "compare", "verify", "export", "keep", "completions"] {
        let help = text(&trapline(&[command, "--help"]).success().get_output().stdout);
        assert!(help.contains(&format!("Example: trapline {command}")), "{help}");
    }
}

#[test]
fn what_cannot_be_measured_is_a_wrong_command() {
    for command in ["run", "verify"] {
        let error = text(&trapline(&[command, "vec_grwth"]).code(2).get_output().stderr);
        assert!(error.contains("vec_growth"), "{command}: {error}");
    }
}

#[test]
fn shells_complete_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let script = text(&trapline(&["completions", shell]).success().get_output().stdout);
        assert!(script.contains("trapline") && script.contains("allow-dirty"), "{shell}");
    }
}
