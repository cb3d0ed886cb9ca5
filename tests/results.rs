//! What is committed in `docs/results`, held against the code and the documents. It is part of the repository and not of the crate.

mod common;

use std::path::Path;

use common::{text, trapline};
use trapline::claims::{At, CLAIMS, Claim, Effect, Evidence};
use trapline::record::{Archive, Record};
use trapline::report;

fn results() -> Archive {
    Archive::read_tree(&root().join("docs/results")).expect("the records can be read")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn has(archive: &Archive, trap: &str, evidence: Evidence) -> bool {
    let Evidence::Records(instrument, metric, effect, points) = evidence else { return true };
    let wanted = match effect {
        Effect::Of(arm) => vec![(arm, metric)],
        Effect::Over(a, b) => vec![(a, metric), (b, metric)],
        Effect::Share(arm, of) => vec![(arm, metric), (arm, of)],
    };
    let is = |r: &Record, At(n, threads, case): At, arm: &str, metric: &str| {
        let here = (r.trap.as_str(), r.n, r.threads, r.case.as_str()) == (trap, n, threads, case);
        // A quantile that can't be told is a finding as well: its record says why.
        let told = r.metric.as_deref() == Some(metric) && (r.value.is_some() || r.blind.is_some());
        here && r.instrument == instrument && r.variant == arm && told
    };
    let found = |at: At, (arm, metric): (&str, &str)| archive.records.iter().any(|r| is(r, at, arm, metric));
    points.iter().all(|at| wanted.iter().all(|one| found(*at, *one)))
}

fn is_there(archive: &Archive, claim: &Claim, evidence: Evidence) -> bool {
    match evidence {
        Evidence::Derived(of, _) => CLAIMS.iter().any(|claim| claim.id == of),
        Evidence::Test(path) | Evidence::Prevented(path) => root().join(path).exists(),
        Evidence::Nothing(why) => !why.is_empty(),
        Evidence::Records(..) | Evidence::Planted | Evidence::Ranking => has(archive, claim.trap, evidence),
    }
}

#[test]
fn every_claim_has_a_record_or_a_test_that_bears_on_it_in_each_language() {
    let archive = results();
    let mut without = Vec::new();
    for claim in CLAIMS {
        for (part, evidence) in claim.parts.iter().flat_map(|part| [(part, part.rust), (part, part.go)]) {
            if !is_there(&archive, claim, evidence) {
                without.push(format!("{}, {}: {evidence:?}", claim.id, part.what));
            }
        }
    }
    assert_eq!(without, [""; 0], "nothing in docs/results bears on these");
}

#[test]
fn the_headlines_that_travel_with_the_crate_are_those_of_the_results() {
    let file = root().join("docs/headlines.jsonl");
    let shipped = std::fs::read_to_string(&file).expect("the file is there");
    assert!(
        shipped == report::compact(&results()),
        "docs/headlines.jsonl is stale: cargo run --release -- export --format compact --from docs/results > docs/headlines.jsonl"
    );
    assert!(shipped.len() <= 200_000, "{} bytes", shipped.len());
    assert_eq!(report::shipped().damage, []);
}

#[test]
fn the_citation_file_says_what_the_results_say() {
    let file = std::fs::read_to_string(root().join("CITATION.cff")).expect("the file is there");
    assert!(report::has_markers(&file), "CITATION.cff has no # trapline:citation");
    let spliced = report::splice(&file, &results()).unwrap_or_else(|error| panic!("CITATION.cff: {error}"));
    assert!(
        file == spliced,
        "CITATION.cff is stale: cargo run --release -- report --from docs/results --into CITATION.cff"
    );
    // The same sentence as a reader gets.
    let said = text(&trapline(&["cite", "vec_growth", "--shipped"]).success().get_output().stdout);
    let sentence = said.split(" [1]").next().expect("a sentence").to_owned();
    let file = file.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(file.contains(&sentence), "CITATION.cff does not say: {sentence}");
}

#[test]
fn the_first_results_are_read_as_they_were_meant() {
    let archive =
        Archive::read_folder(&root().join("docs/results/2026-11-23-xeon-2.80GHz-2cores")).expect("it is there");
    assert_eq!(archive.damage, []);
    let run = archive.runs.iter().find(|r| r.sweeps.is_some_and(|s| s.planned() == 10)).expect("the full run");
    assert!(run.unpinned && run.probes.len() == 1 && run.target == "ratio");
    let is_row = |r: &&Record| {
        (r.trap.as_str(), r.variant.as_str(), r.threads, r.case.as_str()) == ("contended_map", "dashmap", 8, "reads=99")
    };
    let ratios: Vec<_> = archive.records.iter().filter(is_row).filter(|r| r.run == run.run).collect();
    let ratio = ratios.iter().find(|r| r.metric.as_deref() == Some("ratio")).expect("a ratio");
    assert!((ratio.value.expect("measured") - 3.36).abs() < 0.01 && ratio.processes.len() == 10);
    assert!(!archive.records.iter().any(|r| r.metric.as_deref() == Some("ratio_of_totals")));
}

#[test]
fn all_results_together_fit_a_terminal() {
    let archive = results();
    let page = report::text(&report::document(&archive));
    assert!(page.contains("unpinned") && !page.contains("No ratios of time yet"));
    for text in [page, report::summary(&archive)] {
        let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > report::WIDTH).collect();
        assert_eq!(wide, [""; 0]);
    }
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
fn what_was_timed_is_exported_as_go_s_benchmark_text() {
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
}

#[test]
fn results_of_several_machines_are_columns_of_one_report() {
    let results = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/results");
    let out = text(&trapline(&["report", "--from", results]).success().get_output().stdout);
    assert!(out.contains("ratio-20261123T152331Z-13411") && !out.contains("No ratios of time yet"), "{out}");
}
