//! Lesson 4: pooling, and when it loses. From what size on is a kept buffer worth it, and what does a lock cost?
//!
//! A service encodes a response as JSON: into a fresh buffer, into one that the thread keeps (what Go's `sync.Pool` is
//! nearest to), into one from a pool under one lock, or into one that the caller owns. What is kept saves an allocation and
//! its growth; the pool pays for that with a lock, twice a response.
//!
//! Run it: `cargo run --release --example 04_pooling`

use trapline::lab::glance::{Look, glance, table};
use trapline::traps::buffer_pool::TRAP;

fn main() -> Result<(), String> {
    println!("expected: the thread's own buffer wins where a fresh one has to grow, and by");
    println!("          less the more there is to encode; the pool, which takes a lock twice a");
    println!("          response, gains less, and at 24 B nothing; `to_writer` into an empty");
    println!("          buffer is no fix at all");
    let mut kept = Vec::new();
    for point in TRAP.points.iter().filter(|p| p.threads == 1) {
        let looks = glance(&TRAP, point)?;
        print!("\nsaw at {point}:\n{}", table(&looks));
        kept.push((point.case, ["thread_local", "object_pool"].map(|name| ratio(&looks, name))));
    }
    println!("\nagainst a fresh buffer:");
    for (case, [own, pool]) in kept {
        println!("  {case:>6}: a thread's own {own:.2}x ({}), the pool {pool:.2}x ({})", word(own), word(pool));
    }
    println!();
    println!("`to_writer_empty` is what people write to \"avoid the allocation\": it starts");
    println!("smaller than `to_vec` and grows more often. On one thread nobody else asks for");
    println!("the pool's lock; `cargo bench -- buffer_pool` has two. A kept buffer stays as");
    println!("large as the largest body made it, which the bytes held in its heap");
    println!("counts show. And it comes back dirty: clear it, or the last customer's data goes");
    println!("out again. Next: 05_fan_in.");
    Ok(())
}

fn ratio(looks: &[Look], variant: &str) -> f64 {
    looks.iter().find(|look| look.variant == variant).map_or(f64::NAN, |look| look.ratio)
}

// A glance can't tell less than this from nothing.
fn word(ratio: f64) -> &'static str {
    match ratio {
        r if r > 1.2 => "worth it",
        r if r < 1.0 / 1.2 => "it loses",
        _ => "too close",
    }
}
