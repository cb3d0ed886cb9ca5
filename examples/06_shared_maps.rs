//! Lesson 6: one mutex around a hot map. Does a sharded map win, and under what load?
//!
//! The advice "use a sharded map" was measured with threads that do nothing but hammer the map. Services do other work
//! between two look-ups. So this lesson looks at both.
//!
//! Run it: `cargo run --release --example 06_shared_maps`

use trapline::lab::glance::{Look, glance, table};
use trapline::trap::Role;
use trapline::traps::contended_map::TRAP;

fn main() -> Result<(), String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("This machine has {cores} cores. Threads beyond them do not contend more, they wait more.");
    println!(
        "expected: on one thread the plain mutex ties or wins; hammered by several, shards win, by more on more cores; with 500 ns"
    );
    println!("          of own work between operations the choice of map does not show");
    let mut found = Vec::new();
    for point in TRAP.points.iter().filter(|p| p.threads <= 8 && p.case.starts_with("reads=99")) {
        let looks = glance(&TRAP, point)?;
        println!("\nsaw at {point}:\n{}", table(&looks));
        found.push((point, best(&looks)));
    }
    println!("the fastest of the maps that are shared:");
    for (point, look) in found {
        println!("  {point:<40} {:<20} {:.2}x", look.variant, look.ratio);
    }
    println!();
    println!(
        "\"It depends\" has a sentence here: on how many threads hammer the map at once, and on what they do in between."
    );
    println!("`cargo bench -- contended_map` says where it turns, with intervals. Next: 07_your_own_trap.");
    Ok(())
}

// Ties go to the first, which is the trap.
fn best(looks: &[Look]) -> Look {
    let shared = looks.iter().filter(|l| l.role != Role::Floor);
    let fastest = shared.reduce(|best, look| if look.ratio > best.ratio * 1.05 { look } else { best });
    fastest.cloned().unwrap_or_else(|| looks[0].clone())
}
