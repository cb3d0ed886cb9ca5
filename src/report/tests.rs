//! What a person reads, as snapshots of made-up records.

use super::made_up;
use super::*;
use crate::record::{Damage, Sweeps};
use crate::trap::{Instrument, Role};

fn pages(archive: &Archive) -> [String; 2] {
    let document = document(archive);
    [text(&document), markdown(&document)]
}

#[test]
fn a_full_report_reads_well() {
    let [text, markdown] = pages(&made_up::archive());
    insta::assert_snapshot!("full_text", text);
    insta::assert_snapshot!("full_markdown", markdown);
}

#[test]
fn other_columns_stand_beside_the_first() {
    let [text, markdown] = pages(&made_up::two_columns());
    insta::assert_snapshot!("columns_text", text);
    insta::assert_snapshot!("columns_markdown", markdown);
}

#[test]
fn an_empty_archive_says_what_to_do() {
    let [text, _] = pages(&Archive::default());
    insta::assert_snapshot!("empty_text", text);
}

#[test]
fn a_partial_quick_run_on_unknown_ground_says_so() {
    let mut archive = Archive::default();
    let mut run = made_up::run("ratio-9", Instrument::Ratio, Vec::new());
    run.provenance = crate::record::Provenance::default();
    (run.quick, run.partial) = (true, Some("interrupted (Ctrl-C)".into()));
    run.sweeps = Some(Sweeps { layouts: 5, processes: 1, finished: 3 });
    archive.runs.push(run);
    made_up::at(&mut archive, "fan_in", 1_000, 2, "", "ratio-9").headline().trap("results_channel", 1_210.0).variant(
        "indexed_slots",
        Role::Fix,
        1_100.0,
        &made_up::forks(1.1, 0.02)[..3],
        1.0,
    );
    made_up::at(&mut archive, "fan_in", 10_000, 2, "", "no such run").trap("results_channel", 1_210.0);
    archive.damage.push(Damage { path: "records/heap.jsonl".into(), line: 3, why: "expected value".into() });
    insta::assert_snapshot!("partial_text", pages(&archive)[0]);
}

#[test]
fn no_line_of_text_is_longer_than_a_terminal() {
    for archive in [made_up::archive(), made_up::two_columns(), Archive::default()] {
        let [text, _] = pages(&archive);
        let long: Vec<&str> = text.lines().filter(|line| line.chars().count() > WIDTH).collect();
        assert!(long.is_empty(), "over {WIDTH} columns: {long:#?}");
    }
}

#[test]
fn no_cell_is_empty() {
    for section in document(&made_up::two_columns()).sections {
        for block in section.blocks {
            if let model::Block::Table(table) = block {
                assert!(table.rows.iter().all(|row| row.len() == table.columns.len()));
                assert!(table.rows.iter().flatten().all(|cell| !cell.is_empty()), "{table:?}");
            }
        }
    }
}

#[test]
fn pages_are_written_beside_the_records() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let said = write(&folder.path().join("trapline"))?;
    let page = std::fs::read_to_string(folder.path().join("trapline/report.md"))?;
    assert!(text(&document(&said)).contains("Nothing measured yet") && page.starts_with("# Trapline"));
    Ok(())
}

#[test]
fn a_page_that_cannot_be_written_is_named() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("file"), "")?;
    let error = replace(&folder.path().join("file/report.md"), "").expect_err("a file is no folder");
    let error = ReportError::Io { path: "file/report.md".into(), source: error };
    assert!(error.to_string().starts_with("cannot write the report to file/report.md: "));
    Ok(())
}

#[test]
fn excerpts_are_spliced_between_their_markers() -> Result<(), SpliceError> {
    let archive = made_up::archive();
    let page = "# Mine\n<!-- trapline:vec_growth -->\nold\n<!-- /trapline:vec_growth -->\nend\n";
    let once = splice(page, &archive)?;
    assert!(once.starts_with("# Mine\n<!-- trapline:vec_growth -->\n\n## vec_growth: "));
    let headline = excerpt(&archive, "vec_growth/headline").unwrap_or_default();
    assert!(headline.contains("· headline") && headline.matches("### ").count() < once.matches("### ").count());
    assert!(once.ends_with("\n<!-- /trapline:vec_growth -->\nend\n") && !once.contains("old"));
    assert_eq!(splice(&once, &archive)?, once, "splicing again changes nothing");
    assert_eq!(splice("no markers", &archive)?, "no markers");
    Ok(())
}

#[test]
fn broken_markers_are_refused_by_line() {
    let archive = made_up::archive();
    let refusal = |page: &str| splice(page, &archive).expect_err("a broken page").to_string();
    let pages = [
        "\n<!-- trapline:vec_growth -->\n",
        "<!-- /trapline:vec_growth -->",
        "<!-- trapline:nothing -->",
        "<!-- trapline:vec_growth -->\n<!-- /trapline:contended_map -->",
    ];
    insta::assert_snapshot!("refusals", pages.map(refusal).join("\n"));
}
