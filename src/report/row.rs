//! What the ratio instrument says of one variant at one point.

use super::cell::{Missing, span};
use super::number::{NONE, TIE, figures, interval};
use super::verdict::Verdict;
use crate::lab::stats;
use crate::record::Record;
use crate::trap::Role;

/// One line of the table of times.
#[derive(Clone, Debug)]
pub(super) struct Row<'a> {
    pub(super) variant: &'a str,
    pub(super) role: Role,
    /// The run that it rests on.
    pub(super) run: &'a str,
    pub(super) ns: Option<&'a Record>,
    pub(super) cpu: Option<&'a Record>,
    pub(super) cpus: Option<&'a Record>,
    pub(super) ratio: Option<&'a Record>,
    /// ns an op that it saves, `[low, value, high]`; from the ratio and the trap's time, so that it never disagrees with the word.
    pub(super) saved: Option<[f64; 3]>,
    pub(super) missing: Option<Missing>,
    /// The word, where there is an interval and nothing withholds it.
    pub(super) verdict: Option<Verdict>,
    /// Whether a caveat of the point forbids a word.
    pub(super) withheld: bool,
}

impl Row<'_> {
    pub(super) fn span(&self) -> Option<[f64; 3]> {
        self.ratio.and_then(span)
    }

    pub(super) fn is_decided(&self) -> bool {
        self.verdict.is_some_and(|verdict| verdict.suffix.is_none() && verdict.word.decided())
    }

    /// The word, or the one for why there is none.
    pub(super) fn word(&self) -> String {
        match self.verdict {
            Some(verdict) => verdict.to_string(),
            None if self.withheld && self.span().is_some() => "withheld".into(),
            None => NONE.into(),
        }
    }

    /// The ratio with its interval, or why there is none in a word.
    pub(super) fn said(&self) -> String {
        let estimate = self.ratio.and_then(|r| r.value);
        match (self.span(), estimate, &self.missing) {
            (Some(span), ..) => interval(span),
            (None, Some(value), _) => format!("{}{TIE}(no interval)", figures(value)),
            (None, None, Some(missing)) => missing.word.into(),
            (None, None, None) => if self.role == Role::Trap { "reference" } else { "not run" }.into(),
        }
    }

    /// The range of the layouts, which the next link falls into with probability (L − 1) ÷ (L + 1).
    pub(super) fn next_link(&self) -> Option<[f64; 2]> {
        stats::next_link(&self.ratio?.samples)
    }
}

/// A word of a row as the verb of a sentence: `wins`, `is faster by layout`, `stays unclear`.
pub(super) fn as_verb(word: &str) -> String {
    match word.split(' ').next().unwrap_or_default() {
        "faster" | "slower" => format!("is {word}"),
        "unclear" | "unresolved" => format!("stays {word}"),
        "split" => "is split by layout".into(),
        "withheld" => "has its verdict withheld".into(),
        "skipped" => "was skipped".into(),
        NONE => "has no verdict".into(),
        _ => word.into(),
    }
}

/// ns an op saved by a variant with this ratio to a trap of so many ns: the trap's time × (1 − 1 ÷ ratio).
pub(super) fn saved(trap_ns: f64, ratio: [f64; 3]) -> [f64; 3] {
    ratio.map(|ratio| trap_ns * (1.0 - 1.0 / ratio))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn savings_leave_out_nothing_exactly_where_the_ratio_leaves_out_one() {
        for ratio in [[0.9, 0.95, 0.99], [0.9, 1.0, 1.1], [1.01, 1.2, 1.4]] {
            let [low, value, high] = saved(30.0, ratio);
            assert!(low < value && value < high);
            assert_eq!(low > 0.0, ratio[0] > 1.0);
            assert_eq!(high < 0.0, ratio[2] < 1.0);
        }
        assert!((saved(30.0, [1.5; 3])[1] - 10.0).abs() < 1e-9);
    }
}
