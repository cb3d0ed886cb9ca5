//! Ratios over n, over threads, or over a size: where a fix gains, and where it turns.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::axis::{Log, px, tick};
use super::panel::{ACROSS, Palette, Panel, UP, mark, named, series};
use crate::report::column::Column;
use crate::report::number::{figures, short};
use crate::report::place::Place;
use crate::report::row::Row;
use crate::report::turns::{AXES, Axis};
use crate::report::verdict::MARGIN;
use crate::report::view::TrapView;
use crate::trap::Role;

/// A plot for each way along which at least two points lie.
pub(super) fn plots<'a>(trap: &TrapView<'a>, column: &Column<'a>) -> Vec<Markup> {
    let points: Vec<Point<'_>> =
        trap.places().into_iter().map(|place| Point { place, rows: trap.rows(column, place) }).collect();
    let palette = Palette::of(trap);
    AXES.iter().flat_map(|axis| along(axis, &points, &palette)).collect()
}

struct Point<'a> {
    place: Place<'a>,
    rows: Vec<Row<'a>>,
}

fn along(axis: &Axis, points: &[Point<'_>], palette: &Palette<'_>) -> Vec<Markup> {
    let mut ways: BTreeMap<String, Vec<(f64, &Point<'_>)>> = BTreeMap::new();
    for point in points.iter().filter(|point| point.rows.iter().any(|row| row.span().is_some())) {
        if let Some((at, rest)) = (axis.at)(&point.place) {
            ways.entry(rest).or_default().push((at, point));
        }
    }
    ways.into_values().filter(|way| way.len() > 1).filter_map(|way| Way::of(axis, way)?.draw(palette)).collect()
}

// Points that differ in one thing, in its order.
struct Way<'w, 'a> {
    axis: &'w Axis,
    points: Vec<(f64, &'w Point<'a>)>,
    variants: Vec<&'a str>,
    x: Log,
    y: Log,
}

impl<'w, 'a> Way<'w, 'a> {
    fn of(axis: &'w Axis, mut points: Vec<(f64, &'w Point<'a>)>) -> Option<Self> {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let rows = || points.iter().flat_map(|(_, point)| &point.rows).filter(|row| row.span().is_some());
        let mut variants: Vec<&str> = Vec::new();
        // The opposite would squeeze all others into a corner.
        for row in rows().filter(|row| row.role != Role::Opposite) {
            if !variants.contains(&row.variant) {
                variants.push(row.variant);
            }
        }
        let values = rows().filter(|row| variants.contains(&row.variant)).filter_map(Row::span).flatten();
        let y = Log::over(values.chain([1.0 / MARGIN, MARGIN]), UP)?;
        let x = Log::over(points.iter().map(|(at, _)| *at), ACROSS)?;
        Some(Self { axis, points, variants, x, y })
    }

    fn draw(&self, palette: &Palette<'_>) -> Option<Markup> {
        let first = self.points.first()?.1.place;
        let varies = (self.axis.name)(&first);
        let title = first.title();
        let said: Vec<&str> =
            std::iter::once("Ratio").chain(title.split(", ").filter(|part| *part != varies)).collect();
        let turns = if self.turns() { " (bars: the verdict changes)" } else { "" };
        let (title, finding) = (format!("{}{turns}", said.join(", ")), self.finding());
        let ticks = self.points.iter().map(|(at, _)| (self.x.at(*at), short(*at))).collect();
        let panel = Panel {
            title: &title,
            finding: &finding,
            names: [self.name(), "trap ÷ variant"],
            x: ticks,
            y: named(&self.y, tick),
        };
        let inside = html! {
            rect.tie x=(px(ACROSS[0] - 8.0)) width=(px(ACROSS[1] - ACROSS[0] + 16.0)) y=(px(self.y.at(MARGIN))) height=(px(self.y.at(1.0 / MARGIN) - self.y.at(MARGIN))) {}
            @for variant in &self.variants { g class=(series(palette.number(variant))) { (self.line(palette.number(variant), variant)) } }
        };
        Some(panel.draw(&inside, palette, &self.variants))
    }

    fn turns(&self) -> bool {
        let turn = |variant: &&str| self.of_variant(variant).windows(2).any(|pair| turns(pair[0].1, pair[1].1));
        self.variants.iter().any(turn)
    }

    // What differs from point to point.
    fn name(&self) -> &'static str {
        let differs =
            |of: fn(&Place<'_>) -> u64| self.points.windows(2).any(|pair| of(&pair[0].1.place) != of(&pair[1].1.place));
        match () {
            () if differs(|place| place.n) => "n",
            () if differs(|place| place.threads as u64) => "threads",
            () => "size in the case's name",
        }
    }

    fn of_variant(&self, variant: &str) -> Vec<(f64, &Row<'a>)> {
        let row = |(at, point): &(f64, &'w Point<'a>)| {
            let row = point.rows.iter().find(|row| row.variant == variant && row.span().is_some())?;
            Some((self.x.at(*at), row))
        };
        self.points.iter().filter_map(row).collect()
    }

    fn line(&self, number: usize, variant: &str) -> Markup {
        let rows = self.of_variant(variant);
        // Intervals of several variants at one n stand beside one another.
        let aside = (number as f64 - self.variants.len() as f64 / 2.0) * 1.8;
        let value = |row: &Row<'_>| row.span().map_or(1.0, |[_, value, _]| value);
        let path: Vec<String> =
            rows.iter().map(|(x, row)| format!("{},{}", px(x + aside), px(self.y.at(value(row))))).collect();
        html! {
            polyline points=(path.join(" ")) {}
            @for (x, row) in &rows { (self.point(number, x + aside, row)) }
            @for pair in rows.windows(2).filter(|pair| turns(pair[0].1, pair[1].1)) { (self.turn(f64::midpoint(pair[0].0, pair[1].0) + aside)) }
        }
    }

    fn point(&self, number: usize, x: f64, row: &Row<'_>) -> Markup {
        let [low, value, high] = row.span().unwrap_or([1.0; 3]);
        let layouts = row.ratio.map_or(&[][..], |ratio| &ratio.samples);
        html! {
            @for layout in layouts { circle.layout cx=(px(x)) cy=(px(self.y.at(*layout))) r="1.3" {} }
            line.interval x1=(px(x)) x2=(px(x)) y1=(px(self.y.at(low))) y2=(px(self.y.at(high))) {}
            (mark(number, x, self.y.at(value)))
        }
    }

    // Between these two points what is said of the variant changes.
    fn turn(&self, x: f64) -> Markup {
        let one = self.y.at(1.0);
        html! { path.turn d={ "M" (px(x)) " " (px(one - 7.0)) "v14" } {} }
    }

    fn finding(&self) -> String {
        let told = |variant: &&str| {
            let rows = self.of_variant(variant);
            let (first, last) = (rows.first()?.1, rows.last()?.1);
            let value = |row: &Row<'_>| row.span().map_or(String::new(), |[_, value, _]| figures(value));
            Some(format!("{variant} from {} to {}", value(first), value(last)))
        };
        let told: Vec<String> = self.variants.iter().filter_map(told).collect();
        let [from, to] =
            [self.points.first(), self.points.last()].map(|point| point.map_or(String::new(), |(at, _)| short(*at)));
        format!("Trap ÷ variant over {} from {from} to {to}: {}", self.name(), told.join(", "))
    }
}

fn turns(a: &Row<'_>, b: &Row<'_>) -> bool {
    let word = |row: &Row<'_>| row.verdict.filter(|_| row.is_decided()).map(|verdict| verdict.word);
    word(a).zip(word(b)).is_some_and(|(a, b)| a != b)
}
