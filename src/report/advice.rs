//! The advice of a trap in one sentence, as a design review takes it: whether to apply it, where, and where not.

use super::cell::Missing;
use super::gist::{Gist, best};
use super::number::{arrow, interval, many};
use super::place::Place;
use super::row::{Row, as_verb};
use super::tails;
use super::verdict::{MARGIN, Suffix, Word};
use super::view::TrapView;
use crate::trap::{Instrument, Role};

/// So many points at which it gains are named where it does not at the first; more are counted.
const NAMED: usize = 3;

/// What was found of the advice at a point.
pub(super) type Found<'a> = (Place<'a>, Row<'a>);

/// The advice, point by point: where it has a ratio, and where it should have one and has none.
pub(super) fn found<'a>(trap: &TrapView<'a>, advice: &str) -> Vec<Found<'a>> {
    let at = |place| {
        let row = trap.rows(trap.column?, place).into_iter().find(|row| row.variant == advice)?;
        // Where ratio is blind it was never to be measured.
        (row.ratio.is_some() || row.missing.as_ref().is_some_and(|why| why.word != "n/a")).then_some((place, row))
    };
    trap.places().into_iter().filter_map(at).collect()
}

/// The same by the word on it, in the order in which a review asks: where it gains, costs, ties, and can't be told.
pub(super) fn by_word<'f, 'a>(found: &'f [Found<'a>]) -> Vec<(String, Vec<&'f Found<'a>>)> {
    let mut groups: Vec<(String, Vec<&Found<'_>>)> = Vec::new();
    for here in found {
        let word = word(&here.1);
        match groups.iter_mut().find(|(known, _)| *known == word) {
            Some((_, alike)) => alike.push(here),
            None => groups.push((word, vec![here])),
        }
    }
    groups.sort_by_key(|(_, alike)| alike.first().map(|(_, row)| Side::of(row)));
    groups
}

fn word(row: &Row<'_>) -> String {
    if row.ratio.is_some() { row.word() } else { row.said() }
}

/// The sentence; none where no instrument knows a fix.
pub(super) fn sentence(trap: &TrapView<'_>) -> Option<String> {
    let gist = Gist::of(trap)?;
    let advice = gist.advice?;
    let found = found(trap, advice);
    let headlines = trap.headlines().into_iter().chain(trap.places());
    let first = headlines.into_iter().find_map(|place| found.iter().find(|(at, _)| *at == place));
    let mut parts = first.map_or_else(|| vec![untimed(trap, &gist, advice)], |first| timed(first, &found));
    parts.extend(tail(trap, advice));
    parts.extend(first.and_then(|(place, _)| better(trap, *place)));
    parts.extend(worse(trap, advice));
    Some(format!("{}.", parts.join("; ")))
}

fn timed(first: &Found<'_>, found: &[Found<'_>]) -> Vec<String> {
    let others = by_word(found).into_iter().filter_map(|(word, mut alike)| {
        alike.retain(|(place, _)| *place != first.0);
        (!alike.is_empty()).then(|| group(&first.1, &word, &alike))
    });
    std::iter::once(lead(first)).chain(others).collect()
}

// All points at which it does not gain are named.
fn group(first: &Row<'_>, said: &str, alike: &[&Found<'_>]) -> String {
    let gains = |row: &Row<'_>| Side::of(row) == Side::Gains;
    let also = if said == word(first) { "also " } else { "" };
    let named = if gains(first) { 1 } else { NAMED };
    let places = if alike.len() > named && alike.iter().all(|(_, row)| gains(row)) {
        many(alike.len(), "more point")
    } else {
        alike.iter().map(|(place, _)| place.title()).collect::<Vec<_>>().join(" and at ")
    };
    format!("it {also}{} at {places}", as_verb(said))
}

// What it does to the time; in the order in which a review asks.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Gains,
    Costs,
    Ties,
    Open,
}

impl Side {
    fn of(row: &Row<'_>) -> Self {
        match row.verdict.filter(|verdict| verdict.suffix != Some(Suffix::Split)).map(|verdict| verdict.word) {
            Some(Word::Wins | Word::Faster) => Self::Gains,
            Some(Word::Loses | Word::Slower) => Self::Costs,
            Some(Word::Ties) => Self::Ties,
            _ => Self::Open,
        }
    }
}

fn lead((place, row): &Found<'_>) -> String {
    let (advice, at) = (row.variant, place.title());
    let what = match Side::of(row) {
        Side::Gains => format!("Apply `{advice}` at {at}"),
        Side::Costs => format!("Do not apply `{advice}` at {at}"),
        Side::Ties => format!("`{advice}` makes no difference at {at}"),
        Side::Open => format!("Whether `{advice}` pays can't be told at {at}"),
    };
    let ratio = row.span().map_or(String::new(), |span| format!(", the trap takes {} times its time", interval(span)));
    format!("{what}: it {}{ratio}", as_verb(&word(row)))
}

fn better<'a>(trap: &TrapView<'a>, place: Place<'a>) -> Option<String> {
    let rows = trap.rows(trap.column?, place);
    let fixes: Vec<&Row<'_>> = rows.iter().filter(|row| row.role == Role::Fix).collect();
    let best = best(&fixes)?;
    Some(format!("of the other fixes `{}` wins by most there, {}", best.variant, best.said()))
}

// Other fixes that make it slower at a headline: where a reader would take one for the other.
fn worse(trap: &TrapView<'_>, advice: &str) -> Option<String> {
    let at = |place: Place<'_>| {
        let rows = trap.column.map(|column| trap.rows(column, place)).unwrap_or_default();
        let loses = |row: &Row<'_>| row.role == Role::Fix && row.variant != advice && Side::of(row) == Side::Costs;
        let said = |row: &Row<'_>| format!("`{}` at {}, {}", row.variant, place.title(), row.said());
        rows.iter().filter(|row| loses(row)).map(said).collect::<Vec<_>>()
    };
    let worse: Vec<String> = trap.headlines().into_iter().flat_map(at).collect();
    (!worse.is_empty()).then(|| format!("worse than the trap: {}", worse.join("; ")))
}

// Only what is counted exactly is a reason by itself.
fn untimed(trap: &TrapView<'_>, gist: &Gist<'_>, advice: &str) -> String {
    let why = trap.all(Instrument::Ratio).find_map(Missing::of).map_or("not run", |missing| missing.word);
    match gist.held(trap) {
        Some((Instrument::Heap, what, [from, to])) if from > MARGIN * to => {
            format!("Apply `{advice}` for what stays held, {what}: {}; time does not tell ({why})", arrow(from, to))
        }
        Some((_, what, [from, to])) => {
            format!("Time does not tell whether `{advice}` pays ({why}); {what}: {}", arrow(from, to))
        }
        None => format!("Time does not tell whether `{advice}` pays ({why})"),
    }
}

fn tail(trap: &TrapView<'_>, advice: &str) -> Option<String> {
    let (place, span, word) = tails::p99(trap, advice)?;
    let word = word.map_or("is the machine's own".into(), |word| as_verb(word.word()));
    Some(format!("its p99 {word} at {}, the trap's takes {} times as long", place.title(), interval(span)))
}

#[cfg(test)]
mod tests {
    use super::super::view::View;
    use super::super::{made_up, made_up_archives, made_up_tails};
    use super::*;
    use crate::record::Archive;

    fn said(archive: &Archive, trap: &str) -> String {
        let view = View::of(archive);
        let traps = view.traps();
        let trap = traps.iter().find(|known| known.name == trap).expect("it has records");
        sentence(trap).unwrap_or_default().replace('\u{a0}', " ")
    }

    fn all(archive: &Archive) -> String {
        let view = View::of(archive);
        let said = view.traps().iter().filter_map(sentence).collect::<Vec<_>>();
        said.join("\n").replace('\u{a0}', " ")
    }

    #[test]
    fn it_says_whether_where_and_where_not() {
        let sentences =
            [made_up_archives::archive(), made_up_archives::catalog(), made_up_tails::archive()].map(|a| all(&a));
        insta::assert_snapshot!("advice", sentences.join("\n\n"));
    }

    #[test]
    fn what_is_missing_at_the_headline_is_said_and_no_other_point_is_taken_for_it() {
        let mut archive = made_up_archives::archive();
        let at_headline = |r: &crate::record::Record| r.n == 50_000 && r.variant == "push_presized";
        archive.records.retain(|r| !(at_headline(r) && r.instrument == Instrument::Ratio));
        made_up::at(&mut archive, "vec_growth", 50_000, 1, "owning", "ratio-1").headline().failed(
            "push_presized",
            Role::Fix,
            "ended by signal 11",
        );
        let said = said(&archive, "vec_growth");
        assert!(said.contains("can't be told at n = 50 000, owning: it failed; "), "{said}");
    }

    #[test]
    fn the_word_is_that_of_the_table_where_one_is_withheld() {
        let mut archive = made_up_archives::archive();
        made_up::at(&mut archive, "fan_in", 1_000, 2, "", "ratio-1")
            .headline()
            .trap("channel", 412.0)
            .variant("slots", Role::Fix, 98.0, &made_up::forks(4.2, 0.02))
            .taken("slots", 0.31);
        let said = said(&archive, "fan_in");
        assert!(said.starts_with("Whether `slots` pays can't be told") && said.contains("verdict withheld"), "{said}");
    }
}
