//! Lesson 1: measure first. Which stage of this small service should be mended?
//!
//! A heap profile can answer two questions: who holds memory now, and who has ever asked for it. People look at the first
//! and go after the cache. The allocator is kept busy by the second. This example asks dhat both, stage by stage.
//!
//! Run it: `cargo run --release --example 01_measure_first`

use std::collections::HashMap;
use std::fmt::Write;
use std::hint::black_box;

use dhat::{HeapStats, Profiler};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const REQUESTS: u64 = 20_000;

/// Keeps the last answer of each customer: large, and live for good.
fn fill_cache() -> HashMap<u64, Vec<u8>> {
    (0..500).map(|customer| (customer, vec![1; 4096])).collect()
}

/// Splits a query and owns every part: small, and gone at once.
fn parse(request: u64) -> Vec<String> {
    let query = format!("user={request}&page=1&sort=date");
    query.split('&').map(str::to_owned).collect()
}

/// Writes a line into a buffer that it was given.
fn log(line: &mut String, request: u64) {
    line.clear();
    // Writing to a String can't fail.
    let _ = write!(line, "request {request} done");
}

/// What one stage did to the heap.
struct Seen {
    stage: &'static str,
    asked: u64,
    blocks: u64,
    held: usize,
}

/// Profiles one stage alone; what it returns is dropped after the profile has been read.
fn profile<T>(stage: &'static str, work: impl FnOnce() -> T) -> Seen {
    let profiler = Profiler::builder().testing().trim_backtraces(Some(4)).build();
    let result = black_box(work());
    let stats = HeapStats::get();
    drop(profiler);
    drop(result);
    Seen { stage, asked: stats.total_bytes, blocks: stats.total_blocks, held: stats.max_bytes }
}

fn main() {
    let seen = [
        profile("fill the cache", fill_cache),
        profile("parse requests", || (0..REQUESTS).map(|request| parse(request).len()).sum::<usize>()),
        profile("log requests", || {
            let mut line = String::new();
            (0..REQUESTS).for_each(|request| log(&mut line, request));
            line
        }),
    ];

    println!("{:<16} {:>14} {:>10} {:>14}", "stage", "asked for, B", "blocks", "held at peak, B");
    for Seen { stage, asked, blocks, held } in &seen {
        println!("{stage:<16} {asked:>14} {blocks:>10} {held:>14}");
    }

    let most_held = seen.iter().max_by_key(|s| s.held).map(|s| s.stage);
    let most_asked = seen.iter().max_by_key(|s| s.asked).map(|s| s.stage);
    println!();
    println!(
        "expected: the cache holds the most, and parsing asks for more bytes, in more\n          blocks, than all the rest"
    );
    println!("saw:      {} holds the most, {} asks for the most", most_held.unwrap_or("-"), most_asked.unwrap_or("-"));
    println!();
    println!("Live heap points at the cache, where nothing is wasted. The total points at");
    println!("`parse`: it can borrow its parts (`Vec<&str>`) or visit them without a Vec.");
    println!("Measure the total before you mend anything.");
    println!("Next: 02_growing, for the Vec that parse would still grow.");
}
