//! Operations that are timed one by one.

use std::time::Instant;

/// Work whose operations are due one after the other, at a rate of the point.
pub trait Stream {
    /// Does the operation that was due at this instant, on the thread that keeps the pace.
    fn op(&mut self, due: Instant);

    /// Ends it: helpers are joined, and what was answered and queued is told.
    fn end(self: Box<Self>) -> Ended;
}

/// What a stream says at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Its answer: all arms of a point give one.
    pub answer: u64,
    /// ns that each op waited in a queue, in their order, where there is one.
    pub queued: Vec<u64>,
    /// Ops that were turned away.
    pub shed: u64,
}

impl Ended {
    /// An end without a queue, at which nothing was turned away.
    #[must_use]
    pub const fn answer(answer: u64) -> Self {
        Self { answer, queued: Vec::new(), shed: 0 }
    }
}

/// A stream of operations on some state: `op` does one, `end` takes the state and gives the answer. One dynamic call an op,
/// about 2 ns, is nothing beside two readings of the clock.
pub fn stream<S: 'static>(
    state: S,
    op: impl FnMut(&mut S, Instant) + 'static,
    end: impl FnOnce(S) -> Ended + 'static,
) -> Box<dyn Stream> {
    Box::new(Made { state, op, end })
}

struct Made<S, O, E> {
    state: S,
    op: O,
    end: E,
}

impl<S, O: FnMut(&mut S, Instant), E: FnOnce(S) -> Ended> Stream for Made<S, O, E> {
    fn op(&mut self, due: Instant) {
        (self.op)(&mut self.state, due);
    }

    fn end(self: Box<Self>) -> Ended {
        (self.end)(self.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_does_its_ops_and_answers_at_its_end() {
        let mut sum = stream(0, |sum, _| *sum += 3, Ended::answer);
        (0..4).for_each(|_| sum.op(Instant::now()));
        assert_eq!(sum.end(), Ended { answer: 12, queued: Vec::new(), shed: 0 });
    }
}
