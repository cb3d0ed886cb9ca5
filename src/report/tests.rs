//! What a person reads, as snapshots of made-up records.

use super::document::document;
use super::excerpt::{SpliceError, excerpt, splice};
use super::made_up;
use super::made_up_archives;
use super::made_up_tails;
use super::markdown::markdown;
use super::model::Block;
use super::page::write;
use super::screen::screen;
use super::summary::summary;
use super::text::text;
use super::wrap::WIDTH;
use crate::record::{Archive, Damage, Provenance, Sweeps};
use crate::trap::{Instrument, Role};

fn pages(archive: &Archive) -> [String; 2] {
    let document = document(archive);
    [text(&document), markdown(&document)]
}

#[test]
fn a_full_report_reads_well() {
    let [text, markdown] = pages(&made_up_archives::archive());
    insta::assert_snapshot!("full_text", text);
    insta::assert_snapshot!("full_markdown", markdown);
}

#[test]
fn other_columns_stand_beside_the_first() {
    let [_, markdown] = pages(&made_up_archives::columns());
    insta::assert_snapshot!("columns_markdown", markdown);
}

#[test]
fn tails_and_what_is_held_are_told_and_who_sees_the_trap() {
    let archive = made_up_tails::archive();
    let [text, _] = pages(&archive);
    insta::assert_snapshot!("tails_text", text);
    insta::assert_snapshot!("visibility_markdown", excerpt(&archive, "visibility").expect("some traps"));
    let screens = [Instrument::Latency, Instrument::Usage].map(|instrument| screen(&archive, instrument, false));
    insta::assert_snapshot!("screen_tails", screens.join("\n"));
}

#[test]
fn an_empty_archive_says_what_to_do() {
    let [text, _] = pages(&Archive::default());
    insta::assert_snapshot!("empty_text", text);
    assert!(summary(&Archive::default()).contains("cargo bench"));
}

#[test]
fn a_partial_quick_run_on_unknown_ground_says_so() {
    let mut archive = Archive::default();
    let mut run = made_up::run("ratio-9", Instrument::Ratio, Vec::new());
    run.provenance = Provenance::default();
    (run.quick, run.partial) = (true, Some("interrupted (Ctrl-C)".into()));
    run.sweeps = Some(Sweeps { layouts: 6, processes: 1, finished: 3 });
    archive.runs.push(run);
    made_up::at(&mut archive, "fan_in", 1_000, 2, "", "ratio-9").headline().trap("results_channel", 1_210.0).variant(
        "indexed_slots",
        Role::Fix,
        1_100.0,
        &made_up::forks(1.1, 0.02)[..3],
    );
    made_up::at(&mut archive, "fan_in", 10_000, 2, "", "no such run").trap("results_channel", 1_210.0);
    archive.damage.push(Damage { path: "records/heap.jsonl".into(), line: 3, why: "expected value".into() });
    insta::assert_snapshot!("partial_text", pages(&archive)[0]);
}

#[test]
fn no_line_of_text_is_longer_than_a_terminal() {
    for archive in [
        made_up_archives::archive(),
        made_up_archives::columns(),
        made_up_archives::catalog(),
        made_up_tails::archive(),
        Archive::default(),
    ] {
        fits(&pages(&archive)[0]);
        fits(&summary(&archive));
        for instrument in Instrument::ALL {
            fits(&screen(&archive, instrument, false));
            fits(&screen(&archive, instrument, true));
        }
    }
}

#[test]
fn the_longest_names_fit_too() {
    let mut archive = made_up_archives::catalog();
    for record in &mut archive.records {
        record.variant = if record.role == Role::Control { record.variant.clone() } else { record.variant.repeat(3) };
        record.case = format!("{}{}", record.case, ",work=500ns".repeat(4));
    }
    for text in
        [summary(&archive), screen(&archive, Instrument::Ratio, false), screen(&archive, Instrument::Heap, false)]
    {
        fits(&text);
        assert!(text.lines().nth(1).is_some_and(|header| !header.contains('…')), "no column is lost:\n{text}");
    }
}

fn fits(text: &str) {
    let long: Vec<&str> = text.lines().filter(|line| line.chars().count() > WIDTH).collect();
    assert!(long.is_empty(), "over {WIDTH} columns: {long:#?}");
}

#[test]
fn one_run_of_the_whole_catalog_fits_a_screen() {
    for instrument in [Instrument::Ratio, Instrument::Heap, Instrument::Instructions] {
        let archive = of(&made_up_archives::catalog(), instrument);
        let text = screen(&archive, instrument, false);
        assert!(text.lines().count() <= 40, "{} lines:\n{text}", text.lines().count());
        insta::assert_snapshot!(format!("screen_{}", instrument.word()), text);
    }
    assert_eq!(screen(&made_up_archives::catalog(), Instrument::Time, false), "");
}

// What one target's own run measured.
fn of(archive: &Archive, instrument: Instrument) -> Archive {
    let run = archive.runs.iter().find(|run| run.instrument == instrument).map(|run| run.run.clone());
    archive.clone().only(&run.unwrap_or_default())
}

#[test]
fn many_failures_do_not_push_the_rest_off_the_screen() {
    let mut archive = made_up_archives::catalog();
    for (at, record) in archive.records.iter_mut().enumerate().filter(|(_, r)| r.role == Role::Control) {
        record.failed = Some(format!("reason {at} {}", "of many ".repeat(20)));
    }
    let [screen, summary] = [screen(&archive, Instrument::Ratio, false), summary(&archive)];
    assert!(screen.lines().count() <= 40 && summary.lines().count() <= 30, "{screen}\n{summary}");
    assert!(screen.lines().last().is_some_and(|line| line.starts_with("error: and more")), "{screen}");
}

#[test]
fn a_filter_gives_all_rows_a_line_each() {
    let archive = made_up_archives::archive();
    let text = screen(&of(&archive, Instrument::Ratio), Instrument::Ratio, true);
    for row in ["push_half_size", "reserve_exact", "private_maps", "papaya"] {
        assert!(text.contains(row), "{row} is not in:\n{text}");
    }
    assert!(text.lines().last().is_some_and(|line| !line.is_empty()) && text.contains("\nerror: "), "{text}");
    insta::assert_snapshot!("detail_ratio", text);
    insta::assert_snapshot!("detail_heap", screen(&of(&archive, Instrument::Heap), Instrument::Heap, true));
}

#[test]
fn the_summary_carries_the_finding_on_one_screen() {
    let text = summary(&made_up_archives::catalog());
    assert!(text.lines().count() <= 30, "{} lines:\n{text}", text.lines().count());
    insta::assert_snapshot!("summary_catalog", text);
    insta::assert_snapshot!("summary", summary(&made_up_archives::archive()));
}

#[test]
fn a_machine_that_misses_a_planted_row_gives_no_fine_words() {
    let mut archive = made_up_archives::archive();
    let planted = archive.records.iter_mut().filter(|r| r.variant == "planted_5_percent");
    planted.for_each(|r| (r.low, r.value, r.high) = (Some(0.99), Some(1.02), Some(1.05)));
    let page = &pages(&archive)[0];
    assert!(!page.contains(" ties\n") && page.contains("unresolved") && page.contains(" wins"), "{page}");
    let summary = summary(&archive).replace('\n', " ");
    assert!(summary.contains("can't resolve 5 % today with one thread (2.0 %)"), "{summary}");
}

#[test]
fn where_others_had_the_cores_there_is_no_word() {
    let mut archive = made_up_archives::archive();
    made_up::at(&mut archive, "contended_map", 100_000, 2, "reads=99", "ratio-1")
        .headline()
        .trap("mutex_map", 412.0)
        .variant("dashmap", Role::Fix, 98.0, &made_up::forks(4.2, 0.02))
        .taken("dashmap", 0.31);
    let page = &pages(&archive)[0];
    assert!(page.contains("withheld  ") && page.contains("others took 31 %"), "{page}");
}

#[test]
fn a_point_is_shown_once_whatever_older_results_thought_of_it() {
    let [_, page] = pages(&made_up_archives::columns());
    let section = page.split("\n## vec_growth").nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    assert_eq!(section.matches("### n = 100, owning").count(), 1);
    assert!(!section.contains("### n = 100, owning · headline"));
}

#[test]
fn no_cell_is_empty() {
    for section in document(&made_up_archives::columns()).sections {
        for block in section.blocks {
            if let Block::Table(table) = block {
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
fn excerpts_are_spliced_between_their_markers() -> Result<(), SpliceError> {
    let archive = made_up_archives::archive();
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
fn the_summary_is_spliced_with_both_sittings() {
    insta::assert_snapshot!("summary_markdown", excerpt(&made_up_archives::columns(), "summary").unwrap_or_default());
    assert_eq!(excerpt(&Archive::default(), "summary"), None);
}

#[test]
fn broken_markers_are_refused_by_line() {
    let archive = made_up_archives::archive();
    let refusal = |page: &str| splice(page, &archive).expect_err("a broken page").to_string();
    let pages = [
        "\n<!-- trapline:vec_growth -->\n",
        "<!-- /trapline:vec_growth -->",
        "<!-- trapline:nothing -->",
        "<!-- trapline:vec_growth -->\n<!-- /trapline:contended_map -->",
    ];
    insta::assert_snapshot!("refusals", pages.map(refusal).join("\n"));
}
