//! What a Go file says of itself: its arms, by point.

use serde::Deserialize;

use crate::record::Record;
use crate::trap::{Instrument, Point, Role};

/// The arm that is the trap once more.
const SAME: &str = "same";

/// An arm at a point, as the Go binary lists it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Twin {
    /// The trap.
    pub trap: String,
    /// Ops in one run.
    pub n: u64,
    /// Goroutines that share them.
    pub threads: usize,
    /// The point's case.
    pub case: String,
    /// Whether the point carries claims.
    pub headline: bool,
    /// The arm.
    pub variant: String,
    /// Its part.
    pub role: Role,
    /// Its answer in hexadecimal, where it was asked for and there is one.
    #[serde(default)]
    pub answer: Option<String>,
    /// Why its answer can't be held against Rust's.
    #[serde(default)]
    pub unanswered: Option<String>,
}

impl Twin {
    /// The trap's control: beside itself.
    pub(super) fn same(&self) -> Self {
        Self { variant: SAME.into(), role: Role::Control, ..self.clone() }
    }

    /// Whether both are arms of one point.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        let point = |twin: &Self| (twin.trap.clone(), twin.n, twin.threads, twin.case.clone());
        point(self) == point(other)
    }

    /// Whether a record is of it, or of the control beside it.
    pub(super) fn is_of(&self, record: &Record) -> bool {
        let here = (record.n, record.threads) == (self.n, self.threads) && record.case == self.case;
        let arm = record.variant == self.variant || record.role == Role::Control;
        record.trap == self.trap && here && arm
    }

    /// Its point, as the lab writes them.
    pub(super) fn point(&self) -> String {
        self.cell("").point()
    }

    /// A record of it with no value yet.
    pub(super) fn cell(&self, run: &str) -> Record {
        let point = Point::n(self.n).threads(self.threads);
        let record = Record::of(&self.trap, &point, &self.variant, self.role, Instrument::Go, run);
        Record { case: self.case.clone(), headline: self.headline, ..record }
    }
}
