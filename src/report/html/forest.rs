//! Ratios as bars: the interval, the estimate, and where 1 is.
//!
//! Places are percentages, so that a bar fills whatever room there is and its dots and words keep their size.

use maud::{Markup, html};

use super::axis::{self, Log, apart, px};
use crate::report::number::figures;
use crate::report::verdict::MARGIN;

const HEIGHT: f64 = 22.0;
/// From the left to the right, in percent: a dot at an end is whole.
pub(super) const ACROSS: [f64; 2] = [3.0, 97.0];
/// So many percent a letter takes where there is least room: 7 of 150 pixels.
const LETTER: f64 = 4.7;

fn percent(place: f64) -> String {
    format!("{}%", px(place))
}

/// One ratio in a line of its own: the interval as a bar, each layout's value as a dot, and the band of a tie.
pub(super) fn bar(axis: &Log, [low, value, high]: [f64; 3], layouts: &[f64], word: &str) -> Markup {
    let middle = HEIGHT / 2.0;
    let [near, far] = [1.0 / MARGIN, MARGIN].map(|value| axis.at(value));
    let [low_x, value_x, high_x] = [low, value, high].map(|value| percent(axis.at(value)));
    let one = percent(axis.at(1.0));
    let said = format!("{word}: {}, 95 % interval {} to {}", figures(value), figures(low), figures(high));
    html! {
        svg.bar role="img" aria-label=(said) {
            title { (said) }
            rect.tie x=(percent(near)) y="0" width=(percent(far - near)) height=(HEIGHT) {}
            line.one x1=(one) x2=(one) y1="0" y2=(HEIGHT) {}
            @for layout in layouts { circle.layout cx=(percent(axis.at(*layout))) cy=(middle) r="1.8" {} }
            line.interval x1=(low_x) x2=(high_x) y1=(middle) y2=(middle) {}
            circle.estimate cx=(value_x) cy=(middle) r="3.5" {}
        }
    }
}

/// The ticks of an axis that bars stand under.
pub(super) fn scale(log: &Log) -> Markup {
    let ticks = log.ticks().into_iter().map(|tick| (log.at(tick), axis::tick(tick))).collect();
    html! {
        svg.scale aria-hidden="true" {
            @for (at, name) in apart(ticks, LETTER) {
                text x=(percent(at)) y="12" text-anchor=(anchor(at)) { (name) }
            }
        }
    }
}

// A name at an end is within.
fn anchor(at: f64) -> &'static str {
    match at {
        ..8.0 => "start",
        92.0.. => "end",
        _ => "middle",
    }
}
