//! Lesson 2: growing a Vec without its size. How many times does it grow, and what does that cost?
//!
//! A Vec that is pushed to doubles its capacity when it is full: a new block, and a copy of all elements unless the
//! allocator can extend the old one in place. The number of growths is exact and the same everywhere; the time is not. Nor is
//! the number of moves: it depends on what lies behind the buffer.
//!
//! Run it: `cargo run --release --example 02_growing`

use trapline::lab::glance::{glance, table};
use trapline::trap::{Point, Trap};
use trapline::traps::vec_growth::{TRAP, count_moves};

/// How often a Vec of `n` u64 pushed one by one changes its capacity.
fn growths(n: u64) -> u64 {
    let mut kept = Vec::new();
    let mut growths = 0;
    for element in 0..n {
        let before = kept.capacity();
        kept.push(element);
        growths += u64::from(kept.capacity() != before);
    }
    growths
}

/// Growths by arithmetic: the first capacity is 4 for elements of this size, and each growth doubles it.
fn expected_growths(n: u64) -> u64 {
    u64::from((n.max(1).div_ceil(4)).next_power_of_two().ilog2()) + 1
}

fn main() -> Result<(), String> {
    println!("Growths of a Vec that is pushed to, and moves of its buffer:");
    for n in [100, 10_000, 50_000, 100_000] {
        let (expected, saw) = (expected_growths(n), growths(n));
        let moves = count_moves(&(0..n).collect::<Vec<_>>(), 0);
        println!("  n = {n:>7}: expected {expected:>2} growths, saw {saw:>2}, of which {moves} moved the buffer");
    }

    println!();
    println!("expected: at 100 a size stated first wins, for few records pay for every growth;");
    println!("          at 50 000 plain ones much less, since glibc extends a large block in");
    println!("          place or remaps it. Records that own memory pay for that in all arms.");
    println!("          The floor is the copying alone, into a buffer that is there");
    for point in TRAP.points.iter().filter(|p| p.n == 100 || p.n == 50_000) {
        look(&TRAP, point)?;
    }
    println!();
    println!("`reserve_exact_one` is the advice overdone, and left out at 50 000. All this is");
    println!("one process and one link, so believe a factor of two and not one of 1.05: `cargo");
    println!("bench -- vec_growth` relinks ten times, starts each link four times, and says");
    println!("how sure it is. Next: 03_boxing.");
    Ok(())
}

fn look(trap: &Trap, point: &Point) -> Result<(), String> {
    let looks = glance(trap, point)?;
    print!("\nsaw at {point} (an op is {}):\n{}", trap.op, table(&looks));
    Ok(())
}
