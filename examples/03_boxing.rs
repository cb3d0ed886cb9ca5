//! Lesson 3: values boxed behind a trait. What does a virtual call cost, and is it the call?
//!
//! Four kinds of fee rule in a random order, summed up: as `Box<dyn Rule>`, as an enum, as boxes sorted by kind, and as one
//! kind with no dispatch at all. If the call itself were the cost, sorting would not help.
//!
//! Run it: `cargo run --release --example 03_boxing`

use trapline::lab::glance::{Look, glance, table};
use trapline::traps::boxed_trait::TRAP;

fn main() -> Result<(), String> {
    println!(
        "expected: the enum beats the boxes by little, for it has the same branch to guess; sorting beats both, for then the"
    );
    println!(
        "          predictor guesses right; one kind is the floor. Boxes that lie shuffled in memory cost more, sorted or not"
    );
    for point in TRAP.points.iter().filter(|p| p.n == 100_000) {
        let looks = glance(&TRAP, point)?;
        println!("\nsaw at {point}:\n{}", table(&looks));
        println!("  {}", judged(&looks));
    }
    println!();
    println!(
        "An indirect call that is predicted costs about as much as a direct one; one that is not costs a pipeline. So ask first"
    );
    println!("whether the kinds can be kept apart, and only then how they are dispatched.");
    println!(
        "`cargo bench -- boxed_trait` gives intervals; `cargo bench --bench instructions -- boxed_trait` counts instructions, which"
    );
    println!("do not know about prediction, and so tell the two costs apart. Next: 04_pooling.");
    Ok(())
}

fn judged(looks: &[Look]) -> String {
    let ratio = |name: &str| looks.iter().find(|l| l.variant == name).map_or(f64::NAN, |l| l.ratio);
    let (enumerated, sorted) = (ratio("enum_kinds"), ratio("boxed_sorted"));
    let which = if sorted > enumerated { "sorting the boxes helps more" } else { "the enum helps more" };
    format!("here {which}: enum {enumerated:.2}x, sorted {sorted:.2}x")
}
