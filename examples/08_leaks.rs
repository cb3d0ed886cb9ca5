//! Lesson 8: a worker that nobody ends. What does a leak cost, and what would have caught it?
//!
//! A request starts a worker, which answers and then waits for the next job. If the sender stays in a registry that nobody
//! empties, the worker waits for good: a thread a request, with its stack and all that it keeps. The process grows in a
//! straight line, which a look at one moment can't show and a slope does. In a test the guard of `lab::leak` says it at once.
//!
//! Run it: `cargo run --release --example 08_leaks`

#[cfg(target_os = "linux")]
fn main() {
    linux::lesson();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("This lesson reads /proc, and so needs Linux.");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::time::Duration;

    use trapline::lab::leak::Guard;
    use trapline::lab::stats::line;
    use trapline::trap::{Point, Variant};
    use trapline::traps::leaked_worker::TRAP;

    const STEP: u64 = 25;
    const STEPS: u64 = 8;

    pub(super) fn lesson() {
        println!("expected: never_closed adds a thread a request, and its 64 KiB, its stack and some KiB more;");
        println!("          closed adds nothing");
        for variant in TRAP.variants.iter().take(2) {
            watch(variant);
        }
        println!("\nThe same work, watched by the guard as a test would:");
        for variant in TRAP.variants.iter().take(2) {
            println!("  {}: {}", variant.name, judged(variant));
        }
        println!("\nRSS shows what was touched: not the 2 MiB that a stack reserves, nor what the kernel");
        println!("keeps of a thread. `cargo bench --bench usage -- leaked_worker` gives the slope of 1000");
        println!("requests with an interval. Next: 09_tail_latency.");
    }

    fn watch(variant: &Variant) {
        let point = Point::n(STEP * STEPS).case("held=64KiB").held();
        let Some(mut hold) = variant.hold.map(|hold| hold(&point)) else { return };
        println!("\nsaw of {}:\n  requests  threads  RSS", variant.name);
        let mut seen = Vec::new();
        for step in 1..=STEPS {
            hold(STEP);
            let (requests, rss) = (step * STEP, rss());
            println!("  {requests:8}  {:7}  {:.1} MiB", threads(), rss / 1024.0 / 1024.0);
            seen.push((requests as f64, rss));
        }
        let slope = line(&seen[3..]).map_or(f64::NAN, |line| line.slope);
        println!("  a request adds {:.1} KiB, by the second half", slope / 1024.0);
    }

    fn judged(variant: &Variant) -> String {
        let point = Point::n(3).case("bare").held();
        let Some(hold) = variant.hold else { return "nothing to hold".into() };
        let held = Guard::new().settle(Duration::from_millis(200)).watch(|| {
            let mut hold = hold(&point);
            hold(3);
            // Forgotten, as a registry that lives as long as the process would be.
            std::mem::forget(hold);
        });
        held.map_or_else(|leaks| leaks.to_string(), |()| "no thread is left behind".into())
    }

    fn threads() -> usize {
        fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
    }

    fn rss() -> f64 {
        let text = fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
        let kib =
            text.lines().find_map(|line| line.strip_prefix("Rss:")?.trim().strip_suffix(" kB")?.trim().parse().ok());
        kib.map_or(f64::NAN, |kib: f64| 1024.0 * kib)
    }
}
