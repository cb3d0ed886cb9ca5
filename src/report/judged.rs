//! The one rule by which claims are judged: what an effect's interval lets one say of what was expected.

use std::fmt;

use super::verdict::MARGIN;
use crate::claims::Expected;

/// A published figure is round: an effect that comes as near, as a share of its logarithm, is the same; and so is one that comes
/// within [`MARGIN`], for what differs by less is a tie everywhere in this house. So 14 blocks are not 19, and 18 % saved are not 10 %.
const NEAR: f64 = 0.1;

/// What the records say of a claim.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Judged {
    /// As it is said.
    Holds,
    /// By more than is said.
    Larger,
    /// The direction is right, and the effect is smaller than is said.
    Smaller,
    /// At these points, and not at all.
    InRegime(Vec<String>),
    /// It does not.
    DoesNot,
    /// The interval holds both.
    Undecided,
    /// A test holds it, which is in this file.
    Tested(&'static str),
    /// It does not compile, as doctests in this file have it.
    Prevented(&'static str),
    /// There is no number, for this reason.
    NotMeasured(String),
}

/// What becomes of an effect on the way from Go to Rust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transfer {
    /// As large.
    Same,
    /// Smaller.
    Weaker,
    /// Larger, or there in Rust alone.
    Stronger,
    /// Gone.
    Absent,
    /// The other way round.
    Reversed,
    /// It does not compile.
    Prevented,
    /// An interval is too wide to tell.
    Unclear,
}

#[derive(PartialEq, Eq)]
enum Side {
    More,
    Less,
    None,
    Unknown,
}

impl Side {
    fn of([low, _, high]: [f64; 3]) -> Self {
        match () {
            () if low > MARGIN => Self::More,
            () if high < 1.0 / MARGIN => Self::Less,
            () if low > 1.0 / MARGIN && high < MARGIN => Self::None,
            () => Self::Unknown,
        }
    }
}

fn not_less([low, ..]: [f64; 3]) -> bool {
    low > 1.0 / MARGIN
}

impl Transfer {
    /// From two effects `[low, value, high]` on one machine.
    pub(super) fn of(rust: [f64; 3], go: [f64; 3]) -> Self {
        match (Side::of(go), Side::of(rust)) {
            // Nothing or some of it: whichever it is, the other has more.
            (_, Side::More) if not_less(go) && rust[0] > go[2].powf(1.0 + NEAR) => Self::Stronger,
            (Side::More, Side::More | Side::Unknown) if not_less(rust) && rust[2].powf(1.0 + NEAR) < go[0] => {
                Self::Weaker
            }
            (Side::Unknown, _) | (_, Side::Unknown) => Self::Unclear,
            (Side::More | Side::Less, Side::None) => Self::Absent,
            (Side::More | Side::None, Side::Less) | (Side::Less, Side::More) => Self::Reversed,
            (Side::None, Side::More) => Self::Stronger,
            _ => Self::Same,
        }
    }

    /// From two shares `[low, value, high]`, of which none is an effect that could turn round.
    pub(super) fn of_shares(rust: [f64; 3], go: [f64; 3]) -> Self {
        match () {
            () if rust[0] > go[2] * MARGIN => Self::Stronger,
            () if rust[2] * MARGIN < go[0] => Self::Weaker,
            () => Self::Same,
        }
    }

    /// The word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Weaker => "weaker",
            Self::Stronger => "stronger",
            Self::Absent => "absent",
            Self::Reversed => "reversed",
            Self::Prevented => "prevented",
            Self::Unclear => "unclear",
        }
    }
}

impl Judged {
    /// Of one effect `[low, value, high]` at one point.
    pub(super) fn at([low, _, high]: [f64; 3], expected: Expected) -> Self {
        match expected {
            Expected::More if low > MARGIN => Self::Holds,
            Expected::More if high <= MARGIN => Self::DoesNot,
            Expected::Alike if low > 1.0 / MARGIN && high < MARGIN => Self::Holds,
            Expected::Alike if low > MARGIN || high < 1.0 / MARGIN => Self::DoesNot,
            Expected::Figure(from, to) => figure([low, high], from, to),
            _ => Self::Undecided,
        }
    }

    /// Of a part: its effects by point, None where one can't be told from the scatter of the trap beside itself.
    pub(super) fn of(effects: &[(String, Option<[f64; 3]>)], expected: Expected) -> Self {
        let (Some((_, first)), Some((_, last))) = (effects.first(), effects.last()) else {
            return Self::NotMeasured("no point".into());
        };
        let at = |effect: &Option<[f64; 3]>, expected| effect.map_or(Self::Undecided, |it| Self::at(it, expected));
        let more = at(last, Expected::More);
        match expected {
            Expected::Appears => Self::both(at(first, Expected::More).negated(), more),
            Expected::Turns => Self::both(at(&first.map(turned), Expected::More), more),
            _ => {
                let each: Vec<_> = effects.iter().map(|(point, effect)| (point, at(effect, expected))).collect();
                Self::over(&each)
            }
        }
    }

    /// Of several points: one word for all, or the regime of those where it is at least as large as is said, if there are any; then
    /// of those where it is there at all.
    fn over(each: &[(&String, Self)]) -> Self {
        let at = |is: fn(&Self) -> bool| -> Vec<String> {
            each.iter().filter(|(_, judged)| is(judged)).map(|(at, _)| (*at).clone()).collect()
        };
        let as_large = at(|judged| matches!(judged, Self::Holds | Self::Larger));
        let there = at(Self::is_yes);
        match () {
            () if each.iter().all(|(_, judged)| *judged == Self::Holds) => Self::Holds,
            () if as_large.len() == each.len() => Self::Larger,
            () if !as_large.is_empty() => Self::InRegime(as_large),
            () if each.iter().any(|(_, judged)| *judged == Self::Undecided) => Self::Undecided,
            () if there.len() == each.len() => Self::Smaller,
            () if !there.is_empty() => Self::InRegime(there),
            () => Self::DoesNot,
        }
    }

    /// Of a claim of two parts, both of which have to hold: the first word if the second holds.
    pub(super) fn both(self, other: Self) -> Self {
        match (self, other) {
            (Self::NotMeasured(why), _) | (_, Self::NotMeasured(why)) => Self::NotMeasured(why),
            (Self::DoesNot, _) | (_, Self::DoesNot) => Self::DoesNot,
            (Self::Undecided, _) | (_, Self::Undecided) => Self::Undecided,
            (regime @ Self::InRegime(_), _) | (_, regime @ Self::InRegime(_)) => regime,
            (first, Self::Holds | Self::Tested(_)) => first,
            (Self::Holds, second) => second,
            (first, _) => first,
        }
    }

    // Where it may not be seen.
    fn negated(self) -> Self {
        match self {
            Self::Holds => Self::DoesNot,
            Self::DoesNot => Self::Holds,
            other => other,
        }
    }

    const fn is_yes(&self) -> bool {
        matches!(self, Self::Holds | Self::Larger | Self::Smaller)
    }
}

// An interval whose lower end is nearer to nothing, which is 1 for a ratio and 0 for a share, than to what counts as the figure can't
// tell the two apart.
fn figure([low, high]: [f64; 2], from: f64, to: f64) -> Judged {
    let is_ratio = from > 1.0;
    let (from, to) = (from.powf(1.0 - NEAR).min(from / MARGIN), to.powf(1.0 + NEAR).max(to * MARGIN));
    let nothing = if is_ratio { from.sqrt() } else { from / 2.0 };
    match () {
        () if low > to => Judged::Larger,
        () if high >= from && low > nothing => Judged::Holds,
        () if high <= MARGIN || high <= 1.0 => Judged::DoesNot,
        // It leaves out 1: the direction is right, and the size is open.
        () if high < from && low > 1.0 => Judged::Smaller,
        () => Judged::Undecided,
    }
}

fn turned([low, value, high]: [f64; 3]) -> [f64; 3] {
    [high, value, low].map(f64::recip)
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holds => f.write_str("holds"),
            Self::Larger => f.write_str("holds, larger"),
            Self::Smaller => f.write_str("holds, smaller"),
            Self::InRegime(at) => write!(f, "holds in a regime: {}", at.join("; ")),
            Self::DoesNot => f.write_str("does not hold"),
            Self::Undecided => f.write_str("undecided"),
            Self::Tested(path) => write!(f, "holds, by a test: {path}"),
            Self::Prevented(path) => write!(f, "prevented: it does not compile, by a test: {path}"),
            Self::NotMeasured(why) => write!(f, "not measured here: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINS: [f64; 3] = [1.4, 1.5, 1.6];
    const TIES: [f64; 3] = [0.98, 1.0, 1.02];
    const LOSES: [f64; 3] = [0.6, 0.7, 0.8];
    const WIDE: [f64; 3] = [0.7, 1.2, 2.1];
    /// A little, or nothing.
    const SOME: [f64; 3] = [0.98, 1.2, 1.5];

    fn word(effect: [f64; 3], expected: Expected) -> String {
        Judged::at(effect, expected).to_string()
    }

    #[test]
    fn a_direction_holds_beyond_five_percent() {
        let words = [WINS, TIES, LOSES, WIDE].map(|effect| word(effect, Expected::More));
        assert_eq!(words, ["holds", "does not hold", "does not hold", "undecided"]);
        let words = [TIES, WINS, LOSES, WIDE].map(|effect| word(effect, Expected::Alike));
        assert_eq!(words, ["holds", "does not hold", "does not hold", "undecided"]);
    }

    #[test]
    fn a_figure_holds_where_the_interval_comes_within_a_tenth() {
        let figure = |from, to| word(WINS, Expected::Figure(from, to));
        assert_eq!(figure(1.5, 1.5), "holds");
        assert_eq!(figure(1.68, 1.9), "holds", "ln 1.6 is within a tenth of ln 1.68");
        assert_eq!(figure(1.72, 1.9), "holds, smaller");
        assert_eq!(figure(3.0, 5.0), "holds, smaller");
        assert_eq!(figure(1.1, 1.2), "holds, larger");
        assert_eq!(word([0.98, 1.1, 1.23], Expected::Figure(1.25, 1.25)), "undecided", "it may be nothing");
        assert_eq!(word([1.05, 1.3, 1.6], Expected::Figure(1.6, 1.6)), "undecided", "it may be a tenth of it");
        assert_eq!(word([0.0; 3], Expected::Figure(0.001, 1.0)), "does not hold");
        assert_eq!(word([0.01, 0.02, 0.03], Expected::Figure(0.001, 1.0)), "holds", "a share");
        assert_eq!(word(TIES, Expected::Figure(3.0, 5.0)), "does not hold");
        assert_eq!(word(WIDE, Expected::Figure(3.0, 5.0)), "undecided");
        let all = [f64::INFINITY; 3];
        assert_eq!(word(all, Expected::Figure(2.5, 2.5)), "holds, larger", "nothing is left of it");
    }

    #[test]
    fn a_figure_is_met_within_five_percent_and_a_smaller_one_leaves_out_one() {
        assert_eq!(word([1.08, 1.1, 1.12], Expected::Figure(1.15, 1.22)), "holds", "1.12 is within 5 % of 1.15");
        assert_eq!(word([1.06, 1.08, 1.09], Expected::Figure(1.15, 1.22)), "holds, smaller");
        assert_eq!(word([1.04, 1.09, 1.14], Expected::Figure(1.25, 1.25)), "holds, smaller");
        assert_eq!(word([1.01, 1.02, 1.04], Expected::Figure(1.25, 1.25)), "does not hold", "a tie");
        assert_eq!(word([0.951, 0.98, 1.01], Expected::Figure(1.0, 1.0)), "holds", "a core is burnt");
        assert_eq!(word([0.2, 0.7, 1.2], Expected::Figure(1.0, 1.0)), "undecided", "a core, or hardly any of it");
    }

    #[test]
    fn shares_are_the_same_within_five_percent() {
        let words = [[0.95, 0.98, 1.0], [0.5, 0.6, 0.7], [1.2, 1.3, 1.4]]
            .map(|rust| Transfer::of_shares(rust, [0.99, 1.0, 1.01]).word());
        assert_eq!(words, ["same", "weaker", "stronger"]);
    }

    fn of(effects: &[[f64; 3]], expected: Expected) -> String {
        let named: Vec<_> = effects.iter().enumerate().map(|(at, effect)| (format!("p{at}"), Some(*effect))).collect();
        Judged::of(&named, expected).to_string()
    }

    #[test]
    fn several_points_have_one_word_or_a_regime() {
        assert_eq!(of(&[WINS, WINS], Expected::More), "holds");
        assert_eq!(of(&[TIES, WINS], Expected::More), "holds in a regime: p1");
        assert_eq!(of(&[TIES, LOSES], Expected::More), "does not hold");
        assert_eq!(of(&[TIES, WIDE], Expected::More), "undecided");
        assert_eq!(of(&[[5.0; 3], WINS], Expected::Figure(1.5, 1.5)), "holds, larger");
        assert_eq!(of(&[], Expected::More), "not measured here: no point");
    }

    #[test]
    fn a_regime_is_where_it_is_as_large_as_is_said_or_else_where_it_is_there() {
        let figure = |effects: &[[f64; 3]]| of(effects, Expected::Figure(1.5, 1.5));
        assert_eq!(figure(&[[1.1; 3], WINS]), "holds in a regime: p1");
        assert_eq!(figure(&[[5.0; 3], [1.1; 3]]), "holds in a regime: p0");
        assert_eq!(figure(&[[5.0; 3], WIDE]), "holds in a regime: p0");
        assert_eq!(figure(&[[1.1; 3], [1.2; 3]]), "holds, smaller");
        assert_eq!(figure(&[[1.1; 3], TIES]), "holds in a regime: p0");
        assert_eq!(figure(&[[1.1; 3], WIDE]), "undecided", "where it is as large is open");
    }

    #[test]
    fn a_point_that_noise_hides_leaves_the_others_their_word() {
        let of = |expected| Judged::of(&[("p0".into(), Some(WINS)), ("p1".into(), None)], expected).to_string();
        assert_eq!(of(Expected::More), "holds in a regime: p0");
        assert_eq!([of(Expected::Turns), of(Expected::Appears)], ["does not hold", "does not hold"]);
        assert_eq!(Judged::of(&[("p0".into(), None)], Expected::More), Judged::Undecided);
    }

    #[test]
    fn a_crossover_has_two_ends() {
        assert_eq!(of(&[TIES, WINS], Expected::Appears), "holds");
        assert_eq!(of(&[WINS, WINS], Expected::Appears), "does not hold");
        assert_eq!(of(&[LOSES, WINS], Expected::Turns), "holds");
        assert_eq!(of(&[TIES, WINS], Expected::Turns), "does not hold");
        assert_eq!(of(&[WIDE, WINS], Expected::Turns), "undecided");
    }

    #[test]
    fn both_parts_of_a_claim_have_to_hold() {
        assert_eq!(Judged::Holds.both(Judged::Smaller), Judged::Smaller);
        assert_eq!(Judged::Larger.both(Judged::Holds), Judged::Larger);
        assert_eq!(Judged::Holds.both(Judged::DoesNot), Judged::DoesNot);
        assert_eq!(Judged::DoesNot.both(Judged::Undecided), Judged::DoesNot);
        let none = || Judged::NotMeasured("why".into());
        assert_eq!(Judged::DoesNot.both(none()), none());
    }

    #[test]
    fn an_effect_goes_over_from_go_to_rust_or_does_not() {
        let strong = [4.0, 5.0, 6.0];
        let words = [
            (WINS, WINS, "same"),
            (WINS, strong, "weaker"),
            (strong, WINS, "stronger"),
            (WINS, TIES, "stronger"),
            (TIES, WINS, "absent"),
            (LOSES, WINS, "reversed"),
            (WINS, LOSES, "reversed"),
            (TIES, TIES, "same"),
            (WIDE, WINS, "unclear"),
            (WINS, WIDE, "unclear"),
            (strong, SOME, "stronger"),
            (SOME, strong, "weaker"),
            (SOME, WINS, "unclear"),
            ([f64::INFINITY; 3], [f64::INFINITY; 3], "same"),
        ];
        for (rust, go, word) in words {
            assert_eq!(Transfer::of(rust, go).word(), word, "{rust:?} after {go:?}");
        }
    }
}
