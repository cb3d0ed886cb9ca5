//! # A channel with no room, or too much
//!
//! A channel has no room, so that each message waits for its receiver, or so much that nobody hears of a slow one.
//!
//! ## In Go
//!
//! ```go
//! messages := make(chan message) // or make(chan message, 10_000), to be on the safe side
//! go func() {
//!     for m := range messages {
//!         serve(m)
//!     }
//! }()
//! messages <- m // waits until somebody takes it
//! ```
//!
//! ## In Rust
//!
//! `crossbeam_channel::bounded` with 0, 8, 16 and 10 000 slots: one body, and the capacity is the variant. Alike: a send
//! without room waits for its receiver, a stall of the receiver reaches the sender unless the slots can take what comes
//! meanwhile, and a large buffer takes at once what is served much later. Only similar, and stronger here, is the rendezvous: a
//! goroutine that meets nobody is put aside by the runtime, and both sides may be on one thread. Here a *thread* parks in
//! the kernel. A channel with slots spins some µs before it parks; one without parks at once, since crossbeam-channel 0.5.14.
//!
//! There is no floor: without a hand-over nothing of this trap would be left to time.
//!
//! ## Why it costs
//!
//! Flat out, a rendezvous makes two threads wait for each other at each message, and one of them mostly sleeps: a call into
//! the kernel to wake it, and a core that has to come out of its halt. With slots, a sender fills them while the receiver is
//! at work, and neither sleeps as long as both are as fast.
//!
//! At a rate that the receiver can carry, it is idle and parked when a message comes, and the sender pays for the wake-up at
//! *any* capacity: no buffer removes that. What a buffer removes is the wait for a stalled receiver, if it is as deep as the
//! stall is long: 2.5 ms more at 200 µs a message are 12.5 messages, more than 8 slots and less than 16.
//!
//! What it does not remove is the message's own wait. Message by message, the lateness of the send and the time in the queue
//! add up to the time until it is received, and so do their means (quantiles do not). A buffer moves the wait to where nobody
//! looks. Under overload there is no end to it, and few slots add wake-ups to it.
//!
//! Expected: flat out, 8 slots are faster by 10 to 100 times. In `stalls` the median of the send is alike at all capacities,
//! and its p99 is 1 to 2.4 ms without slots, less than 1 ms at 8, and about the median at 16. In `overload` p99 of the queue
//! is 25 ms at 10 000 and growing with n, and half a ms at 16, where the sends are late by the rest.
//!
//! ## When the fix loses
//!
//! - When the sender must know that its message was taken: a rendezvous says so, a slot does not.
//! - When bursts are longer than the buffer: 8 slots and none are then much alike.
//! - When the receiver is too slow for good: no capacity helps, and the larger one hides it longer.
//! - When messages hold something scarce: what lies in a buffer is held.
//!
//! ## What to measure it with
//!
//! Latency, at both ends: the send's, from when the message was due, and the time in the queue after it. Time, flat out: a
//! run goes from the first send until the receiver has seen a mark behind the last message, for which the sender spins.
//! Usage for the CPU time and the switches a message. Heap counts are blind, for the buffer is allocated before the clock;
//! instructions as well, for callgrind runs one thread at a time.
//!
//! ## Sources
//!
//! - Hoare, "Communicating Sequential Processes", CACM 21(8), 1978, for the channel without room
//! - crossbeam-channel, `src/flavors/zero.rs`, `src/flavors/array.rs`, `src/context.rs` and CHANGELOG.md at 0.5.14
//! - Go runtime, `chansend` and `chanrecv` in `runtime/chan.go`
//! - Nichols and Jacobson, "Controlling Queue Delay", ACM Queue 10(5), 2012
//! - Tene, "How NOT to Measure Latency", on coordinated omission: why a send is late from when it was due

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::yield_now;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, bounded};
use crossbeam_utils::CachePadded;

use crate::trap::{Ended, Helper, Instrument, Point, Routine, Stream, Trap, Variant, gather, stream};
use crate::workload::{POOL, STEPS_PER_MICROSECOND, Shifted, Turns, Windows, own_work, rng, shared};

/// What the receiver is sent.
#[derive(Clone, Copy, Debug)]
pub enum Sent {
    /// A message.
    Payload(u64),
    /// The mark behind the last message of a run, with the run's number.
    Mark(u64),
}

/// What the receiver has seen, on lines of its own: the sum of all payloads, and the last mark. The mark is written only after
/// the sum, and nothing is written in between: whoever spins on it disturbs nobody.
#[derive(Debug, Default)]
pub struct Seen {
    sum: AtomicU64,
    mark: AtomicU64,
}

impl Seen {
    /// Spins until this mark was seen: to be woken by a reply would cost as much as many messages. It yields now and then, for a
    /// machine with one core.
    fn wait_for(&self, mark: u64) -> u64 {
        let mut looks = 0_u32;
        while self.mark.load(Ordering::Acquire) != mark {
            looks = looks.wrapping_add(1);
            if looks.is_multiple_of(256) {
                yield_now();
            }
        }
        self.sum.load(Ordering::Relaxed)
    }
}

/// The receiver: so many steps of own work a message.
pub fn receive(messages: &Receiver<Sent>, steps: u32, seen: &Seen) {
    let (work, mut sum) = (Turns::of(steps), 0_u64);
    for message in messages {
        match message {
            Sent::Payload(payload) => {
                work.take(payload);
                sum = sum.wrapping_add(payload);
            }
            Sent::Mark(mark) => {
                seen.sum.store(std::mem::take(&mut sum), Ordering::Relaxed);
                seen.mark.store(mark, Ordering::Release);
            }
        }
    }
}

/// A channel and the thread at its other end, which ends when the sender has gone.
#[derive(Debug)]
pub struct Line {
    // Dropped before its helper, which waits for that.
    messages: Sender<Sent>,
    seen: Arc<CachePadded<Seen>>,
    _receiver: Helper,
}

impl Line {
    // Code of rendezvous and slots_8.
    /// A channel with room for so many messages.
    #[must_use]
    pub fn with_room_for(capacity: usize, steps: u32) -> Self {
        let (messages, received) = bounded(capacity);
        let seen = Arc::new(CachePadded::new(Seen::default()));
        let theirs = Arc::clone(&seen);
        Self { messages, seen, _receiver: Helper::beside(1, move || receive(&received, steps, &theirs)) }
    }

    // Code of rendezvous and slots_8.
    /// Sends these payloads with so many steps of own work before each, and waits until all are served. Gives the sum of what
    /// was received.
    pub fn send_all(&self, payloads: &[u64], steps: u32, mark: u64) -> u64 {
        let (work, send) = (Turns::of(steps), |sent| self.messages.send(sent).expect("the receiver lives"));
        for &payload in payloads {
            work.take(payload);
            send(Sent::Payload(payload));
        }
        send(Sent::Mark(mark));
        self.seen.wait_for(mark)
    }
}

/// A message, and when it was due to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Due(Instant, u64);

impl Due {
    fn late(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// How long a message is served, in steps of own work: of a fixed count, for a clock would count the time in which the
/// receiver did not run. So is a stall. A sleep would give the core away, which is something else.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    steps: u32,
    stall: u32,
}

/// Each message of this number is a stall, where there are stalls.
pub const STALLS_EACH: usize = 250;

impl Service {
    fn of(p: &Point) -> Self {
        let (service, stall) = match p.case {
            "stalls" => (100, 2_500),
            "overload" => (30, 0),
            _ => (0, 0),
        };
        Self { steps: service * STEPS_PER_MICROSECOND, stall: stall * STEPS_PER_MICROSECOND }
    }

    fn steps_of(self, number: usize) -> u32 {
        self.steps + if number.is_multiple_of(STALLS_EACH) { self.stall } else { 0 }
    }
}

/// The receiver of timed messages: writes down how long after its due time it has each, and serves it. Gives the sum of the
/// payloads.
pub fn receive_timed(messages: &Receiver<Due>, service: Service, received: &mut Vec<u64>) -> u64 {
    let (mut sum, mut last) = (0_u64, 0);
    for message in messages {
        received.push(message.late());
        last = own_work(service.steps_of(received.len()), message.1 ^ last);
        sum = sum.wrapping_add(message.1);
    }
    sum
}

/// Room for twice as many ops as are timed, for others warm it up. It was written before, so that no page of it is touched for the
/// first time at a send.
fn written_before(p: &Point) -> Vec<u64> {
    let mut room = vec![1; 2 * p.len()];
    room.clear();
    room
}

/// Times in the queue, from the end of each send until its message is received: 0 where the receiver was first.
fn waits(received: &[u64], done: &[u64]) -> Vec<u64> {
    received.iter().zip(done).map(|(received, done)| received.saturating_sub(*done)).collect()
}

/// Each run sends the next payloads of a supply.
fn payloads(p: &Point) -> Windows<u64> {
    let mut rng = rng(30);
    Windows::of(Shifted::new((0..POOL).map(|_| rng.u64()).collect()), p.len())
}

/// An arm: the caller sends, and the helper at the other end sleeps between two blocks.
fn batch(p: &Point, capacity: usize) -> Box<dyn Routine> {
    let steps = if p.case == "work=1us" { STEPS_PER_MICROSECOND } else { 0 };
    let (payloads, mut mark) = (shared(p, payloads), 0);
    let nobody = |_: &Line, (): &(), _: usize| ();
    gather(
        0,
        Line::with_room_for(capacity, steps),
        |_| (),
        nobody,
        move |line, (), _| {
            mark += 1;
            line.send_all(payloads.window(mark as usize - 1), steps, mark)
        },
    )
}

/// What is timed one by one: the sends, and beside them how long each message was in the queue.
fn paced(p: &Point, capacity: usize) -> Box<dyn Stream> {
    let ((messages, incoming), (tell, told)) = (bounded(capacity), bounded(1));
    let (service, mut received) = (Service::of(p), written_before(p));
    let receiver = Helper::beside(1, move || {
        let sum = receive_timed(&incoming, service, &mut received);
        // Who asks for it may have gone.
        let _ = tell.send((sum, received));
    });
    let mut payloads = rng(30);
    let send = move |(messages, done, _): &mut (Sender<Due>, Vec<u64>, Helper), due| {
        let due = Due(due, payloads.u64());
        messages.send(due).expect("the receiver lives");
        done.push(due.late());
    };
    // The sender is dropped before its helper, which waits for that.
    stream((messages, written_before(p), receiver), send, move |(messages, done, _receiver)| {
        drop(messages);
        let (answer, received) = told.recv().expect("the receiver tells what it has seen");
        Ended { answer, queued: waits(&received, &done), shed: 0 }
    })
}

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "channel_buffering",
    title: "A channel with no room, or too much",
    section: "concurrency",
    habit: "make a channel without room, as is the default, or with room for 10 000, to be on the safe side",
    claims: &["E2", "E3", "E4"],
    counts: "messages",
    op: "one message sent, and received on another thread",
    points: &[
        Point::n(256).threads(2).case("flat_out").headline(),
        Point::n(256).threads(2).case("work=1us"),
        Point::n(2_500).threads(2).case("stalls").every(200_000).headline(),
        Point::n(5_000).threads(2).case("overload").every(25_000).headline(),
    ],
    cases: &[
        ("flat_out", "messages are sent as fast as they go, and ask for no work"),
        ("work", "own work before each send, and as much at each receipt"),
        ("stalls", "a message each 200 µs, served for about 100 µs, and each 250th for 2.5 ms more"),
        ("overload", "a message each 25 µs, served for about 30 µs: more than the receiver can carry"),
    ],
    variants: &[
        // Code of rendezvous.
        Variant::trap("rendezvous", |p| batch(p, 0)).stream(|p| paced(p, 0)),
        // Code of slots_8.
        Variant::fix("slots_8", |p| batch(p, 8)).stream(|p| paced(p, 8)),
        Variant::fix("slots_16", |p| batch(p, 16)).stream(|p| paced(p, 16)),
        Variant::opposite("slots_10000", |p| batch(p, 10_000)).stream(|p| paced(p, 10_000)),
    ],
    blind: &[
        (Instrument::Heap, "the buffer is allocated outside the clock"),
        (Instrument::Instructions, "two threads: callgrind runs one at a time and sees no waiting"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routine::{Shape, Work};

    const CAPACITIES: [usize; 4] = [0, 8, 16, 10_000];

    #[test]
    fn every_capacity_loses_and_doubles_nothing_in_any_run() {
        for (n, case) in [(1, "flat_out"), (8, "flat_out"), (17, "work=1us"), (100, "flat_out")] {
            let p = Point::n(n).threads(2).case(case);
            let sums = |run| payloads(&p).window(run).iter().fold(0_u64, |sum, payload| sum.wrapping_add(*payload));
            for capacity in CAPACITIES {
                let line = Line::with_room_for(capacity, 0);
                for run in 0..3 {
                    let sum = line.send_all(payloads(&p).window(run), 0, run as u64 + 1);
                    assert_eq!(sum, sums(run), "{capacity} slots at {p}, run {run}");
                }
                assert_eq!(batch(&p, capacity).digest(), sums(0), "{capacity} slots at {p}");
            }
        }
    }

    #[test]
    fn all_arms_do_fixed_work_and_the_receiver_ends_with_them() {
        for variant in TRAP.variants {
            let mut routine = (variant.batch)(&Point::n(32).threads(2).case("flat_out"));
            assert_eq!((routine.shape(), routine.block(Work::Runs(3)).runs), (Shape::Gather, 3), "{}", variant.name);
            // Joins: a deadlock if the sender went after its helper.
            drop(routine);
        }
    }

    fn ended(p: &Point, capacity: usize, ops: usize) -> Ended {
        let mut stream = paced(p, capacity);
        (0..ops).for_each(|_| stream.op(Instant::now()));
        stream.end()
    }

    #[test]
    fn every_stream_answers_with_the_sum_of_its_payloads_and_a_time_for_each() {
        let mut rng = rng(30);
        let sum = (0..40).fold(0_u64, |sum, _| sum.wrapping_add(rng.u64()));
        for p in TRAP.points.iter().filter(|p| p.every.is_some()) {
            for capacity in CAPACITIES {
                let ended = ended(p, capacity, 40);
                assert_eq!((ended.answer, ended.queued.len(), ended.shed), (sum, 40, 0), "{capacity} slots at {p}");
            }
        }
    }

    #[test]
    fn a_stream_that_is_dropped_ends_its_receiver() {
        drop(paced(&TRAP.points[2], 8));
    }

    #[test]
    fn a_message_that_was_received_before_its_send_was_done_has_waited_for_nothing() {
        assert_eq!(waits(&[5, 70, 30], &[9, 20, 30]), [0, 50, 0]);
    }

    #[test]
    fn a_stall_is_more_than_eight_messages_long_and_less_than_sixteen() {
        let p = TRAP.points.iter().find(|p| p.case == "stalls").expect("there is such a point");
        let service = Service::of(p);
        assert!(service.steps_of(1) == service.steps && service.steps_of(STALLS_EACH) == service.steps + service.stall);
        let every = p.every.expect("it is paced") / 1_000 * STEPS_PER_MICROSECOND;
        assert!((9..16).contains(&(service.stall / every)) && service.steps < every);
        let overload = Service::of(&TRAP.points[3]);
        assert_eq!((overload.steps_of(STALLS_EACH), overload.stall), (30 * STEPS_PER_MICROSECOND, 0));
    }

    #[test]
    fn what_is_written_before_holds_all_ops_and_their_warm_up() {
        for p in TRAP.points.iter().filter(|p| p.every.is_some()) {
            let every = u64::from(p.every.expect("it is paced"));
            let warm = (p.n / 10).max(50_000_000 / every);
            let room = written_before(p);
            assert!(room.is_empty() && room.capacity() as u64 >= p.n + warm, "{p}");
        }
    }
}
