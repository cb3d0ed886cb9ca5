//! Lesson 3: values boxed behind a trait. What does a virtual call cost, and is it the call?
//!
//! Fee rules of four kinds in a random order, summed up: as `Box<dyn Rule>` and as an enum, each as it comes and sorted by
//! kind, and as a `Vec` a kind with no dispatch at all. If the call itself were the cost, sorting would not help.
//!
//! Run it: `cargo run --release --example 03_boxing`

use trapline::lab::glance::{Look, glance, table};
use trapline::traps::boxed_trait::TRAP;

fn main() -> Result<(), String> {
    println!("expected: the enum beats the boxes by little, for it has the same branch to");
    println!("          guess, and by more where boxes lie shuffled in memory; sorting helps");
    println!("          wherever kinds are mixed, and does nothing for one kind; the floor, a");
    println!("          Vec a kind, wins everywhere");
    for point in TRAP.points.iter().filter(|p| p.n == 100_000) {
        let looks = glance(&TRAP, point)?;
        println!("\nsaw at {point}:\n{}{}", table(&looks), parts(&looks));
    }
    println!();
    println!("An indirect call that is predicted costs about as much as a direct one; one that");
    println!("is not empties the pipeline. And neither lets the loop be compiled as one. So");
    println!("ask first whether the kinds can be kept apart, and only then how they are");
    println!("dispatched. `cargo bench -- boxed_trait` gives intervals; in its instructions,");
    println!("which know nothing of prediction, sorting does not show. Next: 04_pooling.");
    Ok(())
}

// Step by step from the trap to the floor: the three factors multiply to the floor's.
fn parts(looks: &[Look]) -> String {
    let ratio = |name: &str| looks.iter().find(|l| l.variant == name).map_or(f64::NAN, |l| l.ratio);
    let [sorted, inline, floor] = ["boxed_sorted", "enum_sorted", "vec_a_kind"].map(ratio);
    let [pointer, dispatch] = [inline / sorted, floor / inline];
    format!("  sorting {sorted:.2}x, then in line {pointer:.2}x, then no dispatch {dispatch:.2}x")
}
