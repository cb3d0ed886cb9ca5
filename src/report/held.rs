//! What is said of a trap that time can't see: what each of its ops leaves behind, which usage and heap read, and what
//! that rests on.

use super::caveat::Caveat;
use super::cell::{self, measures};
use super::citation::Citation;
use super::counts;
use super::ground;
use super::phrases::{at, repeat, title, uncommitted};
use super::place::Place;
use super::view::TrapView;
use crate::record::{Record, Run};
use crate::trap::{Instrument, Role};

// What an op can leave behind, who reads it, and in which words.
const HELD: [(&str, Instrument, &str); 4] = [
    ("threads_per_op", Instrument::Usage, "threads"),
    ("open_files_per_op", Instrument::Usage, "open files"),
    ("rss_bytes_per_op", Instrument::Usage, "resident bytes"),
    ("live_bytes_per_op", Instrument::Heap, "live bytes of the heap"),
];

const SCOPE: &str = "A figure is of this machine, allocator and compiler, not of others; ± is a 95\u{a0}% interval over \
                     processes, and a range is what repeated counts gave.";

fn measured<'a>(
    trap: &TrapView<'a>,
    place: Place<'a>,
    (metric, instrument, _): &(&str, Instrument, &str),
) -> Vec<&'a Record> {
    trap.at(place, *instrument).filter(|record| measures(record, metric)).collect()
}

/// The figures at a trap's headlines, but for those that are 0 of all arms.
pub(super) fn at_headlines<'a>(trap: &TrapView<'a>) -> Vec<&'a Record> {
    let headlines = trap.headlines().into_iter();
    let figures = headlines.flat_map(|place| HELD.iter().map(move |of| measured(trap, place, of)));
    figures.filter(|figures| figures.iter().any(|record| record.value != Some(0.0))).flatten().collect()
}

/// The arms that have such figures at a point, the trap first.
pub(super) fn arms<'a>(trap: &TrapView<'a>, place: Place<'a>) -> Vec<(&'a str, Role)> {
    cell::arms(HELD.iter().flat_map(|of| measured(trap, place, of)))
}

/// A variant and the trap, and what was read of both.
pub(super) struct Held<'v, 'a> {
    trap: &'v TrapView<'a>,
    place: Place<'a>,
    variant: &'a str,
    the_trap: &'a str,
    /// The run of the first figure; the others are of its machine, commit and allocator.
    pub(super) run: &'a Run,
}

impl<'v, 'a> Held<'v, 'a> {
    pub(super) fn of(
        trap: &'v TrapView<'a>,
        place: Place<'a>,
        arms: &[(&'a str, Role)],
        variant: &'a str,
    ) -> Option<Self> {
        let (the_trap, _) = arms.iter().find(|(_, role)| *role == Role::Trap)?;
        let first =
            HELD.iter().find_map(|(metric, instrument, _)| record(trap, place, *instrument, the_trap, metric))?;
        let held = Self { trap, place, variant, the_trap, run: trap.run_of(first)? };
        (!held.runs().is_empty()).then_some(held)
    }

    pub(super) fn citation(&self) -> Citation {
        Citation::of(self.trap.name, self.run, self.sentence(), self.footnote())
    }

    fn sentence(&self) -> String {
        let Self { trap, place, variant, the_trap, run } = self;
        let why = self.why().map_or(String::new(), |why| format!(" ({why})"));
        let op = trap.note.map_or(String::new(), |note| format!(" ({})", note.op));
        let told = |(metric, instrument, what): &(&str, Instrument, &str)| {
            let [from, to] = self.told(*instrument, metric)?;
            Some(format!("{from} {what} become {to}"))
        };
        let told: Vec<String> = HELD.iter().filter_map(told).collect();
        format!(
            "{variant} against {the_trap}{}: time is not what shows it{why}. Of what each op{op} leaves behind at {}, {}.{}",
            title(trap),
            at(trap, *place),
            listed(&told),
            uncommitted(run),
        )
    }

    // Why no ratio can see it.
    fn why(&self) -> Option<&'a str> {
        let unseen = self.trap.note.and_then(|note| note.unseen.iter().find(|(of, _)| *of == Instrument::Ratio));
        let here = || self.trap.at(self.place, Instrument::Ratio).find_map(|record| record.blind.as_deref());
        unseen.map(|(_, why)| why.as_str()).or_else(here)
    }

    // Both as the report's tables have them. Of what neither leaves behind nothing is said.
    fn told(&self, instrument: Instrument, metric: &str) -> Option<[String; 2]> {
        let [from, to] = self.pair(instrument, metric)?;
        let some = [from, to].iter().any(|record| record.value != Some(0.0));
        some.then(|| [from, to].map(|record| counts::cell(&[record], &record.variant, metric)))
    }

    // Where both are of one ground.
    fn pair(&self, instrument: Instrument, metric: &str) -> Option<[&'a Record; 2]> {
        let find = |arm| record(self.trap, self.place, instrument, arm, metric).filter(|found| self.is_alike(found));
        Some([find(self.the_trap)?, find(self.variant)?])
    }

    fn is_alike(&self, record: &Record) -> bool {
        let ground = |run: &Run| {
            let p = &run.provenance;
            (p.cpu.clone(), p.commit.clone(), p.dirty, p.allocator.clone())
        };
        self.trap.run_of(record).is_some_and(|run| ground(run) == ground(self.run))
    }

    // The runs of all that is said, each once.
    fn runs(&self) -> Vec<&'a Run> {
        let told = HELD.iter().filter(|(metric, instrument, _)| self.told(*instrument, metric).is_some());
        let mut runs: Vec<&Run> = Vec::new();
        for run in
            told.filter_map(|(metric, of, _)| self.pair(*of, metric)).flatten().filter_map(|r| self.trap.run_of(r))
        {
            if !runs.iter().any(|known| known.run == run.run) {
                runs.push(run);
            }
        }
        runs
    }

    fn footnote(&self) -> Vec<String> {
        let runs = self.runs();
        let told: Vec<String> = runs.iter().map(|run| ground::run(run, self.run)).collect();
        let mut parts = vec![
            format!("trapline {}, {}.", self.run.provenance.trapline, told.join("; ")),
            format!("{}.", ground::line(&self.run.provenance)),
            SCOPE.to_owned(),
        ];
        // Whether two threads have two cores is nothing to a count.
        let caveats =
            runs.iter().flat_map(|run| Caveat::of_run(run)).filter(|c| !matches!(c, Caveat::SharedCores { .. }));
        let caveats: Vec<String> = caveats.map(|caveat| caveat.to_string()).collect();
        parts.extend((!caveats.is_empty()).then(|| format!("Caveats: {}.", caveats.join("; "))));
        let targets: Vec<String> = runs.iter().map(|run| format!("--bench {}", run.target)).collect();
        parts.push(repeat(self.run, self.trap.name, &targets.join(" ")));
        parts
    }
}

fn listed(told: &[String]) -> String {
    match told {
        [others @ .., last] if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => told.concat(),
    }
}

fn record<'a>(
    trap: &TrapView<'a>,
    place: Place<'a>,
    instrument: Instrument,
    arm: &str,
    metric: &str,
) -> Option<&'a Record> {
    let is = |record: &&Record| record.variant == arm && measures(record, metric);
    counts::records(trap, place, instrument).into_iter().rev().find(is)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::record::Archive;
    use crate::report::{CiteError, Cited, cite, compact, made_up_archives, made_up_tails};
    use crate::trap::Instrument;

    const LATER: &str = "its cost comes later";

    // A leak, of which time can't say anything.
    fn leak() -> Archive {
        let mut archive = made_up_tails::archive();
        archive.records.retain(|record| record.case == "held");
        archive.records.iter_mut().for_each(|record| record.headline = true);
        let notes = archive.runs.iter_mut().flat_map(|run| &mut run.traps);
        notes.for_each(|note| note.unseen.push((Instrument::Ratio, LATER.into())));
        archive
    }

    fn cited<'a>() -> Cited<'a> {
        Cited { trap: "locked_iteration", point: None, variant: None, allow_dirty: false }
    }

    #[test]
    fn what_time_cannot_see_is_cited_by_what_an_op_leaves_behind() {
        insta::assert_snapshot!("citation_held", cite(&leak(), cited()).expect("a leak").text());
    }

    #[test]
    fn counts_of_another_commit_are_no_part_of_it() {
        let mut archive = leak();
        archive.runs.iter_mut().filter(|run| run.run == "heap-1").for_each(|run| run.provenance.commit = None);
        let said = cite(&archive, cited()).expect("usage is left").text();
        assert!(said.contains("threads become") && !said.contains("heap"), "{said}");
    }

    #[test]
    fn what_cannot_be_answered_for_or_leaves_nothing_is_refused() {
        let refusal = |change: fn(&mut Archive)| {
            let mut archive = leak();
            change(&mut archive);
            match cite(&archive, cited()) {
                Err(CiteError::Refused(why)) => why,
                other => panic!("{other:?} is no refusal"),
            }
        };
        let dirty = |archive: &mut Archive| archive.runs.iter_mut().for_each(|run| run.provenance.dirty = Some(true));
        assert!(refusal(dirty).contains("--allow-dirty"));
        let unknown = |archive: &mut Archive| archive.runs.iter_mut().for_each(|run| run.provenance.rustc = None);
        assert!(refusal(unknown).contains("unknown: rustc"));
        let none = |archive: &mut Archive| archive.records.iter_mut().for_each(|record| record.value = Some(0.0));
        assert!(refusal(none).contains("no ratio of time"));
        let other = cite(&leak(), Cited { variant: Some("nothing"), ..cited() }).expect_err("no such variant");
        assert!(matches!(&other, CiteError::Unknown(why) if why.contains("walk_chunks")), "{other}");
    }

    #[test]
    fn it_travels_with_the_crate_as_it_is() {
        let (mut archive, leak) = (made_up_archives::archive(), leak());
        let [usage, heap] = ["usage-1", "heap-1"].map(|id| leak.runs.iter().find(|run| run.run == id).cloned());
        archive.runs.extend(usage);
        // Its heap is counted by the run that counts the others.
        let notes = heap.into_iter().flat_map(|run| run.traps);
        archive.runs.iter_mut().find(|run| run.run == "ratio-1").expect("the main run").traps.extend(notes);
        archive.records.extend(leak.records);
        let small = Archive::read_text(Path::new("compact"), &compact(&archive));
        assert_eq!(small.damage, []);
        assert_eq!(cite(&small, cited()), cite(&archive, cited()));
        assert!(cite(&small, cited()).expect("a leak").text().contains(LATER));
    }
}
