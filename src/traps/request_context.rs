//! # A context carried by pointer
//!
//! What is known of a request is put behind a pointer that every stage of its handling shares.
//!
//! ## In Go
//!
//! ```go
//! var stages []func(*Context) uint64 // registered at start-up
//!
//! func serve(r *Raw) (sum uint64) {
//!     c := &Context{ID: r.ID, Token: strings.Clone(r.Token)} // escapes: the stages are unknown here
//!     for _, s := range stages {
//!         sum += s(c) // func(Context) would copy, and leave c on the stack
//!     }
//!     return sum
//! }
//! ```
//!
//! ## In Rust
//!
//! `Arc<Context>`, cloned into each stage, which is what handlers that must be `'static` ask for. The count is alike: one
//! block more a request. In time it is only similar: an `Arc` counts its owners, atomically, and Go's pointer does not. The
//! fix is stronger here: a value on the stack that stages take by `&` needs neither block nor copy, which Go's escape
//! analysis grants only to calls that it can see through. By value, Go copies in each stage; `moved` is that.
//!
//! ## Why it costs
//!
//! One block a request, and two atomic read-modify-writes a stage. What this is worth depends on what else the handler
//! allocates: every arm has its response, most of them an owned copy of the token, and in the case `full` five parameters.
//! `by_value` changes the context and nothing else; `borrowed` also leaves the token where it came in, a second change.
//! Expect `by_value` to win by a part in `lean`, and by less in `full`.
//!
//! In the case `settings` the context also holds what all requests share: the trap clones its `Arc` once a request, and
//! the other arms borrow it. All threads then write one count, and its line travels between their cores. Expect little on
//! one thread and much on two. In Go it is a plain pointer.
//!
//! ## When the fix loses
//!
//! - When a stage outlives the call, as a spawned task does: it needs an owner, and `Arc` is the cheap one.
//! - When the context is large and stages take it by value: each one copies it. It has 96 bytes here.
//! - When the handler allocates much else: in `full` one block of fourteen is saved.
//! - When the token is needed longer than the buffer that it came in: `borrowed` then has to copy after all.
//!
//! ## What to measure it with
//!
//! Heap counts see the blocks exactly. Time decides, over one thread and two. Instructions see the allocator's path, not
//! what an atomic one costs, nor a line that travels. Latency and usage have nothing to see.
//!
//! ## Sources
//!
//! - Go, "A Guide to the Go Garbage Collector", the section on escape analysis
//! - The documentation of `std::sync::Arc` and of `axum::extract::State`, which is cloned for each request
//! - Herlihy and Shavit, "The Art of Multiprocessor Programming", the chapter on spin locks, on lines that travel

use std::hint::black_box;
use std::ops::Deref;
use std::sync::Arc;

use crossbeam_utils::CachePadded;

use crate::trap::{Instrument, Point, Routine, Trap, Turn, Variant, routine, team};
use crate::workload::{Shifted, Windows, rng, shared};

/// What comes with every request.
#[derive(Clone, Copy, Debug, Default)]
#[expect(missing_docs, reason = "the fields are there to be carried")]
pub struct Head {
    pub id: u64,
    pub user: u64,
    pub scopes: u64,
    pub received: u64,
    pub deadline: u64,
}

/// A request as it comes in. The query is such as `page=abcdef&size=ghijkl`, or empty where nothing is parsed.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "see above")]
pub struct Raw {
    pub head: Head,
    pub token: Box<str>,
    pub query: Box<str>,
}

/// What all requests share: a quota. Its count of owners is on lines of its own: nobody else's data travels with it.
#[derive(Debug)]
#[repr(align(128))]
pub struct Settings(pub u64);

/// What is known of a request: 96 bytes with a token of its own. It owns something, as real ones do: a context of
/// `Copy` fields has nothing to free, which would flatter the trap.
#[derive(Debug)]
#[expect(missing_docs, reason = "the fields are there to be carried")]
pub struct Context<T, S> {
    pub head: Head,
    pub token: T,
    pub params: Vec<(Box<str>, Box<str>)>,
    pub settings: Option<S>,
}

/// As the trap shares it.
pub type Shared = Context<String, Arc<Settings>>;
/// With a token of its own.
pub type Owned<'a> = Context<String, &'a Settings>;
/// With the token where it came in.
pub type Borrowed<'a> = Context<&'a str, &'a Settings>;

impl<T: Deref<Target = str>, S: Deref<Target = Settings>> Context<T, S> {
    fn new(raw: &Raw, token: T, settings: Option<S>) -> Self {
        Self { head: raw.head, token, params: params(&raw.query), settings }
    }

    /// What stage `AT` of the four answers.
    fn answer<const AT: usize>(&self) -> u64 {
        match AT {
            0 => authenticate(&self.token, self.head.user),
            1 => mix(self.head.user, self.head.scopes),
            2 => mix(self.head.deadline - self.head.received, self.settings.as_deref().map_or(0, |s| s.0)),
            _ => trace(self.head.id, &self.params),
        }
    }
}

fn authenticate(token: &str, user: u64) -> u64 {
    token.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes) ^ user)
}

fn trace(id: u64, params: &[(Box<str>, Box<str>)]) -> u64 {
    let weight = |(name, value): &(Box<str>, Box<str>)| u64::from(name.as_bytes()[0]) * u64::from(value.as_bytes()[0]);
    params.iter().map(weight).fold(id, u64::wrapping_add)
}

fn mix(sum: u64, answer: u64) -> u64 {
    sum.rotate_left(7) ^ answer
}

/// Five parameters. Never inlined, nor is [`respond`]: all arms run the same code.
#[inline(never)]
fn params(query: &str) -> Vec<(Box<str>, Box<str>)> {
    let mut params = Vec::with_capacity(if query.is_empty() { 0 } else { 5 });
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    params.extend(pairs.map(|(name, value)| (name.into(), value.into())));
    params
}

#[inline(never)]
fn respond(token: &str, answer: u64) -> String {
    let mut response = String::with_capacity(96);
    response.push_str(token);
    response.extend((0..16).map(|at| char::from(b"0123456789abcdef"[(answer >> (4 * at) & 15) as usize])));
    response
}

/// The trap: an `Arc` a request, cloned into each stage.
pub fn arc_cloned(raw: &Raw, settings: Option<&Arc<Settings>>, stages: &[fn(Arc<Shared>) -> u64; 4]) -> String {
    let context = Arc::new(Context::new(raw, raw.token.to_string(), settings.cloned()));
    let answer = stages.iter().fold(0, |sum, stage| mix(sum, stage(Arc::clone(&context))));
    respond(&context.token, answer)
}

/// The advice: the context is on the stack, and stages borrow it.
pub fn by_value(raw: &Raw, settings: Option<&Settings>, stages: &[fn(&Owned<'_>) -> u64; 4]) -> String {
    let context = Context::new(raw, raw.token.to_string(), settings);
    respond(&context.token, stages.iter().fold(0, |sum, stage| mix(sum, stage(&context))))
}

/// A stage that is given the context and gives it back.
pub type Moving = for<'a> fn(Owned<'a>) -> (u64, Owned<'a>);

/// By value, in and out of each stage: what a value is in Go.
pub fn moved(raw: &Raw, settings: Option<&Settings>, stages: &[Moving; 4]) -> String {
    let (mut context, mut answer) = (Context::new(raw, raw.token.to_string(), settings), 0);
    for stage in stages {
        let (its, back) = stage(context);
        (context, answer) = (back, mix(answer, its));
    }
    respond(&context.token, answer)
}

/// The token stays where it came in, too.
pub fn borrowed(raw: &Raw, settings: Option<&Settings>, stages: &[fn(&Borrowed<'_>) -> u64; 4]) -> String {
    let context = Context::new(raw, &*raw.token, settings);
    respond(context.token, stages.iter().fold(0, |sum, stage| mix(sum, stage(&context))))
}

/// The floor: stages are known, and take what they use.
pub fn nothing_carried(raw: &Raw, settings: Option<&Settings>) -> String {
    let (Head { id, user, scopes, received, deadline }, params) = (raw.head, params(&raw.query));
    let allowed = mix(deadline - received, settings.map_or(0, |s| s.0));
    let answers = [authenticate(&raw.token, user), mix(user, scopes), allowed, trace(id, &params)];
    respond(&raw.token, answers.into_iter().fold(0, mix))
}

#[expect(clippy::needless_pass_by_value, reason = "the trap: each stage owns the context")]
fn shared_stage<const AT: usize>(context: Arc<Shared>) -> u64 {
    context.answer::<AT>()
}

fn owned_stage<const AT: usize>(context: &Owned<'_>) -> u64 {
    context.answer::<AT>()
}

fn moving_stage<const AT: usize>(context: Owned<'_>) -> (u64, Owned<'_>) {
    (context.answer::<AT>(), context)
}

fn borrowed_stage<const AT: usize>(context: &Borrowed<'_>) -> u64 {
    context.answer::<AT>()
}

/// What all arms read at a point. All tokens are of one length, and so are all values: no branch depends on them.
struct Requests {
    raws: Windows<Raw>,
    settings: Option<Arc<Settings>>,
}

fn requests(p: &Point) -> Requests {
    let mut rng = rng(22);
    let settings = (p.case == "settings").then(|| Arc::new(Settings(rng.u64())));
    let mut raw = |_| {
        let [id, user, scopes, received, time] = std::array::from_fn(|_| rng.below(1 << 40));
        let mut text = |length| (0..length).map(|_| rng.letter()).collect::<String>();
        let names = if p.case == "full" { &["page", "size", "sort", "lang", "zone"][..] } else { &[] };
        let query: Vec<String> = names.iter().map(|name| format!("{name}={}", text(6))).collect();
        let head = Head { id, user, scopes, received, deadline: received + time };
        Raw { head, token: text(32).into(), query: query.join("&").into() }
    };
    let raws = Shifted::new((0..16_384).map(&mut raw).collect());
    Requests { raws: Windows::of(raws, p.len() / p.threads), settings }
}

/// Of all 48 bytes of a response, which pass through `black_box`: they have to be in memory.
fn checksum(response: &str) -> u64 {
    let words = black_box(response.as_bytes()).as_chunks().0.iter();
    words.fold(0, |sum, word| (sum ^ u64::from_le_bytes(*word)).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// The stages lie in the input behind `black_box`: around a stage that the optimiser knows, it may drop the pair of clone and
/// drop. The threads share the `n` requests of a run.
fn arm<S: Send + Sync + 'static, F>(p: &Point, stages: S, serve: F) -> Box<dyn Routine>
where
    F: Fn(&Raw, Option<&Arc<Settings>>, &S) -> String + Send + Sync + 'static,
{
    let (threads, state) = (p.threads, (shared(p, requests), CachePadded::new(black_box(stages))));
    let total = move |requests: &Requests, stages: &S, raws: &[Raw]| {
        let serve = |raw| checksum(&serve(raw, requests.settings.as_ref(), stages));
        raws.iter().map(serve).fold(0, u64::wrapping_add)
    };
    if threads == 1 {
        // Without the divisions that count windows: a run may be a single request.
        return routine((state, 0), move |((all, stages), at)| total(all, stages, all.raws.advance(at)));
    }
    let run = move |(all, stages): &(Arc<Requests>, CachePadded<S>), turn: Turn| {
        total(all, stages, all.raws.window(turn.run * threads + turn.worker))
    };
    team(threads, state, run, |_, answer| answer)
}

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "request_context",
    title: "A context carried by pointer",
    section: "memory",
    habit: "keep what is known of a request behind a pointer, and hand it to every stage of its handling",
    claims: &["B3"],
    counts: "requests",
    op: "one request passed through four stages and answered",
    points: &[
        Point::n(1).case("lean"),
        Point::n(1_000).case("lean").headline(),
        Point::n(1_000).case("full"),
        Point::n(1_000).case("settings"),
        Point::n(1_000).threads(2).case("settings").headline(),
    ],
    cases: &[
        ("lean", "a request brings a token of 32 bytes, and no parameters"),
        ("full", "a request brings a token of 32 bytes, and five parameters that are parsed into strings"),
        ("settings", "as `lean`; besides, the trap clones an `Arc` that all requests share, and the others borrow it"),
    ],
    variants: &[
        Variant::trap("arc_cloned", |p| {
            arm(p, [shared_stage::<0>, shared_stage::<1>, shared_stage::<2>, shared_stage::<3>], arc_cloned)
        }),
        Variant::fix("by_value", |p| {
            let stages = [owned_stage::<0>, owned_stage::<1>, owned_stage::<2>, owned_stage::<3>];
            arm(p, stages, |raw, settings, stages| by_value(raw, settings.map(Arc::as_ref), stages))
        }),
        Variant::fix("moved", |p| {
            let stages = [moving_stage::<0>, moving_stage::<1>, moving_stage::<2>, moving_stage::<3>];
            arm(p, stages, |raw, settings, stages| moved(raw, settings.map(Arc::as_ref), stages))
        }),
        Variant::fix("borrowed", |p| {
            let stages = [borrowed_stage::<0>, borrowed_stage::<1>, borrowed_stage::<2>, borrowed_stage::<3>];
            arm(p, stages, |raw, settings, stages| borrowed(raw, settings.map(Arc::as_ref), stages))
        }),
        Variant::floor("nothing_carried", |p| {
            arm(p, (), |raw, settings, ()| nothing_carried(raw, settings.map(Arc::as_ref)))
        }),
    ],
    blind: &[
        (Instrument::Latency, "hundreds of ns a request: no tail of its own"),
        (Instrument::Usage, "its threads never wait: their CPU time is their time"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    const CASES: [&str; 3] = ["lean", "full", "settings"];

    #[test]
    fn all_arms_agree_at_small_sizes_and_over_several_windows() {
        let points = CASES.iter().flat_map(|case| [1, 2, 3, 1_000].map(|n| Point::n(n).case(case)));
        for p in points.flat_map(|p| [p, p.threads(2)]).filter(|p| p.len() >= p.threads) {
            let mut arms: Vec<_> = TRAP.variants.iter().map(|v| (v.batch)(&p)).collect();
            for run in 0..4 {
                let digests: Vec<u64> = arms.iter_mut().map(|arm| arm.digest()).collect();
                assert!(digests.iter().all(|digest| *digest == digests[0]), "{p}, run {run}: {digests:?}");
            }
        }
    }

    #[test]
    fn a_response_is_the_token_and_the_answer_in_16_digits() {
        assert_eq!(respond("token", 0x1f), format!("tokenf1{}", "0".repeat(14)));
        let all = requests(&TRAP.points[0]);
        assert!((0..16_384).all(|at| nothing_carried(&all.raws.window(at)[0], None).len() == 48));
    }

    #[test]
    fn the_answer_knows_the_settings_and_the_parameters() {
        let digest = |case| (TRAP.baseline().batch)(&Point::n(1).case(case)).digest();
        assert!(digest("lean") != digest("settings"));
        let all = requests(&Point::n(1).case("full"));
        let raw = &all.raws.window(0)[0];
        let lean = Raw { query: Box::default(), ..raw.clone() };
        assert!(nothing_carried(raw, None) != nothing_carried(&lean, None));
        assert_eq!((params(&raw.query).len(), params(&raw.query).capacity()), (5, 5));
        assert!(params(&raw.query).iter().all(|(name, value)| name.len() == 4 && value.len() == 6));
    }

    #[test]
    fn the_settings_are_shared_by_the_requests_that_are_under_way_only() {
        let all = requests(&TRAP.points[3]);
        let settings = all.settings.as_ref();
        let _ = arc_cloned(&all.raws.window(0)[0], settings, &[shared_stage::<0>; 4]);
        assert_eq!(settings.map(Arc::strong_count), Some(1));
        assert!(requests(&TRAP.points[1]).settings.is_none());
    }

    #[test]
    fn a_context_has_96_bytes_and_the_count_of_the_settings_lines_of_its_own() {
        assert_eq!([size_of::<Shared>(), size_of::<Owned<'_>>()], [96, 96]);
        assert_eq!((size_of::<Settings>(), align_of::<Settings>()), (128, 128));
    }
}
