//! Numbers as a person reads them: three significant digits, thousands apart, intervals that stay on one line.

/// A space at which no line may break. The renderers print it as a plain one.
pub(super) const TIE: char = '\u{a0}';

/// Three significant digits: `0.0123`, `1.23`, `12.3`, `1 230`.
pub(super) fn figures(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    // Rounded before it is counted, so that 9.996 is 10.0 and not 10.00.
    let scientific = format!("{value:.2e}");
    let exponent: i32 = scientific.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
    match exponent {
        ..=1 => format!("{value:.*}", usize::try_from(2 - exponent).unwrap_or(0)),
        _ => count(scientific.parse().unwrap_or(value)),
    }
}

/// A whole number in groups of three: `262 112`.
pub(super) fn count(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut grouped = String::from(if value <= -0.5 { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(TIE);
        }
        grouped.push(digit);
    }
    grouped
}

/// `value [low, high]`.
pub(super) fn interval([low, value, high]: [f64; 3]) -> String {
    format!("{}{TIE}[{},{TIE}{}]", figures(value), figures(low), figures(high))
}

/// A share as a percentage: `4.2 %`, `92 %`.
pub(super) fn percent(share: f64) -> String {
    let hundredths = 100.0 * share;
    if hundredths.abs() < 9.95 { format!("{hundredths:.1}{TIE}%") } else { format!("{}{TIE}%", count(hundredths)) }
}

/// `1 fork`, `2 forks`.
pub(super) fn many(number: usize, thing: &str) -> String {
    format!("{}{TIE}{thing}{}", count(number as f64), if number == 1 { "" } else { "s" })
}

/// Half of an interval's width as a share of its middle, on the scale of ratios: 0.05 where it reaches 5 % up and down.
pub(super) fn half_width(low: f64, high: f64) -> f64 {
    (high / low).sqrt() - 1.0
}

/// A unit of time that keeps numbers short.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Unit {
    /// As printed.
    pub(super) word: &'static str,
    /// How many ns it is.
    pub(super) ns: f64,
}

impl Unit {
    /// The unit for values of this size.
    pub(super) fn for_ns(ns: f64) -> Self {
        match ns {
            _ if ns < 1e4 => Self { word: "ns", ns: 1.0 },
            _ if ns < 1e7 => Self { word: "µs", ns: 1e3 },
            _ => Self { word: "ms", ns: 1e6 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        text.replace(TIE, " ")
    }

    #[test]
    fn three_digits_whatever_the_size() {
        for (value, text) in [
            (0.012_34, "0.0123"),
            (0.952_4, "0.952"),
            (0.9996, "1.00"),
            (1.234, "1.23"),
            (9.996, "10.0"),
            (12.34, "12.3"),
            (123.4, "123"),
            (999.6, "1 000"),
            (1234.0, "1 230"),
            (-12.34, "-12.3"),
            (0.0, "0"),
        ] {
            assert_eq!(plain(&figures(value)), text);
        }
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(plain(&count(262_112.0)), "262 112");
        assert_eq!(plain(&count(1_000_000.0)), "1 000 000");
        assert_eq!(plain(&count(-1234.0)), "-1 234");
        assert_eq!(plain(&count(16.0)), "16");
    }

    #[test]
    fn intervals_do_not_break() {
        let text = interval([1.4, 1.46, 1.53]);
        assert!(!text.contains(' '));
        assert_eq!(plain(&text), "1.46 [1.40, 1.53]");
    }

    #[test]
    fn percentages_and_units() {
        assert_eq!(plain(&percent(0.042)), "4.2 %");
        assert_eq!(plain(&percent(0.921)), "92 %");
        assert!((half_width(1.0 / 1.05, 1.05) - 0.05).abs() < 1e-12);
        assert_eq!(Unit::for_ns(9_000.0).word, "ns");
        assert_eq!(Unit::for_ns(90_000.0).word, "µs");
        assert_eq!(Unit::for_ns(9e7).word, "ms");
    }
}
