//! # A select that never sleeps
//!
//! A loop asks its channels whether there is something, and where there is nothing it asks again.
//!
//! ## In Go
//!
//! ```go
//! for {
//!     select {
//!     case m := <-messages:
//!         handle(m)
//!     case <-quit:
//!         return
//!     default: // nothing there: round again, at once
//!     }
//! }
//! ```
//!
//! ## In Rust
//!
//! The same, with crossbeam's `select!` and `default`. Alike: such a loop takes a whole core while nothing comes. Only
//! similar: it is easier to avoid here, for std has no select, and a `recv` blocks by itself. `std::thread::yield_now` in the
//! default still burns the core, like `runtime.Gosched`.
//!
//! ## Why it costs
//!
//! The loop does work whose result is nothing. On an idle machine that is CPU time, heat and a core that never halts. On a
//! busy one somebody else pays: the scheduler sees one more thread that wants to run, and gives it its share of what the
//! neighbours had. A blocking select registers with each channel and parks at once; it does not spin first, as `recv` does. So
//! each message that finds it asleep costs a wake-up, which the sender pays and the message waits for.
//!
//! A sleep in `default` gives the core back, and a message then waits for its end. A timeout wakes for nothing, but a message
//! ends it.
//!
//! Expected: while idle the loop takes 1.0 CPUs, the others a fiftieth or less. Beside two busy neighbours on two cores it makes
//! their work take 1.4 to 1.5 times as long; the others tie with the floor. And it hears a message in a fraction of a µs, a
//! blocking select in tens of µs, a sleeping one in a ms: spinning buys latency, on an idle machine.
//!
//! ## When the fix loses
//!
//! - When a message must be heard at once, and the core has nothing else to do.
//! - When messages come so fast that the loop hardly ever finds nothing: then it does not matter how it waits.
//! - When the loop has work of its own for the time between: then `default` is that work, and the loop is right.
//! - When there is one channel: a plain `recv` spins some µs before it parks.
//!
//! ## What to measure it with
//!
//! Usage: CPUs taken while idle. Ratio: the time of the neighbours' units, from the first to the last. Latency: from when a
//! message was due until it is heard. Time is blind, for one process can't average the scheduler over more threads than
//! cores. So are heap counts, for nothing is allocated, and instructions, for a spin would count as work.
//!
//! ## Sources
//!
//! - The Go Programming Language Specification, "Select statements"
//! - crossbeam-channel, `src/select.rs` (`run_select`) and `src/context.rs` (`wait_until`); prctl(2), `PR_SET_TIMERSLACK`
//! - Boguslavsky et al., "Optimal Strategies for Spinning and Blocking", JPDC 21(2), 1994

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, select};
use crossbeam_utils::CachePadded;

use crate::routine::place;
use crate::trap::{Ended, Finish, Helper, Instrument, Point, Routine, Stream, Trap, Variant, gather, stream};
use crate::workload::{STEPS_PER_MICROSECOND, own_work, rng};

/// The trap: with nothing to do it asks again at once.
pub fn select_default<M>(messages: &Receiver<M>, quit: &Receiver<()>, handle: &mut dyn FnMut(M)) {
    loop {
        select! {
            recv(messages) -> message => match message { Ok(message) => handle(message), Err(_) => break },
            recv(quit) -> _ => break,
            default => {}
        }
    }
    messages.try_iter().for_each(handle);
}

/// The advice: no default. It sleeps until there is something.
pub fn select_blocking<M>(messages: &Receiver<M>, quit: &Receiver<()>, handle: &mut dyn FnMut(M)) {
    loop {
        select! {
            recv(messages) -> message => match message { Ok(message) => handle(message), Err(_) => break },
            recv(quit) -> _ => break,
        }
    }
    messages.try_iter().for_each(handle);
}

/// A timeout: wakes for nothing each 3 ms, for whoever has something to look after. It is in step with none of the messages.
pub fn select_timeout<M>(messages: &Receiver<M>, quit: &Receiver<()>, handle: &mut dyn FnMut(M)) {
    loop {
        select! {
            recv(messages) -> message => match message { Ok(message) => handle(message), Err(_) => break },
            recv(quit) -> _ => break,
            default(Duration::from_millis(3)) => {}
        }
    }
    messages.try_iter().for_each(handle);
}

/// What people do first: a sleep in the default.
pub fn select_sleep<M>(messages: &Receiver<M>, quit: &Receiver<()>, handle: &mut dyn FnMut(M)) {
    loop {
        select! {
            recv(messages) -> message => match message { Ok(message) => handle(message), Err(_) => break },
            recv(quit) -> _ => break,
            default => sleep(Duration::from_millis(1)),
        }
    }
    messages.try_iter().for_each(handle);
}

/// A loop that handles messages until it is told to quit, and what has come by then.
type Listen<M> = fn(&Receiver<M>, &Receiver<()>, &mut dyn FnMut(M));

/// A neighbour: units of a microsecond, each of which waits for the last, and a message each thousand.
fn do_units(units: u64, seed: u64, messages: &Sender<u64>) -> u64 {
    let (mut last, mut sum) = (seed, 0_u64);
    for unit in 1..=units {
        last = own_work(STEPS_PER_MICROSECOND, last ^ unit);
        sum = sum.wrapping_add(last);
        if unit.is_multiple_of(1_000) {
            let _ = messages.send(last);
        }
    }
    sum
}

/// Sends a message whenever one is due.
fn tick(n: u64, every: Duration, messages: &Sender<u64>) -> u64 {
    let (start, mut values, mut sum) = (Instant::now(), rng(31), 0_u64);
    sleep_exactly(true);
    for at in 1..=n {
        sleep((every * at as u32).saturating_sub(start.elapsed()));
        let value = values.u64();
        sum = sum.wrapping_add(value);
        let _ = messages.send(value);
    }
    sleep_exactly(false);
    sum
}

/// By default the kernel may let a sleeper lie 50 µs longer, and that would be in every tick. A slack of 0 is the default again.
fn sleep_exactly(yes: bool) {
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_timerslack(yes.into());
    let _ = yes;
}

type Channel<M> = (Sender<M>, Receiver<M>);

/// What is new in each run: its channels, and how many are still at work.
struct Run {
    messages: Channel<u64>,
    quit: Channel<()>,
    sums: Channel<u64>,
    working: CachePadded<AtomicUsize>,
}

/// Workers of which the first listens, if anybody does. The others tick, if it is said how often, or are its neighbours.
struct Site {
    n: u64,
    threads: usize,
    every: Option<Duration>,
    listen: Option<Listen<u64>>,
}

impl Site {
    fn new(p: &Point, listen: Option<Listen<u64>>) -> Self {
        let every = match p.case {
            "idle=1ms" => Some(Duration::from_millis(1)),
            "idle=10ms" => Some(Duration::from_millis(10)),
            _ => None,
        };
        Self { n: p.n, threads: p.threads, every, listen }
    }

    /// There is room for all messages of a run: nobody need listen.
    fn run(&self) -> Run {
        let working = CachePadded::new(AtomicUsize::new(self.threads - 1));
        Run { messages: bounded(1_024), quit: bounded(1), sums: bounded(self.threads), working }
    }

    /// Or what was done: the neighbours' clock does not wait for a listener that sleeps.
    fn answers_what_is_heard(&self) -> bool {
        self.listen.is_some() && self.every.is_some()
    }

    fn work(&self, run: &Run, worker: usize) {
        let sum = match (worker, self.listen, self.every) {
            (0, None, _) => return,
            (0, Some(listen), _) => self.listen(run, listen),
            (_, _, Some(every)) => tick(self.n, every, &run.messages.0),
            (_, _, None) => do_units(self.n, worker as u64, &run.messages.0),
        };
        if (worker == 0) == self.answers_what_is_heard() {
            let _ = run.sums.0.send(sum);
        }
        if worker > 0 && run.working.fetch_sub(1, Ordering::AcqRel) == 1 {
            let _ = run.quit.0.send(());
        }
    }

    /// Beside neighbours with a CPU each the listener has none of its own: pinned to one it would halve that neighbour alone.
    fn listen(&self, run: &Run, listen: Listen<u64>) -> u64 {
        if self.every.is_none() {
            place::release();
        }
        let mut sum = 0_u64;
        listen(&run.messages.1, &run.quit.1, &mut |value| sum = sum.wrapping_add(value));
        sum
    }
}

/// An arm: each worker has one part in each run, and the caller sleeps until it has all sums.
fn batch(p: &Point, listen: Option<Listen<u64>>) -> Box<dyn Routine> {
    let site = Site::new(p, listen);
    let sums = if site.answers_what_is_heard() { 1 } else { p.threads - 1 };
    let collect = move |_: &Site, run: &Run, _: &Finish<'_>| run.sums.1.iter().take(sums).fold(0, u64::wrapping_add);
    gather(p.threads, site, Site::run, Site::work, collect)
}

/// A message behind the instant when it was due to be sent.
type Due = (Instant, u64);

/// With room for the ops and their warm-up, written before, so that no page is touched for the first time later.
fn nothing_heard(p: &Point) -> Ended {
    let mut queued = vec![1; 2 * p.len()];
    queued.clear();
    Ended { answer: 0, queued, shed: 0 }
}

/// Hears a message: the sum of all is the answer, and each was queued from when it was due.
fn hear(heard: &mut Ended, (due, value): Due) {
    heard.queued.push(u64::try_from(due.elapsed().as_nanos()).unwrap_or(u64::MAX));
    heard.answer = heard.answer.wrapping_add(value);
}

/// What is timed one by one: the sends, and beside them how long after it was due each message was heard.
fn paced(p: &Point, listen: Listen<Due>) -> Box<dyn Stream> {
    let ((messages, incoming), (quit, is_told)) = (bounded(128), bounded(1));
    let ((tell, told), mut heard, mut values) = (bounded(1), nothing_heard(p), rng(31));
    let listener = Helper::beside(1, move || {
        listen(&incoming, &is_told, &mut |due| hear(&mut heard, due));
        let _ = tell.send(heard);
    });
    let send = move |(messages, ..): &mut (Sender<Due>, Sender<()>, Helper), due| {
        let _ = messages.send((due, values.u64()));
    };
    // The senders are dropped before the listener, which ends without them.
    stream((messages, quit, listener), send, move |(_messages, quit, _listener)| {
        let _ = quit.send(());
        told.recv().expect("the listener tells what it has heard")
    })
}

/// The floor: nobody waits, and who sends a message takes it out again.
fn paced_alone(p: &Point) -> Box<dyn Stream> {
    let ((messages, incoming), mut values) = (bounded(1), rng(31));
    let send = move |heard: &mut Ended, due| {
        let _ = messages.send((due, values.u64()));
        incoming.try_iter().for_each(|due| hear(heard, due));
    };
    stream(nothing_heard(p), send, |heard| heard)
}

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "busy_select",
    title: "A select that never sleeps",
    section: "concurrency",
    habit: "give a select in a loop an empty default, so that it never waits",
    claims: &["E7"],
    counts: "messages, or units of each neighbour",
    op: "one message heard, or one unit of each neighbour done",
    points: &[
        Point::n(20_000).threads(3).case("neighbours").headline(),
        Point::n(10).threads(2).case("idle=10ms").only(&[Instrument::Usage]).headline(),
        Point::n(100).threads(2).case("idle=1ms").only(&[Instrument::Usage]),
        Point::n(250).threads(2).case("idle=1ms").every(1_000_000),
    ],
    cases: &[
        ("neighbours", "two workers do units of about 1 µs and send a message each 1000 of them, beside a listener"),
        ("idle", "time between two messages, in which the listener has nothing to do"),
    ],
    variants: &[
        Variant::trap("select_default", |p| batch(p, Some(select_default))).stream(|p| paced(p, select_default)),
        Variant::fix("select_blocking", |p| batch(p, Some(select_blocking))).stream(|p| paced(p, select_blocking)),
        Variant::fix("select_timeout", |p| batch(p, Some(select_timeout))).stream(|p| paced(p, select_timeout)),
        Variant::fix("select_sleep", |p| batch(p, Some(select_sleep))).stream(|p| paced(p, select_sleep)),
        Variant::floor("nobody_waits", |p| batch(p, None)).stream(paced_alone),
    ],
    blind: &[
        (Instrument::Time, "more threads than cores: one process can't average the scheduler"),
        (Instrument::Heap, "a message allocates nothing"),
        (Instrument::Instructions, "three threads, and a spin would count as work"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routine::{Shape, Work};

    const LISTENERS: [Listen<u64>; 4] = [select_default, select_blocking, select_timeout, select_sleep];

    fn neighbours(units: u64, threads: usize) -> Point {
        Point::n(units).threads(threads).case("neighbours")
    }

    #[test]
    fn every_loop_hears_all_that_was_sent_before_it_was_told_to_quit() {
        for listen in LISTENERS {
            let ((messages, incoming), (quit, is_told)) = (bounded(100), bounded(1));
            (1..=100_u64).for_each(|value| messages.send(value).expect("there is room"));
            quit.send(()).expect("there is room");
            let (mut sum, mut count) = (0, 0);
            listen(&incoming, &is_told, &mut |value| (sum, count) = (sum + value, count + 1));
            assert_eq!((sum, count), (5_050, 100));
        }
    }

    #[test]
    fn every_loop_ends_when_its_senders_have_gone() {
        for listen in LISTENERS {
            let ((messages, incoming), (quit, is_told)) = (bounded::<u64>(1), bounded(1));
            drop((messages, quit));
            listen(&incoming, &is_told, &mut |value| panic!("nobody sent {value}"));
        }
    }

    #[test]
    fn the_answer_is_what_the_neighbours_did_whoever_listens() {
        for (units, threads) in [(1, 2), (999, 2), (1_000, 3), (2_001, 3), (10, 5)] {
            let p = neighbours(units, threads);
            let (nobody, _kept) = bounded(100);
            let expected =
                (1..threads as u64).fold(0_u64, |sum, seed| sum.wrapping_add(do_units(units, seed, &nobody)));
            for variant in TRAP.variants {
                assert_eq!((variant.batch)(&p).digest(), expected, "{} at {p}", variant.name);
            }
        }
    }

    #[test]
    fn a_neighbour_sends_a_message_each_thousand_units_and_the_last_says_that_all_are_done() {
        let site = Site::new(&neighbours(3_500, 3), None);
        let run = site.run();
        site.work(&run, 2);
        assert!(run.quit.1.is_empty());
        site.work(&run, 1);
        assert_eq!((run.messages.1.len(), run.quit.1.len(), run.sums.1.len()), (6, 1, 2));
    }

    #[test]
    fn while_idle_the_answer_is_what_was_heard_and_of_the_floor_what_was_sent() {
        let p = Point::n(5).threads(2).case("idle=1ms");
        let mut values = rng(31);
        let expected = (0..5).fold(0_u64, |sum, _| sum.wrapping_add(values.u64()));
        for variant in TRAP.variants {
            assert_eq!((variant.batch)(&p).digest(), expected, "{}", variant.name);
        }
    }

    #[test]
    fn a_run_of_ticks_lasts_as_long_as_its_case_says() {
        let (messages, _kept) = bounded(3);
        let start = Instant::now();
        tick(3, Duration::from_millis(10), &messages);
        assert!(start.elapsed() >= Duration::from_millis(30));
        let every = |case| Site::new(&Point::n(1).case(case), None).every.map(|every| every.as_millis());
        assert_eq!(["idle=1ms", "idle=10ms", "neighbours"].map(every), [Some(1), Some(10), None]);
    }

    #[test]
    fn all_arms_do_fixed_work_and_can_be_told_to_quit_in_every_run() {
        for variant in TRAP.variants {
            let mut routine = (variant.batch)(&neighbours(100, 3));
            assert_eq!((routine.shape(), routine.block(Work::Runs(3)).runs), (Shape::Gather, 3), "{}", variant.name);
        }
    }

    #[test]
    fn every_stream_hears_each_message_once_and_ends_its_listener() {
        let p = TRAP.points.iter().find(|p| p.every.is_some()).expect("there is a paced point");
        let mut values = rng(31);
        let expected = (0..300).fold(0_u64, |sum, _| sum.wrapping_add(values.u64()));
        for build in TRAP.variants.iter().filter_map(|v| v.stream) {
            let mut stream = build(p);
            (0..300).for_each(|_| stream.op(Instant::now()));
            let ended = stream.end();
            assert_eq!((ended.answer, ended.queued.len(), ended.shed), (expected, 300, 0));
            // Dropped without an end, it ends as well.
            drop(build(p));
        }
    }
}
