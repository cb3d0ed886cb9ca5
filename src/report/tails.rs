//! The tables of the tail at one paced point: from due to done, in the queue, and trap ÷ arm.

use super::cell::{Missing, arms, measures, reasons, span};
use super::model::{Align, Block, Table, note};
use super::notes::Notes;
use super::number::{NONE, TIE, figures, interval, percent};
use super::place::Place;
use super::sources::Sources;
use super::verdict::Word;
use super::view::TrapView;
use crate::record::Record;
use crate::trap::{Instrument, Role};

/// The arm of the empty op.
pub(super) const HICCUPS: &str = "hiccups";
/// A quantile that is no more than so many times that of the empty op is the machine's own.
const OWN: f64 = 1.5;
const NS_PER_US: f64 = 1e3;
/// Switches an op of the empty op, from which on the machine was not the lab's alone.
const CROWDED: f64 = 1e-3;

// Metric, header.
const LATE: &[(&str, &str)] = &[
    ("p50_ns", "p50 µs"),
    ("p95_ns", "p95 µs"),
    ("p99_ns", "p99 µs"),
    ("p999_ns", "p99.9 µs"),
    ("max_ns", "max µs"),
    ("mean_ns", "mean µs"),
];
const QUEUE: &[(&str, &str)] =
    &[("queue_p50_ns", "queue p50 µs"), ("queue_p99_ns", "queue p99 µs"), ("queue_mean_ns", "queue mean µs")];
const RATIOS: &[(&str, &str, &str)] = &[
    ("p50_ratio", "p50_ns", "p50 ratio [95 %]"),
    ("p95_ratio", "p95_ns", "p95 ratio [95 %]"),
    ("p99_ratio", "p99_ns", "p99 ratio [95 %]"),
    ("p999_ratio", "p999_ns", "p99.9 ratio [95 %]"),
];

pub(super) fn blocks<'a>(
    trap: &TrapView<'a>,
    place: Place<'a>,
    sources: &Sources<'_>,
    notes: &mut Notes,
) -> Vec<Block> {
    let tail = Tail::at(trap, place);
    if trap.is_unseen(Instrument::Latency) || tail.records.iter().all(|r| r.metric.is_none() && r.failed.is_none()) {
        return Vec::new();
    }
    let mut blocks = vec![Block::Table(tail.times())];
    blocks.extend(tail.ratios().map(Block::Table));
    let runs: Vec<&str> = tail.records.iter().map(|r| r.run.as_str()).collect();
    blocks.extend(sources.explained(&runs).into_iter().map(note));
    blocks.extend(tail.said().into_iter().filter_map(|text| notes.once(text)));
    blocks
}

/// What is to be said where others had the CPU while tails were timed, if they had.
pub(super) fn crowded<'a>(records: impl IntoIterator<Item = &'a Record>) -> Option<String> {
    let shares = records.into_iter().filter(|r| r.variant == HICCUPS && measures(r, "switched_share"));
    let most = shares.filter_map(|r| r.value).fold(0.0, f64::max);
    let told = format!(
        "others had the CPU: the empty op lost it in {} of the ops, so that tails are theirs, too",
        percent(most)
    );
    (most > CROWDED).then_some(told)
}

/// Trap ÷ arm of the p99 at the first paced point that has it, with the word on it; no word where both are the machine's own.
pub(super) fn p99<'a>(trap: &TrapView<'a>, arm: &str) -> Option<(Place<'a>, [f64; 3], Option<Word>)> {
    trap.headlines().into_iter().chain(trap.places()).find_map(|place| {
        let tail = Tail::at(trap, place);
        let span = tail.find(arm, "p99_ratio").and_then(span)?;
        Some((place, span, tail.word(span, arm, "p99_ns")))
    })
}

// All that latency has at one point.
struct Tail<'a> {
    records: Vec<&'a Record>,
}

impl<'a> Tail<'a> {
    fn at(trap: &TrapView<'a>, place: Place<'a>) -> Self {
        Self { records: trap.all_at(place, Instrument::Latency).collect() }
    }

    // The trap first, the empty op last; those that have something here.
    fn arms(&self) -> Vec<(&'a str, Role)> {
        arms(self.records.iter().copied().filter(|r| r.metric.is_some() || r.failed.is_some()))
    }

    fn find(&self, arm: &str, metric: &str) -> Option<&'a Record> {
        self.records.iter().rev().find(|r| r.variant == arm && measures(r, metric)).copied()
    }

    fn missing(&self, arm: &str, metric: &str) -> Option<Missing> {
        let of = |r: &&&Record| r.variant == arm && r.metric.as_deref().is_none_or(|known| known == metric);
        self.records.iter().rev().filter(of).find_map(|r| Missing::of(r))
    }

    // Whether a quantile is hardly more than that of the empty op.
    fn is_own(&self, arm: &str, metric: &str) -> bool {
        let of = |arm| self.find(arm, metric).and_then(|r| r.value);
        arm != HICCUPS && of(arm).zip(of(HICCUPS)).is_some_and(|(value, floor)| value <= OWN * floor)
    }

    fn times(&self) -> Table {
        let known = |(metric, _): &&(&str, &str)| self.records.iter().any(|r| measures(r, metric));
        let shown: Vec<_> = LATE.iter().chain(QUEUE.iter().filter(known)).collect();
        let mut table = Table::of(&[("due to done", Align::Left)]);
        let headers = shown.iter().map(|(_, header)| *header).chain(["busy"]);
        table.columns.extend(Table::of(&headers.map(|header| (header, Align::Right)).collect::<Vec<_>>()).columns);
        for (arm, _) in self.arms() {
            let cells = shown.iter().map(|(metric, _)| self.time(arm, metric));
            let busy = self.find(arm, "busy_share").and_then(|r| r.value).map_or(NONE.into(), percent);
            table.rows.push([arm.to_owned()].into_iter().chain(cells).chain([busy]).collect());
        }
        table
    }

    fn time(&self, arm: &str, metric: &str) -> String {
        let Some(value) = self.find(arm, metric).and_then(|r| r.value) else {
            return self.missing(arm, metric).map_or(NONE.into(), |missing| missing.word.into());
        };
        let own = if self.is_own(arm, metric) && metric.starts_with('p') { "~" } else { "" };
        format!("{own}{}", figures(value / NS_PER_US))
    }

    fn ratios(&self) -> Option<Table> {
        let known = |(metric, ..): &&(&str, &str, &str)| self.records.iter().any(|r| measures(r, metric));
        let shown: Vec<_> = RATIOS.iter().filter(known).collect();
        let mut table = Table::of(&[("trap ÷ arm", Align::Left)]);
        let headers: Vec<_> = shown.iter().map(|(.., header)| (*header, Align::Left)).collect();
        table.columns.extend(Table::of(&headers).columns);
        for (arm, _) in self.arms().into_iter().filter(|(_, role)| !matches!(role, Role::Trap | Role::Control)) {
            let cells = shown.iter().map(|(metric, of, _)| self.ratio(arm, metric, of));
            table.rows.push([arm.to_owned()].into_iter().chain(cells).collect());
        }
        (!shown.is_empty()).then_some(table)
    }

    // No word where both are the machine's own.
    fn ratio(&self, arm: &str, metric: &str, of: &str) -> String {
        let Some(span) = self.find(arm, metric).and_then(span) else {
            return self.missing(arm, metric).map_or(NONE.into(), |missing| missing.word.into());
        };
        format!("{},{TIE}{}", interval(span), self.word(span, arm, of).map_or("~", Word::word))
    }

    fn word(&self, span: [f64; 3], arm: &str, of: &str) -> Option<Word> {
        let trap = self.records.iter().find(|r| r.role == Role::Trap).map_or("", |r| r.variant.as_str());
        (!(self.is_own(arm, of) && self.is_own(trap, of))).then(|| Word::of(span, None))
    }

    // Arms that are not here at all, then quantiles that can't be told, a line each.
    fn said(&self) -> Vec<String> {
        let all = self.records.iter().filter(|r| r.metric.is_none());
        let absent: Vec<_> = all.filter_map(|r| Some((r.variant.as_str(), Missing::of(r)?))).collect();
        let mut said = reasons(&absent);
        for (metric, header) in LATE.iter().chain(QUEUE) {
            let arms = self.arms().into_iter().map(|(arm, _)| arm);
            let few: Vec<&str> = arms.filter(|arm| self.is_too_few(arm, metric)).collect();
            let name = header.trim_end_matches(" µs");
            said.extend(
                (!few.is_empty())
                    .then(|| format!("{name} n/a: too few ops or episodes beyond it ({})", few.join(", "))),
            );
        }
        said.extend(self.arms().iter().filter_map(|(arm, _)| self.behind(arm)));
        said.extend(crowded(self.records.iter().copied()));
        if self.arms().iter().any(|(arm, _)| RATIOS.iter().any(|(_, metric, _)| self.is_own(arm, metric))) {
            said.push("~: no more than 1.5 times that of the empty op (hiccups): the machine's own.".into());
        }
        said
    }

    fn behind(&self, arm: &str) -> Option<String> {
        let share = &self.find(arm, "behind_share")?.samples;
        let behind = share.iter().filter(|behind| **behind > 0.0).count();
        Some(format!(
            "{arm} could not carry the rate in {behind} of {} processes, which are in its values.",
            share.len()
        ))
    }

    fn is_too_few(&self, arm: &str, metric: &str) -> bool {
        self.records.iter().any(|r| r.variant == arm && r.metric.as_deref() == Some(metric) && r.blind.is_some())
    }
}
