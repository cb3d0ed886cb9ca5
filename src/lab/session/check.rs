//! A benchmark is a test: before anything is timed, all variants of a trap at a point must give one digest.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use thiserror::Error;

use super::progress::Progress;
use crate::trap::{Point, Trap, Variant};

/// Why a trap is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Two variants do different work.
    #[error(
        "{trap} at {point}: {variant} gives the digest {digest:016x} where {baseline} gives {expected:016x}: they do not do \
         the same work, so nothing of {trap} is timed"
    )]
    Disagree {
        /// The trap.
        trap: &'static str,
        /// The point.
        point: Point,
        /// The trap's own variant.
        baseline: &'static str,
        /// Its digest.
        expected: u64,
        /// The other variant.
        variant: &'static str,
        /// The other digest.
        digest: u64,
    },
    /// A variant panicked.
    #[error("{trap} at {point}: {variant} panicked before anything was timed: {why}")]
    Panicked {
        /// The trap.
        trap: &'static str,
        /// The point.
        point: Point,
        /// The variant.
        variant: &'static str,
        /// What it said.
        why: String,
    },
}

/// Runs every variant of a trap once at each of these points, and gives the digest of each point.
///
/// # Errors
/// If a variant gives another digest than the trap, or panics.
pub fn agreement<'a>(trap: &Trap, points: impl IntoIterator<Item = &'a Point>) -> Result<Vec<u64>, Refusal> {
    points.into_iter().map(|point| agree(trap, point)).collect()
}

fn agree(trap: &Trap, point: &Point) -> Result<u64, Refusal> {
    let baseline = trap.baseline();
    let expected = digest(trap, baseline, point)?;
    for variant in trap.variants.iter().filter(|v| v.name != baseline.name) {
        let digest = digest(trap, variant, point)?;
        if digest != expected {
            let (trap, point, baseline, variant) = (trap.name, *point, baseline.name, variant.name);
            return Err(Refusal::Disagree { trap, point, baseline, expected, variant, digest });
        }
    }
    Ok(expected)
}

fn digest(trap: &Trap, variant: &Variant, point: &Point) -> Result<u64, Refusal> {
    let run = AssertUnwindSafe(|| (variant.batch)(point).digest());
    let refusal = |why| Refusal::Panicked { trap: trap.name, point: *point, variant: variant.name, why };
    catch_unwind(run).map_err(|panic| refusal(said(panic.as_ref())))
}

/// What a panic said.
#[must_use]
pub fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("no message").to_owned()
}

/// What the check found: digests of the sound traps, and why the others are refused.
#[derive(Clone, Debug, Default)]
pub struct Checked<'a> {
    /// By trap name: the digest at each of the checked points.
    pub digests: HashMap<&'static str, Vec<u64>>,
    /// The traps that nothing is measured of.
    pub refused: Vec<(&'a Trap, Refusal)>,
}

/// Checks these traps at these of their points.
#[must_use]
pub fn all<'a>(traps: &[&'a Trap], points: impl Fn(&Trap) -> Vec<Point>, progress: &Progress) -> Checked<'a> {
    let mut checked = Checked::default();
    for &trap in traps {
        progress.say(&format!("checking that all variants of {} agree", trap.name));
        match agreement(trap, &points(trap)) {
            Ok(digests) => drop(checked.digests.insert(trap.name, digests)),
            Err(refusal) => checked.refused.push((trap, refusal)),
        }
    }
    checked
}
