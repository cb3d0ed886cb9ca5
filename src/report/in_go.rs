//! What Go has of a trap: its arms by its own toolchain, in tables of their own.
//!
//! A ratio may stand beside one of Rust's. A time may not: the compilers, the runtimes and the collector differ. So nothing here gives
//! a time to anybody else, and the tables say it ([`Caveat::TwoRuntimes`]).

use super::caveat::Caveat;
use super::cell::{Missing, measures, reasons, span};
use super::column::Column;
use super::grid::{Grid, Lane};
use super::label::minute;
use super::model::{Align, Block, Table, note, paragraph};
use super::number::{NONE, TIE, count, factor, figures, interval, ratio_within};
use super::place::Place;
use super::text::hanging;
use super::verdict::Word;
use super::view::{TrapView, View};
use crate::record::{Record, Run};
use crate::trap::{Instrument, Role};

// What the columns have; all else is told in the last one.
const COLUMNS: [&str; 4] = ["ratio", "ns_per_op", "blocks", "bytes"];

/// All that Go measured of a trap in one run.
#[derive(Clone, Debug)]
pub(super) struct InGo<'a> {
    run: &'a Run,
    records: Vec<&'a Record>,
}

impl<'a> InGo<'a> {
    /// Of the newest full run that measured the trap, on the machine of the other tables if one was; none where Go did not measure it.
    pub(super) fn of(trap: &TrapView<'a>) -> Option<Self> {
        Self::named(trap.view, trap.name, Some(trap))
    }

    /// The same by name: Go has one that no trap of Rust's has.
    pub(super) fn named(view: &'a View<'a>, name: &str, trap: Option<&TrapView<'a>>) -> Option<Self> {
        let here = trap
            .and_then(|trap| trap.column)
            .or(view.columns.first())
            .and_then(Column::run)
            .map(|run| &run.provenance.cpu);
        let runs = view.archive.runs.iter().filter(|run| run.instrument == Instrument::Go);
        let records = |run: &Run| -> Vec<&'a Record> {
            view.of_trap(name).iter().copied().filter(|r| r.run == run.run).collect()
        };
        let rank =
            |run: &'a Run| (Some(&run.provenance.cpu) == here, !run.quick && run.partial.is_none(), &run.started);
        let run = runs.filter(|run| !records(run).is_empty()).max_by_key(|run| rank(run))?;
        Some(Self { run, records: records(run) })
    }

    /// Its records.
    pub(super) fn records(&self) -> &[&'a Record] {
        &self.records
    }

    /// The advice at a point and its ratio `[low, value, high]`.
    pub(super) fn advised(&self, place: Place<'_>) -> Option<(&'a str, [f64; 3])> {
        let here = self.places().into_iter().find(|known| *known == place)?;
        let advice = self.advice(here)?;
        Some((advice, span(self.find(here, advice, "ratio")?)?))
    }

    /// The advice at its first point, the trap's ns an op, and the ratio.
    pub(super) fn saving(&self) -> Option<(&'a str, f64, [f64; 3])> {
        let place = self.headline()?;
        let (advice, ratio) = self.advised(place)?;
        let trap = self.arms(place).into_iter().find(|(_, role)| *role == Role::Trap)?.0;
        Some((advice, self.find(place, trap, "ns_per_op")?.value?, ratio))
    }

    fn places(&self) -> Vec<Place<'a>> {
        let mut places: Vec<Place<'a>> = Vec::new();
        for place in self.records.iter().map(|record| Place::of(record)) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }

    fn arms(&self, place: Place<'a>) -> Vec<(&'a str, Role)> {
        let here = self.records.iter().filter(|r| Place::of(r) == place && r.role != Role::Control);
        super::cell::arms(here.copied())
    }

    fn find(&self, place: Place<'_>, arm: &str, metric: &str) -> Option<&'a Record> {
        let is = |r: &&&Record| Place::of(r) == place && r.variant == arm && measures(r, metric);
        self.records.iter().find(is).copied()
    }

    fn word(&self, place: Place<'_>, ratio: &Record) -> Option<Word> {
        let same = self.find(place, "same", "ratio").and_then(span);
        Some(Word::of(span(ratio)?, same))
    }

    // The advice in Go: the first fix that it has there.
    fn advice(&self, place: Place<'a>) -> Option<&'a str> {
        self.arms(place).into_iter().find(|(_, role)| *role == Role::Fix).map(|(name, _)| name)
    }

    // Its first headline, or its first point where it has none.
    fn headline(&self) -> Option<Place<'a>> {
        let headline = self.records.iter().find(|record| record.headline).or_else(|| self.records.first());
        headline.map(|record| Place::of(record))
    }

    // The point at which a trap is told first, or Go's own first one.
    fn first(&self, told: Place<'a>) -> Option<Place<'a>> {
        let places = self.places();
        places.into_iter().find(|place| *place == told).or_else(|| self.headline())
    }

    /// What it says of the advice in one cell: the ratio at this point, or at its own first one. What is other than in Rust is named.
    pub(super) fn said(&self, told: Place<'a>, in_rust: Option<&str>) -> Option<String> {
        let place = self.first(told)?;
        let advice = self.advice(place)?;
        let ratio = self.find(place, advice, "ratio")?;
        let word = self.word(place, ratio).map_or(NONE, Word::word);
        let value = span(ratio).map_or_else(|| figures(ratio.value.unwrap_or_default()), interval);
        let other = if Some(advice) == in_rust { String::new() } else { format!("{advice} ") };
        let at = if place == told { String::new() } else { format!(" ({})", place.title()) };
        Some(format!("{other}{value}, {word}{at}"))
    }
}

/// The section's part.
pub(super) fn blocks<'a>(trap: &TrapView<'a>) -> Vec<Block> {
    let Some(go) = InGo::of(trap) else { return Vec::new() };
    let mut blocks = vec![Block::Heading("In Go".into()), paragraph(ground(go.run)), Block::Table(table(&go))];
    let missing = go.records.iter().filter_map(|r| Some((r.variant.as_str(), Missing::of(r)?)));
    blocks.extend(reasons(&missing.collect::<Vec<_>>()).into_iter().map(note));
    blocks.push(note(Caveat::TwoRuntimes.to_string()));
    blocks
}

fn ground(run: &Run) -> String {
    let go = run.provenance.go.clone().unwrap_or_default();
    let set = |name: &str, value: Option<String>| value.map_or(String::new(), |value| format!(", {name}={value}"));
    let settings = [set("GOAMD64", go.goamd64), set("GOGC", go.gogc), set("GOMAXPROCS", go.gomaxprocs)].concat();
    let processes = run.sweeps.map_or(0, |sweeps| sweeps.finished);
    let quick = if run.quick { ", quick" } else { "" };
    format!("{}{settings}: run {}, {}, {processes} processes{quick}.", go.version, run.run, minute(&run.started))
}

fn table(go: &InGo<'_>) -> Table {
    let columns = [
        ("point", Align::Left),
        ("arm", Align::Left),
        ("ratio [95 %]", Align::Left),
        ("Go's ns an op", Align::Right),
        ("blocks a run", Align::Right),
        ("bytes a run", Align::Right),
        ("also", Align::Left),
    ];
    let mut table = Table::of(&columns);
    for place in go.places() {
        table.rows.extend(go.arms(place).into_iter().map(|(arm, role)| cells(go, place, arm, role)));
    }
    table
}

fn cells<'a>(go: &InGo<'a>, place: Place<'a>, arm: &str, role: Role) -> Vec<String> {
    let value = |metric| go.find(place, arm, metric).and_then(|r| r.value);
    let counted = |metric| value(metric).map_or(NONE.into(), count);
    let ns = value("ns_per_op").filter(|ns| *ns > 0.0).map_or(NONE.into(), figures);
    vec![
        place.title(),
        arm.into(),
        ratio(go, place, arm, role),
        ns,
        counted("blocks"),
        counted("bytes"),
        also(go, place, arm),
    ]
}

fn ratio<'a>(go: &InGo<'a>, place: Place<'a>, arm: &str, role: Role) -> String {
    let Some(ratio) = go.find(place, arm, "ratio") else {
        let missing =
            go.records.iter().find(|r| r.variant == arm && Place::of(r) == place).and_then(|r| Missing::of(r));
        let absent = if role == Role::Trap { "reference" } else { NONE };
        return missing.map_or(absent, |missing| missing.word).into();
    };
    match (span(ratio), go.word(place, ratio)) {
        (Some(span), Some(word)) => format!("{},{TIE}{}", interval(span), word.word()),
        _ => format!("{}{TIE}(no interval)", figures(ratio.value.unwrap_or_default())),
    }
}

fn also<'a>(go: &InGo<'a>, place: Place<'a>, arm: &str) -> String {
    let is = |r: &&&Record| Place::of(r) == place && r.variant == arm && r.value.is_some();
    let others = go.records.iter().filter(is);
    let told = |r: &&Record| {
        let metric = r.metric.as_deref().filter(|metric| !COLUMNS.contains(metric))?;
        Some(format!("{metric} {}", span(r).map_or_else(|| figures(r.value.unwrap_or_default()), interval)))
    };
    let told: Vec<String> = others.filter_map(told).collect();
    if told.is_empty() { NONE.into() } else { told.join("; ") }
}

/// A line a trap: the advice in Go.
pub(super) fn overview(traps: &[TrapView<'_>]) -> Grid {
    let columns = [
        ("trap", Lane::Word),
        ("point", Lane::Name),
        ("advice", Lane::Name),
        ("ratio", Lane::Word),
        ("verdict", Lane::Word),
        ("best", Lane::Name),
        ("", Lane::Number),
    ];
    let mut grid = Grid::new(&columns, 1);
    let told = traps.iter().filter_map(|trap| Some((trap, InGo::of(trap)?)));
    told.filter_map(|(trap, go)| line(trap, &go)).for_each(|line| grid.row(line));
    grid
}

fn line(trap: &TrapView<'_>, go: &InGo<'_>) -> Option<Vec<String>> {
    let place = go.headline()?;
    let advice = go.advice(place)?;
    let ratio = go.find(place, advice, "ratio");
    let (best, by) = best(go, place, advice).unwrap_or_default();
    Some(vec![
        trap.name.into(),
        place.short(),
        advice.into(),
        ratio.and_then(span).map_or(NONE.into(), ratio_within),
        ratio.and_then(|ratio| go.word(place, ratio)).map_or(NONE.into(), |word| word.word().into()),
        best,
        by,
    ])
}

// The fix that wins by more than the advice, for certain.
fn best<'a>(go: &InGo<'a>, place: Place<'a>, advice: &str) -> Option<(String, String)> {
    let bar = go.find(place, advice, "ratio").and_then(|r| r.value).unwrap_or(1.0);
    let fixes = go.arms(place).into_iter().filter(|(name, role)| *role == Role::Fix && *name != advice);
    let ratios = fixes.filter_map(|(name, _)| Some((name, span(go.find(place, name, "ratio")?)?)));
    let wins = ratios.filter(|(_, [low, ..])| *low > bar.max(super::verdict::MARGIN));
    let (name, [_, value, _]) = wins.max_by(|a, b| a.1[1].total_cmp(&b.1[1]))?;
    Some((name.into(), factor(value)))
}

/// All rows of a trap, a line each.
pub(super) fn detail(trap: &TrapView<'_>) -> Vec<String> {
    let Some(go) = InGo::of(trap) else { return vec!["  no twin in Go".into()] };
    let columns = [
        ("", Lane::Name),
        ("ratio [95 %]", Lane::Word),
        ("ns/op", Lane::Number),
        ("blocks", Lane::Number),
        ("bytes", Lane::Number),
    ];
    let mut grid = Grid::new(&columns, 2);
    for place in go.places() {
        hanging("", &place.title()).into_iter().for_each(|line| grid.plain(line));
        for (arm, role) in go.arms(place) {
            let cells = cells(&go, place, arm, role);
            grid.row(vec![format!("  {arm}"), cells[2].clone(), cells[3].clone(), cells[4].clone(), cells[5].clone()]);
            let also = Some(&cells[6]).filter(|also| *also != NONE);
            also.into_iter().flat_map(|also| hanging("    ", also)).for_each(|line| grid.plain(line));
        }
    }
    grid.lines()
}
