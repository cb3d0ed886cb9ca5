//! One look at a trap in this process: what the tutorial uses, and what to use while writing a trap of your own.
//!
//! All variants run in interleaved rounds, like in one fork of the ratio instrument. But it is one process and one link, and
//! these decide the number: a glance shows a factor of two, not one of 1.05, and nothing of it is fit to be cited.

use std::time::Duration;

use super::session::ring::{Block, Blocks, Ring};
use super::stats::median;
use crate::routine::place;
use crate::trap::{Point, Role, Shape, Trap, Variant};

const ROUNDS: usize = 9;
const ALONE: Duration = Duration::from_micros(100);
const WINDOW: Duration = Duration::from_millis(2);
const WAITING: Duration = Duration::from_millis(4);

/// What one variant took.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// The variant's name.
    pub variant: &'static str,
    /// Its part.
    pub role: Role,
    /// ns for each op.
    pub ns_per_op: f64,
    /// The trap's time ÷ this one's: above 1 means that this one is faster.
    pub ratio: f64,
}

/// Looks at a trap at one point, with threads pinned like those of the lab's own processes.
///
/// # Errors
/// If the variants do not all give one digest, or the compiler removed the work of one: a sentence that says which.
pub fn glance(trap: &Trap, point: &Point) -> Result<Vec<Look>, String> {
    place::pin(true);
    let looks = look(trap, point);
    place::pin(false);
    place::release();
    looks
}

fn look(trap: &Trap, point: &Point) -> Result<Vec<Look>, String> {
    let mut ring = Ring::default();
    let expected = (trap.baseline().batch)(point).digest();
    for variant in trap.variants_at(point) {
        let mut routine = (variant.batch)(point);
        if routine.digest() != expected {
            return Err(format!("{} and {} do not do the same work", variant.name, trap.baseline().name));
        }
        let blocks = blocks(routine.shape(), point.threads);
        let block = Block::calibrate(routine.as_mut(), blocks)?;
        ring.enter(variant.name, routine, block);
    }
    let ns: Vec<_> = ring.rounds(ROUNDS).iter().map(|(_, taken)| median(&taken.ns)).collect();
    Ok(looks(trap, point, &ns))
}

fn blocks(shape: Shape, threads: usize) -> Blocks {
    match shape {
        Shape::Alone => Blocks::AtLeast(ALONE),
        Shape::Team if threads <= place::available() => Blocks::Window(WINDOW),
        _ => Blocks::AtLeast(WAITING),
    }
}

fn looks(trap: &Trap, point: &Point, ns: &[f64]) -> Vec<Look> {
    let variants: Vec<&Variant> = trap.variants_at(point).collect();
    let base = variants.iter().zip(ns).find(|(v, _)| v.role == Role::Trap).map_or(f64::NAN, |(_, ns)| *ns);
    let look = |(variant, ns): (&&Variant, &f64)| Look {
        variant: variant.name,
        role: variant.role,
        ns_per_op: ns / point.n as f64,
        ratio: base / ns,
    };
    variants.iter().zip(ns).map(look).collect()
}

/// A table of looks, one line each.
#[must_use]
pub fn table(looks: &[Look]) -> String {
    let line = |look: &Look| {
        let Look { variant, role, ns_per_op, ratio } = look;
        format!("  {variant:<20} {:<8} {ns_per_op:>10.2} ns/op {ratio:>8.2}x\n", role.word())
    };
    looks.iter().map(line).collect()
}
