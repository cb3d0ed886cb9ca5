//! What a shorter tail costs, where an arm trades the one for the other.

use maud::{Markup, html};

use super::axis::{Log, Tick, px};
use super::panel::{ACROSS, Palette, Panel, UP, mark, named, series};
use super::tail::time;
use crate::record::Record;
use crate::report::cell::measures;
use crate::report::number::short;
use crate::report::place::Place;
use crate::report::view::TrapView;
use crate::trap::{Instrument, Role};

/// What is free has a column of its own at the left: a logarithm has no place for it.
const FREE: f64 = 36.0;
/// An arm that pays hardly more than another has no price.
const PRICE: f64 = 1.1;

/// A plot for each paced point at which arms differ in what they cost: the time in a queue, or the most that the heap held.
pub(super) fn plots(trap: &TrapView<'_>) -> Vec<Markup> {
    let palette = Palette::of(trap);
    trap.places().into_iter().filter_map(|place| Trade::at(trap, place)?.draw(place, &palette)).collect()
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
                .filter_map(|r| Some((r.variant.as_str(), price(&r.variant).filter(|price| *price >= 0.0)?, r.value?)))
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

    fn is_free(&self) -> bool {
        self.arms.iter().any(|(_, price, _)| *price == 0.0)
    }

    // Where a price lies, and the ticks of all prices.
    fn prices(&self) -> Option<(impl Fn(f64) -> f64 + use<'a>, Vec<Tick>)> {
        let left = ACROSS[0] + if self.is_free() { FREE } else { 0.0 };
        let log = Log::over(self.arms.iter().map(|(_, price, _)| *price), [left, ACROSS[1]])?;
        let none = self.is_free().then(|| (ACROSS[0], "0".to_owned())).into_iter();
        let ticks = none.chain(named(&log, |price| self.told(price))).collect();
        Some((move |price: f64| if price == 0.0 { ACROSS[0] } else { log.at(price) }, ticks))
    }

    fn told(&self, price: f64) -> String {
        if self.is_time { time(price) } else { short(price) }
    }

    fn finding(&self, title: &str) -> String {
        let each = |(name, price, p99): &(&str, f64, f64)| {
            let price = if *price == 0.0 { "0".into() } else { self.told(*price) };
            format!("{name} p99 {} for {price}", time(*p99))
        };
        format!("{title}: {}", self.arms.iter().map(each).collect::<Vec<_>>().join("; "))
    }

    fn draw(&self, place: Place<'_>, palette: &Palette<'_>) -> Option<Markup> {
        let (x, ticks) = self.prices()?;
        let y = Log::over(self.arms.iter().map(|(.., p99)| *p99), UP)?;
        let title = format!("What a tail costs, {}", place.title());
        let finding = self.finding(&title);
        let panel = Panel {
            title: &title,
            finding: &finding,
            names: [&self.price, "p99 of an op"],
            x: ticks,
            y: named(&y, time),
        };
        let apart = px(ACROSS[0] + FREE / 2.0);
        let inside = html! {
            @if self.is_free() { line.grid x1=(apart) x2=(apart) y1=(px(UP[0])) y2=(px(UP[1])) {} }
            @for (name, price, p99) in &self.arms {
                g class=(series(palette.number(name))) { (mark(palette.number(name), x(*price), y.at(*p99))) }
            }
        };
        let names: Vec<&str> = self.arms.iter().map(|(name, ..)| *name).collect();
        Some(panel.draw(&inside, palette, &names))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Archive;
    use crate::report::made_up::{at, note, run};
    use crate::report::view::View;

    // The page of a trap whose two fixes have these prices.
    fn page(prices: [f64; 2]) -> String {
        let mut archive = Archive::default();
        let traps = vec![note("channel", "no room", "a habit", "messages", "one message", &[])];
        archive.runs.push(run("latency-1", Instrument::Latency, traps));
        let said = |price, p99| [("queue_p99_ns", "ns", [price; 3]), ("p99_ns", "ns", [p99; 3])];
        let here = ("latency-1", Instrument::Latency);
        at(&mut archive, "channel", 1_000, 2, "", here.0)
            .headline()
            .within(here, ("none", Role::Trap), &said(prices[0], 9e6))
            .within(here, ("some", Role::Fix), &said(prices[1], 2e6))
            .within(here, ("much", Role::Fix), &said(5e6, 1e5));
        let view = View::of(&archive);
        view.traps().iter().flat_map(plots).map(maud::PreEscaped::into_string).collect()
    }

    #[test]
    fn an_arm_that_is_free_stands_at_nought() {
        let page = page([0.0, 2e5]);
        assert!(page.contains(">0</text>") && page.contains("none p99 9 ms for 0;"), "{page}");
        assert!(page.contains(&format!("M{:.1} ", ACROSS[0])), "{page}");
    }

    #[test]
    fn without_one_the_axis_begins_at_the_least_price() {
        let page = page([1e5, 2e5]);
        assert!(!page.contains(">0</text>") && page.matches("<text").count() > 4, "{page}");
    }
}
