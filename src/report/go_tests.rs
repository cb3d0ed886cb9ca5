//! What a person reads of Go, and what the ledger says, from made-up records.

use super::document::document;
use super::excerpt::excerpt;
use super::ledger::verdicts;
use super::made_up_go::archive;
use super::markdown::markdown;
use super::screen::screen;
use super::view::View;
use crate::claims::CLAIMS;
use crate::record::Archive;
use crate::trap::Instrument;

fn judged(archive: &Archive, id: &str) -> [String; 2] {
    let view = View::of(archive);
    let all = verdicts(&view, &view.traps());
    all.into_iter().find(|(known, _)| *known == id).expect("a claim").1
}

#[test]
fn what_go_measured_stands_in_tables_of_its_own() {
    let archive = archive();
    insta::assert_snapshot!("go_section", excerpt(&archive, "vec_growth").expect("a trap"));
    insta::assert_snapshot!("go_summary", excerpt(&archive, "summary").expect("some traps"));
    let go = archive.clone().only("go-1");
    insta::assert_snapshot!("go_screen", screen(&go, Instrument::Go, false) + &screen(&go, Instrument::Go, true));
}

#[test]
fn the_ledger_has_every_claim_once_and_judges_by_records() {
    let archive = archive();
    let ledger = excerpt(&archive, "ledger").expect("some traps");
    for claim in CLAIMS {
        assert_eq!(ledger.matches(&format!("\n| {} |", claim.id)).count(), 1, "{}", claim.id);
    }
    assert_eq!(judged(&archive, "A1"), ["holds", "holds, larger"]);
    assert!(judged(&archive, "C4")[0].starts_with("not measured here: no rss_bytes_per_op"), "Rust was not asked");
    assert_eq!(judged(&archive, "C4")[1], "holds");
    assert_eq!(
        judged(&archive, "F6"),
        ["prevented: it does not compile, by a test: src/prevented.rs", "does not hold"]
    );
    assert_eq!(judged(&archive, "A4")[1], "not measured here: batches are not timed one by one in Go");
}

#[test]
fn a_row_without_its_record_is_not_measured_here() {
    let whole = archive();
    for at in 0..whole.records.len() {
        let mut less = whole.clone();
        let gone = less.records.remove(at);
        if gone.metric.as_deref() != Some("bytes") {
            continue;
        }
        let [rust, go] = judged(&less, "A1");
        let changed = if gone.instrument == Instrument::Go { go } else { rust };
        assert!(changed.starts_with("not measured here: no bytes of"), "without {gone:?}: {changed}");
    }
}

#[test]
fn what_noise_hides_is_undecided() {
    let mut archive = archive();
    archive.records.iter_mut().filter(|r| r.n == 50_000).for_each(|r| r.n = 100_000);
    assert_eq!(judged(&archive, "A5"), ["does not hold", "does not hold"], "100 items show it already");
    let noisy = archive.records.iter_mut().filter(|r| r.variant == "same" && r.instrument == Instrument::Go);
    noisy.for_each(|r| (r.low, r.high) = (Some(0.1), Some(10.0)));
    assert_eq!(judged(&archive, "A5"), ["does not hold", "undecided"]);
}

#[test]
fn a_trap_that_only_go_has_is_no_section_and_no_time_of_go_s_is_a_row_of_rust_s() {
    let page = markdown(&document(&archive()));
    assert!(!page.contains("\n## prevented"));
    let times = page.split("### In Go").next().unwrap_or_default();
    assert!(!times.contains("80.0"), "a time of Go's stands among Rust's");
    assert!(page.contains("times may not"), "the caveat stands beside Go's times");
}

#[test]
fn a_reader_s_own_trap_has_no_ledger() {
    let mut archive = archive();
    archive.runs.iter_mut().for_each(|run| run.traps.iter_mut().for_each(|note| note.name = "my_own".into()));
    archive.records.iter_mut().for_each(|record| record.trap = "my_own".into());
    assert!(!markdown(&document(&archive)).contains("## The claims"));
}
