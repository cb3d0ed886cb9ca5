//! # Clean-up put off in a loop
//!
//! What each turn of a loop takes is given back only when the function ends, by clean-ups kept in a list until then.
//!
//! ## In Go
//!
//! ```go
//! func (l *Ledger) settle(items []uint64) {
//!     for _, item := range items {
//!         l.acquire()
//!         defer l.release(item) // runs when settle returns, not when the turn ends
//!         handle(item)
//!     }
//! }
//! ```
//!
//! ## In Rust
//!
//! The trap is absent from the language: `Drop` runs at the end of the scope, and a guard in the body of the loop *is* the
//! fix. What is measured is what people write when they miss `defer`: a list of boxed clean-ups that runs at the end. Alike: a
//! deferred call in a loop has no place in the frame, so that Go keeps a record of each on the heap, in a list, and holds
//! everything until the function returns. Only similar: Go takes its records from a pool of the processor, and runs the
//! clean-ups in a panic, too. A guard does that; a plain list of closures forgets them.
//!
//! ## Why it costs
//!
//! Each turn allocates a box for its closure and writes two words into a list, which grows. At the end every box is called
//! through its table and freed. A guard in the body is inlined: no block, no list. Guards in a list spare the boxes and hold
//! as much, which is the other half of the cost and does not show in time: in the case `files` all are open at the end.
//!
//! Expected: where a turn does nothing else, the guard wins by a factor of tens. With 25 ns of work a turn it is two to three,
//! with 100 ns a third; with files, nothing that time can show, and a file a turn that is open.
//!
//! ## When the fix loses
//!
//! - When a turn does real work: a box is a few tens of ns.
//! - When clean-up must wait for the end, as in a transaction that is undone as a whole. Then a list is right: of guards.
//! - When one flush at the end is cheaper than one a turn; or a clean-up can fail: `Drop` has no way to say so.
//!
//! ## What to measure it with
//!
//! Time, over the work a turn does. Heap counts see the boxes and the list exactly, and instructions both. Usage sees how many
//! files a turn leaves open, and latency is blind: what is held too long makes others wait, and not the one who holds it.
//!
//! ## Sources
//!
//! - The Go specification, "Defer statements"; Go proposal 34481, "Low-cost defers through inline code", which excludes loops
//! - Go runtime, `newdefer` and `deferproc` in `runtime/panic.go`
//! - `std::ops::Drop` and The Rust Reference, "Destructors"; `scopeguard::defer`
//! - Stroustrup, "The Design and Evolution of C++", section 16.5, on resource acquisition as initialisation

use std::cell::Cell;
use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::path::Path;

use tempfile::NamedTempFile;

use crate::trap::{Hold, Instrument, Point, Routine, Trap, Variant, routine};
use crate::workload::{POOL, STEPS_PER_MICROSECOND, Shifted, Turns, Windows, rng, shared};

/// What is taken and given back: a count of what is open, and a trace of what was released.
#[derive(Debug, Default)]
pub struct Ledger {
    open: Cell<u64>,
    released: Cell<u64>,
}

impl Ledger {
    /// Takes one.
    pub fn acquire(&self) {
        self.open.set(self.open.get() + 1);
    }

    /// Gives it back. A count alone could be cancelled against the taking. An exclusive or, for the trap releases in reverse.
    pub fn release(&self, item: u64) {
        self.released.set(self.released.get() ^ item.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        self.open.set(self.open.get() - 1);
    }

    /// What was released since the last time. What is still open is in the answer, so that an arm that forgets one is found out.
    fn settle(&self) -> u64 {
        self.released.take().wrapping_add(self.open.get())
    }
}

/// The trap: a list of clean-ups, which run at the end and in reverse. Each captures a reference and the item, 16 bytes: one
/// that captured nothing would have no size, and its box would not allocate.
pub fn deferred_boxed(ledger: &Ledger, items: &[u64], body: impl Fn(u64)) -> u64 {
    let mut cleanups: Vec<Box<dyn FnOnce() + '_>> = Vec::new();
    for &item in items {
        ledger.acquire();
        cleanups.push(Box::new(move || ledger.release(item)));
        body(item);
    }
    while let Some(cleanup) = cleanups.pop() {
        cleanup();
    }
    ledger.settle()
}

/// The advice: the guard ends with the turn, also if the body panics.
pub fn scoped_guard(ledger: &Ledger, items: &[u64], body: impl Fn(u64)) -> u64 {
    for &item in items {
        ledger.acquire();
        scopeguard::defer! { ledger.release(item) }
        body(item);
    }
    ledger.settle()
}

/// A guard of one's own: what `defer!` is, with a name, so that it can be kept.
#[derive(Debug)]
pub struct Guard<'a> {
    ledger: &'a Ledger,
    item: u64,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.ledger.release(self.item);
    }
}

/// Half of the way: a list of guards. No boxes, but everything is held until the end.
pub fn deferred_guards(ledger: &Ledger, items: &[u64], body: impl Fn(u64)) -> u64 {
    let mut guards = Vec::new();
    for &item in items {
        ledger.acquire();
        guards.push(Guard { ledger, item });
        body(item);
    }
    drop(guards);
    ledger.settle()
}

/// Given back by hand. A body that panics leaves it open.
pub fn by_hand(ledger: &Ledger, items: &[u64], body: impl Fn(u64)) -> u64 {
    for &item in items {
        ledger.acquire();
        body(item);
        ledger.release(item);
    }
    ledger.settle()
}

/// The floor: by hand, on a ledger that nobody else can see, so that it is kept in registers.
pub fn in_registers(items: &[u64], body: impl Fn(u64)) -> u64 {
    by_hand(&Ledger::default(), items, body)
}

const OPENS: &str = "the file is there, and 600 can be open at once (ulimit -n)";

/// Opens the file for each item and reads its ten bytes, and then `done` has it.
fn read_each(path: &Path, items: &[u64], mut done: impl FnMut(File)) -> u64 {
    let (mut bytes, mut sum) = ([0; 10], 0_u64);
    for item in items {
        let mut file = File::open(path).expect(OPENS);
        file.read_exact(&mut bytes).expect("ten bytes were written to it");
        done(file);
        sum = bytes.iter().fold(sum ^ item, |sum, byte| sum.rotate_left(8).wrapping_add(u64::from(*byte)));
    }
    sum
}

/// A clean-up that closes a file.
fn closing(file: File) -> Box<dyn FnOnce()> {
    Box::new(move || drop(file))
}

/// The trap with files: each is closed by a clean-up at the end.
pub fn boxed_files(path: &Path, items: &[u64]) -> u64 {
    let mut cleanups = Vec::new();
    let sum = read_each(path, items, |file| cleanups.push(closing(file)));
    while let Some(cleanup) = cleanups.pop() {
        cleanup();
    }
    sum
}

/// The advice with files: a guard closes each at the end of its turn.
pub fn guarded_files(path: &Path, items: &[u64]) -> u64 {
    read_each(path, items, |file| drop(scopeguard::guard(file, drop)))
}

/// The list of guards with files: a `File` is one.
pub fn files_in_list(path: &Path, items: &[u64]) -> u64 {
    let mut files = Vec::new();
    let sum = read_each(path, items, |file| files.push(file));
    drop(files);
    sum
}

/// Closed by hand: the floor, too.
pub fn files_by_hand(path: &Path, items: &[u64]) -> u64 {
    read_each(path, items, drop)
}

/// Each run settles the next items of a supply.
fn items(p: &Point) -> Windows<u64> {
    let mut rng = rng(34);
    let whole = (POOL / p.len()).max(1) * p.len();
    Windows::of(Shifted::new((0..whole).map(|_| rng.u64()).collect()), p.len())
}

/// A body that does nothing. What was taken is open meanwhile, in memory: else each release could merge with the next taking.
fn nothing(item: u64) {
    black_box(item);
}

/// A body of own work. A core overlaps it with the making of a box.
fn work(steps: u32) -> impl Fn(u64) {
    let turns = Turns::of(steps);
    move |item| turns.take(item)
}

/// A file of ten bytes, which is removed with the last arm.
fn file(_: &Point) -> NamedTempFile {
    let file = NamedTempFile::new().expect("the temporary folder can be written to");
    std::fs::write(file.path(), b"0123456789").expect("ten bytes fit");
    file
}

/// How a ledger is settled, in so many steps of own work a turn. Called through a pointer out of the input: inlined, all arms but
/// the trap could keep the ledger in registers, for nobody else would see it. The floor alone may.
type Settle = fn(&Ledger, &[u64], u32) -> u64;
type ReadAll = fn(&Path, &[u64]) -> u64;

/// An arm: each kind of body is code of its own, and so are the files.
fn arm(p: &Point, empty: Settle, working: Settle, files: ReadAll) -> Box<dyn Routine> {
    let items = shared(p, items);
    let (settle, ns) = match p.case {
        "files" => {
            return routine((items, shared(p, file), files, 0), |(items, file, files, at)| {
                files(file.path(), items.advance(at))
            });
        }
        "body=25ns" => (working, 25),
        "body=100ns" => (working, 100),
        _ => (empty, 0),
    };
    let input = (items, Ledger::default(), settle, ns * STEPS_PER_MICROSECOND / 1_000, 0);
    routine(input, |(items, ledger, settle, steps, at)| settle(ledger, items.advance(at), *steps))
}

/// The loop from within, before its function has ended: an op is a turn, and what the turn leaves to be given back is kept.
fn turns<K: 'static>(p: &Point, leave: fn(File) -> Option<K>) -> Hold {
    let (file, mut left) = (shared(p, file), Vec::new());
    let mut turn = move |item| read_each(file.path(), &[item], |file| left.extend(leave(file)));
    Box::new(move |turns| (0..turns).map(&mut turn).for_each(drop))
}

const BY_TURN: fn(File) -> Option<File> = |_| None;

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "defer_in_loop",
    title: "Clean-up put off in a loop",
    section: "control flow",
    habit: "defer the clean-up of each turn inside a loop, so that all of it waits for the function's end",
    claims: &["H1"],
    counts: "iterations",
    op: "one turn: something taken, used and given back",
    points: &[
        Point::n(100).case("empty"),
        Point::n(10_000).case("empty").headline(),
        Point::n(100_000).case("empty").headline(),
        Point::n(100_000).case("body=25ns").headline(),
        Point::n(10_000).case("body=100ns"),
        Point::n(512).case("files"),
        Point::n(512).case("files,within").held(),
    ],
    cases: &[
        ("empty", "a turn does nothing between taking and giving back"),
        ("body", "own work of a turn, between taking and giving back"),
        ("files", "a turn opens a file and reads ten bytes; to give back is to close it"),
        ("within", "looked at inside the loop: what is still held after so many turns"),
    ],
    variants: &[
        Variant::trap("deferred_boxed", |p| {
            arm(p, |l, i, _| deferred_boxed(l, i, nothing), |l, i, s| deferred_boxed(l, i, work(s)), boxed_files)
        })
        .hold(|p| turns(p, |file| Some(closing(file)))),
        Variant::fix("scoped_guard", |p| {
            arm(p, |l, i, _| scoped_guard(l, i, nothing), |l, i, s| scoped_guard(l, i, work(s)), guarded_files)
        })
        .hold(|p| turns(p, BY_TURN)),
        Variant::fix("deferred_guards", |p| {
            arm(p, |l, i, _| deferred_guards(l, i, nothing), |l, i, s| deferred_guards(l, i, work(s)), files_in_list)
        })
        .hold(|p| turns(p, Some)),
        Variant::fix("by_hand", |p| {
            arm(p, |l, i, _| by_hand(l, i, nothing), |l, i, s| by_hand(l, i, work(s)), files_by_hand)
        })
        .hold(|p| turns(p, BY_TURN)),
        Variant::floor("in_registers", |p| {
            arm(p, |_, i, _| in_registers(i, nothing), |_, i, s| in_registers(i, work(s)), files_by_hand)
        })
        .hold(|p| turns(p, BY_TURN)),
    ],
    blind: &[(Instrument::Latency, "what is held too long makes others wait, and not the one who holds it")],
};

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLES: [(&str, Settle); 5] = [
        ("deferred_boxed", |l, i, _| deferred_boxed(l, i, nothing)),
        ("scoped_guard", |l, i, _| scoped_guard(l, i, nothing)),
        ("deferred_guards", |l, i, _| deferred_guards(l, i, nothing)),
        ("by_hand", |l, i, _| by_hand(l, i, nothing)),
        ("in_registers", |_, i, _| in_registers(i, nothing)),
    ];

    type Watched = fn(&Ledger, &[u64], &dyn Fn(u64)) -> u64;

    #[test]
    fn every_arm_releases_every_item_and_leaves_nothing_open() {
        for n in [0, 1, 4, 5, 1_000] {
            let items: Vec<u64> = (0..n).map(|at| at * at + 1).collect();
            let released = items.iter().fold(0, |sum, item| sum ^ item.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            for (name, settle) in SETTLES {
                let ledger = Ledger::default();
                assert_eq!(settle(&ledger, &items, 0), released, "{name} of {n}");
                assert_eq!((ledger.open.get(), ledger.released.get()), (0, 0), "{name} of {n}");
                assert_eq!(settle(&ledger, &items, 0), released, "{name} of {n}, once more");
            }
        }
    }

    #[test]
    fn all_variants_agree_in_all_cases_also_with_one_turn() {
        for (n, case) in [(1, "empty"), (1, "body=25ns"), (100, "body=100ns"), (1, "files"), (20, "files")] {
            let p = Point::n(n).case(case);
            let expected = (TRAP.baseline().batch)(&p).digest();
            assert!(TRAP.variants.iter().all(|v| (v.batch)(&p).digest() == expected), "{p}");
        }
    }

    /// The most that is open at once is what the lists cost beside time.
    #[test]
    fn lists_hold_everything_until_the_end_and_guards_one_at_a_time() {
        let most = |settle: Watched| {
            let (ledger, most) = (Ledger::default(), Cell::new(0));
            settle(&ledger, &[7; 100], &|_| most.set(most.get().max(ledger.open.get())));
            most.get()
        };
        assert_eq!(most(|l, i, body| deferred_boxed(l, i, body)), 100);
        assert_eq!(most(|l, i, body| deferred_guards(l, i, body)), 100);
        assert_eq!(most(|l, i, body| scoped_guard(l, i, body)), 1);
        assert_eq!(most(|l, i, body| by_hand(l, i, body)), 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn within_the_loop_the_lists_have_every_file_open_and_the_others_none() {
        let p = Point::n(20).case("files,within");
        let path = shared(&p, file);
        let is_it = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.and_then(|entry| std::fs::read_link(entry.path())).is_ok_and(|link| link == path.path())
        };
        let open = || std::fs::read_dir("/proc/self/fd").expect("there is /proc").map(is_it).filter(|is| *is).count();
        let before = open();
        let opened = |variant: &Variant| {
            let mut hold = variant.hold.expect("it can be held")(&p);
            hold(12);
            hold(8);
            open() - before
        };
        assert_eq!(TRAP.variants.iter().map(opened).collect::<Vec<_>>(), [20, 0, 20, 0, 0]);
    }

    #[test]
    fn a_guard_releases_in_a_panic_and_a_list_of_closures_does_not() {
        let open_after = |settle: Watched| {
            let ledger = Ledger::default();
            let body = |item| assert!(item != 3, "the third turn fails, as this test wants");
            let work = std::panic::AssertUnwindSafe(|| settle(&ledger, &[1, 2, 3, 4], &body));
            assert!(std::panic::catch_unwind(work).is_err());
            ledger.open.get()
        };
        assert_eq!(open_after(|l, i, body| scoped_guard(l, i, body)), 0);
        assert_eq!(open_after(|l, i, body| deferred_guards(l, i, body)), 0);
        assert_eq!(open_after(|l, i, body| deferred_boxed(l, i, body)), 3);
        assert_eq!(open_after(|l, i, body| by_hand(l, i, body)), 1);
    }

    #[test]
    fn an_arm_that_forgets_a_release_gives_another_answer() {
        let (ledger, forgetful) = (Ledger::default(), Ledger::default());
        forgetful.acquire();
        assert_ne!(by_hand(&forgetful, &[1, 2], nothing), by_hand(&ledger, &[1, 2], nothing));
    }

    /// A closure that captures nothing has no size, and its box would be free.
    #[test]
    fn a_clean_up_captures_sixteen_bytes() {
        let (ledger, item) = (&Ledger::default(), 1);
        let cleanup = move || ledger.release(item);
        assert_eq!((size_of_val(&cleanup), size_of::<Guard<'_>>()), (16, 16));
    }
}
