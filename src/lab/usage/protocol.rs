//! What the parent tells a process, and what it is told.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::reading::Reading;

/// The argument that makes the bench target a process that is measured.
pub(super) const ROLE: &str = "--trapline-usage";

/// What a process is to do: one arm at one point.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Plan {
    /// The trap's name.
    pub(super) trap: String,
    /// The place of the point among the trap's.
    pub(super) point: usize,
    /// The variant's name.
    pub(super) variant: String,
    /// The digest that it must give, where it runs a routine.
    pub(super) digest: u64,
    /// Whether threads are pinned.
    pub(super) pinned: bool,
    /// The cgroup that it is to enter, if the point has a quota.
    pub(super) group: Option<PathBuf>,
}

/// What a process tells.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Message {
    /// It will not be measured.
    Refuses {
        /// Why not.
        why: String,
    },
    /// Before and after a block.
    Used {
        /// Ops of the block.
        ops: f64,
        /// Before it.
        before: Box<Reading>,
        /// After it.
        after: Box<Reading>,
    },
    /// On the way to what is held.
    Held {
        /// Ops from one reading to the next.
        step: f64,
        /// A reading after each step.
        readings: Vec<Reading>,
    },
}
