//! Lesson 10: room in a channel. Does a buffer make waiting go away, or does it put it elsewhere?
//!
//! A message is due each 200 µs and takes its consumer 100 µs; each 250th takes 2.5 ms more. A stall of twelve messages' time meets
//! a channel with no room, with 8, 16 and 10 000 places. Two things are timed of each message: how late the *sender* was rid
//! of it, and how long it then lay in the *queue*.
//!
//! Run it: `cargo run --release --example 10_channels`

use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};
use trapline::workload::{STEPS_PER_MICROSECOND, own_work};

const MESSAGES: u32 = 2_500;
const EVERY: Duration = Duration::from_micros(200);

struct Message {
    number: u32,
    due: Instant,
}

/// How long after it was due each message was received. The work is counted, and no clock: a consumer that lost its core
/// would else have done less.
fn consume(messages: &Receiver<Message>) -> Vec<Duration> {
    let receive = |message: Message| {
        let received = message.due.elapsed();
        let stall = if message.number % 250 == 249 { 2_500 } else { 0 };
        let _ = own_work((100 + stall) * STEPS_PER_MICROSECOND, message.number.into());
        received
    };
    messages.iter().map(receive).collect()
}

/// How long after it was due each message was sent, and received. An open loop: a late message makes the next one no later
/// due.
fn run(room: usize) -> (Vec<Duration>, Vec<Duration>) {
    let (send, messages) = bounded(room);
    let consumer = thread::spawn(move || consume(&messages));
    let start = Instant::now() + EVERY;
    let deliver = |number| {
        let due = start + EVERY * number;
        // Spins: who sleeps wakes late.
        while Instant::now() < due {}
        send.send(Message { number, due }).map(|()| due.elapsed())
    };
    let sent = (0..MESSAGES).map_while(|number| deliver(number).ok()).collect();
    drop(send);
    (sent, consumer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}

fn us(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e3
}

fn mean(of: &[Duration]) -> f64 {
    us(of.iter().sum()) / of.len() as f64
}

fn spread(mut of: Vec<Duration>) -> String {
    let mean = mean(&of);
    of.sort_unstable();
    let quantile = |share: f64| us(of[(share * (of.len() - 1) as f64) as usize]);
    format!("{mean:>8.0} {:>8.0} {:>8.0}", quantile(0.5), quantile(0.99))
}

fn main() {
    println!("A message each 200 us, 100 us of work for each, and 2.5 ms more for one in 250.");
    println!("expected: p50 of the send is alike at any room: the consumer sleeps between two");
    println!("          messages, and who sends wakes it. p99 of the send: with no room, and in part");
    println!("          with 8, a stall is the sender's wait; 16 are enough to take it. p99 in the");
    println!("          queue goes the other way. Their sum hardly moves");
    println!("\nsaw, in us:");
    println!("  {:>6}  {:^26}  {:^26}  {:>8}", "", "until it was sent", "then in the queue", "both");
    let columns = format!("{:>8} {:>8} {:>8}", "mean", "p50", "p99");
    println!("  {:>6}  {columns}  {columns}  {:>8}", "room", "mean");
    for room in [0, 8, 16, 10_000] {
        let (sent, received) = run(room);
        // At a hand-over the receiver may be first: then it lay nowhere.
        let queued = received.iter().zip(&sent).map(|(received, sent)| received.saturating_sub(*sent)).collect();
        let both = mean(&received);
        println!("  {room:>6}  {}  {}  {both:>8.0}", spread(sent), spread(queued));
    }
    println!();
    println!("A buffer does not make waiting go away. Message by message the two add up to the");
    println!("time from due to received, which the consumer decides: room moves the wait from the");
    println!("sender, who notices, to the queue, where nobody looks. Behind a consumer that is");
    println!("always too slow 10 000 places hide it until they are full: time what lies in");
    println!("a queue, and not only what it costs to put it there.");
}
