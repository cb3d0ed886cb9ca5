//! A trap in one line: its first headline point, the advice, the fix that wins by more, what is counted, where it turns.

use super::cell::{Missing, measures};
use super::counts;
use super::number::NONE;
use super::place::Place;
use super::row::Row;
use super::verdict::{Suffix, Word};
use super::view::TrapView;
use super::{tails, turns};
use crate::record::Record;
use crate::trap::{Instrument, Role};

/// What is held, in the order in which it is asked for.
const HELD: [(Instrument, &str, &str); 2] = [
    (Instrument::Heap, "live_bytes_per_op", "bytes held an op"),
    (Instrument::Usage, "rss_bytes_per_op", "resident bytes an op"),
];

/// What is told of a trap first.
#[derive(Clone, Debug)]
pub(super) struct Gist<'a> {
    pub(super) place: Place<'a>,
    /// How many other headline points there are.
    pub(super) more: usize,
    /// The name of the advice, the first fix.
    pub(super) advice: Option<&'a str>,
    /// The advice's row of times.
    pub(super) row: Option<Row<'a>>,
    /// The fix that wins by more than the advice, for certain.
    pub(super) best: Option<Row<'a>>,
    /// Whether another headline point has another word for the advice.
    pub(super) varies: bool,
    /// Between which points what is said of a fix changes.
    pub(super) turns: Vec<(String, String)>,
}

impl<'a> Gist<'a> {
    /// None where the trap has no point.
    pub(super) fn of(trap: &TrapView<'a>) -> Option<Self> {
        let headlines = trap.headlines();
        let place = headlines.first().copied().or_else(|| trap.places().first().copied())?;
        let rows = trap.column.map(|column| trap.rows(column, place)).unwrap_or_default();
        let fixes: Vec<&Row<'_>> = rows.iter().filter(|row| row.role == Role::Fix).collect();
        let advice = advice(trap).or_else(|| counted_advice(trap, place));
        let row = fixes.iter().find(|row| Some(row.variant) == advice).copied().cloned();
        Some(Self {
            place,
            more: headlines.len().saturating_sub(1),
            advice,
            best: best(&fixes).cloned(),
            varies: row.as_ref().is_some_and(|row| varies(trap, row, &headlines)),
            row,
            turns: turns::of(trap),
        })
    }

    /// `+2`, or nothing.
    pub(super) fn more(&self) -> String {
        if self.more == 0 { String::new() } else { format!("+{}", self.more) }
    }

    /// The word on the advice, with `^` where links differ and `*` where it is another at another headline.
    pub(super) fn word(&self) -> String {
        let Some(row) = &self.row else { return NONE.into() };
        let by_layout = row.verdict.is_some_and(|v| v.suffix == Some(Suffix::ByLayout));
        let word = match row.verdict {
            Some(verdict) if by_layout => format!("{}^", verdict.word.word()),
            _ => row.word(),
        };
        if self.varies { format!("{word}*") } else { word }
    }

    /// What the advice and the best fix do, as far as a line holds; the trap's own section has all.
    pub(super) fn told_turns(&self) -> impl Iterator<Item = &(String, String)> {
        let best = self.best.as_ref().map(|row| row.variant);
        let told = move |variant: &str| Some(variant) == self.advice || Some(variant) == best;
        self.turns.iter().filter(move |(variant, _)| told(variant)).take(2)
    }

    /// A count of the trap and of the advice, at this point or, of an instrument that does not go there, at the one where it counts.
    pub(super) fn count(&self, trap: &TrapView<'a>, instrument: Instrument, metric: &str) -> Option<[f64; 2]> {
        let elsewhere = trap.places().into_iter();
        std::iter::once(self.place).chain(elsewhere).find_map(|place| {
            let records = counts::records(trap, place, instrument);
            let of = |is: &dyn Fn(&Record) -> bool| {
                records.iter().rev().find(|r| is(r) && measures(r, metric)).and_then(|r| r.value)
            };
            Some([of(&|r| r.role == Role::Trap)?, of(&|r| Some(r.variant.as_str()) == self.advice)?])
        })
    }

    /// A count of the trap and of the advice as a cell, or why there is none in a word.
    pub(super) fn counted(
        &self,
        trap: &TrapView<'a>,
        instrument: Instrument,
        metric: &str,
        told: impl Fn(f64, f64) -> String,
    ) -> String {
        let count = self.count(trap, instrument, metric);
        count.map_or_else(|| uncounted(trap, instrument).into(), |[from, to]| told(from, to))
    }

    /// Whether nothing is certain of the advice's p99, though it has a figure.
    pub(super) fn tail_is_open(&self, trap: &TrapView<'a>) -> bool {
        let tail = self.advice.and_then(|advice| tails::p99(trap, advice));
        tail.is_some_and(|(.., word)| !matches!(word, Some(Word::Wins | Word::Loses | Word::Faster | Word::Slower)))
    }

    /// What an op leaves held in the trap and with the advice: what a trap that time does not show has instead.
    pub(super) fn held(&self, trap: &TrapView<'a>) -> Option<(Instrument, &'static str, [f64; 2])> {
        HELD.iter().find_map(|(instrument, metric, what)| {
            let counts = self.count(trap, *instrument, metric)?;
            Some((*instrument, *what, counts.map(|count| count.max(0.0))))
        })
    }
}

fn varies(trap: &TrapView<'_>, first: &Row<'_>, headlines: &[Place<'_>]) -> bool {
    let word = |row: &Row<'_>| row.verdict.map(|verdict| verdict.word);
    let at = |place: &Place<'_>| {
        let rows = trap.column.map(|column| trap.rows(column, *place)).unwrap_or_default();
        rows.iter().find(|row| row.variant == first.variant).and_then(word)
    };
    headlines.iter().filter_map(at).any(|other| Some(other) != word(first))
}

/// What a cell says that has no count: whether the instrument can't see the trap, was skipped, failed, or was not run.
pub(super) fn uncounted(trap: &TrapView<'_>, instrument: Instrument) -> &'static str {
    trap.all(instrument).find_map(Missing::of).map_or(NONE, |missing| missing.word)
}

// The first fix of all that was timed: at a point where it failed, another one may be the first.
fn advice<'a>(trap: &TrapView<'a>) -> Option<&'a str> {
    trap.all(Instrument::Ratio).find(|r| r.role == Role::Fix).map(|r| r.variant.as_str())
}

fn counted_advice<'a>(trap: &TrapView<'a>, place: Place<'a>) -> Option<&'a str> {
    let instruments = [Instrument::Heap, Instrument::Instructions, Instrument::Usage, Instrument::Latency].into_iter();
    let mut records = instruments.flat_map(|instrument| trap.at(place, instrument).chain(trap.all(instrument)));
    records.find(|r| r.role == Role::Fix).map(|r| r.variant.as_str())
}

/// Of the fixes of a point, the first one being the advice: the one that wins by more than it, for certain.
pub(super) fn best<'r, 'a>(fixes: &[&'r Row<'a>]) -> Option<&'r Row<'a>> {
    let (advice, others) = fixes.split_first()?;
    let bar = advice.span().map_or(1.0, |[_, value, _]| value);
    let wins = |row: &&&Row<'_>| {
        let wins = row.verdict.is_some_and(|v| v.word == Word::Wins && v.suffix != Some(Suffix::Split));
        wins && row.span().is_some_and(|[low, ..]| low > bar)
    };
    let value = |row: &Row<'_>| row.span().map_or(0.0, |[_, value, _]| value);
    others.iter().filter(wins).max_by(|a, b| value(a).total_cmp(&value(b))).copied()
}
