//! Lesson 5: collecting results over a channel. How large must a unit of work be before the channel does not matter?
//!
//! One worker or two do units of work; their results come back over a channel, or each goes into the slot that waits for it.
//! A message costs a fixed time, so its share depends on the unit. `channel_drained` sends as well, and receives at the end:
//! the difference is the receiver that takes each result as it comes.
//!
//! Run it: `cargo run --release --example 05_fan_in`

use std::time::Instant;

use trapline::lab::glance::{Look, glance, table};
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
    println!("expected: with one worker hardly anything, for the receiver has a core of its own;");
    println!("          with two on two cores a few per cent, for it takes time from a worker;");
    println!("          at 10 us nothing. Vectors of the workers' own are the floor");
    for point in TRAP.points.iter().filter(|p| p.n == 1_000) {
        let looks = glance(&TRAP, point)?;
        print!("\nsaw at {point}:\n{}", table(&looks));
        let [slots, drained] = ["indexed_slots", "channel_drained"].map(|name| removed(&looks, name));
        println!("  of the run, slots remove {slots:.0} %, and receiving at the end {drained:.0} %");
    }
    println!();
    println!("Beside two workers the receiver is a third thread, as it is in Go. If a share is");
    println!("negative here, the machine was busy: `cargo bench -- fan_in` tells with an");
    println!("interval. Next: 06_shared_maps.");
    Ok(())
}

fn removed(looks: &[Look], variant: &str) -> f64 {
    let ratio = looks.iter().find(|look| look.variant == variant).map_or(f64::NAN, |look| look.ratio);
    100.0 * (1.0 - 1.0 / ratio)
}
