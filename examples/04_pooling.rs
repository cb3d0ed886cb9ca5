//! Lesson 4: pooling, and when it loses. From what size on is a pooled buffer worth its lock?
//!
//! A service encodes a response as JSON: into a fresh buffer, into one from a pool, into one that the thread keeps, or into
//! one that the caller owns. The pool saves an allocation and pays for a lock and a reset.
//!
//! Run it: `cargo run --release --example 04_pooling`

use trapline::lab::glance::{Look, glance, table};
use trapline::trap::Role;
use trapline::traps::buffer_pool::TRAP;

fn main() -> Result<(), String> {
    println!(
        "expected: the pool loses at 16 B, where a small malloc is cheaper than its lock, and wins a little where the fresh"
    );
    println!(
        "          buffer has to grow; encoding itself drowns both at 64 KiB. A buffer of the thread's own never pays for a lock"
    );
    let mut pool = Vec::new();
    for point in TRAP.points.iter().filter(|p| p.threads == 1) {
        let looks = glance(&TRAP, point)?;
        println!("\nsaw at {point}:\n{}", table(&looks));
        pool.push((point.case, advice(&looks)));
    }
    println!("the pool against a fresh buffer:");
    for (size, ratio) in pool {
        println!("  {size:>6}: {ratio:.2}x, {}", word(ratio));
    }
    println!();
    println!(
        "`to_writer_empty` is what people write to \"avoid the allocation\": it starts smaller than `to_vec` and grows more often."
    );
    println!(
        "And a pooled buffer comes back dirty: clear it, or the last customer's data goes out again. Next: 05_fan_in."
    );
    Ok(())
}

// The first fix is the advice.
fn advice(looks: &[Look]) -> f64 {
    looks.iter().find(|l| l.role == Role::Fix).map_or(f64::NAN, |l| l.ratio)
}

// A glance can't tell less than this from nothing.
fn word(ratio: f64) -> &'static str {
    match ratio {
        r if r > 1.2 => "worth it",
        r if r < 1.0 / 1.2 => "it loses",
        _ => "no difference that one process can show",
    }
}
