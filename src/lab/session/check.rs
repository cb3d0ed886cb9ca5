//! A benchmark is a test: before anything is timed, all variants of a trap at a point must give one digest.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use thiserror::Error;

use super::progress::Progress;
use crate::trap::{Point, Routine, Shape, Trap, Variant, Work};

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

/// What the check found at a point.
#[derive(Clone, Debug)]
pub struct Sound {
    /// The point.
    pub point: Point,
    /// The digest that all variants gave.
    pub digest: u64,
    /// The most that any variant's routine needs: one that waits decides how all of them are timed.
    pub shape: Shape,
    /// ns of one run of each variant: one look, good for planning and for nothing else.
    pub ns: Vec<f64>,
}

/// Runs every variant of a trap at each of these points.
///
/// # Errors
/// If a variant gives another digest than the trap, or panics.
pub fn agreement(trap: &Trap, points: &[Point]) -> Result<Vec<Sound>, Refusal> {
    points.iter().map(|point| agree(trap, point)).collect()
}

fn agree(trap: &Trap, point: &Point) -> Result<Sound, Refusal> {
    let baseline = trap.baseline();
    // It lives until the others have been looked at, so that they share its input and its crew.
    let (_alive, first) = look(trap, baseline, point)?;
    let mut sound = Sound { point: *point, digest: first.digest, shape: first.shape, ns: vec![first.ns] };
    for variant in trap.variants_at(point).filter(|v| v.name != baseline.name) {
        let (_, seen) = look(trap, variant, point)?;
        if seen.digest != first.digest {
            let (trap, point, baseline, variant) = (trap.name, *point, baseline.name, variant.name);
            let (expected, digest) = (first.digest, seen.digest);
            return Err(Refusal::Disagree { trap, point, baseline, expected, variant, digest });
        }
        sound.ns.push(seen.ns);
        if seen.shape.waits() {
            sound.shape = sound.shape.max(seen.shape);
        }
    }
    Ok(sound)
}

struct Seen {
    digest: u64,
    shape: Shape,
    ns: f64,
}

fn look(trap: &Trap, variant: &Variant, point: &Point) -> Result<(Box<dyn Routine>, Seen), Refusal> {
    let run = AssertUnwindSafe(|| {
        let mut routine = (variant.batch)(point);
        let digest = routine.digest();
        let seen = Seen { digest, shape: routine.shape(), ns: routine.block(Work::Runs(1)).ns_per_run };
        (routine, seen)
    });
    let refusal = |why| Refusal::Panicked { trap: trap.name, point: *point, variant: variant.name, why };
    catch_unwind(run).map_err(|panic| refusal(said(panic.as_ref())))
}

/// What a panic said.
#[must_use]
pub fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("no message").to_owned()
}

/// What the check found: the points of sound traps, and why the others are refused.
#[derive(Clone, Debug, Default)]
pub struct Checked<'a> {
    /// By trap name: each of the checked points.
    pub sound: HashMap<&'static str, Vec<Sound>>,
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
            Ok(sound) => drop(checked.sound.insert(trap.name, sound)),
            Err(refusal) => checked.refused.push((trap, refusal)),
        }
    }
    checked
}
