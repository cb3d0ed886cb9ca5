//! What the parent tells a process, and what it is told.

use serde::{Deserialize, Serialize};

use crate::lab::session::ring::{Blocks, Taken};

/// The argument that makes the bench target a fork.
pub(super) const FORK: &str = "--trapline-fork";
/// The arm that is the trap once more, from a preparation of its own.
pub(super) const SAME: &str = "same";

/// What a process is to measure: points of one trap.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Plan {
    /// The trap's name.
    pub(super) trap: String,
    /// Where its heap's blocks lie within a cache line.
    pub(super) class: usize,
    /// Whether threads are pinned.
    pub(super) pinned: bool,
    /// Where.
    pub(super) points: Vec<PointPlan>,
}

/// What a process is to measure at one point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PointPlan {
    /// The place of the point among the trap's.
    pub(super) point: usize,
    /// The digest that every arm must give.
    pub(super) digest: u64,
    /// Names of variants, or of controls.
    pub(super) arms: Vec<String>,
    /// How long its blocks are.
    pub(super) blocks: Blocks,
    /// How many rounds: the same in every process.
    pub(super) rounds: usize,
    /// A layout measures it in one pass of so many.
    pub(super) every: usize,
}

impl PointPlan {
    /// Whether a layout's process of this pass measures it. The layouts take turns, so that passes take about as long and a bad
    /// minute hits no point alone.
    pub(super) fn has_turn(&self, layout: usize, pass: usize) -> bool {
        (layout + pass).is_multiple_of(self.every)
    }
}

/// What a process tells.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Message {
    /// It prepares this arm: whatever happens next is the arm's fault.
    Prepares {
        /// The place of the point in the plan.
        at: usize,
        /// The arm.
        arm: String,
    },
    /// It will not time this arm.
    Refuses {
        /// The place of the point in the plan.
        at: usize,
        /// The arm.
        arm: String,
        /// Why not.
        why: String,
    },
    /// All arms of the point are prepared: the rounds begin.
    Measures {
        /// The place of the point in the plan.
        at: usize,
    },
    /// What each arm took.
    Measured {
        /// The place of the point in the plan.
        at: usize,
        /// By arm.
        arms: Vec<(String, Taken)>,
    },
}
