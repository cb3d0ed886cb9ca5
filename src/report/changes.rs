//! What a comparison has found, on a page.

use super::compare::{Comparison, Counted, Moved, is_relinked};
use super::ground;
use super::model::{Align, Block, Document, Section, Table, fact, note, paragraph};
use super::number::{NONE, TIE, count, factor, interval, many};
use super::place::Place;
use crate::record::{Provenance, Record, Run};

const SCOPE: &str = "new ÷ old of a ratio above 1: the fix gains more than it did. Its interval is of Welch's test over the \
                     layouts, widened by what most rows say of the two sittings. Headline \
                     rows are corrected for how many there are (Holm); the others are exploratory, and none of them is certain.";

impl Comparison<'_> {
    /// The page: what both rest on, the rows that have moved for certain, or all of them, and the counts that differ.
    #[must_use]
    pub fn document(&self, all: bool) -> Document {
        let mut blocks = vec![Block::Facts(self.facts())];
        blocks.extend(self.warnings().into_iter().map(note));
        blocks.push(paragraph(self.said()));
        blocks.push(paragraph(self.widened()));
        let rows: Vec<&Moved<'_>> = self.moved.iter().filter(|row| all || row.corrected).collect();
        blocks.extend((!rows.is_empty()).then(|| Block::Table(ratios(&rows))));
        blocks.extend((!rows.is_empty()).then(|| paragraph(SCOPE)));
        blocks.extend((!self.counts.is_empty()).then(|| Block::Table(counted(&self.counts))));
        let section = Section { trap: None, heading: String::new(), blocks };
        Document { title: "Old and new, compared".into(), sections: vec![section] }
    }

    fn facts(&self) -> Vec<(String, String)> {
        let said = |run: Option<&Run>| {
            run.map_or("unknown".into(), |run| format!("{}; {}", ground::run(run, run), ground::line(&run.provenance)))
        };
        vec![fact("old", said(self.runs[0])), fact("new", said(self.runs[1]))]
    }

    // What makes two sets hard to compare, first of all that they are of two machines.
    fn warnings(&self) -> Vec<String> {
        let [Some(old), Some(new)] = self.runs else {
            return vec!["provenance is lost: what differs may be the machine".into()];
        };
        let differ = |of: fn(&Provenance) -> &Option<String>| of(&old.provenance) != of(&new.provenance);
        let said = [
            (
                differ(|p| &p.cpu),
                "two machines: only ratios and counts are compared, and each machine has its own ratios",
            ),
            (differ(|p| &p.allocator), "two allocators: what differs may be theirs"),
            (differ(|p| &p.rustc), "two compilers: what differs may be theirs"),
            (
                !is_relinked(old) || !is_relinked(new),
                "fewer than three code layouts: the change of a link can't be told from that of the code, and no ratio has moved for certain",
            ),
            (old.quick || new.quick, "a quick run is among them: its intervals are wide"),
            (old.solo != new.solo || old.unpinned != new.unpinned, "they were run in different ways"),
        ];
        let said = said.into_iter().filter(|(is, _)| *is).map(|(_, why)| why.to_owned());
        said.chain(self.lonely()).chain(self.untested()).collect()
    }

    fn lonely(&self) -> Option<String> {
        let [old, new] = self.lonely;
        let said = || {
            format!(
                "left out: {} that only the old set has, {} that only the new one has",
                many(old, "row"),
                count(new as f64)
            )
        };
        (old + new > 0).then(said)
    }

    fn untested(&self) -> Option<String> {
        let said = || format!("not tested: {} of fewer than three layouts or runs", many(self.untested, "ratio"));
        (self.untested > 0).then(said)
    }

    /// What two sittings add to what layouts tell.
    fn widened(&self) -> String {
        let [headlines, others] = self.scales;
        format!(
            "Layouts tell what re-links do, not what the machine did in two sittings: so standard errors are widened until the middle \
             half of the rows lies where it should if most have not changed: {}, {}.",
            widening(headlines, "headline rows"),
            widening(others, "others"),
        )
    }

    /// One sentence: how many rows there are and how many have moved.
    fn said(&self) -> String {
        let (headlines, others): (Vec<_>, Vec<_>) = self.moved.iter().partition(|row| row.new.headline);
        let alone = |rows: &[&Moved<'_>]| count(rows.iter().filter(|row| row.alone()).count() as f64);
        let certain = headlines.iter().filter(|row| row.corrected).count();
        format!(
            "Of {}, {} differ{TIE}at 5{TIE}% each by itself, and {} once corrected for how many they are. Of {}, {} differ{TIE}at \
             5{TIE}%: one in twenty would by chance. Of {}, {} differ.",
            many(headlines.len(), "headline row"),
            alone(&headlines),
            count(certain as f64),
            many(others.len(), "other row"),
            alone(&others),
            many(self.compared, "exact count"),
            count(self.counts.len() as f64),
        )
    }
}

// Of headline rows and of the others.
fn widening(scale: Option<f64>, rows: &str) -> String {
    match scale {
        Some(scale) => format!("{} times for {rows}", factor(scale)),
        None => format!("not at all for {rows}, which are fewer than twenty"),
    }
}

// Trap, point and variant as they are typed: one column, so that the others have room.
fn named(record: &Record) -> String {
    format!("{} {} {}", record.trap, Place::of(record).key(), record.variant)
}

fn ratios(rows: &[&Moved<'_>]) -> Table {
    let headers = ["row", "old → new", "new ÷ old [95 %]", "said"];
    let mut table = Table::of(&headers.map(|header| (header, Align::Left)));
    let value = |record: &Record| record.value.map_or(NONE.into(), factor);
    let row = |row: &&Moved<'_>| {
        let said = if row.new.headline { row.word().into() } else { format!("{}, exploratory", row.word()) };
        let both = format!("{}{TIE}→{TIE}{}", value(row.old), value(row.new));
        vec![named(row.new), both, interval(row.change.span()), said]
    };
    table.rows = rows.iter().map(row).collect();
    table
}

fn counted(counts: &[Counted<'_>]) -> Table {
    let headers = ["row", "count", "old → new"];
    let mut table = Table::of(&headers.map(|header| (header, Align::Left)));
    let told = |record: &Record| record.value.map_or(NONE.into(), count);
    let row = |row: &Counted<'_>| {
        let both = format!("{}{TIE}→{TIE}{}", told(row.old), told(row.new));
        vec![named(row.new), row.new.metric.clone().unwrap_or_default(), both]
    };
    table.rows = counts.iter().map(row).collect();
    table
}
