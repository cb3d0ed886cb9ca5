//! The frame of a plot: two axes, their ticks and names, and what it says to whoever can't see it.

use maud::{Markup, html};

use super::axis::{Log, px};
use crate::report::cell::arms;
use crate::report::view::TrapView;
use crate::trap::{Instrument, Role};

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 250.0;
/// Room for the names of ticks.
const LEFT: f64 = 64.0;
const BOTTOM: f64 = 40.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 10.0;

/// Where points may lie along x, for [`Log::over`].
pub(super) const ACROSS: [f64; 2] = [LEFT + 8.0, WIDTH - RIGHT - 8.0];
/// Along y, where more is higher.
pub(super) const UP: [f64; 2] = [HEIGHT - BOTTOM, TOP];

/// The arms of a trap in their order: each has one colour and one mark in all its plots.
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

/// A tick: where it is, and what it is called.
pub(super) type Tick = (f64, String);

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
            @for (at, name) in &self.x { text x=(px(*at)) y=(bottom + 15.0) text-anchor="middle" { (name) } }
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
    html! { svg class=(series(at)) viewBox="0 0 14 12" width="14" height="12" aria-hidden="true" { (mark(at, 7.0, 6.0)) } }
}

/// The class of the series with this number: a colour.
pub(super) fn series(at: usize) -> String {
    format!("series s{}", at % 8)
}

/// The mark of the series with this number: a shape, for those who can't tell the colours.
pub(super) fn mark(at: usize, x: f64, y: f64) -> Markup {
    // Colours come again after eight, and the second four have other shapes than the first.
    match (at + at / 4) % 4 {
        0 => html! { circle cx=(px(x)) cy=(px(y)) r="3.6" {} },
        1 => html! { rect x=(px(x - 3.2)) y=(px(y - 3.2)) width="6.4" height="6.4" {} },
        2 => html! { path d={ "M" (px(x)) " " (px(y - 4.4)) "l4.2 7.6h-8.4z" } {} },
        _ => html! { path d={ "M" (px(x)) " " (px(y - 4.8)) "l4.6 4.8l-4.6 4.8l-4.6 -4.8z" } {} },
    }
}

/// Plots beside one another, as many as fit; nothing where there is none.
pub(super) fn side_by_side(drawn: &[Markup]) -> Markup {
    html! { @if !drawn.is_empty() { div.plots { @for plot in drawn { (plot) } } } }
}

/// The ticks of an axis, named by a rule.
pub(super) fn named(axis: &Log, name: impl Fn(f64) -> String) -> Vec<Tick> {
    axis.ticks().into_iter().map(|tick| (axis.at(tick), name(tick))).collect()
}
