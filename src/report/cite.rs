//! Which row is cited, and which one is not, for nobody could answer for it.

use thiserror::Error;

use super::citation::Citation;
use super::held::{self, Held};
use super::place::Place;
use super::row::Row;
use super::told::Told;
use super::view::{TrapView, View};
use crate::record::{Archive, Layouts, Provenance, Record, Run};
use crate::trap::{Instrument, Role};

/// What is to be cited.
#[derive(Clone, Copy, Debug)]
pub struct Cited<'a> {
    /// The trap's whole name.
    pub trap: &'a str,
    /// The point, as `n=100,plain`; the first headline point if none is named.
    pub point: Option<&'a str>,
    /// The variant; the advice if none is named.
    pub variant: Option<&'a str>,
    /// Whether a number of a work tree with changes may be cited, which the citation then says.
    pub allow_dirty: bool,
}

/// Why there is no citation.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CiteError {
    /// It names something that is not in the records.
    #[error("{0}")]
    Unknown(String),
    /// The number is there, and can't be relied on.
    #[error("{0}")]
    Refused(String),
}

/// The citation of a row of the main column of these records; of a trap that time can't see, what its ops leave behind.
///
/// # Errors
/// If the row is not in the records, or has no provenance, fewer than three layouts, or uncommitted changes.
pub fn cite(archive: &Archive, cited: Cited<'_>) -> Result<Citation, CiteError> {
    let view = View::of(archive);
    let traps = view.traps();
    let trap = traps.iter().find(|known| known.name == cited.trap).ok_or_else(|| unknown_trap(cited.trap))?;
    of_trap(trap, cited)
}

/// The same, of a trap that is looked at already.
pub(super) fn of_trap(trap: &TrapView<'_>, cited: Cited<'_>) -> Result<Citation, CiteError> {
    let place = place(trap, cited.point)?;
    if trap.is_unseen(Instrument::Ratio) || trap.is_elsewhere(place, Instrument::Ratio) {
        return held(trap, place, cited);
    }
    let column = trap.column.ok_or_else(|| untold(trap, place))?;
    let rows = trap.rows(column, place);
    let arms: Vec<(&str, Role)> = rows.iter().map(|row| (row.variant, row.role)).collect();
    let variant = variant(trap, place, &arms, cited.variant)?;
    let row = rows.iter().find(|row| row.variant == variant).ok_or_else(|| untold(trap, place))?;
    let ratio = row.ratio.filter(|_| row.span().is_some()).ok_or_else(|| missing(trap, place, row))?;
    let run = column.run_of(ratio).ok_or_else(orphan)?;
    refused(run, ratio, cited)?;
    let the_trap = rows.iter().find(|row| row.role == Role::Trap).map_or("the trap", |row| row.variant);
    let told = Told { trap, column, place, row, run, the_trap };
    Ok(told.citation())
}

fn unknown_trap(trap: &str) -> CiteError {
    CiteError::Unknown(format!("there are no records of a trap {trap} here; measure it: cargo bench -- {trap}"))
}

fn orphan() -> CiteError {
    CiteError::Refused("its run's line is lost: without provenance there is no number to cite; measure it again".into())
}

fn place<'a>(trap: &TrapView<'a>, point: Option<&str>) -> Result<Place<'a>, CiteError> {
    let places = [trap.headlines(), trap.places()].concat();
    let none = || {
        CiteError::Refused(format!(
            "{name} has no ratio of time in these records; what they say: trapline report {name}",
            name = trap.name
        ))
    };
    let Some(point) = point else { return places.first().copied().ok_or_else(none) };
    places.iter().find(|place| place.key() == point).copied().ok_or_else(|| {
        let mut known: Vec<String> = trap.places().iter().map(Place::key).collect();
        known.dedup();
        CiteError::Unknown(format!("{} has no point {point} in these records; it has {}", trap.name, known.join("; ")))
    })
}

// The one that is asked for, of those that are there.
fn variant<'a>(
    trap: &TrapView<'_>,
    place: Place<'_>,
    arms: &[(&'a str, Role)],
    wanted: Option<&str>,
) -> Result<&'a str, CiteError> {
    let known: Vec<(&str, Role)> = arms.iter().copied().filter(|(_, role)| *role != Role::Trap).collect();
    let is = |(name, role): &&(&str, Role)| wanted.map_or(*role == Role::Fix, |wanted| *name == wanted);
    let names = || known.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    match known.iter().find(is) {
        Some((name, _)) => Ok(name),
        None if known.is_empty() => Err(untold(trap, place)),
        None => Err(CiteError::Unknown(format!(
            "{} has no {} to cite at {}; it has {}",
            trap.name,
            wanted.unwrap_or("fix"),
            place.key(),
            names()
        ))),
    }
}

// What time can't see.
fn held(trap: &TrapView<'_>, place: Place<'_>, cited: Cited<'_>) -> Result<Citation, CiteError> {
    let arms = held::arms(trap, place);
    let variant = variant(trap, place, &arms, cited.variant)?;
    let held = Held::of(trap, place, &arms, variant).ok_or_else(|| untold(trap, place))?;
    grounded(held.run, cited)?;
    Ok(held.citation())
}

fn untold(trap: &TrapView<'_>, place: Place<'_>) -> CiteError {
    CiteError::Refused(untimed(trap, place))
}

fn untimed(trap: &TrapView<'_>, place: Place<'_>) -> String {
    format!(
        "{} has no ratio of time at {}: it was not measured, or ratio leaves it to other instruments; what they say: trapline report {}",
        trap.name,
        place.key(),
        trap.name
    )
}

fn missing(trap: &TrapView<'_>, place: Place<'_>, row: &Row<'_>) -> CiteError {
    let why = row
        .missing
        .as_ref()
        .map_or_else(|| untimed(trap, place), |missing| format!("{}: {}", missing.word, missing.why));
    CiteError::Refused(format!("{} at {} has no ratio to cite: {why}", row.variant, place.key()))
}

// Of an interrupted run a row has fewer layouts than were linked.
fn refused(run: &Run, ratio: &Record, cited: Cited<'_>) -> Result<(), CiteError> {
    grounded(run, cited)?;
    if run.links().min(ratio.samples.len()) >= Layouts::FEWEST {
        return Ok(());
    }
    let one = run.layouts.as_ref().and_then(|layouts| layouts.one.clone());
    let why = one.map_or(String::new(), |why| format!(" ({why})"));
    Err(CiteError::Refused(format!(
        "fewer than three code layouts{why}: another link may move the ratio, and its interval does not say by how much"
    )))
}

// Whoever is asked what the number rests on must have an answer.
fn grounded(run: &Run, cited: Cited<'_>) -> Result<(), CiteError> {
    let Provenance { commit, rustc, cpu, cores, allocator, dirty, .. } = &run.provenance;
    let lost = [
        ("commit", commit.is_none()),
        ("rustc", rustc.is_none()),
        ("CPU", cpu.is_none()),
        ("cores", cores.is_none()),
        ("allocator", allocator.is_none()),
        ("state of the work tree", dirty.is_none()),
    ];
    let lost: Vec<&str> = lost.iter().filter(|(_, lost)| *lost).map(|(what, _)| *what).collect();
    let why = match () {
        () if !lost.is_empty() => {
            format!("unknown: {}; without provenance there is no number to cite", lost.join(", "))
        }
        () if *dirty == Some(true) && !cited.allow_dirty => format!(
            "it was measured on a work tree with uncommitted changes, which nobody can repeat: commit and measure again \
             (cargo bench -- {}), or say --allow-dirty, and the citation says so too",
            cited.trap
        ),
        () => return Ok(()),
    };
    Err(CiteError::Refused(why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{made_up_archives, text};

    fn cited(trap: &'static str) -> Cited<'static> {
        Cited { trap, point: None, variant: None, allow_dirty: false }
    }

    fn refusal(change: impl Fn(&mut Run)) -> String {
        let mut archive = made_up_archives::archive();
        archive.runs.iter_mut().filter(|run| run.run == "ratio-1").for_each(change);
        cite(&archive, cited("vec_growth")).expect_err("it is refused").to_string()
    }

    #[test]
    fn a_citation_reads_as_a_sentence_in_all_forms() {
        let archive = made_up_archives::archive();
        let citation = cite(&archive, cited("vec_growth")).expect("a headline");
        insta::assert_snapshot!("citation", [citation.text(), citation.markdown(), citation.bibtex()].join("\n"));
    }

    #[test]
    fn its_ratio_is_that_of_the_report() {
        let archive = made_up_archives::archive();
        let report = text(&crate::report::document(&archive));
        for (trap, point, variant) in [
            ("vec_growth", "n=100,owning", "push_half_size"),
            ("contended_map", "n=100000,threads=8,reads=99", "parking_lot_mutex"),
        ] {
            let wanted = Cited { point: Some(point), variant: Some(variant), ..cited(trap) };
            let said = cite(&archive, wanted).expect("a row").text();
            let ratio =
                said.split("the trap takes ").nth(1).and_then(|rest| rest.split(" times").next()).expect("a ratio");
            assert!(report.contains(ratio), "{ratio} is not in the report");
        }
    }

    #[test]
    fn what_cannot_be_answered_for_is_refused() {
        assert!(refusal(|run| run.provenance.commit = None).contains("unknown: commit"));
        assert!(refusal(|run| run.provenance.dirty = Some(true)).contains("--allow-dirty"));
        assert!(refusal(|run| run.provenance.dirty = None).contains("work tree"));
        assert!(refusal(|run| run.layouts = None).contains("three code layouts"));
        let one = |run: &mut Run| run.layouts.iter_mut().for_each(|layouts| layouts.one = Some("no lld".into()));
        assert!(refusal(one).contains("(no lld)"));
        let mut archive = made_up_archives::archive();
        archive.records.iter_mut().for_each(|record| record.samples.truncate(2));
        let few = cite(&archive, cited("vec_growth")).expect_err("two layouts of an interrupted run");
        assert!(few.to_string().contains("three code layouts"), "{few}");
        archive.records.iter_mut().for_each(|record| record.low = None);
        let none = cite(&archive, cited("vec_growth")).expect_err("no interval");
        assert!(none.to_string().contains("no ratio to cite"), "{none}");
    }

    #[test]
    fn counts_of_another_commit_are_no_part_of_it_and_a_second_sitting_is() {
        let mut archive = made_up_archives::columns();
        let said = cite(&archive, cited("vec_growth")).expect("a headline").text();
        assert!(said.contains("heap blocks") && said.contains("--bench ratio --bench heap"), "{said}");
        assert!(said.contains("A second sitting of 2026-05-04 16:00 gives 1.4"), "{said}");
        archive.runs.iter_mut().filter(|run| run.run == "heap-1").for_each(|run| run.provenance.commit = None);
        let said = cite(&archive, cited("vec_growth")).expect("a headline").text();
        assert!(!said.contains("heap"), "{said}");
    }

    #[test]
    fn a_changed_work_tree_is_said_in_the_sentence() {
        let mut archive = made_up_archives::archive();
        archive.runs.iter_mut().for_each(|run| run.provenance.dirty = Some(true));
        let allowed = Cited { allow_dirty: true, ..cited("vec_growth") };
        assert!(cite(&archive, allowed).expect("allowed").text().contains("uncommitted changes"));
    }

    #[test]
    fn what_is_not_there_is_named_beside_what_is() {
        let archive = made_up_archives::archive();
        let error = |cited| cite(&archive, cited).expect_err("it is not there");
        assert!(matches!(error(cited("vec_grwth")), CiteError::Unknown(_)));
        let point = error(Cited { point: Some("n=7"), ..cited("vec_growth") });
        assert!(point.to_string().contains("n=50000,owning"), "{point}");
        let variant = error(Cited { variant: Some("nothing"), ..cited("vec_growth") });
        assert!(variant.to_string().contains("push_presized"), "{variant}");
        let failed = error(Cited { variant: Some("papaya"), ..cited("contended_map") });
        assert!(matches!(&failed, CiteError::Refused(why) if why.contains("signal 11")), "{failed}");
    }
}
