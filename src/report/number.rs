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

/// `1 layout`, `2 layouts`, `3 processes`.
pub(super) fn many(number: usize, thing: &str) -> String {
    let plural = if thing.ends_with("ss") { "es" } else { "s" };
    format!("{}{TIE}{thing}{}", count(number as f64), if number == 1 { "" } else { plural })
}

/// A count in five characters at most: `999`, `1.2k`, `50k`, `4.8M`.
pub(super) fn short(value: f64) -> String {
    let units = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
    // A value that rounds up to the next unit is one of that unit.
    let Some((size, unit)) = units.into_iter().find(|(size, _)| value >= 0.9995 * size) else {
        return format!("{value:.0}");
    };
    let scaled = value / size;
    if scaled < 9.95 && (scaled - scaled.round()).abs() >= 0.05 {
        return format!("{scaled:.1}{unit}");
    }
    format!("{scaled:.0}{unit}")
}

/// `15→1`, `6.3M→3.2M`: two counts, or one where they are the same.
pub(super) fn arrow(from: f64, to: f64) -> String {
    let [first, second] = [from, to].map(short);
    if from == to { first } else { format!("{first}→{second}") }
}

/// `1.98→0.97`, `0.0042→0`: two measured values in few characters.
pub(super) fn change(from: f64, to: f64) -> String {
    format!("{}→{}", brief(from), brief(to))
}

/// A number in six characters at most.
pub(super) fn brief(value: f64) -> String {
    match value.abs() {
        size if size >= 999.5 => short(value),
        size if size >= 99.5 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        size if size < 0.000_05 => "0".into(),
        size if size < 0.01 => format!("{value:.4}"),
        _ => format!("{value:.2}"),
    }
}

/// How many times fewer: `÷2.0`; `→0` where nothing is left, `0` where there was nothing.
pub(super) fn fewer(from: f64, to: f64) -> String {
    match (from, to) {
        (0.0, 0.0) => "0".into(),
        (_, 0.0) => "→0".into(),
        _ => format!("÷{}", factor(from / to)),
    }
}

/// A ratio in four characters: `0.88`, `1.46`, `12.3`, `123`.
pub(super) fn factor(ratio: f64) -> String {
    match ratio {
        _ if ratio < 9.995 => format!("{ratio:.2}"),
        _ if ratio < 99.95 => format!("{ratio:.1}"),
        _ => format!("{ratio:.0}"),
    }
}

/// A ratio and how far its interval reaches, up and down: `1.46±2%`. Less than 1 % is told as 1 %.
pub(super) fn ratio_within([low, value, high]: [f64; 3]) -> String {
    let half = 100.0 * half_width(low, high);
    format!("{}±{:.0}%", factor(value), half.max(1.0))
}

/// Half of an interval's width as a share of its middle, on the scale of ratios: 0.05 where it reaches 5 % up and down.
pub(super) fn half_width(low: f64, high: f64) -> f64 {
    (high / low).sqrt() - 1.0
}

/// What a cell says where nothing applies: the trap has no ratio to itself.
pub(super) const NONE: &str = "–";

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
    fn short_forms_keep_two_digits() {
        let counts =
            [(0.0, "0"), (999.0, "999"), (999.8, "1k"), (1_234.0, "1.2k"), (50_015.0, "50k"), (4_812_345.0, "4.8M")];
        for (value, text) in counts {
            assert_eq!(short(value), text);
        }
        assert_eq!([arrow(15.0, 1.0), arrow(6.29e6, 3.2e6), arrow(12e3, 700.0)], ["15→1", "6.3M→3.2M", "12k→700"]);
        assert_eq!([fewer(9.0, 4.5), fewer(9.0, 0.0), fewer(0.0, 0.0)], ["÷2.00", "→0", "0"]);
        assert_eq!(
            [change(1.984, 0.97), change(0.0042, 0.000_01), change(65_536.0, -3.0)],
            ["1.98→0.97", "0.0042→0", "66k→-3.00"]
        );
        assert_eq!([ratio_within([1.43, 1.46, 1.49]), ratio_within([11.9, 12.0, 12.1])], ["1.46±2%", "12.0±1%"]);
    }

    #[test]
    fn words_have_their_plurals() {
        assert_eq!(["layout", "process"].map(|thing| plain(&many(2, thing))), ["2 layouts", "2 processes"]);
        assert_eq!(plain(&many(1, "process")), "1 process");
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
