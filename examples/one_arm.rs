//! A second tool's handle on a number that surprises, and no lesson: one arm of one trap, run after run.
//!
//! Put a tool before it that sees what the clock doesn't. It takes the names that `cargo bench -- --list` prints:
//!
//! ```text
//! cargo build --release --examples
//! strace -c -f target/release/examples/one_arm deep_recursion/grown/n=100000,stack=2MiB 10
//! perf stat -e faults,context-switches target/release/examples/one_arm … 1000
//! perf record target/release/examples/one_arm … 100000; perf annotate
//! ```
//!
//! Two numbers of runs give the cost of one by their difference, without what it takes to build the arm. Its own time is of one
//! process and one link: a check that it is the arm that surprised, and no number to cite.

use trapline::catalog::find;
use trapline::routine::place;
use trapline::trap::Work;

fn main() -> Result<(), String> {
    let mut given = std::env::args().skip(1);
    let name = given.next().unwrap_or("vec_growth/push_unsized/n=100,plain".into());
    let runs = given.next().unwrap_or("1000".into());
    let runs: u32 = runs.parse().map_err(|_| format!("{runs} is no number of runs"))?;
    let unknown = || format!("there is no {name}: take a name that cargo bench -- --list prints");
    let [trap, variant, point] = name.splitn(3, '/').collect::<Vec<_>>().try_into().map_err(|_| unknown())?;
    let trap = find(trap).ok_or_else(unknown)?;
    let point = trap.points.iter().find(|p| p.to_string() == point).ok_or_else(unknown)?;
    let variant = trap.variants_at(point).find(|v| v.name == variant).ok_or_else(unknown)?;
    place::pin(true);
    let pace = (variant.batch)(point).block(Work::Runs(runs.into()));
    println!("{name}: {} runs, {:.1} ns an op", pace.runs, pace.ns_per_run / point.n as f64);
    Ok(())
}
