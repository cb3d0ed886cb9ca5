//! Lesson 9: the tail, and who measures it. A mean hides a wait that is long and rare; does a load generator hide it as well?
//!
//! Somebody walks a map of 100 000 sessions each 20 ms, under its lock or in chunks. A writer wants the same lock each 20 µs. It
//! is timed twice. In an *open* loop a write is due whether or not the one before it is done, as requests are, and it is timed
//! from when it was due. In a *closed* loop the next write is sent when the last one has come back, and each is timed from
//! when it was sent: so do most load generators, and while they wait they do not ask. That is coordinated omission.
//!
//! Run it: `cargo run --release --example 09_tail_latency`

use std::time::{Duration, Instant};

use trapline::routine::place;
use trapline::trap::{Point, Stream};
use trapline::traps::locked_iteration::TRAP;

const WARM_UP: usize = 2_000;
const LATE: Duration = Duration::from_micros(100);

/// What is timed of each write.
type Loop = fn(&mut dyn Stream, Duration, usize) -> Vec<Duration>;

fn open(stream: &mut dyn Stream, every: Duration, ops: usize) -> Vec<Duration> {
    let mut due = Instant::now();
    let mut op = |_| {
        due += every;
        wait_until(due);
        stream.op(due);
        due.elapsed()
    };
    (0..ops).map(&mut op).collect()
}

fn closed(stream: &mut dyn Stream, every: Duration, ops: usize) -> Vec<Duration> {
    let mut op = |_| {
        let sent = Instant::now();
        stream.op(sent);
        let took = sent.elapsed();
        wait_until(sent + every);
        took
    };
    (0..ops).map(&mut op).collect()
}

/// Spins: who sleeps wakes late, and that would be the result.
fn wait_until(due: Instant) {
    while Instant::now() < due {}
}

struct Seen {
    mean: f64,
    p50: f64,
    p99: f64,
    max: f64,
    late: f64,
}

fn us(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e3
}

fn summary(mut took: Vec<Duration>) -> Seen {
    took.sort_unstable();
    let quantile = |share: f64| us(took[(share * (took.len() - 1) as f64) as usize]);
    let late = took.iter().filter(|took| **took > LATE).count() as f64 / took.len() as f64;
    let mean = us(took.iter().sum()) / took.len() as f64;
    Seen { mean, p50: quantile(0.5), p99: quantile(0.99), max: quantile(1.0), late: 100.0 * late }
}

/// Builds the arm, walker and all, and times the writer.
fn time(arm: &str, point: &Point, time: Loop) -> Result<Seen, String> {
    let build = TRAP.variant(arm).and_then(|variant| variant.stream).ok_or(format!("{arm} has no stream"))?;
    let every = Duration::from_nanos(point.every.unwrap_or_default().into());
    let mut stream = build(point);
    time(stream.as_mut(), every, WARM_UP);
    let seen = summary(time(stream.as_mut(), every, point.len()));
    stream.end();
    Ok(seen)
}

fn main() -> Result<(), String> {
    let point = TRAP.points.iter().find(|p| p.every.is_some()).ok_or("the trap has no paced point")?;
    place::pin(true);
    place::sit(0);
    println!("A writer each 20 us, beside a walk over 100 000 sessions each 20 ms.");
    println!("expected: p50 knows nothing of the walk. In the open loop one write in seven is due in");
    println!("          a walk: the p99 of `walk_locked` is as long as the walk, some ms, and ten times");
    println!("          its mean. The closed loop sends one write into each walk, and none of those that");
    println!("          were due meanwhile: one late write in a thousand, a mean of some us and a p99");
    println!("          that is fine. Only its max knows");
    println!(
        "\nsaw, in us:\n  {:<14} {:<7} {:>8} {:>8} {:>8} {:>8}  later than 100 us",
        "", "", "mean", "p50", "p99", "max"
    );
    let mut tails = Vec::new();
    for arm in ["walk_locked", "walk_chunks", "nobody_walks"] {
        for (name, kind) in [("open", open as Loop), ("closed", closed)] {
            let Seen { mean, p50, p99, max, late } = time(arm, point, kind)?;
            println!("  {arm:<14} {name:<7} {mean:>8.2} {p50:>8.2} {p99:>8.2} {max:>8.0}  {late:>8.2} %");
            tails.push(p99);
        }
    }
    println!(
        "\nThe p99 of the open loop is {:.0} times that of the closed one, of one lock and one",
        tails[0] / tails[1]
    );
    println!("walk. In chunks, with the lock handed over between two, it is {:.0} times shorter.", tails[0] / tails[2]);
    println!();
    println!("An arm runs once here, on a machine that has pauses of its own: `nobody_walks`");
    println!("shows how many. `cargo bench --bench latency -- locked_iteration` has eight");
    println!("processes of each, and says of which quantiles there are too few. Next: 10_channels.");
    Ok(())
}
