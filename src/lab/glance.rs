//! One look at a trap in this process: what the tutorial uses, and what to use while writing a trap of your own.
//!
//! All variants run in interleaved rounds, like in one fork of the ratio instrument. But it is one process and one link, and
//! these decide the number: a glance shows a factor of two, not one of 1.05, and nothing of it is fit to be cited.

use std::time::Duration;

use super::ratio::ring::{Block, Limits, Ring};
use super::stats::median;
use crate::trap::{Point, Role, Trap};

const LIMITS: Limits = Limits {
    budget: Duration::from_millis(200),
    planted_budget: Duration::ZERO,
    block: Duration::from_micros(100),
    team_block: Duration::from_millis(4),
    crowd_block: Duration::from_millis(10),
    fewest: 5,
    most: 51,
};

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

/// Looks at a trap at one point.
///
/// # Errors
/// If the variants do not all give one digest, or the compiler removed the work of one: a sentence that says which.
pub fn glance(trap: &Trap, point: &Point) -> Result<Vec<Look>, String> {
    let mut ring = Ring::default();
    let expected = (trap.baseline().batch)(point).digest();
    for variant in trap.variants {
        let mut routine = (variant.batch)(point);
        if routine.digest() != expected {
            return Err(format!("{} and {} do not do the same work", variant.name, trap.baseline().name));
        }
        let block = Block::calibrate(routine.as_mut(), LIMITS.shortest_block(point))?;
        ring.enter(variant.name, routine, block);
    }
    let ns: Vec<_> = ring.rounds(&LIMITS).iter().map(|arm| median(&arm.times)).collect();
    Ok(looks(trap, point, &ns))
}

fn looks(trap: &Trap, point: &Point, ns: &[f64]) -> Vec<Look> {
    let base = trap.variants.iter().zip(ns).find(|(v, _)| v.role == Role::Trap).map_or(f64::NAN, |(_, ns)| *ns);
    let look = |(variant, ns): (&crate::trap::Variant, &f64)| Look {
        variant: variant.name,
        role: variant.role,
        ns_per_op: ns / point.n as f64,
        ratio: base / ns,
    };
    trap.variants.iter().zip(ns).map(look).collect()
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
