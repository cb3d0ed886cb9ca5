//! A benchmark is a test: before anything is timed, all variants of a trap at a point must give one digest.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use thiserror::Error;

use super::progress::Progress;
use crate::trap::{Point, Routine, Shape, Stream, Trap, Variant, Work};

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
        point: String,
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
        point: String,
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

impl Sound {
    /// The place of its point among the trap's.
    pub(in crate::lab) fn place_in(&self, trap: &Trap) -> usize {
        trap.points.iter().position(|p| *p == self.point).unwrap_or_default()
    }
}

/// Whether a routine gives this digest also in a process of its own.
///
/// # Errors
/// If it does not.
pub(in crate::lab) fn agrees(routine: &mut dyn Routine, expected: u64) -> Result<(), String> {
    let digest = routine.digest();
    if digest == expected {
        return Ok(());
    }
    Err(format!("refused: its digest is {digest:016x} in this process and was {expected:016x} in the check"))
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
    for variant in trap.variants_at(point).filter(|v| v.name != baseline.name && v.is_built_at(point)) {
        let (_, seen) = look(trap, variant, point)?;
        if seen.digest != first.digest {
            let (trap, point, baseline, variant) = (trap.name, point.to_string(), baseline.name, variant.name);
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

impl Seen {
    // Of what is no run.
    const fn of_answer(digest: u64) -> Self {
        Self { digest, shape: Shape::Alone, ns: 0.0 }
    }
}

/// Ops of a stream, before its answer is asked for.
const SERVED: u64 = 1_000;
/// Ops that are held, to see that they can be: nothing but what is left of them could be compared.
const HELD: u64 = 8;

// What was looked at, and what was seen.
type Look = (Option<Box<dyn Routine>>, Seen);

fn look(trap: &Trap, variant: &Variant, point: &Point) -> Result<Look, Refusal> {
    let look = AssertUnwindSafe(|| match (variant.stream, variant.hold) {
        (Some(stream), _) if point.every.is_some() => (None, Seen::of_answer(served(stream(point), point.n))),
        (_, Some(hold)) if point.held => {
            hold(point)(HELD.min(point.n));
            (None, Seen::of_answer(0))
        }
        _ => run(variant, point),
    });
    let refusal = |why| Refusal::Panicked { trap: trap.name, point: point.to_string(), variant: variant.name, why };
    catch_unwind(look).map_err(|panic| refusal(said(panic.as_ref())))
}

fn run(variant: &Variant, point: &Point) -> Look {
    let mut routine = (variant.batch)(point);
    let digest = routine.digest();
    let seen = Seen { digest, shape: routine.shape(), ns: routine.block(Work::Runs(1)).ns_per_run };
    (Some(routine), seen)
}

// The answer after some ops that nothing paces.
fn served(mut stream: Box<dyn Stream>, n: u64) -> u64 {
    (0..n.min(SERVED)).for_each(|_| stream.op(Instant::now()));
    stream.end().answer
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
