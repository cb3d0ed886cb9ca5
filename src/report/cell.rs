//! What one record says, or why it says nothing.

use crate::record::Record;
use crate::trap::Role;

/// `[low, value, high]` of a record that has all three.
pub(super) fn span(record: &Record) -> Option<[f64; 3]> {
    Some([record.low?, record.value?, record.high?])
}

/// Whether two intervals `[low, value, high]` have a number in common.
pub(super) fn overlap(a: [f64; 3], b: [f64; 3]) -> bool {
    a[0] <= b[2] && b[0] <= a[2]
}

/// Whether a record is of this metric and has a value.
pub(super) fn measures(record: &Record, metric: &str) -> bool {
    record.metric.as_deref() == Some(metric) && record.value.is_some()
}

/// Why there is no number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    /// What the cell says.
    pub(super) word: &'static str,
    /// Why, and how to get it.
    pub(super) why: String,
}

impl Missing {
    pub(super) fn of(record: &Record) -> Option<Self> {
        let reasons = [("failed", &record.failed), ("skipped", &record.skipped), ("n/a", &record.blind)];
        let (word, why) = reasons.into_iter().find_map(|(word, why)| Some((word, why.clone()?)))?;
        Some(Self { word, why })
    }
}

/// The arms of some records, each once, the trap first and controls last.
pub(super) fn arms<'a>(records: impl Iterator<Item = &'a Record>) -> Vec<(&'a str, Role)> {
    let mut arms: Vec<(&str, Role)> = Vec::new();
    for record in records {
        if !arms.iter().any(|(known, _)| *known == record.variant) {
            arms.push((&record.variant, record.role));
        }
    }
    arms.sort_by_key(|(_, role)| *role);
    arms
}

/// Why cells are empty, the variants of one reason together.
pub(super) fn reasons(missing: &[(&str, Missing)]) -> Vec<String> {
    let mut reasons: Vec<(&Missing, Vec<&str>)> = Vec::new();
    for (variant, why) in missing {
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, variants)) => variants.push(variant),
            None => reasons.push((why, vec![variant])),
        }
    }
    reasons.iter().map(|(m, variants)| format!("{}: {} ({})", m.word, m.why, variants.join(", "))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_that_touch_overlap() {
        assert!(overlap([1.0, 1.1, 1.2], [1.2, 1.3, 1.4]));
        assert!(!overlap([1.0, 1.1, 1.2], [1.21, 1.3, 1.4]));
        assert!(overlap([1.0, 2.0, 3.0], [1.4, 1.5, 1.6]));
    }
}
