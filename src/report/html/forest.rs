//! Ratios as bars: the interval, the estimate, and where 1 is.

use maud::{Markup, html};

use super::axis::{self, Log, px};
use crate::report::number::figures;
use crate::report::verdict::MARGIN;

const HEIGHT: f64 = 22.0;

/// One ratio in a line of its own: the interval as a bar, each layout's value as a dot, and the band of a tie.
pub(super) fn bar(axis: &Log, width: f64, [low, value, high]: [f64; 3], layouts: &[f64], word: &str) -> Markup {
    let middle = HEIGHT / 2.0;
    let [near, far] = [1.0 / MARGIN, MARGIN].map(|value| axis.at(value));
    let [low_x, value_x, high_x] = [low, value, high].map(|value| axis.at(value));
    let said = format!("{word}: {}, 95 % interval {} to {}", figures(value), figures(low), figures(high));
    html! {
        svg.bar viewBox={ "0 0 " (width) " " (HEIGHT) } width=(width) height=(HEIGHT) role="img" aria-label=(said) {
            title { (said) }
            rect.tie x=(px(near)) y="0" width=(px(far - near)) height=(HEIGHT) {}
            line.one x1=(px(axis.at(1.0))) x2=(px(axis.at(1.0))) y1="0" y2=(HEIGHT) {}
            @for layout in layouts { circle.layout cx=(px(axis.at(*layout))) cy=(middle) r="1.8" {} }
            line.interval x1=(px(low_x)) x2=(px(high_x)) y1=(middle) y2=(middle) {}
            circle.estimate cx=(px(value_x)) cy=(middle) r="3.5" {}
        }
    }
}

/// The ticks of an axis that bars stand under.
pub(super) fn scale(log: &Log, width: f64) -> Markup {
    html! {
        svg.scale viewBox={ "0 0 " (width) " 16" } width=(width) height="16" aria-hidden="true" {
            @for tick in log.ticks() {
                text x=(px(log.at(tick).clamp(8.0, width - 8.0))) y="12" text-anchor="middle" { (axis::tick(tick)) }
            }
        }
    }
}
