//! Lesson 7: your own trap. State it once, look at it here, then let the lab measure it.
//!
//! The suspicion: a service joins words with `text = text + word + " "` through `format!`, and each step copies all that was
//! joined before. The claim to test: a buffer that grows is faster, and the more so the longer the text.
//!
//! Run it: `cargo run --release --example 07_your_own_trap`

use trapline::lab::glance::{glance, table};
use trapline::trap::{Point, Trap, Variant, in_place, routine};
use trapline::workload::rng;

// The three ways, as plain functions that could stand in a service.

fn join_by_format(words: &[String]) -> String {
    words.iter().fold(String::new(), |text, word| format!("{text}{word} "))
}

fn join_by_push(words: &[String]) -> String {
    let mut text = String::new();
    join_into(&mut text, words);
    text
}

fn join_into(text: &mut String, words: &[String]) {
    text.clear();
    for word in words {
        text.push_str(word);
        text.push(' ');
    }
}

// The input: seeded, so that every variant joins the same words.

fn words(point: &Point) -> Vec<String> {
    let mut rng = rng(1);
    (0..point.n).map(|_| "x".repeat(1 + rng.index(11))).collect()
}

// The trap itself: constant data. One op is one unit of n, here one word.

const TRAP: Trap = Trap {
    name: "join_by_format",
    title: "Joining words through format!",
    section: "memory",
    habit: "join strings in a loop with +=, which copies all that was joined before",
    claims: &[],
    counts: "words",
    op: "one word joined",
    points: &[Point::n(10), Point::n(100), Point::n(1000).headline()],
    cases: &[],
    variants: &[
        Variant::trap("join_by_format", |p| routine(words(p), |words| join_by_format(words))),
        Variant::fix("join_by_push", |p| routine(words(p), |words| join_by_push(words))),
        Variant::floor("join_into_kept", |p| {
            in_place((words(p), String::new()), |(words, text)| join_into(text, words), |(_, text)| text)
        }),
    ],
    blind: &[],
};

fn main() -> Result<(), String> {
    println!("expected: all variants agree; the ratio grows with n, because the trap copies n words n times");
    let mut ratios = Vec::new();
    for point in TRAP.points {
        let looks = glance(&TRAP, point)?;
        println!("\nsaw at {point}:\n{}", table(&looks));
        ratios.push(looks[1].ratio);
    }
    let trend = if ratios.is_sorted() { "it grows" } else { "it does not grow steadily" };
    println!("the fix at 10, 100 and 1000 words: {ratios:.1?}: {trend}");

    println!();
    println!(
        "For a number to cite, give the trap to the lab. In your crate's Cargo.toml, a [[bench]] named ratio with harness = false,"
    );
    println!("and in benches/ratio.rs:");
    println!();
    println!("    fn main() -> std::process::ExitCode {{");
    println!("        trapline::lab::ratio::main(&[my_crate::TRAP])");
    println!("    }}");
    println!();
    println!("heap, instructions and time are targets of the same kind: each is one call of its own module's main.");
    println!(
        "`cargo bench` then relinks, forks, checks that all variants agree, and reports. The book's chapter \"Your own trap\" has more."
    );
    Ok(())
}
