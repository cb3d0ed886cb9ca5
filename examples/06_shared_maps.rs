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
    println!("This machine has {cores} cores. More threads do not contend more, they wait more.");
    println!("expected: on one thread there is nothing to win; hammered by several, shards win");
    println!("          by multiples and get most of the way to the floor, a map of fixed keys and");
    println!("          atomic counters; readers-writer locks stay near the mutexes; with 500");
    println!("          ns of own work between operations most of it is gone");
    let mut found = Vec::new();
    for point in TRAP.points.iter().filter(|p| p.case.starts_with("reads=99")) {
        let looks = glance(&TRAP, point)?;
        print!("\nsaw at {point}:\n{}", table(&looks));
        found.push((point, best(&looks)));
    }
    println!("\nthe fastest of the maps that take any key:");
    for (point, look) in found {
        println!("  {:<36} {:<20} {:.2}x", point.to_string(), look.variant, look.ratio);
    }
    println!();
    println!("\"It depends\" has a sentence here: on how many threads hammer the map at once,");
    println!("and on what they do in between. `cargo bench -- contended_map` has more writes");
    println!("and inserts as well, and says where it turns, with intervals. Next:");
    println!("07_your_own_trap.");
    Ok(())
}

// Ties go to the first, which is the trap.
fn best(looks: &[Look]) -> Look {
    let maps = looks.iter().filter(|l| l.role != Role::Floor);
    let fastest = maps.reduce(|best, look| if look.ratio > best.ratio * 1.05 { look } else { best });
    fastest.cloned().unwrap_or_else(|| looks[0].clone())
}
