//! A run on a reader's machine beside the committed results: whether each headline says the same here.

use super::caveat::{Caveat, SHARED, WIDE};
use super::cell::overlap;
use super::column::Column;
use super::compare::is_relinked;
use super::ground;
use super::model::{Align, Block, Document, Section, Table, fact, note, paragraph};
use super::number::{NONE, figures, half_width, percent};
use super::place::Place;
use super::row::Row;
use super::times::next_link;
use super::verdict::Word;
use super::view::{TrapView, View};
use crate::record::{Archive, Provenance, Run};
use crate::trap::Role;

const SCOPE: &str = "agrees: the interval here meets the committed range of code layouts. In direction: it does not, and the word is the \
                     same. Disagrees: the word is the opposite one. Inconclusive: what was measured here can't tell, and why.";

/// What a headline says here, held against what is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// The interval meets the committed range.
    Agrees,
    /// It does not, and the word is the same.
    InDirection,
    /// The word is the opposite one.
    Disagrees,
    /// It can't be told, for this reason.
    Inconclusive(String),
}

impl Agreement {
    /// The word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::InDirection => "agrees in direction",
            Self::Disagrees => "disagrees",
            Self::Inconclusive(_) => "inconclusive",
        }
    }
}

/// The headlines of the committed results that were measured here as well.
#[derive(Clone, Debug)]
pub struct Verification {
    rows: Vec<(Vec<String>, Agreement)>,
    facts: Vec<(String, String)>,
}

impl Verification {
    /// Of the advice at each headline point that both have.
    #[must_use]
    pub fn of(committed: &Archive, own: &Archive) -> Self {
        let (theirs, ours) = (View::of(committed), View::of(own));
        let (there, here) = (theirs.traps(), ours.traps());
        let rows = there.iter().flat_map(|trap| {
            let own = here.iter().find(|own| own.name == trap.name);
            own.map_or_else(Vec::new, |own| of_trap(trap, own))
        });
        let told = |view: &View<'_>| {
            view.columns.first().and_then(Column::run).map_or(NONE.into(), |run| ground::line(&run.provenance))
        };
        let facts = vec![fact("committed", told(&theirs)), fact("here", told(&ours))];
        let rows = rows.collect();
        Self { rows, facts }
    }

    /// Whether a headline disagrees.
    #[must_use]
    pub fn disagrees(&self) -> bool {
        self.rows.iter().any(|(_, agreement)| *agreement == Agreement::Disagrees)
    }

    /// Whether nothing could be held against anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The page: a row a headline, and why what can't be told can't.
    #[must_use]
    pub fn document(&self) -> Document {
        let headers = ["trap", "point", "advice", "committed, over layouts", "here [95 %]", "said"];
        let mut table = Table::of(&headers.map(|header| (header, Align::Left)));
        table.rows =
            self.rows.iter().map(|(cells, agreement)| [&cells[..], &[agreement.word().to_owned()]].concat()).collect();
        let mut blocks = vec![Block::Facts(self.facts.clone()), Block::Table(table)];
        blocks.extend(self.reasons().into_iter().map(note));
        blocks.push(paragraph(SCOPE));
        let sections = vec![Section { trap: None, heading: String::new(), blocks }];
        Document { title: "The committed headlines, on this machine".into(), sections }
    }

    // Each reason once, with the rows that it is of.
    fn reasons(&self) -> Vec<String> {
        let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
        for (cells, agreement) in &self.rows {
            let Agreement::Inconclusive(why) = agreement else { continue };
            let row = format!("{} at {}", cells[0], cells[1]);
            match reasons.iter_mut().find(|(known, _)| known == why) {
                Some((_, rows)) => rows.push(row),
                None => reasons.push((why, vec![row])),
            }
        }
        reasons.iter().map(|(why, rows)| format!("inconclusive: {why} ({})", rows.join("; "))).collect()
    }
}

fn of_trap<'a>(theirs: &TrapView<'a>, ours: &TrapView<'a>) -> Vec<(Vec<String>, Agreement)> {
    let Some((their_column, our_column)) = theirs.column.zip(ours.column) else { return Vec::new() };
    let row = |place: Place<'a>| {
        let committed =
            theirs.rows(their_column, place).into_iter().find(|row| row.role == Role::Fix && row.span().is_some())?;
        let own = ours.rows(our_column, place).into_iter().find(|row| row.variant == committed.variant)?;
        let runs = [their_column.run_of(committed.ratio?)?, our_column.run()?];
        let agreement =
            Held { committed: &committed, own: &own, runs, place }.against(&ours.caveats(our_column, place));
        let cells = vec![
            theirs.name.into(),
            place.title(),
            committed.variant.into(),
            told(&committed),
            format!("{}, {}", own.said(), own.word()),
        ];
        Some((cells, agreement))
    };
    theirs.headlines().into_iter().filter_map(row).collect()
}

fn told(row: &Row<'_>) -> String {
    format!("{}, {}", next_link(row), row.word())
}

// One row in both.
struct Held<'r, 'a> {
    committed: &'r Row<'a>,
    own: &'r Row<'a>,
    runs: [&'r Run; 2],
    place: Place<'a>,
}

impl Held<'_, '_> {
    fn against(&self, caveats: &[Caveat]) -> Agreement {
        let (span, range) = (self.own.span(), self.committed.next_link());
        match (self.doubtful(caveats), span.zip(range)) {
            (Some(why), _) => Agreement::Inconclusive(why),
            (None, None) => Agreement::Inconclusive("a row without an interval".into()),
            (None, Some((span, [low, high]))) if overlap(span, [low, low, high]) => Agreement::Agrees,
            (None, Some((span, _))) => self.by_word(span),
        }
    }

    // What makes a number of this run no answer, whatever it is.
    fn doubtful(&self, caveats: &[Caveat]) -> Option<String> {
        let missing = self.own.missing.as_ref().map(|missing| format!("{}: {}", missing.word, missing.why));
        let told = |caveat: &&Caveat| match caveat {
            Caveat::FewerCores { .. } => self.cores_differ(),
            Caveat::Missed { .. } => true,
            other => other.withholds(),
        };
        let caveat = || caveats.iter().find(told).map(Caveat::to_string);
        missing.or_else(|| self.one_layout()).or_else(caveat).or_else(|| self.shared()).or_else(|| self.scatters())
    }

    fn one_layout(&self) -> Option<String> {
        let why = self.runs[1].layouts.as_ref().and_then(|layouts| layouts.one.clone());
        let why = why.map_or(String::new(), |why| format!(" ({why})"));
        (!is_relinked(self.runs[1]))
            .then(|| format!("fewer than three code layouts{why}: another link may move the ratio"))
    }

    // Of work that fills no core: whether two threads do is the machine's own, and the same in the committed run.
    fn shared(&self) -> Option<String> {
        let worst = self.runs[1].probes.iter().map(|probe| probe.slowdown).fold(0.0, f64::max);
        let said =
            || format!("two threads at once took {}x the time of one: something else had a core", figures(worst));
        (self.place.threads > 1 && worst > SHARED).then(said)
    }

    fn scatters(&self) -> Option<String> {
        let unresolved = self.own.verdict.is_some_and(|verdict| verdict.word == Word::Unresolved);
        unresolved.then(|| "the trap against itself scatters more than the row".into())
    }

    fn cores_differ(&self) -> bool {
        self.runs[0].provenance.cores != self.runs[1].provenance.cores
    }

    // The range is missed: what is left are the words, and only decided ones take a side.
    fn by_word(&self, span: [f64; 3]) -> Agreement {
        let [theirs, ours] = [self.committed, self.own].map(side);
        let wide = half_width(span[0], span[2]);
        match () {
            () if theirs.is_some() && theirs == ours => Agreement::InDirection,
            () if theirs.zip(ours).is_some_and(|(theirs, ours)| theirs * ours == -1) => {
                self.another_ground().map_or(Agreement::Disagrees, Agreement::Inconclusive)
            }
            () if wide > WIDE => {
                Agreement::Inconclusive(format!("a wide interval, ±{}, that meets no word", percent(wide)))
            }
            () => Agreement::Inconclusive(format!(
                "between the words: {} there, {} here",
                self.committed.word(),
                self.own.word()
            )),
        }
    }

    // What the two machines have not in common, of what is known to turn such a word round. Another version of one allocator is
    // not; the facts above the table name both.
    fn another_ground(&self) -> Option<String> {
        let [theirs, ours] = self.runs.map(|run| &run.provenance);
        let differ = |name: &str, of: &dyn Fn(&Provenance) -> Option<String>| {
            let (there, here) = (of(theirs), of(ours));
            (there != here).then(|| {
                format!(
                    "{name}: {} there, {} here",
                    there.unwrap_or("unknown".into()),
                    here.unwrap_or("unknown".into())
                )
            })
        };
        let threads = self.place.threads;
        let too_few = [theirs, ours].iter().any(|p| p.cores.is_some_and(|cores| cores < threads));
        [
            differ("allocator", &|p| p.allocator.as_deref().and_then(name).map(str::to_owned)),
            differ("bytes in a cache line", &|p| p.cache_line.map(|line| line.to_string())),
            differ("quota", &|p| p.quota.clone()).filter(|_| threads > 1),
            differ("cores", &|p| p.cores.map(|cores| cores.to_string())).filter(|_| too_few),
        ]
        .into_iter()
        .flatten()
        .next()
    }
}

// An allocator without its version.
fn name(allocator: &str) -> Option<&str> {
    allocator.split_whitespace().next()
}

// 1 for a fix that gains, -1 for one that costs, 0 for a tie; none where the word is not decided, or layouts change it.
fn side(row: &Row<'_>) -> Option<i32> {
    let verdict = row.verdict.filter(|verdict| verdict.suffix.is_none())?;
    match verdict.word {
        Word::Wins => Some(1),
        Word::Loses => Some(-1),
        Word::Ties => Some(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::made_up::{at, forks, note, run};
    use crate::trap::Instrument;

    // One row of this ratio, and what its run was like.
    fn archive(ratio: f64, spread: f64, like: impl Fn(&mut Run)) -> Archive {
        let mut archive = Archive::default();
        let traps = vec![note("vec_growth", "a title", "A habit.", "records", "one record", &[])];
        let mut run = run("ratio-1", Instrument::Ratio, traps);
        like(&mut run);
        archive.runs.push(run);
        at(&mut archive, "vec_growth", 100, 2, "", "ratio-1")
            .headline()
            .trap("habit", 30.0)
            .variant("advice", Role::Fix, 20.0, &forks(ratio, spread))
            .control("same", 1.0, 0.01);
        archive
    }

    fn said(committed: f64, own: &Archive) -> Agreement {
        let verification = Verification::of(&archive(committed, 0.02, |_| ()), own);
        assert_eq!(verification.rows.len(), 1);
        verification.rows[0].1.clone()
    }

    #[test]
    fn a_ratio_within_the_committed_layouts_agrees_and_one_beside_them_in_direction() {
        assert_eq!(said(1.5, &archive(1.52, 0.02, |_| ())), Agreement::Agrees);
        assert_eq!(said(1.5, &archive(2.5, 0.02, |_| ())), Agreement::InDirection);
        assert_eq!(said(1.5, &archive(0.7, 0.02, |_| ())), Agreement::Disagrees);
        assert!(
            matches!(said(1.5, &archive(1.0, 0.005, |_| ())), Agreement::Inconclusive(why) if why.contains("ties here"))
        );
    }

    #[test]
    fn a_run_that_cannot_tell_says_why_and_never_disagrees() {
        let inconclusive = |like: fn(&mut Run), part: &str| {
            let said = said(1.5, &archive(0.7, 0.02, like));
            assert!(matches!(&said, Agreement::Inconclusive(why) if why.contains(part)), "{said:?}");
        };
        inconclusive(
            |run| run.layouts.iter_mut().for_each(|l| l.one = Some("installed".into())),
            "fewer than three code layouts (installed)",
        );
        inconclusive(|run| run.probes.iter_mut().for_each(|probe| probe.slowdown = 1.9), "something else had a core");
        inconclusive(|run| run.provenance.cores = Some(1), "2\u{a0}threads on 1\u{a0}core");
        inconclusive(|run| run.provenance.allocator = Some("mimalloc".into()), "allocator: glibc there, mimalloc here");
        inconclusive(|run| run.provenance.cache_line = Some(128), "cache line");
        inconclusive(|run| run.provenance.quota = Some("50000 100000".into()), "quota");
    }

    #[test]
    fn another_version_of_the_allocator_and_more_cores_than_threads_excuse_no_opposite_word() {
        let others: [fn(&mut Run); 2] =
            [|run| run.provenance.allocator = Some("glibc 2.41".into()), |run| run.provenance.cores = Some(8)];
        for like in others {
            assert_eq!(said(1.5, &archive(0.7, 0.02, like)), Agreement::Disagrees);
        }
        let committed = archive(1.5, 0.02, |run| run.provenance.cores = Some(1));
        let verification = Verification::of(&committed, &archive(0.7, 0.02, |_| ()));
        let said = &verification.rows[0].1;
        assert!(matches!(said, Agreement::Inconclusive(why) if why == "cores: 1 there, 2 here"), "{said:?}");
    }

    #[test]
    fn the_page_says_each_reason_once() {
        let committed = archive(1.5, 0.02, |_| ());
        let own = archive(1.52, 0.02, |run| run.probes[0].slowdown = 1.9);
        let page = crate::report::text(&Verification::of(&committed, &own).document());
        insta::assert_snapshot!("verification", page);
    }
}
