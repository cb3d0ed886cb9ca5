//! # A fresh buffer per encoded response
//!
//! Every response is encoded into a new buffer, which is dropped as soon as the bytes are sent.
//!
//! ## In Go
//!
//! ```go
//! func (s *Server) reply(w io.Writer, r *Response) error {
//!     body, err := json.Marshal(r) // a new slice a response
//!     if err != nil {
//!         return err
//!     }
//!     _, err = w.Write(body) // and garbage after this line
//!     return err
//! }
//! ```
//!
//! ## In Rust
//!
//! `serde_json::to_vec` a response. It starts at 128 bytes and doubles, so a large body is also a grown one
//! ([`crate::traps::vec_growth`]). Only similar: `json.Marshal` already encodes into a pooled buffer and copies the
//! result out, and what Go drops waits for the collector, while Rust frees at the end of the scope and the allocator's
//! thread cache gives the same block to the next response. A pool saves Go its collector's work; here it can save no
//! more than a few calls of `malloc` and the growth. Go's `sync.Pool` keeps a list per processor, to which the
//! thread-local buffer is the nearest relative; `object_pool` keeps one list under one lock.
//!
//! ## Why it costs
//!
//! A body of a few hundred bytes costs one or two calls of the allocator, served from the thread's own cache. A larger
//! body costs a series of reallocations, most of which copy; above the allocator's threshold for `mmap` it may also
//! cost fresh pages. `to_writer` into an empty `Vec`, the "fix" that people reach for, is the trap again: the same
//! growth from a lower start. What helps is capacity that outlives the response, wherever it is kept.
//!
//! ## When the fix loses
//!
//! - On small bodies: a pool's lock, taken twice a response, costs more than an allocation from the thread's cache.
//! - On more threads: the pool's one lock is shared, and the allocator's caches are not.
//! - When sizes vary: each pooled buffer ends as large as the largest body that it ever carried, and the pool pins all
//!   of them.
//! - When the bytes must outlive the call: a buffer that is handed on can't be handed back, and a copy undoes the
//!   saving.
//! - **When it is not cleared.** A pooled buffer comes back as it was left. Without `clear`, one customer's response is
//!   sent to the next; a test below shows it.
//!
//! ## What to measure it with
//!
//! Heap counts see it exactly. Time decides, over the size of the body and the number of threads: that is where it
//! turns. Instructions see the single-threaded part and are blind to the lock's contention.
//!
//! ## Sources
//!
//! - Bonwick, "The Slab Allocator: An Object-Caching Kernel Memory Allocator", USENIX Summer 1994
//! - Go issue 23199, "sync: Pool example suggests incorrect usage"
//! - The documentation of Go's `sync.Pool`, of `serde_json::to_vec`, and of `object_pool`, section "Warning"
//! - The GNU C Library manual, "The GNU Allocator"

use std::cell::RefCell;
use std::hint::black_box;

use crossbeam_utils::CachePadded;
use object_pool::Pool;
use parking_lot::Mutex;
use serde::Serialize;

use crate::trap::{Point, Routine, Trap, Variant, team};
use crate::workload::{Windows, rng};

/// What a service answers.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are there to be encoded")]
pub struct Response {
    pub id: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Item>,
}

/// A line of the answer.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are there to be encoded")]
pub struct Item {
    pub sku: String,
    pub name: String,
    pub cents: u32,
}

const ENCODES: &str = "a response has no map and no float, and a Vec takes every byte";

/// The trap: a fresh buffer a response.
pub fn to_vec<R>(response: &Response, send: impl FnOnce(&[u8]) -> R) -> R {
    let buffer = serde_json::to_vec(response).expect(ENCODES);
    send(&buffer)
}

/// The advice: a buffer out of a pool that all threads share. It goes back when `buffer` is dropped.
pub fn object_pool<R>(pool: &Pool<Vec<u8>>, response: &Response, send: impl FnOnce(&[u8]) -> R) -> R {
    let mut buffer = pool.pull(Vec::new);
    buffer.clear();
    serde_json::to_writer(&mut *buffer, response).expect(ENCODES);
    send(&buffer)
}

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A buffer a thread: no lock, but `send` must not encode in its turn.
pub fn thread_local<R>(response: &Response, send: impl FnOnce(&[u8]) -> R) -> R {
    BUFFER.with_borrow_mut(|buffer| caller_buffer(buffer, response, send))
}

/// The fix that is the trap again: the writer is fresh too, and it starts smaller.
pub fn to_writer_empty<R>(response: &Response, send: impl FnOnce(&[u8]) -> R) -> R {
    let mut buffer = Vec::new();
    serde_json::to_writer(&mut buffer, response).expect(ENCODES);
    send(&buffer)
}

/// The floor: the caller owns the buffer, and passes it down.
pub fn caller_buffer<R>(buffer: &mut Vec<u8>, response: &Response, send: impl FnOnce(&[u8]) -> R) -> R {
    buffer.clear();
    serde_json::to_writer(&mut *buffer, response).expect(ENCODES);
    send(buffer)
}

/// Takes the bytes as a socket would, and returns a checksum whose cost does not grow with them.
fn send(bytes: &[u8]) -> u64 {
    let bytes = black_box(bytes);
    let word = |part: Option<&[u8; 8]>| part.map_or(0, |word| u64::from_le_bytes(*word));
    let ends = word(bytes.first_chunk()).rotate_left(17) ^ word(bytes.last_chunk());
    (ends ^ bytes.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Items that bring the JSON to the size of the case, within a few per cent: 27 bytes around them, 57 each on average.
fn items(case: &str) -> usize {
    match case {
        "16B" => 0,
        "256B" => 4,
        "4KiB" => 71,
        _ => 1_149,
    }
}

/// Enough responses that the branch predictor can't learn them: 100 000 items, or as many responses without items.
fn responses(p: &Point) -> Vec<Response> {
    let mut rng = rng(5);
    let items = items(p.case);
    let mut text = |length| (0..length).map(|_| rng.lowercase()).collect::<String>();
    let mut item =
        |at: usize| Item { sku: text(8), name: text(8 + at % 13), cents: 10_000 + (at * 7_919 % 90_000) as u32 };
    let mut response = |at: usize| Response {
        id: 100_000_000 + at as u32,
        items: (0..items).map(|nth| item(at * items + nth)).collect(),
    };
    (0..p.len().max(100_000 / items.max(1))).map(&mut response).collect()
}

/// The threads share the `n` responses of a run: each worker takes another window. `encode` is told which worker it is.
fn arm<S, F>(p: &Point, state: S, encode: F) -> Box<dyn Routine>
where
    S: Send + Sync + 'static,
    F: Fn(&S, usize, &[Response]) -> u64 + Send + Sync + 'static,
{
    let threads = p.threads;
    let shared = (Windows::new(responses(p), p.len() / threads), state);
    let run = move |(responses, state): &(Windows<Response>, S), turn: crate::trap::Turn| {
        encode(state, turn.worker, responses.window(turn.run * threads + turn.worker))
    };
    team(threads, shared, run, |_, answer| answer)
}

/// The sum of the checksums, in any order.
fn total(responses: &[Response], encode: impl FnMut(&Response) -> u64) -> u64 {
    responses.iter().map(encode).fold(0, u64::wrapping_add)
}

/// A buffer for each worker, on lines of its own: a `Vec` writes its length with every push. A worker locks it once a
/// run, because the team's state is shared; that is once in `n / threads` responses, and nobody else asks for it.
fn own_buffers(p: &Point) -> Vec<CachePadded<Mutex<Vec<u8>>>> {
    (0..p.threads).map(|_| CachePadded::default()).collect()
}

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "buffer_pool",
    title: "A fresh buffer per encoded response",
    section: "memory",
    habit: "encode every response into a new buffer that is garbage once it is sent",
    claims: &["C1", "C2", "C3"],
    counts: "responses",
    op: "one response encoded and handed to a sink",
    points: &[
        Point::n(50).case("16B"),
        Point::n(50).case("256B"),
        Point::n(50).case("4KiB").headline(),
        Point::n(50).case("64KiB"),
        Point::n(50).threads(2).case("16B"),
        Point::n(50).threads(2).case("256B"),
        Point::n(50).threads(2).case("4KiB").headline(),
        Point::n(50).threads(2).case("64KiB"),
    ],
    variants: &[
        Variant::trap("to_vec", |p| arm(p, (), |(), _, responses| total(responses, |r| to_vec(r, send)))),
        Variant::fix("object_pool", |p| {
            let pool = Pool::new(p.threads, Vec::new);
            arm(p, pool, |pool, _, responses| total(responses, |r| object_pool(pool, r, send)))
        }),
        Variant::fix("thread_local", |p| arm(p, (), |(), _, responses| total(responses, |r| thread_local(r, send)))),
        Variant::fix("to_writer_empty", |p| {
            arm(p, (), |(), _, responses| total(responses, |r| to_writer_empty(r, send)))
        }),
        Variant::floor("caller_buffer", |p| {
            arm(p, own_buffers(p), |buffers, worker, responses| {
                let mut buffer = buffers[worker].lock();
                total(responses, |r| caller_buffer(&mut buffer, r, send))
            })
        }),
    ],
    blind: &[],
};

#[cfg(test)]
mod tests {
    use super::*;

    fn cases() -> impl Iterator<Item = (&'static str, usize, Vec<Response>)> {
        let sizes = [("16B", 16), ("256B", 256), ("4KiB", 4_096), ("64KiB", 65_536)];
        sizes.map(|(case, size)| (case, size, responses(&Point::n(50).case(case)))).into_iter()
    }

    #[test]
    fn all_variants_send_the_same_bytes() {
        let (pool, mut own) = (Pool::new(1, Vec::new), Vec::new());
        for (_, _, responses) in cases() {
            for r in &responses[..50] {
                let bytes = to_vec(r, <[u8]>::to_vec);
                assert_eq!(object_pool(&pool, r, <[u8]>::to_vec), bytes);
                assert_eq!(thread_local(r, <[u8]>::to_vec), bytes);
                assert_eq!(to_writer_empty(r, <[u8]>::to_vec), bytes);
                assert_eq!(caller_buffer(&mut own, r, <[u8]>::to_vec), bytes);
            }
        }
    }

    #[test]
    fn the_json_is_as_large_as_the_case_says() {
        for (case, size, responses) in cases() {
            let mean = responses[..80].iter().map(|r| to_vec(r, <[u8]>::len)).sum::<usize>() / 80;
            assert!(mean.abs_diff(size) * 50 <= size, "{case} is {mean} bytes on average");
        }
    }

    #[test]
    fn a_pooled_buffer_is_dirty_unless_it_is_cleared() {
        let (_, _, responses) = cases().nth(1).expect("there are four cases");
        let pool: Pool<Vec<u8>> = Pool::new(1, Vec::new);
        let uncleared = |r: &Response| {
            let mut buffer = pool.pull(Vec::new);
            serde_json::to_writer(&mut *buffer, r).expect(ENCODES);
            buffer.to_vec()
        };
        let (first, second) = (to_vec(&responses[0], <[u8]>::to_vec), to_vec(&responses[1], <[u8]>::to_vec));
        assert_eq!(uncleared(&responses[0]), first);
        assert_eq!(
            uncleared(&responses[1]),
            [first, second.clone()].concat(),
            "the first customer's bytes go out again"
        );
        assert_eq!(object_pool(&pool, &responses[1], <[u8]>::to_vec), second);
    }
}
