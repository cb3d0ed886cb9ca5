//! The tail as a plot: how long the slowest ops took, by their share.

use maud::{Markup, html};

use super::axis::{Log, px};
use super::panel::{ACROSS, Panel, UP, named, series};
use crate::record::Record;
use crate::report::cell::{arms, measures};
use crate::report::number::brief;
use crate::report::place::Place;
use crate::report::view::TrapView;
use crate::trap::{Instrument, Role};

/// Shares of the ops that may be slower than what is shown, and what the quantile is called.
const QUANTILES: [(f64, &str); 5] = [(0.5, "p50"), (0.1, "p90"), (0.01, "p99"), (0.001, "p99.9"), (0.0001, "p99.99")];
/// A quantile with fewer ops beyond it is not drawn: all processes together, as the instrument asks for one to be told.
const BEYOND: f64 = 48.0;

/// A plot for each paced point.
pub(super) fn plots(trap: &TrapView<'_>) -> Markup {
    let drawn: Vec<Markup> =
        trap.places().into_iter().filter_map(|place| Curves::at(trap, place)?.draw(place)).collect();
    html! { @if !drawn.is_empty() { div.plots { @for plot in &drawn { (plot) } } } }
}

struct Curves<'a> {
    arms: Vec<(&'a str, Vec<[f64; 2]>)>,
}

impl<'a> Curves<'a> {
    fn at(trap: &TrapView<'a>, place: Place<'_>) -> Option<Self> {
        let told = trap.all_at(place, Instrument::Latency);
        let records: Vec<&Record> = told.filter(|r| measures(r, "histogram_ns")).collect();
        // The empty op lies orders of magnitude below: its quantiles are in the table.
        let names = arms(records.iter().copied().filter(|r| r.role != Role::Control));
        let curve = |(name, _): &(&'a str, _)| {
            Some((*name, curve(&records.iter().rev().find(|r| r.variant == *name)?.processes)))
        };
        let arms: Vec<_> = names.iter().filter_map(curve).filter(|(_, curve)| curve.len() > 1).collect();
        (!arms.is_empty()).then_some(Self { arms })
    }

    fn draw(&self, place: Place<'_>) -> Option<Markup> {
        let points = || self.arms.iter().flat_map(|(_, curve)| curve);
        // Shares fall from left to right: their inverse grows.
        let x = Log::over(points().map(|[share, _]| 1.0 / share), ACROSS)?;
        let y = Log::over(points().map(|[_, ns]| *ns), UP)?;
        let title = format!("From due to done, {}", place.title());
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
        let inside = html! { @for (at, (_, curve)) in self.arms.iter().enumerate() { g class=(series(at)) { polyline points=(path(curve)) {} } } };
        let names: Vec<&str> = self.arms.iter().map(|(name, _)| *name).collect();
        Some(panel.draw(&inside, &names))
    }

    fn finding(&self, title: &str) -> String {
        let told = |(name, curve): &(&str, Vec<[f64; 2]>)| {
            let at = |share: f64| curve.iter().find(|[beyond, _]| *beyond <= share).map(|[_, ns]| time(*ns));
            let [half, tail] = [at(0.5), at(0.01)];
            format!("{name} p50 {}, p99 {}", half.unwrap_or("n/a".into()), tail.unwrap_or("n/a".into()))
        };
        format!("{title}: {}", self.arms.iter().map(told).collect::<Vec<_>>().join("; "))
    }
}

// Of pairs of value and count, in rising order: which share of the ops took longer, as far as enough of them did.
fn curve(pairs: &[Vec<f64>]) -> Vec<[f64; 2]> {
    let counted = || pairs.iter().filter(|pair| pair.len() == 2 && pair[0] > 0.0);
    let all: f64 = counted().map(|pair| pair[1]).sum();
    let mut below = 0.0;
    let mut curve: Vec<[f64; 2]> = Vec::new();
    for pair in counted() {
        let beyond = all - below;
        below += pair[1];
        if beyond < BEYOND {
            break;
        }
        // One point a pixel is enough.
        if beyond / all <= 0.6 && curve.last().is_none_or(|[_, ns]| pair[0] / ns > 1.02) {
            curve.push([beyond / all, pair[0]]);
        }
    }
    curve
}

/// A time in the unit that keeps it short.
pub(super) fn time(ns: f64) -> String {
    match ns {
        _ if ns < 1e3 => format!("{} ns", brief(ns)),
        _ if ns < 1e6 => format!("{} µs", brief(ns / 1e3)),
        _ if ns < 1e9 => format!("{} ms", brief(ns / 1e6)),
        _ => format!("{} s", brief(ns / 1e9)),
    }
    .replace(".00", "")
    .replace(".0 ", " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_ends_where_too_few_ops_are_slower() {
        let pairs: Vec<Vec<f64>> =
            [(100.0, 900.0), (200.0, 52.0), (400.0, 40.0), (800.0, 8.0)].map(|(ns, count)| vec![ns, count]).into();
        assert_eq!(curve(&pairs), [[0.1, 200.0], [0.048, 400.0]]);
        assert_eq!(curve(&[]), Vec::<[f64; 2]>::new());
    }

    #[test]
    fn times_are_short() {
        assert_eq!([500.0, 1_000.0, 20_000.0, 5e6, 2e9].map(time), ["500 ns", "1 µs", "20 µs", "5 ms", "2 s"]);
    }
}
