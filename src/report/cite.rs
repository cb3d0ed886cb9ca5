//! One row as a sentence for a design review, with a footnote of all that it rests on.

use thiserror::Error;

use super::caveat::Caveat;
use super::cell::measures;
use super::column::Column;
use super::ground;
use super::label::minute;
use super::number::{TIE, Unit, count, interval};
use super::place::Place;
use super::row::Row;
use super::times::next_link;
use super::view::{TrapView, View};
use crate::record::{Archive, Provenance, Record, Run};
use crate::trap::{Instrument, Role};

/// Fewer code layouts than these are no sample of the links to come.
const LAYOUTS: usize = 3;

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

/// A sentence and its footnote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Citation {
    trap: String,
    year: String,
    commit: String,
    version: String,
    sentence: String,
    footnote: Vec<String>,
}

impl Citation {
    /// Of the main column of these records.
    ///
    /// # Errors
    /// If the row is not in the records, or has no provenance, one layout only, or uncommitted changes.
    pub fn of(archive: &Archive, cited: Cited<'_>) -> Result<Self, CiteError> {
        let view = View::of(archive);
        let traps = view.traps();
        let trap = traps.iter().find(|known| known.name == cited.trap).ok_or_else(|| unknown_trap(cited.trap))?;
        let place = place(trap, cited.point)?;
        let column = trap.column.ok_or_else(|| CiteError::Refused(untimed(trap, place)))?;
        let rows = trap.rows(column, place);
        let row = row(trap, place, &rows, cited.variant)?;
        let run = column.run_of(row.ratio.ok_or_else(|| missing(trap, place, row))?).ok_or_else(orphan)?;
        refused(run, cited)?;
        let the_trap = rows.iter().find(|row| row.role == Role::Trap).map_or("the trap", |row| row.variant);
        let told = Told { trap, column, place, row, run, the_trap };
        Ok(told.citation())
    }

    /// The sentence, and the footnote under it.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} [1]\n\n[1] {}\n", self.sentence, self.footnote.join(" ")).replace(TIE, " ")
    }

    /// The sentence with a footnote of Markdown's.
    #[must_use]
    pub fn markdown(&self) -> String {
        let key = self.trap.replace('_', "-");
        format!("{}[^{key}]\n\n[^{key}]: {}\n", self.sentence, self.footnote.join(" ")).replace(TIE, " ")
    }

    /// An entry of BibTeX.
    #[must_use]
    pub fn bibtex(&self) -> String {
        let Self { trap, year, commit, version, .. } = self;
        let note = escaped(&format!("{} {}", self.sentence, self.footnote.join(" ")).replace(TIE, " "));
        let title = escaped(&format!("trapline {version}: {trap}"));
        let short = commit.get(..8).unwrap_or(commit);
        format!(
            "@misc{{trapline-{}-{short},\n  title = {{{title}}},\n  author = {{{{The trapline maintainers}}}},\n  \
             year = {{{year}}},\n  version = {{{version}, commit {short}}},\n  note = {{{note}}},\n}}\n",
            trap.replace('_', "-"),
        )
    }
}

// What TeX would take for its own.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' => escaped.push_str("\\textbackslash{}"),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '#' | '$' | '%' | '&' | '_' | '{' | '}' => escaped.extend(['\\', letter]),
            other => escaped.push(other),
        }
    }
    escaped
}

fn unknown_trap(trap: &str) -> CiteError {
    CiteError::Unknown(format!("there are no records of a trap {trap} here; measure it: cargo bench -- {trap}"))
}

fn orphan() -> CiteError {
    CiteError::Refused("its run's line is lost: without provenance there is no number to cite; measure it again".into())
}

fn place<'a>(trap: &TrapView<'a>, point: Option<&str>) -> Result<Place<'a>, CiteError> {
    let places = [trap.headlines(), trap.places()].concat();
    let Some(point) = point else { return places.first().copied().ok_or_else(|| unknown_trap(trap.name)) };
    places.iter().find(|place| place.key() == point).copied().ok_or_else(|| {
        let mut known: Vec<String> = trap.places().iter().map(Place::key).collect();
        known.dedup();
        CiteError::Unknown(format!("{} has no point {point} in these records; it has {}", trap.name, known.join("; ")))
    })
}

fn row<'r, 'a>(
    trap: &TrapView<'a>,
    place: Place<'a>,
    rows: &'r [Row<'a>],
    variant: Option<&str>,
) -> Result<&'r Row<'a>, CiteError> {
    let wanted =
        |row: &&Row<'_>| variant.map_or(row.role == Role::Fix, |name| row.variant == name && row.role != Role::Trap);
    rows.iter().find(wanted).ok_or_else(|| {
        let known: Vec<&str> = rows.iter().filter(|row| row.role != Role::Trap).map(|row| row.variant).collect();
        match (known.is_empty(), variant) {
            (true, _) => CiteError::Refused(untimed(trap, place)),
            (false, name) => {
                let name = name.unwrap_or("fix");
                let (trap, at) = (trap.name, place.key());
                CiteError::Unknown(format!("{trap} has no {name} to cite at {at}; it has {}", known.join(", ")))
            }
        }
    })
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

// Whoever is asked what the number rests on must have an answer.
fn refused(run: &Run, cited: Cited<'_>) -> Result<(), CiteError> {
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
    let layouts = run.layouts.as_ref().filter(|layouts| layouts.one.is_none()).map_or(0, |layouts| layouts.distinct);
    let why = match () {
        () if !lost.is_empty() => {
            format!("unknown: {}; without provenance there is no number to cite", lost.join(", "))
        }
        () if layouts < LAYOUTS => {
            let one = run.layouts.as_ref().and_then(|layouts| layouts.one.clone());
            let why = one.map_or(String::new(), |why| format!(" ({why})"));
            format!(
                "fewer than three code layouts{why}: another link may move the ratio, and its interval does not say by how much"
            )
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

// The row that is told of, and what it is told from.
struct Told<'v, 'a> {
    trap: &'v TrapView<'a>,
    column: &'v Column<'a>,
    place: Place<'a>,
    row: &'v Row<'a>,
    run: &'v Run,
    the_trap: &'v str,
}

impl Told<'_, '_> {
    fn citation(&self) -> Citation {
        let Provenance { commit, trapline, .. } = &self.run.provenance;
        Citation {
            trap: self.trap.name.into(),
            year: self.run.started.get(..4).unwrap_or_default().into(),
            commit: commit.clone().unwrap_or_default(),
            version: trapline.clone(),
            sentence: self.sentence(),
            footnote: self.footnote(),
        }
    }

    fn sentence(&self) -> String {
        let Self { row, the_trap, place, trap, .. } = self;
        let title = trap.note.map_or(String::new(), |note| format!(" ({}: {})", trap.name, note.title));
        let counts = trap.note.map_or(String::new(), |note| format!(" {}", note.counts));
        let n = place.title().replacen(&count(place.n as f64), &format!("{}{counts}", count(place.n as f64)), 1);
        let ratio = row.span().map_or_else(|| row.said(), interval);
        let dirty = if self.run.provenance.dirty == Some(true) {
            " It was measured on a work tree with uncommitted changes."
        } else {
            ""
        };
        format!(
            "{} {} against {the_trap}{title}: the trap takes {ratio} times its time (95{TIE}% interval) at {n}{}.{}{dirty}",
            row.variant,
            self.verb(),
            self.saved(),
            self.counted(),
        )
    }

    // The verdict as the verb of a sentence.
    fn verb(&self) -> String {
        self.row.verdict.map_or_else(
            || "has no verdict".into(),
            |verdict| match verdict.to_string().split_once(' ') {
                Some((word, suffix)) => format!("{} {suffix}", as_verb(word)),
                None => as_verb(&verdict.to_string()),
            },
        )
    }

    fn saved(&self) -> String {
        let op = self.trap.note.map_or(String::new(), |note| format!(" (one op: {})", note.op));
        self.row.saved.map_or(String::new(), |[low, value, high]| {
            let unit = Unit::for_ns(value.abs());
            let (verb, ns) = if value < 0.0 { ("costs", [-high, -value, -low]) } else { ("saves", [low, value, high]) };
            format!("; it {verb} {} {} an op{op}", interval(ns.map(|ns| ns / unit.ns)), unit.word)
        })
    }

    // Blocks and bytes of a run, trap and row, where both are counted.
    fn counted(&self) -> String {
        let of = |metric: &str| {
            let find = |variant: &str| {
                let is = |r: &&Record| r.variant == variant && measures(r, metric) && r.low == r.high;
                self.trap.at(self.place, Instrument::Heap).filter(is).last().and_then(|r| r.value)
            };
            let (from, to) = (find(self.the_trap)?, find(self.row.variant)?);
            let what = if metric == "blocks" { "heap blocks" } else { metric };
            Some(format!("{} {what} become {}", count(from), count(to)))
        };
        let told: Vec<String> = ["blocks", "bytes"].into_iter().filter_map(of).collect();
        if told.is_empty() { String::new() } else { format!(" In a run {}, counted exactly.", told.join(" and ")) }
    }

    fn footnote(&self) -> Vec<String> {
        let Provenance { trapline, .. } = &self.run.provenance;
        let sweeps = ground::sweeps(self.run).unwrap_or_default();
        let layouts = self.run.layouts.as_ref().map_or(0, |layouts| layouts.distinct);
        let link = format!(
            "The next link gives {} with probability {}/{}.",
            next_link(self.row),
            layouts.saturating_sub(1),
            layouts + 1
        );
        let mut parts = vec![
            format!("trapline {trapline}, {}, run {}: {sweeps}.", minute(&self.run.started), self.run.run),
            format!("{}.", ground::line(&self.run.provenance)),
            ground::SCOPE.to_owned(),
            link,
        ];
        let caveats = self.caveats();
        parts.extend((!caveats.is_empty()).then(|| format!("Caveats: {}.", caveats.join("; "))));
        parts.push(format!("Repeat: {}", self.repeat()));
        parts
    }

    fn caveats(&self) -> Vec<String> {
        let of_row = self.row.ratio.map(Caveat::of_row).unwrap_or_default();
        let here = self.trap.caveats(self.column, self.place);
        Caveat::of_run(self.run).iter().chain(&here).chain(&of_row).map(Caveat::to_string).collect()
    }

    fn repeat(&self) -> String {
        let seed = self.run.layouts.as_ref().map_or(String::new(), |layouts| format!(" --seed {}", layouts.seed));
        let commit = self.run.provenance.commit.as_deref().unwrap_or_default();
        let commit = commit.get(..12).unwrap_or(commit);
        let flags = [(self.run.solo, " --solo"), (self.run.unpinned, " --unpinned"), (self.run.quick, " --quick")];
        let flags: String = flags.iter().filter(|(on, _)| *on).map(|(_, flag)| *flag).collect();
        format!("git checkout {commit} && cargo bench --bench ratio -- {}{seed}{flags}", self.trap.name)
    }
}

fn as_verb(word: &str) -> String {
    match word {
        "faster" | "slower" => format!("is {word}"),
        "unclear" | "unresolved" => format!("stays {word}"),
        "split" => "is split by layout".into(),
        verb => verb.into(),
    }
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
        Citation::of(&archive, cited("vec_growth")).expect_err("it is refused").to_string()
    }

    #[test]
    fn a_citation_reads_as_a_sentence_in_all_forms() {
        let archive = made_up_archives::archive();
        let citation = Citation::of(&archive, cited("vec_growth")).expect("a headline");
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
            let said = Citation::of(&archive, wanted).expect("a row").text();
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
    }

    #[test]
    fn a_changed_work_tree_is_said_in_the_sentence() {
        let mut archive = made_up_archives::archive();
        archive.runs.iter_mut().for_each(|run| run.provenance.dirty = Some(true));
        let allowed = Cited { allow_dirty: true, ..cited("vec_growth") };
        assert!(Citation::of(&archive, allowed).expect("allowed").text().contains("uncommitted changes"));
    }

    #[test]
    fn what_is_not_there_is_named_beside_what_is() {
        let archive = made_up_archives::archive();
        let error = |cited| Citation::of(&archive, cited).expect_err("it is not there");
        assert!(matches!(error(cited("vec_grwth")), CiteError::Unknown(_)));
        let point = error(Cited { point: Some("n=7"), ..cited("vec_growth") });
        assert!(point.to_string().contains("n=50000,owning"), "{point}");
        let variant = error(Cited { variant: Some("nothing"), ..cited("vec_growth") });
        assert!(variant.to_string().contains("push_presized"), "{variant}");
        let failed = error(Cited { variant: Some("papaya"), ..cited("contended_map") });
        assert!(matches!(&failed, CiteError::Refused(why) if why.contains("signal 11")), "{failed}");
    }
}
