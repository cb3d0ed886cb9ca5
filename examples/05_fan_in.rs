//! Lesson 5: collecting results over a channel. How large must a unit of work be before the channel does not matter?
//!
//! Two workers do units of work; their results come back over a channel, or each goes into the slot that waits for it. A
//! message costs a fixed time, so its share depends on the unit.
//!
//! Run it: `cargo run --release --example 05_fan_in`

use std::time::Instant;

use trapline::lab::glance::{glance, table};
use trapline::traps::fan_in::TRAP;
use trapline::workload::{STEPS_PER_MICROSECOND, own_work};

/// ns that the nominal microsecond of work takes on this machine.
fn unit_ns() -> f64 {
    const UNITS: u32 = 10_000;
    let start = Instant::now();
    for unit in 0..UNITS {
        let _ = own_work(STEPS_PER_MICROSECOND, u64::from(unit));
    }
    start.elapsed().as_nanos() as f64 / f64::from(UNITS)
}

fn main() -> Result<(), String> {
    let unit = unit_ns();
    println!("The unit \"1us\" takes {unit:.0} ns here, so two cores could finish one every {:.0} ns.", unit / 2.0);
    println!(
        "expected: the channel adds its share to units of 1 us and next to nothing to units of 10 us; slots come close to the"
    );
    println!("          static split, which is the floor");
    for point in TRAP.points.iter().filter(|p| p.n == 1000) {
        let looks = glance(&TRAP, point)?;
        println!("\nsaw at {point}:\n{}", table(&looks));
        let slots = looks.iter().find(|l| l.variant == "indexed_slots").map_or(f64::NAN, |l| l.ratio);
        println!("  share of the run that slots remove: {:.0} %", 100.0 * (1.0 - 1.0 / slots));
    }
    println!();
    println!(
        "The receiver is a third thread on the cores of two workers, as it is in Go. If the share is negative here, the machine"
    );
    println!("was busy: `cargo bench -- fan_in` tells with an interval. Next: 06_shared_maps.");
    Ok(())
}
