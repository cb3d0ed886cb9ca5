//! # A walk under the lock
//!
//! A large map is walked while its lock is held, and everybody who wants to write waits for the end of the walk.
//!
//! ## In Go
//!
//! ```go
//! s.mu.Lock() // RLock keeps a writer out as long
//! for _, session := range s.sessions {
//!     report(session)
//! }
//! s.mu.Unlock()
//! // in every request: Lock, s.sessions[id].hits++, Unlock
//! ```
//!
//! ## In Rust
//!
//! The same: `sessions.lock().values().for_each(report)` holds its guard to the end of the statement. Alike: a read lock keeps
//! writers out as long, a copy under the lock holds it for the copy, and with shards it is one shard at a time. Only similar: Go's
//! mutex turns fair when a waiter has starved for a while, so that a walk that unlocks and locks again lets it in. `parking_lot`'s
//! no longer does. It has what Go lacks instead, a hand-over that is asked for: `MutexGuard::bump`.
//!
//! ## Why it costs
//!
//! The walk is no slower for its lock. The writer pays: one that comes in the middle waits for the rest of it, and all writes
//! that are due meanwhile come late with it. Most writes meet no walk, so that the median and the throughput say nothing.
//!
//! A walk in chunks gives the lock away between two of them, if it is *handed* over. Unlocked and locked again it is mostly taken
//! by who let it go, for the writer has yet to wake. A copy under the lock holds it for longer than the walk, where entries own
//! memory. Copying on write hands that bill to the writer: its first write in each walk copies the map.
//!
//! Expected: a p99 of the write as long as the walk, some ms, and no better with unlocking alone; a chunk and a wake-up where the
//! lock is handed over; a part of a shard's walk with shards; more than the walk where the map is copied, by whomever.
//!
//! ## When the fix loses
//!
//! - When the walk must see one moment: between two chunks entries come, go and move, so that one can be missed.
//! - When a writer waits at the end of every chunk: the walker then sleeps as often, and takes a multiple of its time.
//! - Shards deadlock when the visit writes to the map, and their longest wait is a shard, which grows with it.
//! - Persistent maps (`imbl`) make the copy cheap, and look-ups and writes dearer. They are not measured here.
//!
//! ## What to measure it with
//!
//! Latency, of the writer: a write each 20 µs beside a walk each 20.3 ms, out of step. Time, of an undisturbed walk: what a fix
//! costs the walker. Heap counts see the copies, but not those on write, which only a writer makes. Instructions are blind, for a
//! lock is some twenty of them, and so is usage: waiting takes no CPU.
//!
//! ## Sources
//!
//! - Go runtime, `sync/mutex.go`, on starvation mode
//! - `parking_lot` 0.13, `src/raw_mutex.rs`; `MutexGuard::bump`; `DashMap::iter`, on locking; `std::sync::Arc::make_mut`
//! - Tene, "How NOT to Measure Latency", on what a mean and a closed loop leave out

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use dashmap::DashMap;
use indexmap::IndexMap;
use parking_lot::{Mutex, MutexGuard};

use crate::trap::{Ended, Helper, Instrument, Point, Routine, Stream, Trap, Variant, routine, stream};
use crate::workload::{OneState, POOL, STEPS_PER_MICROSECOND, Turns, rng, shared};

/// What a service knows of one who has logged in. Writers count its hits.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Session {
    pub user: Box<str>,
    pub expires: u64,
    pub hits: u64,
}

/// Sessions by id.
pub type Sessions = HashMap<u64, Session, OneState>;
/// The same with numbered places, so that a walk can go on where it stopped.
pub type Indexed = IndexMap<u64, Session, OneState>;

/// How many sessions are visited before others may have the lock.
pub const CHUNK: usize = 256;

/// The trap: the guard lives to the end of the statement, and that is the walk.
pub fn walk_locked(sessions: &Mutex<Sessions>, visit: impl FnMut(&Session)) {
    sessions.lock().values().for_each(visit);
}

/// The advice: after each chunk the lock is handed to who waits for it, if anybody does.
pub fn walk_chunks(sessions: &Mutex<Indexed>, mut visit: impl FnMut(&Session)) {
    let (mut sessions, mut next) = (sessions.lock(), Some(0));
    while let Some(from) = next {
        next = visit_chunk(&sessions, from, &mut visit);
        MutexGuard::bump(&mut sessions);
    }
}

/// What people write: unlock, and lock again. A waiter must be quick to come in between.
pub fn walk_chunks_barging(sessions: &Mutex<Indexed>, mut visit: impl FnMut(&Session)) {
    let mut next = Some(0);
    while let Some(from) = next {
        next = visit_chunk(&sessions.lock(), from, &mut visit);
    }
}

/// Where the next chunk begins, if there is one: others may have removed some meanwhile.
fn visit_chunk(sessions: &Indexed, from: usize, visit: impl FnMut(&Session)) -> Option<usize> {
    let to = sessions.len().min(from + CHUNK);
    sessions.get_range(from..to)?.values().for_each(visit);
    (to < sessions.len()).then_some(to)
}

/// One shard at a time is locked, for reading. The iterator counts its guard up and down at each entry.
pub fn walk_shards(sessions: &DashMap<u64, Session, OneState>, mut visit: impl FnMut(&Session)) {
    sessions.iter().for_each(|session| visit(session.value()));
}

/// A walk over what the map was when it began. The lock is held to count one reader more.
pub fn walk_snapshot(sessions: &Mutex<Arc<Sessions>>, visit: impl FnMut(&Session)) {
    let snapshot = Arc::clone(&sessions.lock());
    snapshot.values().for_each(visit);
}

/// The write beside it: the first one in each walk copies the map, under the lock.
pub fn hit_copying(sessions: &Mutex<Arc<Sessions>>, id: u64) {
    hit(Arc::make_mut(&mut sessions.lock()).get_mut(&id));
}

/// The trap again: a copy, so that the lock is not held for the walk. It is held for the copy.
pub fn clone_locked(sessions: &Mutex<Sessions>, visit: impl FnMut(&Session)) {
    let copy = sessions.lock().clone();
    copy.values().for_each(visit);
}

fn hit(session: Option<&mut Session>) {
    session.into_iter().for_each(|session| session.hits += 1);
}

/// The sessions, and whose requests come.
struct Load {
    sessions: Vec<(u64, Session)>,
    hits: Vec<u64>,
}

impl Load {
    fn new(p: &Point) -> Self {
        let mut rng = rng(41);
        let mut session = |_| {
            let user = format!("{:016x}", rng.u64()).into();
            (rng.u64(), Session { user, expires: rng.u64() >> 32, hits: 0 })
        };
        // Where writes are counted, n counts them.
        let entries = if p.every.is_some() { 100_000 } else { p.n };
        let sessions: Vec<_> = (0..entries).map(&mut session).collect();
        let hits = (0..POOL).map(|_| sessions[rng.u64() as usize % sessions.len()].0).collect();
        Self { sessions, hits }
    }

    /// A map of any kind that can be collected into.
    fn kept<M: FromIterator<(u64, Session)>>(&self) -> M {
        self.sessions.iter().cloned().collect()
    }

    fn next(&self, at: &mut usize) -> u64 {
        *at += 1;
        self.hits[*at % POOL]
    }
}

/// What a walk sees, added up, for no two arms have one order. A hit that is lost, or another's, changes it.
struct Visits {
    work: Turns,
    sum: u64,
}

impl Visits {
    fn of(walk: impl FnOnce(&mut Self)) -> u64 {
        let mut visits = Self { work: Turns::of(20 * STEPS_PER_MICROSECOND / 1_000), sum: 0 };
        walk(&mut visits);
        visits.sum
    }

    /// About 20 ns: a walk that only looks would hold the lock for a part of what real ones do.
    fn visit(&mut self, Session { user, expires, hits }: &Session) {
        self.work.take(*expires);
        let user = user.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        self.sum = self.sum.wrapping_add((user ^ expires).wrapping_add(hits.wrapping_mul(expires | 1)));
    }
}

/// Walks at once and again each so often, until nobody holds the other end.
fn keep_walking(quit: &Receiver<()>, walk: impl Fn() -> u64) {
    let mut due = Instant::now();
    while quit.recv_deadline(due) == Err(RecvTimeoutError::Timeout) {
        black_box(walk());
        // No multiple of the time between two writes.
        due += Duration::from_micros(20_300);
    }
}

/// An arm: how sessions are kept, how one is written to, and how all are walked over.
struct Arm<S> {
    keep: fn(&Load) -> S,
    hit: fn(&S, u64),
    walk: fn(&S, &mut Visits),
}

impl<S: Send + Sync + 'static> Arm<S> {
    /// One undisturbed walk.
    fn batch(&self, p: &Point) -> Box<dyn Routine> {
        let (load, walk) = (shared(p, Load::new), self.walk);
        routine(((self.keep)(&load), load), move |(sessions, _)| Visits::of(|v| walk(sessions, v)))
    }

    /// A write, beside a walker.
    fn stream(&self, p: &Point) -> Box<dyn Stream> {
        let (load, hit, walk) = (shared(p, Load::new), self.hit, self.walk);
        let sessions = Arc::new((self.keep)(&load));
        let walked = Arc::clone(&sessions);
        let (quit, asked) = bounded::<()>(0);
        let walker = Helper::beside(1, move || keep_walking(&asked, || Visits::of(|v| walk(&walked, v))));
        // In this order: the walker waits for the end of `quit`.
        let state = ((quit, walker), sessions, load, 0);
        let write = move |(_, sessions, load, at): &mut (_, Arc<S>, Arc<Load>, _), _| hit(sessions, load.next(at));
        stream(state, write, move |(walker, sessions, ..)| {
            drop(walker);
            Ended::answer(Visits::of(|v| walk(&sessions, v)))
        })
    }
}

/// The floor: no lock, for nobody else can see the sessions, and they lie one behind the other, as chunks need them.
fn alone(p: &Point) -> (Indexed, Arc<Load>, usize) {
    let load = shared(p, Load::new);
    (load.kept(), load, 0)
}

fn walk_alone(sessions: &Indexed) -> u64 {
    Visits::of(|v| sessions.values().for_each(|s| v.visit(s)))
}

const LOCKED: Arm<Mutex<Sessions>> = Arm {
    keep: |load| Mutex::new(load.kept()),
    hit: |sessions, id| hit(sessions.lock().get_mut(&id)),
    walk: |sessions, v| walk_locked(sessions, |s| v.visit(s)),
};
const CLONED: Arm<Mutex<Sessions>> = Arm { walk: |m, v| clone_locked(m, |s| v.visit(s)), ..LOCKED };
const CHUNKS: Arm<Mutex<Indexed>> = Arm {
    keep: |load| Mutex::new(load.kept()),
    hit: |sessions, id| hit(sessions.lock().get_mut(&id)),
    walk: |sessions, v| walk_chunks(sessions, |s| v.visit(s)),
};
const BARGING: Arm<Mutex<Indexed>> = Arm { walk: |m, v| walk_chunks_barging(m, |s| v.visit(s)), ..CHUNKS };
const IN_SHARDS: Arm<DashMap<u64, Session, OneState>> = Arm {
    keep: |load| {
        // `DashMap`'s own choice on two CPUs, and here on any.
        let mut sessions = DashMap::with_hasher_and_shard_amount(OneState::default(), 8);
        sessions.extend(load.sessions.iter().cloned());
        sessions
    },
    hit: |sessions, id| hit(sessions.get_mut(&id).as_deref_mut()),
    walk: |sessions, v| walk_shards(sessions, |s| v.visit(s)),
};
const ON_WRITE: Arm<Mutex<Arc<Sessions>>> = Arm {
    keep: |load| Mutex::new(Arc::new(load.kept())),
    hit: hit_copying,
    walk: |sessions, v| walk_snapshot(sessions, |s| v.visit(s)),
};

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "locked_iteration",
    title: "A walk under the lock",
    section: "concurrency",
    habit: "range over a large map while holding its mutex, which every request wants",
    claims: &["G2"],
    counts: "entries",
    op: "one entry visited; in `writes` one write beside a walker",
    points: &[Point::n(100_000).headline(), Point::n(10_000).case("writes").every(20_000).headline()],
    cases: &[("writes", "n counts writes, one each 20 µs, to 100 000 entries that another thread walks over")],
    variants: &[
        Variant::trap("walk_locked", |p| LOCKED.batch(p)).stream(|p| LOCKED.stream(p)),
        Variant::fix("walk_chunks", |p| CHUNKS.batch(p)).stream(|p| CHUNKS.stream(p)),
        Variant::fix("walk_chunks_barging", |p| BARGING.batch(p)).stream(|p| BARGING.stream(p)),
        Variant::fix("walk_shards", |p| IN_SHARDS.batch(p)).stream(|p| IN_SHARDS.stream(p)),
        Variant::fix("copy_on_write", |p| ON_WRITE.batch(p)).stream(|p| ON_WRITE.stream(p)),
        Variant::fix("clone_locked", |p| CLONED.batch(p)).stream(|p| CLONED.stream(p)),
        Variant::floor("nobody_walks", |p| routine(alone(p), |(sessions, ..)| walk_alone(sessions))).stream(|p| {
            let write = |(sessions, load, at): &mut (Indexed, Arc<Load>, _), _| hit(sessions.get_mut(&load.next(at)));
            stream(alone(p), write, |(sessions, ..)| Ended::answer(walk_alone(&sessions)))
        }),
    ],
    blind: &[
        (Instrument::Instructions, "n is above 10 000, and a lock is some twenty instructions"),
        (Instrument::Usage, "waiting takes no CPU, and wake-ups are few"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    fn load(n: u64) -> Load {
        Load::new(&Point::n(n))
    }

    #[test]
    fn every_walk_sees_every_session_once_also_at_the_ends_of_chunks() {
        for n in [1, 2, 255, 256, 257, 512, 1_000] {
            let p = Point::n(n);
            let expected = Visits::of(|v| Load::new(&p).sessions.iter().for_each(|(_, s)| v.visit(s)));
            for variant in TRAP.variants {
                assert_eq!((variant.batch)(&p).digest(), expected, "{} of {n}", variant.name);
            }
        }
    }

    #[test]
    fn a_walk_in_chunks_of_nothing_ends() {
        let none = Mutex::new(Indexed::default());
        walk_chunks(&none, |_| panic!("there is none"));
        walk_chunks_barging(&none, |_| panic!("there is none"));
    }

    /// Sessions that go meanwhile end a walk early, and do no other harm.
    #[test]
    fn a_chunk_behind_the_last_session_is_none() {
        let sessions: Indexed = load(300).kept();
        assert_eq!(visit_chunk(&sessions, 0, |_| ()), Some(256));
        assert_eq!((visit_chunk(&sessions, 256, |_| ()), visit_chunk(&sessions, 400, |_| ())), (None, None));
    }

    #[test]
    fn every_write_is_in_the_answer_of_every_arm() {
        let p = Point::n(20).every(20_000);
        let answer = |variant: &Variant, writes: u64| {
            let mut stream = (variant.stream.expect("all have one"))(&p);
            (0..writes).for_each(|_| stream.op(Instant::now()));
            stream.end().answer
        };
        let [none, some] = [0, 500].map(|writes| answer(TRAP.baseline(), writes));
        assert_ne!(none, some);
        for variant in TRAP.variants {
            assert_eq!([0, 500].map(|writes| answer(variant, writes)), [none, some], "{}", variant.name);
        }
    }

    #[test]
    fn the_answer_knows_a_hit_that_is_lost_and_one_of_another_session() {
        let mut sessions: Indexed = load(10).kept();
        let ids: Vec<u64> = sessions.keys().copied().collect();
        let mut after = |id: &u64| {
            hit(sessions.get_mut(id));
            let seen = walk_alone(&sessions);
            sessions.get_mut(id).expect("it is there").hits = 0;
            (seen, walk_alone(&sessions))
        };
        let ((first, none), (second, _)) = (after(&ids[0]), after(&ids[1]));
        assert!(first != none && second != none && first != second);
    }

    /// Whether a writer that comes in the first chunk has written before the walk's end. It is given all time that it may need.
    fn is_let_in<S: Send + Sync + 'static>(arm: &Arm<S>, walk: impl FnOnce(&S, &mut dyn FnMut())) -> bool {
        let load = load(20 * CHUNK as u64);
        let (sessions, written) = (Arc::new((arm.keep)(&load)), Arc::new(AtomicBool::new(false)));
        let (mut seen, mut writer, mut was_in) = (0, None, false);
        walk(&sessions, &mut || {
            seen += 1;
            let (theirs, done, id, hit) = (Arc::clone(&sessions), Arc::clone(&written), load.sessions[0].0, arm.hit);
            let write = move || {
                hit(&theirs, id);
                done.store(true, Ordering::SeqCst);
            };
            writer.get_or_insert_with(|| thread::spawn(write));
            was_in = written.load(Ordering::SeqCst);
            if seen % CHUNK == 0 && !was_in {
                thread::sleep(Duration::from_millis(20));
            }
        });
        writer.expect("there was a first visit").join().expect("it only writes");
        was_in
    }

    #[test]
    fn a_writer_gets_in_between_chunks_and_not_in_a_walk_under_the_lock() {
        assert!(!is_let_in(&LOCKED, |sessions, visited| walk_locked(sessions, |_| visited())));
        assert!(is_let_in(&CHUNKS, |sessions, visited| walk_chunks(sessions, |_| visited())));
        assert!(is_let_in(&ON_WRITE, |sessions, visited| walk_snapshot(sessions, |_| visited())));
        assert!(is_let_in(&CLONED, |sessions, visited| clone_locked(sessions, |_| visited())));
    }

    #[test]
    fn a_snapshot_does_not_see_what_is_written_beside_it() {
        let load = load(10);
        let (sessions, id) = (Mutex::new(Arc::new(load.kept())), load.sessions[3].0);
        walk_snapshot(&sessions, |session| {
            hit_copying(&sessions, id);
            assert_eq!(session.hits, 0);
        });
        assert_eq!(sessions.lock()[&id].hits, 10);
    }

    #[test]
    fn all_ids_differ_and_all_requests_are_of_sessions_that_are_there() {
        let load = load(100_000);
        let sessions: Sessions = load.kept();
        assert_eq!(sessions.len(), 100_000);
        assert!(load.hits.iter().all(|id| sessions.contains_key(id)));
        assert!(load.sessions.iter().all(|(_, session)| session.user.len() == 16));
    }
}
