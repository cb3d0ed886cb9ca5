//! The tail as a plot: how long the slowest ops took, by their share.

use maud::{Markup, html};

use super::axis::{Log, px};
use super::panel::{ACROSS, Palette, Panel, UP, mark, named, series};
use crate::record::Record;
use crate::report::cell::{arms, measures};
use crate::report::number::brief;
use crate::report::place::Place;
use crate::report::view::TrapView;
use crate::trap::Instrument;

/// Shares of the ops that may be slower than what is shown, and what the quantile is called.
const QUANTILES: [(f64, &str); 5] = [(0.5, "p50"), (0.1, "p90"), (0.01, "p99"), (0.001, "p99.9"), (0.0001, "p99.99")];
/// The quantiles that are told or not, by the rule of the instrument.
const TOLD: [(&str, f64); 4] = [("p50_ns", 0.5), ("p95_ns", 0.05), ("p99_ns", 0.01), ("p999_ns", 0.001)];

/// A plot for each paced point.
pub(super) fn plots(trap: &TrapView<'_>) -> Vec<Markup> {
    let palette = Palette::of(trap);
    trap.places().into_iter().filter_map(|place| Curves::at(trap, place)?.draw(place, &palette)).collect()
}

struct Curves<'a> {
    arms: Vec<(&'a str, Vec<[f64; 2]>)>,
    // Arm, p50 and p99 as they are told: medians over processes.
    told: Vec<(&'a str, [Option<f64>; 2])>,
}

impl<'a> Curves<'a> {
    fn at(trap: &TrapView<'a>, place: Place<'a>) -> Option<Self> {
        let records: Vec<&Record> = trap.at(place, Instrument::Latency).collect();
        // The empty op lies orders of magnitude below: its quantiles are in the table.
        let names = arms(records.iter().copied().filter(|r| measures(r, "histogram_ns")));
        let find = |arm: &str, metric| records.iter().rev().find(|r| r.variant == arm && measures(r, metric));
        let curve = |(name, _): &(&'a str, _)| {
            let told = TOLD.iter().filter(|(metric, _)| find(name, metric).is_some());
            let until = told.map(|(_, share)| *share).fold(1.0, f64::min);
            Some((*name, curve(&find(name, "histogram_ns")?.processes, until)))
        };
        let arms: Vec<_> = names.iter().filter_map(curve).filter(|(_, curve)| curve.len() > 1).collect();
        let told = arms.iter().map(|(name, _)| {
            (*name, ["p50_ns", "p99_ns"].map(|metric| find(name, metric).and_then(|record| record.value)))
        });
        let told = told.collect();
        (!arms.is_empty()).then_some(Self { arms, told })
    }

    fn draw(&self, place: Place<'_>, palette: &Palette<'_>) -> Option<Markup> {
        let points = || self.arms.iter().flat_map(|(_, curve)| curve);
        // Shares fall from left to right: their inverse grows.
        let x = Log::over(points().map(|[share, _]| 1.0 / share), ACROSS)?;
        let y = Log::over(points().map(|[_, ns]| *ns), UP)?;
        let title = format!("From due to done, all processes together, disturbed ones too, {}", place.title());
        let finding = self.finding(&title);
        let deepest = points().map(|[share, _]| *share).fold(1.0, f64::min);
        let ticks = QUANTILES.iter().filter(|(share, _)| *share >= deepest);
        let ticks = ticks.map(|(share, name)| (x.at(1.0 / share), (*name).to_owned())).collect();
        let panel = Panel {
            title: &title,
            finding: &finding,
            names: ["quantile", "time of an op"],
            x: ticks,
            y: named(&y, time),
        };
        let path = |curve: &[[f64; 2]]| {
            let points: Vec<String> =
                curve.iter().map(|[share, ns]| format!("{},{}", px(x.at(1.0 / share)), px(y.at(*ns)))).collect();
            points.join(" ")
        };
        let inside = html! {
            @for (name, curve) in &self.arms { g class=(series(palette.number(name))) {
                polyline points=(path(curve)) {}
                @for [share, ns] in marked(curve) { (mark(palette.number(name), x.at(1.0 / share), y.at(*ns))) }
            } }
        };
        let names: Vec<&str> = self.arms.iter().map(|(name, _)| *name).collect();
        Some(panel.draw(&inside, palette, &names))
    }

    fn finding(&self, title: &str) -> String {
        let said = |value: Option<f64>| value.map_or_else(|| "n/a".into(), time);
        let told = |(name, [half, tail]): &(&str, [Option<f64>; 2])| {
            format!("{name} p50 {}, p99 {}", said(*half), said(*tail))
        };
        format!("{title}: {}", self.told.iter().map(told).collect::<Vec<_>>().join("; "))
    }
}

// Where a curve passes a quantile, and where it ends: its mark tells it from others without a colour.
fn marked(curve: &[[f64; 2]]) -> impl Iterator<Item = &[f64; 2]> {
    let passed = QUANTILES.iter().filter_map(|(at, _)| curve.iter().find(|[share, _]| share <= at));
    passed.chain(curve.last())
}

// Of pairs of value and count, in rising order: which share of the ops took longer, down to the smallest share that can be told.
fn curve(pairs: &[Vec<f64>], until: f64) -> Vec<[f64; 2]> {
    let counted = || pairs.iter().filter(|pair| pair.len() == 2 && pair[0] > 0.0);
    let all: f64 = counted().map(|pair| pair[1]).sum();
    let mut below = 0.0;
    let mut curve: Vec<[f64; 2]> = Vec::new();
    for pair in counted() {
        below += pair[1];
        let beyond = (all - below) / all;
        if beyond < until {
            break;
        }
        // One point a pixel is enough.
        if beyond <= 0.6 && curve.last().is_none_or(|[_, ns]| pair[0] / ns > 1.02) {
            curve.push([beyond, pair[0]]);
        }
    }
    curve
}

/// A time in the unit that keeps it short.
pub(super) fn time(ns: f64) -> String {
    let (size, unit) = match ns {
        _ if ns < 1e3 => (1.0, "ns"),
        _ if ns < 1e6 => (1e3, "µs"),
        _ if ns < 1e9 => (1e6, "ms"),
        _ => (1e9, "s"),
    };
    let told = brief(ns / size);
    let told = if told.contains('.') { told.trim_end_matches('0').trim_end_matches('.') } else { &told };
    format!("{told} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_ends_at_the_last_quantile_that_is_told() {
        let pairs = [(100.0, 900.0), (200.0, 52.0), (400.0, 40.0), (800.0, 8.0)].map(|(ns, count)| vec![ns, count]);
        assert_eq!(curve(&pairs, 0.01), [[0.1, 100.0], [0.048, 200.0]]);
        assert_eq!(curve(&pairs, 0.05), [[0.1, 100.0]]);
        assert_eq!(curve(&[], 0.01), Vec::<[f64; 2]>::new());
    }

    #[test]
    fn times_are_short() {
        assert_eq!([500.0, 1_000.0, 20_000.0, 4.5e6, 2e9].map(time), ["500 ns", "1 µs", "20 µs", "4.5 ms", "2 s"]);
    }
}
