//! One measurement of one variant at one point, or why there is none.

use serde::{Deserialize, Serialize};

use crate::trap::{Instrument, Point, Role, Trap, Variant};

/// Variance components of the logarithm of a ratio: what one layout, one process of it and one median over rounds add. The
/// processes' part has the rounds' in it no more.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variance {
    /// Between layouts; null with one process a layout, where it can't be told from the processes'.
    pub layouts: Option<f64>,
    /// Between processes of one layout.
    pub processes: f64,
    /// Of the median over the rounds of one process.
    pub rounds: f64,
}

/// One measurement of one variant at one point, or why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The trap's name.
    pub trap: String,
    /// Ops in one run.
    pub n: u64,
    /// Threads that share them.
    pub threads: usize,
    /// The point's case; empty if it has none.
    pub case: String,
    /// Whether the point carries claims.
    pub headline: bool,
    /// The variant's name, or the control's: `same`, `planted_5_percent`.
    pub variant: String,
    /// The variant's part.
    pub role: Role,
    /// What measured it.
    pub instrument: Instrument,
    /// What was measured, such as `ratio` or `blocks`; null in a record that says why there is none.
    pub metric: Option<String>,
    /// The unit: `ratio`, `ns`, `bytes`, `count`.
    pub unit: Option<String>,
    /// The estimate.
    pub value: Option<f64>,
    /// Lower end of the 95 % interval; for exact counts, the smallest count seen.
    pub low: Option<f64>,
    /// Upper end of the 95 % interval; for exact counts, the largest count seen.
    pub high: Option<f64>,
    /// The value of each layout, the median of its processes; of each count, for exact counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<f64>,
    /// The value of each process by layout, in the order of the passes; of the ratio instrument only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub processes: Vec<Vec<f64>>,
    /// How many rounds each process made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounds: Option<usize>,
    /// Where the scatter of a ratio comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variance: Option<Variance>,
    /// The id of the run.
    pub run: String,
    /// Why it was not measured, and how to get it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Why the instrument can't see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blind: Option<String>,
}

/// Trap, n, threads, case, variant, instrument.
pub type Cell<'a> = (&'a str, u64, usize, &'a str, &'a str, Instrument);

impl Record {
    /// A record with no value yet.
    #[must_use]
    pub fn of(trap: &str, point: &Point, variant: &str, role: Role, instrument: Instrument, run: &str) -> Self {
        Self {
            trap: trap.into(),
            n: point.n,
            threads: point.threads,
            case: point.case.into(),
            headline: point.headline,
            variant: variant.into(),
            role,
            instrument,
            metric: None,
            unit: None,
            value: None,
            low: None,
            high: None,
            samples: Vec::new(),
            processes: Vec::new(),
            rounds: None,
            variance: None,
            run: run.into(),
            skipped: None,
            failed: None,
            blind: None,
        }
    }

    /// A record of a stated variant, with no value yet.
    #[must_use]
    pub fn of_variant(trap: &Trap, point: &Point, variant: &Variant, instrument: Instrument, run: &str) -> Self {
        Self::of(trap.name, point, variant.name, variant.role, instrument, run)
    }

    /// The same record with a measurement: `value` within `low` … `high`.
    #[must_use]
    pub fn measured(self, metric: &str, unit: &str, [low, value, high]: [f64; 3], samples: Vec<f64>) -> Self {
        let (metric, unit) = (Some(metric.into()), Some(unit.into()));
        Self { metric, unit, value: Some(value), low: Some(low), high: Some(high), samples, ..self }
    }

    /// The same record, not measured for this reason.
    #[must_use]
    pub fn skipped(self, why: impl Into<String>) -> Self {
        Self { skipped: Some(why.into()), ..self }
    }

    /// The same record, failed for this reason.
    #[must_use]
    pub fn failed(self, why: impl Into<String>) -> Self {
        Self { failed: Some(why.into()), ..self }
    }

    /// The same record, of an instrument that can't see the trap for this reason.
    #[must_use]
    pub fn blind(self, why: impl Into<String>) -> Self {
        Self { blind: Some(why.into()), ..self }
    }

    /// The point, as `n=…,threads=…,case`.
    #[must_use]
    pub fn point(&self) -> String {
        let mut point = format!("n={}", self.n);
        if self.threads > 1 {
            point.push_str(&format!(",threads={}", self.threads));
        }
        if !self.case.is_empty() {
            point.push_str(&format!(",{}", self.case));
        }
        point
    }

    /// Whether both are of one variant at one point by one instrument: a new measurement takes the place of the old one.
    #[must_use]
    pub fn same_cell(&self, other: &Self) -> bool {
        self.cell() == other.cell()
    }

    /// What it is of: the trap, the point, the variant and the instrument.
    #[must_use]
    pub fn cell(&self) -> Cell<'_> {
        (&self.trap, self.n, self.threads, &self.case, &self.variant, self.instrument)
    }
}
