//! An estimate with its interval, as a record has it.

use super::rounds::rounded;
use crate::record::Record;

/// The record of an estimate, rounded to what files hold. Too few samples for an interval still have a value, but no ends.
pub(in crate::lab) fn estimated(
    cell: &Record,
    (metric, unit): (&str, &str),
    interval: Option<[f64; 3]>,
    value: f64,
    samples: Vec<f64>,
) -> Record {
    let ends = interval.unwrap_or([value; 3]).map(rounded);
    let record = cell.clone().measured(metric, unit, ends, samples.into_iter().map(rounded).collect());
    if interval.is_some() { record } else { Record { low: None, high: None, ..record } }
}
