//! What a shorter tail costs, where an arm trades the one for the other.

use maud::{Markup, html};

use super::axis::Log;
use super::panel::{ACROSS, Palette, Panel, UP, mark, named, series, side_by_side};
use super::tail::time;
use crate::record::Record;
use crate::report::cell::measures;
use crate::report::number::short;
use crate::report::place::Place;
use crate::report::view::TrapView;
use crate::trap::{Instrument, Role};

/// An arm that pays hardly more than another has no price.
const PRICE: f64 = 1.1;

/// A plot for each paced point at which arms differ in what they cost: the time in a queue, or the most that the heap held.
pub(super) fn plots(trap: &TrapView<'_>) -> Markup {
    let palette = Palette::of(trap);
    let drawn: Vec<Markup> =
        trap.places().into_iter().filter_map(|place| Trade::at(trap, place)?.draw(place, &palette)).collect();
    side_by_side(&drawn)
}

struct Trade<'a> {
    price: String,
    is_time: bool,
    // Arm, price, p99.
    arms: Vec<(&'a str, f64, f64)>,
}

impl<'a> Trade<'a> {
    fn at(trap: &TrapView<'a>, place: Place<'a>) -> Option<Self> {
        let tails: Vec<&Record> = trap.at(place, Instrument::Latency).collect();
        let find = |records: &[&Record], arm: &str, metric: &str| {
            records.iter().rev().find(|r| r.variant == arm && measures(r, metric)).and_then(|r| r.value)
        };
        // The heap is counted where a run is small enough, at a point of the same case.
        let alike = |r: &&Record| r.headline && r.role != Role::Control && r.case == place.case;
        let heap: Vec<&Record> = trap.all(Instrument::Heap).filter(alike).collect();
        let timed = tails.iter().filter(|r| measures(r, "p99_ns"));
        let arms = |price: &dyn Fn(&str) -> Option<f64>| -> Vec<(&'a str, f64, f64)> {
            timed
                .clone()
                .filter_map(|r| Some((r.variant.as_str(), price(&r.variant).filter(|price| *price > 0.0)?, r.value?)))
                .collect()
        };
        let queued = Self {
            price: "time in the queue, p99".into(),
            is_time: true,
            arms: arms(&|arm| find(&tails, arm, "queue_p99_ns")),
        };
        let held = Self {
            price: format!(
                "peak of the heap in bytes, {}",
                heap.first().map_or(String::new(), |r| Place::of(r).title())
            ),
            is_time: false,
            arms: arms(&|arm| find(&heap, arm, "peak_bytes")),
        };
        [queued, held].into_iter().find(Self::has_a_price)
    }

    fn has_a_price(&self) -> bool {
        let prices = || self.arms.iter().map(|(_, price, _)| *price);
        let (low, high) = (prices().fold(f64::INFINITY, f64::min), prices().fold(0.0, f64::max));
        self.arms.len() > 1 && high > PRICE * low
    }

    fn draw(&self, place: Place<'_>, palette: &Palette<'_>) -> Option<Markup> {
        let x = Log::over(self.arms.iter().map(|(_, price, _)| *price), ACROSS)?;
        let y = Log::over(self.arms.iter().map(|(.., p99)| *p99), UP)?;
        let title = format!("What a tail costs, {}", place.title());
        let told = |price: f64| if self.is_time { time(price) } else { short(price) };
        let each = self.arms.iter().map(|(name, price, p99)| format!("{name} p99 {} for {}", time(*p99), told(*price)));
        let finding = format!("{title}: {}", each.collect::<Vec<_>>().join("; "));
        let panel = Panel {
            title: &title,
            finding: &finding,
            names: [&self.price, "p99 of an op"],
            x: named(&x, told),
            y: named(&y, time),
        };
        let inside = html! {
            @for (name, price, p99) in &self.arms {
                g class=(series(palette.number(name))) { (mark(palette.number(name), x.at(*price), y.at(*p99))) }
            }
        };
        let names: Vec<&str> = self.arms.iter().map(|(name, ..)| *name).collect();
        Some(panel.draw(&inside, palette, &names))
    }
}
