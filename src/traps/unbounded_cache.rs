//! # A cache without eviction
//!
//! A map that keeps what was computed once, and nothing that ever takes an entry out of it.
//!
//! ## In Go
//!
//! ```go
//! func page(key uint64) []byte {
//!     p, ok := pages[key] // pages is a map[uint64][]byte of the package
//!     if !ok {
//!         p = render(key)
//!         pages[key] = p // nothing takes it out again
//!     }
//!     return p
//! }
//! ```
//!
//! ## In Rust
//!
//! A `HashMap` and its entry API. The mechanism is the same: a global map that only grows, and whose table would keep
//! its size if entries were taken out. Only similar: in Go the collector also walks whatever the map keeps alive, in
//! each of its cycles, so that the cache costs time when nobody asks it. Here an entry costs its memory, and time when
//! the table grows or the cache goes.
//!
//! ## Why it costs
//!
//! Each new key is an entry for ever: its value and a place in a table, which is between 7/16 and 7/8 full. The table
//! doubles now and then, and one request pays for moving all entries. Memory that is never given back is always fresh
//! in a service: the kernel clears each page and the first touch of it is a fault. Here each run drops what it has built, so
//! that the next finds most pages there, and pays for the drop. A bounded cache works in blocks that it has just freed. What it
//! pays instead is its bookkeeping, at hits too, and the values that it must compute again.
//!
//! Expected: an entry of the trap takes 290 bytes or so of live memory for 256 bytes of value, without end; a bounded
//! cache takes nothing more once it is full. In time a tie within a factor of 1.4 either way: the sign depends on what
//! a page fault costs. While nothing is evicted yet the bounded caches lose a little.
//!
//! ## When the fix loses
//!
//! - When a miss is dear: who forgets, computes again. The case `miss=1us` is about that.
//! - When the keys are few and known, such as countries. Then the map is bounded by them, and is no trap.
//! - While the cache is not full: the list of an exact LRU is kept up for an eviction that does not come.
//! - When many threads ask: a hit of an exact LRU writes, so that readers exclude each other.
//!
//! ## What to measure it with
//!
//! Memory, not time: the heap's live bytes an op, and resident bytes an op, both at the point of what is held. Peak
//! bytes and faults say the same of one run. Time is measured because the cure has a price, and instructions because
//! time says little of why. Latency is blind: a rehash is one op in tens of thousands, beyond p99.9.
//!
//! ## Sources
//!
//! - lru, `src/lib.rs`: `get_or_insert_with_key` and `replace_or_create_node`
//! - `quick_cache`, `src/shard.rs`; Yang, Zhang, Qiu, Yue and Rashmi, "FIFO queues are all you need for cache
//!   eviction", SOSP 2023
//! - hashbrown, `src/raw.rs`, on how large a table is; Go runtime, `internal/runtime/maps`
//! - glibc, `malloc/malloc.c`, on the heap's top

use std::collections::HashMap;
use std::convert::Infallible;
use std::hash::BuildHasher;
use std::hint::black_box;
use std::num::NonZeroUsize;

use lru::LruCache;
use quick_cache::{UnitWeighter, unsync};

use crate::trap::{Hold, Instrument, Point, Routine, Trap, Variant, routine};
use crate::workload::{OneState, POOL, Rng, STEPS_PER_MICROSECOND, Shifted, Turns, Windows, rng, shared};

/// What is cached: 256 bytes.
pub type Page = Box<[u8]>;

/// How many entries a bounded cache has room for.
pub const CAP: usize = 4_096;

/// What is read of a page. It is a function of the key, so that the answer does not depend on hits.
fn first_word(page: &[u8]) -> u64 {
    page.first_chunk().map_or(0, |word| u64::from_le_bytes(*word))
}

/// The trap's cache.
pub type Pages = HashMap<u64, Page, OneState>;

/// The trap: nothing ever leaves the map.
pub fn unbounded(cache: &mut Pages, keys: &[u64], render: impl Fn(u64) -> Page) -> u64 {
    keys.iter().fold(0, |sum, &key| {
        let page = cache.entry(key).or_insert_with(|| render(key));
        sum.wrapping_add(first_word(page))
    })
}

/// The advice: the least recently used entry makes room.
pub fn lru(cache: &mut LruCache<u64, Page, OneState>, keys: &[u64], render: impl Fn(u64) -> Page) -> u64 {
    keys.iter().fold(0, |sum, &key| {
        let page = cache.get_or_insert(key, || render(key));
        sum.wrapping_add(first_word(page))
    })
}

/// A cache that keeps what is asked for again, and lets most newcomers go soon (S3-FIFO).
pub type Quick = unsync::Cache<u64, Page, UnitWeighter, OneState>;

/// The better policy. A page that the cache does not take is rendered once more to be read; with pages that weigh all
/// the same it takes each.
pub fn quick_cache(cache: &mut Quick, keys: &[u64], render: impl Fn(u64) -> Page) -> u64 {
    keys.iter().fold(0, |sum, &key| {
        let Ok(page) = cache.get_or_insert_with(&key, || Ok::<_, Infallible>(render(key)));
        sum.wrapping_add(page.map_or_else(|| first_word(&render(key)), |page| first_word(page)))
    })
}

/// A cache in which a key has one place, which it shares with many.
#[derive(Debug)]
pub struct DirectMapped {
    slots: Box<[Option<(u64, Page)>]>,
    hasher: OneState,
}

impl Default for DirectMapped {
    fn default() -> Self {
        Self { slots: vec![None; CAP].into(), hasher: OneState::default() }
    }
}

/// The floor: no policy and no list. Who comes overwrites who was there.
pub fn direct_mapped(cache: &mut DirectMapped, keys: &[u64], render: impl Fn(u64) -> Page) -> u64 {
    keys.iter().fold(0, |sum, &key| {
        let slot = &mut cache.slots[cache.hasher.hash_one(key) as usize % CAP];
        if slot.as_ref().is_none_or(|(of, _)| *of != key) {
            *slot = Some((key, render(key)));
        }
        sum.wrapping_add(slot.as_ref().map_or(0, |(_, page)| first_word(page)))
    })
}

type Render = fn(u64) -> Page;

/// Makes the page of a key: 32 words.
fn render(key: u64) -> Page {
    let mut page = [0; 256];
    for (at, word) in (1_u64..).zip(page.chunks_exact_mut(8)) {
        word.copy_from_slice(&(key ^ at).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
    }
    Box::new(page)
}

/// How the pages of a point are made. The pointer comes out of the input: seen through, the page could be left out and
/// its first word computed.
struct Renderer {
    render: Render,
    work: Turns,
}

impl Renderer {
    fn of(p: &Point) -> Self {
        let steps = if p.case == "skewed,miss=1us" { STEPS_PER_MICROSECOND } else { 0 };
        Self { render: black_box(render), work: Turns::of(steps) }
    }

    fn page(&self, key: u64) -> Page {
        self.work.take(key);
        (self.render)(key)
    }
}

/// A key of 24 octaves, all of which are as likely: small keys come often, large ones once. Integers only, so that Go
/// draws the same.
fn skewed(rng: &mut Rng) -> u64 {
    let octave = rng.u64() % 24;
    1 << octave | rng.u64() & ((1 << octave) - 1)
}

/// Each run asks for the next keys of a supply.
fn keys(p: &Point) -> Windows<u64> {
    let (mut rng, whole) = (rng(41), (POOL / p.len()).max(1) * p.len());
    let keys = match p.case {
        "unique" => (0..whole as u64).collect(),
        _ => (0..whole).map(|_| skewed(&mut rng)).collect(),
    };
    Windows::of(Shifted::new(keys), p.len())
}

type Serve<C> = fn(&mut C, &[u64], &Renderer) -> u64;

/// An arm: each run begins with an empty cache and drops it inside the clock.
fn arm<C: 'static>(p: &Point, empty: fn() -> C, serve: Serve<C>) -> Box<dyn Routine> {
    routine((shared(p, keys), Renderer::of(p), 0), move |(keys, renderer, at)| {
        serve(&mut empty(), keys.advance(at), renderer)
    })
}

/// The same, kept. Each op asks for a key that nobody has asked for.
fn hold<C: 'static>(p: &Point, empty: fn() -> C, serve: Serve<C>) -> Hold {
    let (mut cache, renderer, mut asked) = (empty(), Renderer::of(p), 0);
    Box::new(move |ops| {
        for key in asked..asked + ops {
            black_box(serve(&mut cache, &[key], &renderer));
        }
        asked += ops;
    })
}

const UNBOUNDED: Serve<Pages> = |cache, keys, r| unbounded(cache, keys, |key| r.page(key));

fn empty_lru() -> LruCache<u64, Page, OneState> {
    LruCache::with_hasher(NonZeroUsize::MIN.saturating_add(CAP - 1), OneState::default())
}

const LRU: Serve<LruCache<u64, Page, OneState>> = |cache, keys, r| lru(cache, keys, |key| r.page(key));

fn empty_quick() -> Quick {
    Quick::with(CAP, CAP as u64, UnitWeighter, OneState::default(), unsync::DefaultLifecycle::default())
}

const QUICK: Serve<Quick> = |cache, keys, r| quick_cache(cache, keys, |key| r.page(key));

const DIRECT: Serve<DirectMapped> = |cache, keys, r| direct_mapped(cache, keys, |key| r.page(key));

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "unbounded_cache",
    title: "A cache without eviction",
    section: "memory",
    habit: "keep each computed value in a global map, and take none out again",
    claims: &["C4"],
    counts: "requests",
    op: "one request for a page, from the cache or rendered",
    points: &[
        Point::n(4_000).case("skewed"),
        Point::n(40_000).case("skewed").headline(),
        Point::n(40_000).case("unique"),
        Point::n(12_000).case("skewed,miss=1us"),
        Point::n(400_000).case("unique").held(),
    ],
    cases: &[
        ("skewed", "a key's weight is about one over the key: small ones come often, large ones once"),
        ("unique", "no key comes twice: every request misses"),
        ("miss", "own work of a miss, besides making the page"),
    ],
    variants: &[
        Variant::trap("unbounded", |p| arm(p, Pages::default, UNBOUNDED)).hold(|p| hold(p, Pages::default, UNBOUNDED)),
        Variant::fix("lru", |p| arm(p, empty_lru, LRU)).hold(|p| hold(p, empty_lru, LRU)),
        Variant::fix("quick_cache", |p| arm(p, empty_quick, QUICK)).hold(|p| hold(p, empty_quick, QUICK)),
        Variant::floor("direct_mapped", |p| arm(p, DirectMapped::default, DIRECT))
            .hold(|p| hold(p, DirectMapped::default, DIRECT))
            .not_in("skewed,miss=1us", "it misses more often than the others, and is no floor where misses are all"),
    ],
    blind: &[(Instrument::Latency, "a rehash is one op in tens of thousands, beyond p99.9")],
};

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::HashSet;

    use super::*;

    /// How many pages are rendered for these keys by each arm, in the catalog's order.
    fn rendered(keys: &[u64]) -> [usize; 4] {
        let count = Cell::new(0);
        let counting = |key| {
            count.set(count.get() + 1);
            render(key)
        };
        unbounded(&mut Pages::default(), keys, counting);
        let all = count.take();
        lru(&mut empty_lru(), keys, counting);
        let by_lru = count.take();
        quick_cache(&mut empty_quick(), keys, counting);
        let quick = count.take();
        direct_mapped(&mut DirectMapped::default(), keys, counting);
        [all, by_lru, quick, count.take()]
    }

    fn distinct(keys: &[u64]) -> usize {
        keys.iter().collect::<HashSet<_>>().len()
    }

    #[test]
    fn all_variants_give_the_sum_of_the_first_words_whether_they_hit_or_not() {
        for (n, case) in
            [(1, "skewed"), (100, "unique"), (10_000, "skewed"), (10_000, "unique"), (50, "skewed,miss=1us")]
        {
            let p = Point::n(n).case(case);
            let words = keys(&p).window(0).iter().map(|key| first_word(&render(*key))).fold(0_u64, u64::wrapping_add);
            for variant in TRAP.variants {
                assert_eq!((variant.batch)(&p).digest(), words, "{} at {p}", variant.name);
            }
        }
    }

    #[test]
    fn the_first_word_tells_keys_apart() {
        let words: HashSet<u64> = (0..10_000).map(|key| first_word(&render(key))).collect();
        assert_eq!((words.len(), render(7).len()), (10_000, 256));
    }

    #[test]
    fn skewed_keys_are_few_at_first_and_more_than_fit_later() {
        let of = |n| keys(&Point::n(n).case("skewed")).window(0).to_vec();
        assert!(distinct(&of(4_000)) < CAP, "nothing is evicted at 4 000");
        assert!((20_000..24_000).contains(&distinct(&of(40_000))), "{}", distinct(&of(40_000)));
        assert!(of(40_000).iter().all(|key| (1..1 << 24).contains(key)));
        let unique = keys(&Point::n(40_000).case("unique"));
        assert_eq!(distinct(unique.window(1)), 40_000);
    }

    #[test]
    fn a_bounded_cache_stays_bounded_and_the_map_keeps_all() {
        let keys: Vec<u64> = (0..20_000).collect();
        let (mut pages, mut lru_cache, mut quick) = (Pages::default(), empty_lru(), empty_quick());
        unbounded(&mut pages, &keys, render);
        lru(&mut lru_cache, &keys, render);
        quick_cache(&mut quick, &keys, render);
        assert_eq!((pages.len(), lru_cache.len()), (20_000, CAP));
        assert!(quick.len() <= CAP && quick.len() > CAP / 2, "{}", quick.len());
    }

    /// Why the trap wins where a miss is dear, and why the floor is none there.
    #[test]
    fn who_keeps_all_renders_least_and_the_floor_renders_most() {
        let keys = keys(&Point::n(12_000).case("skewed,miss=1us"));
        let keys = keys.window(0);
        let [all, lru, quick, direct] = rendered(keys);
        assert_eq!(all, distinct(keys));
        assert!(all < quick.min(lru) && quick.max(lru) < direct, "{all} {lru} {quick} {direct}");
    }

    #[test]
    fn what_is_asked_for_again_at_once_is_not_rendered_again() {
        let keys: Vec<u64> = (0..10_000).flat_map(|key| [key, key, key]).collect();
        assert_eq!(rendered(&keys), [10_000; 4]);
    }

    #[test]
    fn what_is_held_asks_for_new_keys_in_each_call() {
        let p = Point::n(400_000).case("unique");
        for variant in TRAP.variants {
            let mut hold = variant.hold.expect("it can be held")(&p);
            (0..3).for_each(|_| hold(10));
        }
    }
}
