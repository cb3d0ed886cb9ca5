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
//! thread cache gives the same block again. A pool saves Go its collector's work, and here a few calls of `malloc` and
//! the growth. Go's `sync.Pool` keeps a list per processor, to which the thread-local buffer is the nearest relative
//! and thus the advice; `object_pool` keeps one list under one lock.
//!
//! ## Why it costs
//!
//! A body of up to 128 bytes costs one call of the allocator, served from the thread's own cache; a larger one a series of
//! reallocations, most of which copy, and above the allocator's threshold for `mmap` perhaps fresh pages. `to_writer`
//! into an empty `Vec`, the "fix" that people reach for, is the trap again: the same growth from a lower start. A guess
//! saves the growth up to it. What helps is capacity that outlives the response, wherever it is kept. No size here lies
//! on the edge of a doubling, where a few bytes would decide. Expect the buffers that are kept to win where they save
//! growth, and the shared pool to lose on small bodies.
//!
//! ## When the fix loses
//!
//! - On small bodies: a pool's lock, taken twice a response, costs more than an allocation from the thread's cache.
//! - On more threads: the pool's one lock is shared, and the allocator's caches are not.
//! - When sizes vary: each kept buffer ends as large as the largest body that it ever carried. In the case `mixed` one
//!   body in twenty makes it so; the *bytes held* say how much.
//! - When the bytes must outlive the call, for a copy undoes the saving; or `send` encodes in its turn.
//! - **When it is not cleared.** A pooled buffer comes back as it was left, and without `clear` one customer's response
//!   is sent to the next; a test below shows it.
//!
//! ## What to measure it with
//!
//! Heap counts see it exactly: the fresh buffers' blocks and bytes, the kept ones' bytes held. Time decides, over size and
//! threads. Instructions see the single-threaded part and are blind to the lock's contention.
//!
//! ## Sources
//!
//! - Bonwick, "The Slab Allocator: An Object-Caching Kernel Memory Allocator", USENIX Summer 1994
//! - Go issue 23199, "sync: Pool example suggests incorrect usage"
//! - The documentation of `sync.Pool`, `serde_json::to_vec` and `object_pool` ("Warning"); the GNU C Library manual

use std::cell::RefCell;
use std::hint::black_box;
use std::sync::Arc;

use crossbeam_utils::CachePadded;
use object_pool::Pool;
use parking_lot::Mutex;
use serde::Serialize;

use crate::trap::{Instrument, Point, Routine, Trap, Turn, Variant, team};
use crate::workload::{Rng, Shifted, Windows, rng, shared};

/// What a service answers.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are there to be encoded")]
pub struct Response {
    pub id: u64,
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

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The advice: a buffer a thread. No lock, but `send` must not encode in its turn.
pub fn thread_local<R>(response: &Response, send: impl FnOnce(&[u8]) -> R) -> R {
    BUFFER.with_borrow_mut(|buffer| caller_buffer(buffer, response, send))
}

/// A buffer out of a pool that all threads share. It goes back when `buffer` is dropped.
pub fn object_pool<R>(pool: &Pool<Vec<u8>>, response: &Response, send: impl FnOnce(&[u8]) -> R) -> R {
    let mut buffer = pool.pull(Vec::new);
    buffer.clear();
    serde_json::to_writer(&mut *buffer, response).expect(ENCODES);
    send(&buffer)
}

/// One guess for all that the service answers: enough for most, and more than the allocator keeps in its thread's cache.
pub const GUESS: usize = 4_096;

/// A fresh buffer of a guessed size.
pub fn presized_guess<R>(response: &Response, send: impl FnOnce(&[u8]) -> R) -> R {
    let mut buffer = Vec::with_capacity(GUESS);
    serde_json::to_writer(&mut buffer, response).expect(ENCODES);
    send(&buffer)
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

/// Items that bring the JSON to the size of the case, within two per cent: 24 bytes without any, 10 more with some, and 55
/// for each on average. In the case `mixed` it is number `large` of every twenty that is of 48 KiB.
fn items(case: &str, at: usize, large: usize) -> usize {
    match case {
        "24B" => 0,
        "200B" => 3,
        "3KiB" => 55,
        "mixed" if at % 20 != large => 3,
        _ => 893,
    }
}

fn text(rng: &mut Rng, length: usize) -> String {
    (0..length).map(|_| rng.letter()).collect()
}

fn item(rng: &mut Rng) -> Item {
    let named = 6 + rng.index(13);
    Item { sku: text(rng, 8), name: text(rng, named), cents: rng.within(10_000..100_000) as u32 }
}

/// Enough responses that the branch predictor can't learn them: of about 100 000 items, or as many without items.
fn responses(p: &Point) -> Windows<Response> {
    let (mut rng, mut large) = (rng(5), 0);
    let mut response = |at: usize| {
        if at.is_multiple_of(20) {
            large = rng.index(20);
        }
        let items = (0..items(p.case, at, large)).map(|_| item(&mut rng)).collect();
        Response { id: 10_000_000_000_000_000 + at as u64, items }
    };
    let items = if p.case == "mixed" { 48 } else { items(p.case, 0, 0).max(1) };
    let responses = (0..100_000 / items).map(&mut response).collect();
    Windows::of(Shifted::behind(responses, || [Response { id: 0, items: Vec::new() }]), p.len() / p.threads)
}

/// The threads share the `n` responses of a run: each worker takes another window. `encode` is told which worker it is.
/// Buffers are all that an arm keeps, on lines of its own.
fn arm<S: Send + Sync + 'static, F>(p: &Point, kept: S, encode: F) -> Box<dyn Routine>
where
    F: Fn(&S, usize, &[Response]) -> u64 + Send + Sync + 'static,
{
    let threads = p.threads;
    let state = (shared(p, responses), CachePadded::new(kept));
    let run = move |(responses, kept): &(Arc<Windows<Response>>, CachePadded<S>), turn: Turn| {
        encode(kept, turn.worker, responses.window(turn.run * threads + turn.worker))
    };
    team(threads, state, run, |_, answer| answer)
}

fn fresh(p: &Point, encode: impl Fn(&Response) -> u64 + Send + Sync + 'static) -> Box<dyn Routine> {
    arm(p, (), move |(), _, responses| total(responses, &encode))
}

/// The sum of the checksums, in any order.
fn total(responses: &[Response], encode: impl FnMut(&Response) -> u64) -> u64 {
    responses.iter().map(encode).fold(0, u64::wrapping_add)
}

/// A buffer for each worker, on lines of its own: a `Vec` writes its length with every push. The lock, which nobody else asks
/// for, is taken once a run, for the team's state is shared.
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
        Point::n(64).case("24B"),
        Point::n(64).case("200B"),
        Point::n(16).case("3KiB").headline(),
        Point::n(2).case("48KiB"),
        Point::n(40).case("mixed"),
        Point::n(64).threads(2).case("24B"),
        Point::n(64).threads(2).case("200B"),
        Point::n(16).threads(2).case("3KiB").headline(),
        Point::n(2).threads(2).case("48KiB"),
        Point::n(40).threads(2).case("mixed"),
    ],
    cases: &[
        ("24B", "a response is 24 bytes of JSON"),
        ("200B", "a response is about 200 bytes of JSON"),
        ("3KiB", "a response is about 3 KiB of JSON"),
        ("48KiB", "a response is about 48 KiB of JSON"),
        ("mixed", "one response in twenty is about 48 KiB of JSON, the others 200 bytes"),
    ],
    variants: &[
        Variant::trap("to_vec", |p| fresh(p, |r| to_vec(r, send))),
        Variant::fix("thread_local", |p| fresh(p, |r| thread_local(r, send))),
        Variant::fix("object_pool", |p| {
            let pool = Pool::new(p.threads, Vec::new);
            arm(p, pool, |pool, _, responses| total(responses, |r| object_pool(pool, r, send)))
        }),
        Variant::fix("presized_guess", |p| fresh(p, |r| presized_guess(r, send))),
        Variant::fix("to_writer_empty", |p| fresh(p, |r| to_writer_empty(r, send))),
        Variant::floor("caller_buffer", |p| {
            arm(p, own_buffers(p), |buffers, worker, responses| {
                let mut buffer = buffers[worker].lock();
                total(responses, |r| caller_buffer(&mut buffer, r, send))
            })
        }),
    ],
    blind: &[
        (Instrument::Latency, "some µs a response at most: no tail of its own"),
        (Instrument::Usage, "its threads never wait: their CPU time is their time"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_variants_send_the_same_bytes() {
        let (pool, mut own) = (Pool::new(1, Vec::new), Vec::new());
        for r in TRAP.points.iter().flat_map(|p| responses(p).window(0).to_vec()) {
            let bytes = to_vec(&r, <[u8]>::to_vec);
            assert_eq!(thread_local(&r, <[u8]>::to_vec), bytes);
            assert_eq!(object_pool(&pool, &r, <[u8]>::to_vec), bytes);
            assert_eq!(presized_guess(&r, <[u8]>::to_vec), bytes);
            assert_eq!(to_writer_empty(&r, <[u8]>::to_vec), bytes);
            assert_eq!(caller_buffer(&mut own, &r, <[u8]>::to_vec), bytes);
        }
    }

    #[test]
    fn the_json_is_as_large_as_the_case_says_and_no_size_is_on_an_edge() {
        let sizes = [("24B", 24, 4), ("200B", 200, 7), ("3KiB", 3_072, 11), ("48KiB", 49_152, 15)];
        for (case, size, edges) in sizes.map(|(case, size, log)| (case, size, 1 << log..2 << log)) {
            let responses = responses(&Point::n(100).case(case));
            let lengths: Vec<usize> = responses.window(0).iter().map(|r| to_vec(r, <[u8]>::len)).collect();
            let off = |l: &usize| edges.contains(&(l * 9 / 10)) && edges.contains(&(l * 11 / 10));
            assert!(lengths.iter().all(off), "{case}: {lengths:?}");
            assert!((lengths.iter().sum::<usize>() / 100).abs_diff(size) * 50 <= size, "{case}: {lengths:?}");
        }
    }

    #[test]
    fn one_in_twenty_is_large_in_every_window_of_the_mixed_case() {
        let responses = responses(&Point::n(40).threads(2).case("mixed"));
        let large = |window: &[Response]| window.iter().filter(|r| r.items.len() == 893).count();
        assert!((0..100).all(|number| large(responses.window(number)) == 1));
    }

    #[test]
    fn a_pooled_buffer_is_dirty_unless_it_is_cleared() {
        let responses = responses(&TRAP.points[0]).window(0).to_vec();
        let pool: Pool<Vec<u8>> = Pool::new(1, Vec::new);
        let uncleared = |r: &Response| {
            let mut buffer = pool.pull(Vec::new);
            serde_json::to_writer(&mut *buffer, r).expect(ENCODES);
            buffer.to_vec()
        };
        let [first, second] = [0, 1].map(|at| to_vec(&responses[at], <[u8]>::to_vec));
        assert_eq!(uncleared(&responses[0]), first);
        assert_eq!(uncleared(&responses[1]), [first, second.clone()].concat(), "the first one's bytes go out again");
        assert_eq!(object_pool(&pool, &responses[1], <[u8]>::to_vec), second);
    }
}
