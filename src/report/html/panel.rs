//! The frame of a plot: two axes, their ticks and names, and what it says to whoever can't see it.

use maud::{Markup, html};

use super::axis::{Log, Tick, apart, px};
use crate::report::cell::arms;
use crate::report::view::TrapView;
use crate::trap::{Instrument, Role};

/// As wide as a phone has room for: there a unit is a pixel, and words are as large as elsewhere.
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 230.0;
/// Room for the names of ticks.
const LEFT: f64 = 70.0;
const BOTTOM: f64 = 42.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 10.0;

/// Where points may lie along x, for [`Log::over`].
pub(super) const ACROSS: [f64; 2] = [LEFT + 8.0, WIDTH - RIGHT - 8.0];
/// Along y, where more is higher.
pub(super) const UP: [f64; 2] = [HEIGHT - BOTTOM - 8.0, TOP + 6.0];

/// What a letter of a tick's name takes.
const LETTER: f64 = 7.0;

/// The arms of a trap in their order: each has one colour, one mark and one dash in all its plots.
pub(super) struct Palette<'a>(Vec<&'a str>);

impl<'a> Palette<'a> {
    pub(super) fn of(trap: &TrapView<'a>) -> Self {
        let seen = [Instrument::Ratio, Instrument::Latency].into_iter().flat_map(|instrument| trap.all(instrument));
        let stated = seen.filter(|record| record.role != Role::Control);
        Self(arms(stated).into_iter().map(|(name, _)| name).collect())
    }

    /// The number of an arm.
    pub(super) fn number(&self, arm: &str) -> usize {
        self.0.iter().position(|known| *known == arm).unwrap_or(self.0.len())
    }
}

/// A plot to be drawn.
pub(super) struct Panel<'a> {
    /// What it is of.
    pub(super) title: &'a str,
    /// What it says, in a sentence.
    pub(super) finding: &'a str,
    /// The names of x and y.
    pub(super) names: [&'a str; 2],
    pub(super) x: Vec<Tick>,
    pub(super) y: Vec<Tick>,
}

impl Panel<'_> {
    /// The figure, with what is inside.
    pub(super) fn draw(&self, inside: &Markup, palette: &Palette<'_>, legend: &[&str]) -> Markup {
        html! {
            figure {
                figcaption { (self.title) }
                svg.plot viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(self.finding) {
                    title { (self.finding) }
                    (self.grid())
                    (inside)
                }
                (legend_of(palette, legend))
            }
        }
    }

    fn grid(&self) -> Markup {
        let (left, right, bottom) = (LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM);
        html! {
            @for (at, name) in &self.y {
                line.grid x1=(left) x2=(right) y1=(px(*at)) y2=(px(*at)) {}
                text x=(left - 6.0) y=(px(at + 4.0)) text-anchor="end" { (name) }
            }
            line.frame x1=(left) x2=(right) y1=(bottom) y2=(bottom) {}
            @for (at, name) in apart(self.x.clone(), LETTER) { text x=(px(at)) y=(bottom + 16.0) text-anchor="middle" { (name) } }
            text.name x=(px(f64::midpoint(left, right))) y=(HEIGHT - 6.0) text-anchor="middle" { (self.names[0]) }
            text.name x="12" y=(px(f64::midpoint(TOP, bottom))) text-anchor="middle"
                transform={ "rotate(-90 12 " (px(f64::midpoint(TOP, bottom))) ")" } { (self.names[1]) }
        }
    }
}

fn legend_of(palette: &Palette<'_>, names: &[&str]) -> Markup {
    html! {
        ul.legend { @for name in names { li { (sample(palette.number(name))) (name) } } }
    }
}

fn sample(at: usize) -> Markup {
    html! {
        svg class=(series(at)) viewBox="0 0 36 12" width="36" height="12" aria-hidden="true" {
            polyline points="0,6 36,6" {}
            (mark(at, 18.0, 6.0))
        }
    }
}

/// The class of the series with this number: a colour, and the dash of its lines.
pub(super) fn series(at: usize) -> String {
    format!("series s{}", at % MARKS.len())
}

/// Disc, square, triangle, diamond, ring, triangle down, plus, cross: around the place where they stand.
const MARKS: [&str; 8] = [
    "m-3.8 0a3.8 3.8 0 1 1 7.6 0a3.8 3.8 0 1 1 -7.6 0z",
    "m-3.4 -3.4h6.8v6.8h-6.8z",
    "m0 -4.6l4.4 7.8h-8.8z",
    "m0 -5l4.6 5l-4.6 5l-4.6 -5z",
    "m-4.4 0a4.4 4.4 0 1 1 8.8 0a4.4 4.4 0 1 1 -8.8 0zm2 0a2.4 2.4 0 1 0 4.8 0a2.4 2.4 0 1 0 -4.8 0z",
    "m0 4.6l4.4 -7.8h-8.8z",
    "m-1.2 -4.6h2.4v3.4h3.4v2.4h-3.4v3.4h-2.4v-3.4h-3.4v-2.4h3.4z",
    "m-4.1 -2.4l1.7 -1.7l2.4 2.4l2.4 -2.4l1.7 1.7l-2.4 2.4l2.4 2.4l-1.7 1.7l-2.4 -2.4l-2.4 2.4l-1.7 -1.7l2.4 -2.4z",
];

/// The mark of the series with this number: a shape, for those who can't tell the colours.
pub(super) fn mark(at: usize, x: f64, y: f64) -> Markup {
    // Colours and dashes come again after eight, with other shapes.
    let shape = MARKS[(at + at / MARKS.len()) % MARKS.len()];
    html! { path d={ "M" (px(x)) " " (px(y)) (shape) } {} }
}

/// Plots beside one another, as many as fit; nothing where there is none.
pub(super) fn side_by_side(drawn: &[Markup]) -> Markup {
    html! { @if !drawn.is_empty() { div.plots { @for plot in drawn { (plot) } } } }
}

/// The ticks of an axis, named by a rule.
pub(super) fn named(axis: &Log, name: impl Fn(f64) -> String) -> Vec<Tick> {
    axis.ticks().into_iter().map(|tick| (axis.at(tick), name(tick))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_arms_look_alike_without_their_colours() {
        let looks: BTreeSet<_> = (0..32).map(|at| (at % MARKS.len(), mark(at, 0.0, 0.0).into_string())).collect();
        assert_eq!(looks.len(), 32);
    }
}
