//! What the parent tells a process, and what it is told.

use serde::{Deserialize, Serialize};

use super::quantile::Quantile;

/// The argument that makes the bench target a process that is timed.
pub(super) const ROLE: &str = "--trapline-latency";
/// The arm of the empty op.
pub(super) const HICCUPS: &str = "hiccups";

/// What a process is to do: one arm at one paced point.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Plan {
    /// The trap's name.
    pub(super) trap: String,
    /// The place of the point among the trap's.
    pub(super) point: usize,
    /// The variant's name, or the control's.
    pub(super) arm: String,
    /// Where its heap's blocks lie within a cache line.
    pub(super) class: usize,
    /// Whether threads are pinned.
    pub(super) pinned: bool,
}

/// What one process timed. Times in ns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Timed {
    /// Why it could not carry the rate, if so.
    pub(super) behind: Option<String>,
    /// From due to done.
    pub(super) late: Spread,
    /// In a queue, where there is one.
    pub(super) queued: Option<Spread>,
    /// Time in ops ÷ time.
    pub(super) busy_share: f64,
    /// Times that the kernel took the CPU away ÷ ops.
    pub(super) switched_share: Option<f64>,
    /// Ops that were turned away ÷ ops.
    pub(super) drop_rate: f64,
}

/// What is told of many values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Spread {
    /// In the order of [`QUANTILES`](super::quantile::QUANTILES).
    pub(super) quantiles: Vec<Quantile>,
    /// The mean.
    pub(super) mean: f64,
    /// The largest.
    pub(super) max: u64,
    /// Pairs of value and count, to two digits.
    pub(super) histogram: Vec<(u64, u64)>,
}
