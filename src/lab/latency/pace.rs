//! Ops at a constant rate, each timed from when it was due.

use std::time::{Duration, Instant};

use crate::trap::{Ended, Stream};

/// What was timed of one stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Timed {
    /// ns from due to done, op by op.
    pub(super) late: Vec<u64>,
    /// ns that the ops took, from begun to done.
    pub(super) busy: u64,
    /// ns from when the first was begun, which was late if the warm-up was, until the last was done.
    pub(super) wall: u64,
    /// What the stream said at its end, of the timed ops alone.
    pub(super) ended: Ended,
}

/// How many ops are not timed, before those that are: a tenth as many, and at least 50 ms of them.
pub(super) fn warm_up(n: u64, every: Duration) -> u64 {
    let least = Duration::from_millis(50).as_nanos().div_ceil(every.as_nanos().max(1));
    (n / 10).max(u64::try_from(least).unwrap_or(u64::MAX))
}

/// Paces `warm` ops that are not timed, and `n` that are.
pub(super) fn pace(mut stream: Box<dyn Stream>, every: Duration, warm: u64, n: u64) -> Timed {
    // Written before the clock starts: no page of it is touched for the first time later.
    let mut late = vec![1; n as usize];
    let start = Instant::now() + every;
    let due = |at: u64| start + Duration::from_nanos(every.as_nanos() as u64 * at);
    for at in 0..warm {
        one(stream.as_mut(), due(at));
    }
    let (mut busy, mut first, mut done) = (Duration::ZERO, None, start);
    for (at, late) in (warm..).zip(&mut late) {
        let due = due(at);
        let (begun, now) = one(stream.as_mut(), due);
        *late = ns(now - due);
        busy += now - begun;
        first = first.or(Some(begun));
        done = now;
    }
    let ended = stream.end();
    let skip = ended.queued.len().min(warm as usize);
    let ended = Ended { queued: ended.queued[skip..].to_vec(), ..ended };
    Timed { late, busy: ns(busy), wall: ns(done - first.unwrap_or(done)), ended }
}

// When it began and when it was done. No pause in the wait: long runs of PAUSE leave a guest, and that would be a hiccup.
fn one(stream: &mut dyn Stream, due: Instant) -> (Instant, Instant) {
    let mut begun = Instant::now();
    while begun < due {
        begun = Instant::now();
    }
    stream.op(due);
    (begun, Instant::now())
}

fn ns(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// How far it was behind at the least in the second half, in ops: a pause is caught up with, and a rate that is too high is not.
pub(super) fn backlog(timed: &Timed, every: Duration) -> u64 {
    let second = &timed.late[timed.late.len() / 2..];
    second.iter().min().map_or(0, |late| late / ns(every).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trap::stream;

    #[test]
    fn a_twentieth_of_ops_is_warmed_up_for_and_50_ms_at_least() {
        assert_eq!(warm_up(100_000, Duration::from_micros(20)), 10_000);
        assert_eq!(warm_up(1_000, Duration::from_micros(20)), 2_500);
        assert_eq!(warm_up(10, Duration::from_millis(60)), 1);
    }

    #[test]
    fn every_op_is_done_once_and_in_order_and_the_warm_up_is_in_no_result() {
        let counted = stream(
            Vec::new(),
            |seen: &mut Vec<Instant>, due| seen.push(due),
            |seen| Ended {
                answer: seen.len() as u64,
                queued: (0..seen.len() as u64).collect(),
                shed: u64::from(seen.is_sorted()),
            },
        );
        let timed = pace(counted, Duration::from_micros(10), 5, 20);
        assert_eq!((timed.ended.answer, timed.ended.shed, timed.late.len()), (25, 1, 20));
        assert_eq!(timed.ended.queued, (5..25).collect::<Vec<_>>());
        // From the first, which is late by what it was begun late and took, to the last, due 190 µs after it.
        assert!(timed.wall + timed.late[0] >= 190_000 && timed.busy <= timed.wall);
    }

    #[test]
    fn a_pause_at_the_end_is_no_backlog_and_a_steady_fall_is() {
        let of = |late: Vec<u64>| backlog(&Timed { late, ..Timed::default() }, Duration::from_nanos(10));
        assert_eq!(of(vec![1, 2, 1, 2, 1, 900, 890, 880]), 0);
        assert_eq!(of(vec![100, 200, 300, 400, 500, 600, 700, 800]), 50);
        assert_eq!(of(Vec::new()), 0);
    }

    // An op that takes three periods makes the next two late by what is left of it: an open loop, and no coordinated omission.
    #[test]
    fn an_op_that_waits_for_the_one_before_it_is_late_by_so_long() {
        let slow = |ops: &mut u64, due: Instant| {
            *ops += 1;
            while *ops == 1 && due.elapsed() < Duration::from_millis(3) {}
        };
        let timed = pace(stream(0, slow, Ended::answer), Duration::from_millis(1), 0, 4);
        assert!(timed.late[0] >= 3_000_000 && timed.late[1] >= 2_000_000 && timed.late[2] >= 1_000_000, "{timed:?}");
    }
}
