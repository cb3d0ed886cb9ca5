//! # A value boxed as anything
//!
//! A function that could name the type of its argument takes a box that may hold anything.
//!
//! ## In Go
//!
//! ```go
//! var handle func(any) uint64 // set at start-up: the compiler can't see the callee
//!
//! func total(calls []Call) (sum uint64) {
//!     for _, c := range calls {
//!         sum += handle(c) // a copy of c on the heap; handle(&calls[i]) makes none
//!     }
//!     return sum
//! }
//! ```
//!
//! ## In Rust
//!
//! `Box<dyn Any>` and `downcast`. The cost is alike: a block for each value, a copy into it, and a look at the type on the
//! other side. Three things differ, and make the trap weaker. Nothing boxes by itself: somebody writes `Box::new`. `&dyn Any`
//! erases the type without a block, as a pointer in Go's interface does. And the block is freed at the end of the call,
//! where Go leaves it to the collector: allocator and release are paid at once. On the other hand `dyn Any` is
//! `'static`: a value that borrows can't go through it.
//!
//! ## Why it costs
//!
//! A pair of `malloc` and `free` a call, mostly served from the thread's own cache, around a callee that does next to
//! nothing. The copy and the comparison of two type ids are small beside it: `any_ref` has the comparison and no block, and
//! tells the two apart. `concrete_value` has neither, and passes a copy by a hidden pointer. `inlined` has no call either,
//! so that its loop is one of the compiler's choice.
//!
//! In the case `rpc` the same habit stands in a handler: a body is decoded, goes through four stages, and is encoded. The
//! trap takes the value out of its box in each stage and puts it into a new one, as a pipeline of `func(any) any` does. A
//! box that is handed on would allocate once, for `downcast` gives ownership back: that is a fix, not the trap. Expect
//! multiples in `call`, and a visible share in `rpc`.
//!
//! ## When the fix loses
//!
//! - When the handler does real work: a box is a few tens of nanoseconds. The case `rpc` has some, and shows how it shrinks.
//! - When types are not known until the program runs, as for plug-ins and extension maps: then `&dyn Any` is the fix.
//! - When values are large and change hands often: a box moves as one pointer, `concrete_value` copies all of it.
//! - When the value must outlive the call, in a queue for one: it needs a place of its own anyway.
//!
//! ## What to measure it with
//!
//! Heap counts see it exactly: a block a call in `call`, and in `rpc` five beside the two of the request. Time decides.
//! Instructions see the allocator's path. Latency and usage have nothing to see: a call has no tail of its
//! own, and one thread that never waits uses as much CPU time as it takes.
//!
//! ## Sources
//!
//! - The documentation of `std::any`, "Smart pointers and dyn Any", and of `Box::<dyn Any>::downcast`
//! - Go runtime, `convT` in `runtime/iface.go`; Russ Cox, "Go Data Structures: Interfaces"
//! - The GNU C Library manual, "The GNU Allocator", on the thread's cache
//! - LLVM, `isAllocRemovable` in `InstCombine`: when a pair of `malloc` and `free` is deleted

use std::any::Any;
use std::hint::black_box;

use serde::{Deserialize, Serialize};

use crate::trap::{Instrument, Point, Routine, Trap, Variant, routine};
use crate::workload::{POOL, Rng, Shifted, Windows, rng, shared};

/// What a handler is called with: 32 bytes that own nothing.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are there to have a size")]
pub struct Call {
    pub account: u64,
    pub item: u64,
    pub count: u64,
    pub cents: u64,
}

/// What all handlers do with it.
pub fn price(call: &Call) -> u64 {
    call.count.wrapping_mul(call.cents).wrapping_add(call.account ^ call.item)
}

/// The trap: a box a call, for a handler that takes anything.
pub fn boxed_any(calls: &[Call], handle: fn(Box<dyn Any>) -> u64) -> u64 {
    calls.iter().fold(0, |sum, call| sum.wrapping_add(handle(Box::new(*call))))
}

/// The advice: the handler names the type, and gets a reference.
pub fn concrete_ref(calls: &[Call], handle: fn(&Call) -> u64) -> u64 {
    calls.iter().fold(0, |sum, call| sum.wrapping_add(handle(call)))
}

/// The type is erased, and nothing is boxed.
pub fn any_ref(calls: &[Call], handle: fn(&dyn Any) -> u64) -> u64 {
    calls.iter().fold(0, |sum, call| sum.wrapping_add(handle(call)))
}

/// The handler names the type, and gets a copy.
pub fn concrete_value(calls: &[Call], handle: fn(Call) -> u64) -> u64 {
    calls.iter().fold(0, |sum, call| sum.wrapping_add(handle(*call)))
}

/// The floor: the handler is known, and no call is left.
pub fn inlined(calls: &[Call]) -> u64 {
    calls.iter().fold(0, |sum, call| sum.wrapping_add(price(call)))
}

/// The trap's handler. Another type is answered with 0: a panic would bring its formatting into the loop.
pub fn price_boxed(call: Box<dyn Any>) -> u64 {
    call.downcast::<Call>().map_or(0, |call| price(&call))
}

/// The handler of `any_ref`.
pub fn price_any(call: &dyn Any) -> u64 {
    call.downcast_ref().map_or(0, price)
}

/// A request as it is decoded: 72 bytes, and the two blocks that it owns.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are there to be decoded")]
pub struct Request {
    pub id: u64,
    pub user: String,
    pub sku: String,
    pub count: u64,
    pub cents: u64,
}

const ENCODES: &str = "a request has no map and no float, and a Vec takes every byte";

fn decode(body: &[u8]) -> Request {
    serde_json::from_slice(body).expect("the bodies are made from this format")
}

fn encode(request: &Request, reply: &mut Vec<u8>) {
    serde_json::to_writer(reply, request).expect(ENCODES);
}

/// What stage `AT` does: they number, price, discount and stamp a request.
pub fn stage<const AT: usize>(request: &mut Request) {
    match AT {
        0 => request.id += request.count,
        1 => request.cents *= request.count,
        2 => request.cents -= request.cents >> 4,
        _ => request.id ^= request.cents,
    }
}

/// A stage that takes anything, and gives anything back.
pub type Boxed = fn(Box<dyn Any>) -> Box<dyn Any>;

/// The same in the trap: out of the box, and into a new one.
pub fn stage_boxed<const AT: usize>(any: Box<dyn Any>) -> Box<dyn Any> {
    any.downcast().map_or_else(|other| other, |request| Box::new(stage_value::<AT>(*request)))
}

/// The same for `any_ref`.
pub fn stage_any<const AT: usize>(any: &mut dyn Any) {
    let _ = any.downcast_mut().map(stage::<AT>);
}

/// The same for `concrete_value`.
pub fn stage_value<const AT: usize>(mut request: Request) -> Request {
    stage::<AT>(&mut request);
    request
}

/// The trap in a handler: a box for the request, and one more a stage.
pub fn serve_boxed_any(body: &[u8], stages: &[Boxed; 4], reply: &mut Vec<u8>) {
    let request: Box<dyn Any> = Box::new(decode(body));
    let request = stages.iter().fold(request, |request, stage| stage(request));
    // Whatever else comes out is answered with nothing.
    let _ = request.downcast_ref().map(|request| encode(request, reply));
}

/// The advice in a handler.
pub fn serve_concrete_ref(body: &[u8], stages: &[fn(&mut Request); 4], reply: &mut Vec<u8>) {
    let mut request = decode(body);
    stages.iter().for_each(|stage| stage(&mut request));
    encode(&request, reply);
}

/// Stages that take anything, by reference.
pub fn serve_any_ref(body: &[u8], stages: &[fn(&mut dyn Any); 4], reply: &mut Vec<u8>) {
    let mut request = decode(body);
    stages.iter().for_each(|stage| stage(&mut request));
    encode(&request, reply);
}

/// Stages that take the request and give it back.
pub fn serve_concrete_value(body: &[u8], stages: &[fn(Request) -> Request; 4], reply: &mut Vec<u8>) {
    encode(&stages.iter().fold(decode(body), |request, stage| stage(request)), reply);
}

/// The floor in a handler: the stages are known, and no call is left.
pub fn serve_inlined(body: &[u8], reply: &mut Vec<u8>) {
    let mut request = decode(body);
    stage::<0>(&mut request);
    stage::<1>(&mut request);
    stage::<2>(&mut request);
    stage::<3>(&mut request);
    encode(&request, reply);
}

fn calls(p: &Point) -> Windows<Call> {
    let mut rng = rng(20);
    let mut call = |_| {
        let [account, item, count, cents] = std::array::from_fn(|_| rng.u64());
        Call { account, item, count, cents }
    };
    Windows::of(Shifted::new((0..POOL).map(&mut call).collect()), p.len())
}

/// A request as it comes in. All are of one size, so that their lengths teach the predictor nothing.
type Body = [u8; 71];

fn body(rng: &mut Rng) -> Body {
    let [user, sku] = std::array::from_fn(|_| (0..8).map(|_| rng.letter()).collect());
    let (id, count, cents) = (rng.within(10_000..100_000), rng.within(10..100), rng.within(1_000..10_000));
    let json = serde_json::to_vec(&Request { id, user, sku, count, cents }).expect(ENCODES);
    json.try_into().expect("the ranges above fix the number of digits")
}

fn bodies(p: &Point) -> Windows<Body> {
    let mut rng = rng(21);
    Windows::of(Shifted::new((0..4_096).map(|_| body(&mut rng)).collect()), p.len())
}

/// Of all bytes. They pass through `black_box`, so that they have to be in memory.
fn checksum(bytes: &[u8]) -> u64 {
    let (words, rest) = black_box(bytes).as_chunks();
    let rest = rest.iter().fold(bytes.len() as u64, |sum, byte| sum << 8 ^ u64::from(*byte));
    let mix = |sum: u64, word| (sum ^ u64::from_le_bytes(word)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    words.iter().copied().fold(rest, mix)
}

/// The handler lies in the input behind `black_box`. A callee that the optimiser knows has its box deleted, and
/// `#[inline(never)]` doesn't keep it from being specialised.
fn call<H: Copy + 'static>(p: &Point, handle: H, run: impl Fn(&[Call], H) -> u64 + 'static) -> Box<dyn Routine> {
    let state = (shared(p, calls), 0, black_box(handle));
    routine(state, move |(calls, at, handle)| run(calls.advance(at), *handle))
}

/// The stages lie in the input, as the handler does. The buffer for the reply is kept by all arms.
fn rpc<S: Copy + 'static>(p: &Point, stages: S, serve: impl Fn(&[u8], &S, &mut Vec<u8>) + 'static) -> Box<dyn Routine> {
    let state = (shared(p, bodies), 0, black_box(stages), Vec::new());
    routine(state, move |(bodies, at, stages, reply)| {
        let reply_to = |body: &Body| {
            reply.clear();
            serve(body, stages, reply);
            checksum(reply)
        };
        bodies.advance(at).iter().map(reply_to).fold(0, u64::wrapping_add)
    })
}

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "boxed_any",
    title: "A value boxed as anything",
    section: "dispatch",
    habit: "pass a value of a known type through interface{} to a callee that the compiler can't see",
    claims: &["B1"],
    counts: "calls",
    op: "one call handled; in rpc one request decoded, passed through four stages and encoded",
    points: &[
        Point::n(10).case("call"),
        Point::n(1_000).case("call").headline(),
        Point::n(100_000).case("call"),
        Point::n(1_000).case("rpc").headline(),
    ],
    cases: &[
        ("call", "a value of 32 bytes is handled, in a few instructions"),
        ("rpc", "a JSON body of 71 bytes is decoded, passed through four stages and encoded"),
    ],
    variants: &[
        Variant::trap("boxed_any", |p| match p.case {
            "rpc" => rpc(p, [stage_boxed::<0>, stage_boxed::<1>, stage_boxed::<2>, stage_boxed::<3>], serve_boxed_any),
            _ => call(p, price_boxed as fn(Box<dyn Any>) -> u64, boxed_any),
        }),
        Variant::fix("concrete_ref", |p| match p.case {
            "rpc" => rpc(p, [stage::<0>, stage::<1>, stage::<2>, stage::<3>], serve_concrete_ref),
            _ => call(p, price as fn(&Call) -> u64, concrete_ref),
        }),
        Variant::fix("any_ref", |p| match p.case {
            "rpc" => rpc(p, [stage_any::<0>, stage_any::<1>, stage_any::<2>, stage_any::<3>], serve_any_ref),
            _ => call(p, price_any as fn(&dyn Any) -> u64, any_ref),
        }),
        Variant::fix("concrete_value", |p| match p.case {
            "rpc" => {
                rpc(p, [stage_value::<0>, stage_value::<1>, stage_value::<2>, stage_value::<3>], serve_concrete_value)
            }
            _ => call(p, (|call| price(&call)) as fn(Call) -> u64, concrete_value),
        }),
        Variant::floor("inlined", |p| match p.case {
            "rpc" => rpc(p, (), |body, (), reply| serve_inlined(body, reply)),
            _ => call(p, (), |calls, ()| inlined(calls)),
        }),
    ],
    blind: &[
        (Instrument::Latency, "tens of ns a call: no tail of its own"),
        (Instrument::Usage, "one thread that never waits: its CPU time is its time"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_arms_agree_at_small_sizes_and_over_several_windows() {
        for p in [1, 2, 3, 1_000].into_iter().flat_map(|n| [Point::n(n).case("call"), Point::n(n).case("rpc")]) {
            let mut arms: Vec<_> = TRAP.variants.iter().map(|v| (v.batch)(&p)).collect();
            for run in 0..6 {
                let digests: Vec<u64> = arms.iter_mut().map(|arm| arm.digest()).collect();
                assert!(digests.iter().all(|digest| *digest == digests[0]), "{p}, run {run}: {digests:?}");
            }
        }
    }

    #[test]
    fn a_reply_is_the_request_after_four_stages() {
        let body = br#"{"id":10000,"user":"abcdefgh","sku":"ijklmnop","count":10,"cents":1600}"#;
        let mut reply = Vec::new();
        serve_boxed_any(body, &[stage_boxed::<0>, stage_boxed::<1>, stage_boxed::<2>, stage_boxed::<3>], &mut reply);
        let id = (10_000 + 10) ^ 15_000;
        let expected = format!(r#"{{"id":{id},"user":"abcdefgh","sku":"ijklmnop","count":10,"cents":15000}}"#);
        assert_eq!(String::from_utf8(reply), Ok(expected));
    }

    #[test]
    fn another_type_is_answered_with_nothing() {
        assert_eq!((price_boxed(Box::new(7_u64)), price_any(&7_u64)), (0, 0));
        assert!(stage_boxed::<0>(Box::new(7_u64)).is::<u64>());
        stage_any::<0>(&mut 7_u64);
    }

    #[test]
    fn sizes_are_those_that_the_chapter_states() {
        assert_eq!((size_of::<Call>(), size_of::<Request>()), (32, 72));
        assert_eq!(bodies(&Point::n(1)).window(4_095).len(), 1);
    }

    #[test]
    fn a_checksum_sees_every_byte_and_its_place() {
        let bytes: Vec<u8> = (0..19).collect();
        for at in 1..bytes.len() {
            let (mut changed, mut swapped) = (bytes.clone(), bytes.clone());
            changed[at] ^= 1;
            swapped.swap(at - 1, at);
            assert!(checksum(&changed) != checksum(&bytes) && checksum(&swapped) != checksum(&bytes), "byte {at}");
        }
    }
}
