//! The documentation is executed: chapters, links, flags, keys, numbers and the version are held against the code.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use trapline::catalog::TRAPS;
use trapline::lab::session::args::Args;
use trapline::record::{Archive, CoreProbe, Layouts, Provenance, Record, Run, SCHEMA, Sweeps, TrapNote, Variance};
use trapline::report;
use trapline::trap::{Instrument, Variant};

/// Cargo's own flags that the documentation may name before `--`.
const CARGO: [&str; 7] =
    ["--bench", "--example", "--features", "--locked", "--no-default-features", "--no-fail-fast", "--release"];

/// Flags of the tools that the documentation explains beside ours: the linker's and callgrind's.
const OF_TOOLS: [&str; 2] = ["--shuffle-sections", "--branch-sim"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn book() -> PathBuf {
    root().join("docs/src")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// What lies in a folder, in order; nothing if there is no such folder.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = found.map(|entry| entry.expect("an entry can be read").path()).collect();
    paths.sort();
    paths
}

fn is_markdown(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md")
}

/// README.md and the pages of the book, each with its text.
fn pages() -> Vec<(PathBuf, String)> {
    let book = entries(&book()).into_iter().filter(|path| is_markdown(path));
    let pages: Vec<_> = std::iter::once(root().join("README.md")).chain(book).map(|p| (p.clone(), read(&p))).collect();
    assert!(pages.len() > TRAPS.len(), "docs/src has too few pages");
    pages
}

/// The text without code, be it in fences or in a line.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let mut prose = String::new();
    for line in text.lines() {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        if !fenced && !fence {
            prose.extend(line.split('`').step_by(2));
            prose.push('\n');
        }
    }
    prose
}

/// Targets of links to files, without their fragments.
fn targets(text: &str) -> Vec<String> {
    let prose = prose(text);
    let after = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let paths = after.filter_map(|(target, _)| target.split(['#', ' ']).next());
    paths.filter(|path| !path.is_empty() && !path.contains("://")).map(str::to_owned).collect()
}

/// The words of each `cargo SUBCOMMAND` in a line, up to the end of its code or a comment.
fn commands<'a>(line: &'a str, subcommand: &str) -> Vec<Vec<&'a str>> {
    let start = format!("cargo {subcommand}");
    let ends = |rest: &'a str| rest.split(['`', '#']).next().unwrap_or_default();
    let bare = |word: &'a str| word.trim_matches(|c: char| "[](){}.,;:!?'\"|".contains(c));
    line.split(&*start).skip(1).map(|rest| ends(rest).split_whitespace().map(bare).collect()).collect()
}

/// The flags before and after the word `--`.
fn flags<'a>(words: &[&'a str]) -> (Vec<&'a str>, Vec<&'a str>) {
    let at = words.iter().position(|word| *word == "--").unwrap_or(words.len());
    let flags = |words: &[&'a str]| words.iter().filter(|w| w.len() > 2 && w.starts_with("--")).copied().collect();
    (flags(&words[..at]), flags(&words[at..]))
}

/// Whether the bench targets take this flag, alone or with a value.
fn is_of_the_contract(flag: &str) -> bool {
    let parse = |words: &[&str]| Args::parse(Instrument::Time, words.iter().map(|word| (*word).to_owned()));
    parse(&[flag]).is_ok() || parse(&[flag, "7"]).is_ok()
}

/// What the binary says of a subcommand of its own.
fn help(subcommand: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_trapline")).args([subcommand, "--help"]).output();
    let output = output.expect("the binary starts");
    assert!(output.status.success(), "`trapline {subcommand}` is named in the documentation and is no command");
    String::from_utf8(output.stdout).expect("help is text")
}

/// The flags of the contract, as the bench targets' own help lists them.
fn contract() -> BTreeSet<String> {
    let help = Args::parse(Instrument::Time, ["--help".to_owned()]).expect_err("help is no order to measure");
    let help = help.to_string();
    let words = help.split(|c: char| !(c.is_ascii_lowercase() || c == '-')).filter(|word| word.starts_with("--"));
    words.filter(|word| word.len() > 2 && *word != "--help").map(str::to_owned).collect()
}

/// All records of `docs/results`, each folder of which is one sitting.
fn results() -> Archive {
    let archive = Archive::read_tree(&root().join("docs/results")).expect("the records can be read");
    assert!(archive.damage.is_empty(), "{:?}", archive.damage);
    assert!(
        !archive.records.is_empty(),
        "docs/results has no records, so the numbers in the documentation rest on none: run `cargo bench`, \
         copy target/trapline/records/*.jsonl into docs/results/<date>T<hhmm>-<machine>/ and splice"
    );
    archive
}

#[test]
fn every_chapter_of_a_trap_is_listed_and_has_a_place_for_its_numbers() {
    let summary = read(&book().join("SUMMARY.md"));
    // A trap is one file and one line; its chapter may come later.
    for trap in TRAPS.iter().filter(|trap| book().join(format!("{}.md", trap.name)).exists()) {
        let file = format!("{}.md", trap.name);
        assert!(summary.contains(&format!("({file})")), "docs/src/SUMMARY.md does not list {file}");
        let chapter = read(&book().join(&file));
        assert!(chapter.starts_with(&format!("# {}\n", trap.title)), "the title of {file} is not the trap's");
        assert!(chapter.contains(&format!("<!-- trapline:{} -->", trap.name)), "{file} has no place for its numbers");
    }
}

/// What a reader can paste is what is measured: the first Go of a chapter stands in the trap's Go file, line by line and in its order.
#[test]
fn chapters_quote_the_go_that_is_measured() {
    for trap in TRAPS {
        let chapter = read(&book().join(format!("{}.md", trap.name)));
        let file = read(&root().join(format!("benches/go/{}_test.go", trap.name)));
        let quoted = chapter.split("```go\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap_or_default();
        let mut rest = file.lines();
        for line in quoted.lines().filter(|line| !line.trim().is_empty()) {
            assert!(
                rest.any(|measured| measured == line),
                "{}: not in its Go file, or not in this order: {line}",
                trap.name
            );
        }
        assert!(quoted.contains("func "), "{} quotes no function", trap.name);
    }
}

#[test]
fn every_page_of_the_book_is_listed() {
    let listed: BTreeSet<String> = targets(&read(&book().join("SUMMARY.md"))).into_iter().collect();
    let names = entries(&book()).into_iter().filter(|path| is_markdown(path));
    let names = names.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let pages: BTreeSet<String> = names.filter(|name| name != "SUMMARY.md").collect();
    assert_eq!(listed, pages);
}

#[test]
fn every_link_leads_to_a_file() {
    for (page, text) in pages() {
        let folder = page.parent().expect("a page lies in a folder");
        for target in targets(&text) {
            assert!(folder.join(&target).exists(), "{}: the link to {target} leads nowhere", page.display());
        }
    }
}

#[test]
fn every_file_that_is_named_is_there() {
    for (page, text) in pages() {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "_-./".contains(c)));
        let words = words.map(|word| word.trim_end_matches('.'));
        let ours = words.filter(|w| ["examples/", "src/", "tests/", "benches/"].iter().any(|f| w.starts_with(f)));
        for file in ours.filter(|word| word.ends_with(".rs")) {
            // Pages about another crate name files of that crate, and say so by a name of their own.
            let theirs = file.contains("my_");
            assert!(theirs || root().join(file).exists(), "{} names {file}, which is not there", page.display());
        }
    }
}

#[test]
fn every_flag_is_known() {
    let mut seen = 0;
    for (page, text) in pages() {
        for line in text.lines() {
            for words in commands(line, "bench") {
                let (cargos, ours) = flags(&words);
                seen += ours.len();
                let unknown: Vec<_> = cargos.into_iter().filter(|flag| !CARGO.contains(flag)).collect();
                assert_eq!(unknown, [""; 0], "{}, cargo's flags in: {line}", page.display());
                let unknown: Vec<_> = ours.into_iter().filter(|flag| !is_of_the_contract(flag)).collect();
                assert_eq!(unknown, [""; 0], "{}, flags of the targets in: {line}", page.display());
            }
        }
    }
    assert!(seen > 0, "no flag was found, so the search is broken");
}

#[test]
fn every_flag_that_a_page_explains_is_known() {
    let own: String = ["report", "cite", "compare", "verify", "run", "export", "keep"].map(help).concat();
    let mut seen = 0;
    for (page, text) in pages() {
        let codes = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
        let flags = codes.filter_map(|code| code.split([' ', '=']).next()).filter(|w| w.starts_with("--"));
        let flags: Vec<_> = flags.collect();
        let others = |flag: &str| CARGO.contains(&flag) || OF_TOOLS.contains(&flag) || own.contains(flag);
        let unknown: Vec<_> = flags.iter().filter(|flag| !others(flag) && !is_of_the_contract(flag)).collect();
        assert_eq!(unknown, [&""; 0], "{}", page.display());
        seen += flags.len();
    }
    assert!(seen > 0, "the flags were not found, so the search is broken");
}

#[test]
fn the_readme_explains_every_flag() {
    let (readme, flags) = (read(&root().join("README.md")), contract());
    let unexplained: Vec<_> = flags.iter().filter(|flag| !readme.contains(&format!("`{flag}"))).collect();
    assert_eq!(unexplained, [""; 0]);
    assert!(flags.contains("--fork-timeout"), "the flags were not found, so the search is broken");
}

#[test]
fn every_command_of_the_binary_is_known() {
    let mut seen = 0;
    for (page, text) in pages() {
        for line in text.lines() {
            for words in commands(line, "run") {
                let (cargos, ours) = flags(&words);
                let unknown: Vec<_> = cargos.into_iter().filter(|flag| !CARGO.contains(flag)).collect();
                assert_eq!(unknown, [""; 0], "{}, cargo's flags in: {line}", page.display());
                // What an example takes is the example's own.
                if words.contains(&"--example") {
                    continue;
                }
                let Some(subcommand) = words.iter().skip_while(|word| **word != "--").nth(1) else { continue };
                let help = help(subcommand);
                let unknown: Vec<_> = ours.into_iter().filter(|flag| !help.contains(flag)).collect();
                assert_eq!(unknown, [""; 0], "{}, flags of {subcommand} in: {line}", page.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 0, "no command was found, so the search is broken");
}

#[test]
fn every_key_of_a_record_is_explained() {
    let methodology = read(&book().join("METHODOLOGY.md"));
    let trap = &TRAPS[0];
    let record = Record::of(trap.name, &trap.points[0], "v", trap.variants[0].role, Instrument::Ratio, "r");
    let variance = Variance { layouts: None, processes: 1.0, rounds: 1.0 };
    // Keys that are left out where they say nothing are here, too.
    let record = Record { processes: vec![vec![1.0]], rounds: Some(5), variance: Some(variance), ..record };
    let record = record.skipped("why").failed("why").blind("why");
    let probe = CoreProbe {
        slowdown: 1.0,
        busy_slowdown: None,
        line_bounce_ns: 1.0,
        step_ns: 1.0,
        wake_ns: None,
        fault_ns: None,
    };
    let run = Run {
        schema: SCHEMA,
        run: "r".into(),
        instrument: Instrument::Ratio,
        started: String::new(),
        command: String::new(),
        quick: false,
        solo: false,
        unpinned: false,
        target: "ratio".into(),
        sweeps: Some(Sweeps { layouts: 10, processes: 3, finished: 30 }),
        layouts: Some(Layouts { seed: 1, distinct: 10, one: None }),
        partial: None,
        traps: vec![TrapNote::from(trap)],
        probes: vec![probe],
        stolen: None,
        provenance: Provenance::default(),
        source: String::new(),
    };
    let record = serde_json::to_value(record).expect("a record is JSON");
    let run = serde_json::to_value(run).expect("a run is JSON");
    let inner = ["provenance", "sweeps", "layouts"].map(|key| &run[key]);
    let objects = [&record, &record["variance"], &run, &run["probes"][0], &run["traps"][0]];
    for object in objects.into_iter().chain(inner) {
        for key in object.as_object().expect("it has keys").keys() {
            assert!(methodology.contains(&format!("`{key}`")), "METHODOLOGY.md does not explain the key {key}");
        }
    }
}

#[test]
fn every_claim_of_a_trap_is_told() {
    let claims = read(&book().join("CLAIMS.md"));
    for trap in TRAPS {
        for claim in trap.claims {
            let row = claims.lines().find(|line| line.starts_with(&format!("| {claim} ")));
            let row = row.unwrap_or_else(|| panic!("CLAIMS.md has no row for {claim}, which {} tests", trap.name));
            assert!(row.contains(&format!("({}.md)", trap.name)), "the row of {claim} does not lead to {}", trap.name);
        }
    }
}

/// A cell is what an instrument has to say of a variant of a trap. The numbers of `time` are criterion's, which keeps them: there
/// its run stands for them.
#[test]
fn every_cell_is_a_number_or_says_why_there_is_none() {
    let archive = results();
    for record in &archive.records {
        let reasons = [&record.skipped, &record.failed, &record.blind].into_iter().flatten().count();
        assert_eq!(usize::from(record.value.is_some()) + reasons, 1, "a number, n/a, skipped or failed: {record:?}");
    }
    // Go has arms of its own, which tests/go.rs asks for.
    let of_rust = || Instrument::ALL.into_iter().filter(|instrument| *instrument != Instrument::Go);
    for (trap, instrument) in TRAPS.iter().flat_map(|trap| of_rust().map(move |instrument| (trap, instrument))) {
        let of = |run: &Run| run.traps.iter().find(|note| note.name == trap.name).cloned();
        let notes = archive.runs.iter().filter_map(|run| Some((&run.started, of(run)?)));
        let (_, note) = notes.max_by_key(|(started, _)| *started).expect("every trap was measured");
        let by_criterion = archive.runs.iter().any(|run| run.instrument == Instrument::Time && of(run).is_some());
        let of_variant =
            |r: &Record, v: &Variant| (&*r.trap, &*r.variant, r.instrument) == (trap.name, v.name, instrument);
        let recorded = |v: &Variant| archive.records.iter().any(|r| of_variant(r, v));
        let known = |v: &Variant| if instrument == Instrument::Time { by_criterion } else { recorded(v) };
        let silent: Vec<_> = trap.variants.iter().filter(|v| !known(v)).map(|v| v.name).collect();
        let told = note.unseen.iter().any(|(unseen, _)| *unseen == instrument);
        assert!(told || silent.is_empty(), "{}: {} says nothing of {silent:?}", trap.name, instrument.word());
    }
}

#[test]
fn every_number_comes_from_the_results() {
    let archive = results();
    for (page, text) in pages() {
        let spliced = report::splice(&text, &archive).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        let page = page.display();
        assert!(spliced == text, "{page} is stale: cargo run --release -- report --from docs/results --into {page}");
    }
}

#[test]
fn no_page_waits_for_a_number_or_the_end_of_a_merge() {
    for (page, text) in pages() {
        let left = |line: &&str| ["<<<<<<< ", ">>>>>>> ", "TODO"].iter().any(|mark| line.starts_with(mark));
        let left: Vec<_> = text.lines().map(|line| line.trim_start_matches("- ")).filter(left).collect();
        assert_eq!(left, [""; 0], "{}", page.display());
    }
}

#[test]
fn the_citation_names_this_version() {
    let citation = read(&root().join("CITATION.cff"));
    let version = citation.lines().find_map(|line| line.strip_prefix("version:"));
    let version = version.map(|version| version.trim().trim_matches('"'));
    assert_eq!(version, Some(env!("CARGO_PKG_VERSION")));
}

#[test]
fn links_and_commands_are_found_where_they_stand() {
    let text = "see [a](a.md#part), `[b](b.md)` and [c](https://c.org)\n```\n[d](d.md)\n```\n[`e`](e.md \"title\")";
    assert_eq!(targets(text), ["a.md", "e.md"]);
    let line = "Say `cargo bench --bench ratio -- [FILTER]... [--quick]`, not --this. # cargo bench";
    let found = commands(line, "bench");
    assert_eq!(flags(&found[0]), (vec!["--bench"], vec!["--quick"]));
    assert!(is_of_the_contract("--layouts") && is_of_the_contract("--unpinned"));
    assert!(!is_of_the_contract("--forks") && !is_of_the_contract("--nonsense"));
}
