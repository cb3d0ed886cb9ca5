//! Go and Rust do the same work: for each trap, point and arm that both have, one answer.
//!
//! Without a Go toolchain this says that it is ignored, and why; the gate fails if it was.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use trapline::catalog::{TRAPS, find};
use trapline::lab::go::{Toolchain, Twin};
use trapline::trap::{Point, Trap};

/// Arms whose answers are not held against Rust's. Go's files have the reasons; this is the list of them all.
const UNANSWERED: &[&str] = &["prevented/unsynchronised"];

/// Points where Rust has no answer either, for nothing but what is held is measured there.
const HELD: &[&str] =
    &["leaked_worker/n=1000,bare", "leaked_worker/n=1000,held=64KiB", "unbounded_cache/n=400000,unique"];

fn module() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/go")
}

/// What the Go binary says of its arms; nothing where there is no Go.
fn twins() -> Option<Vec<Twin>> {
    let go = match Toolchain::find() {
        Ok(go) => go,
        Err(why) => {
            println!("ignored: {why}");
            return None;
        }
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let binary = go.build(&module(), folder.path()).unwrap_or_else(|why| panic!("{why}"));
    Some(binary.ask("answers").unwrap_or_else(|why| panic!("{why}")))
}

/// The answer of Rust's own trap: of one run, or of the first thousand ops of a stream.
fn answer(trap: &Trap, point: &Point) -> u64 {
    let baseline = trap.baseline();
    let Some(stream) = baseline.stream.filter(|_| point.every.is_some()) else {
        return (baseline.batch)(point).digest();
    };
    let mut stream = stream(point);
    (0..point.n.min(1_000)).for_each(|_| stream.op(Instant::now()));
    stream.end().answer
}

fn point_of<'a>(trap: &'a Trap, twin: &Twin) -> Option<&'a Point> {
    let mut here = trap.points.iter().filter(|p| (p.n, p.threads, p.case) == (twin.n, twin.threads, &*twin.case));
    here.next()
}

#[test]
fn go_and_rust_give_one_answer() {
    let Some(twins) = twins() else { return };
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    let (mut held, mut unanswered): (Vec<String>, Vec<String>) = Default::default();
    for twin in &twins {
        let Some(told) = &twin.answer else {
            assert!(twin.unanswered.is_some(), "{twin:?} has neither an answer nor a reason");
            unanswered.push(format!("{}/{}", twin.trap, twin.variant));
            continue;
        };
        let Some(trap) = find(&twin.trap) else { continue };
        let point = point_of(trap, twin).unwrap_or_else(|| panic!("Rust has no such point: {twin:?}"));
        let named = format!("{}/{point}", twin.trap);
        assert_eq!(point.headline, twin.headline, "{named}: headline in one language alone");
        if point.held {
            held.push(named);
            continue;
        }
        let expected = *expected.entry(named.clone()).or_insert_with(|| answer(trap, point));
        assert_eq!(*told, format!("{expected:016x}"), "{named}: {} in Go answers otherwise", twin.variant);
    }
    [&mut held, &mut unanswered].into_iter().for_each(|list| {
        list.sort();
        list.dedup();
    });
    assert_eq!(held, HELD);
    assert_eq!(unanswered, UNANSWERED);
}

#[test]
fn without_go_it_says_what_is_needed_and_ends_well() {
    let mut again = Command::new(std::env::current_exe().expect("this test's own executable"));
    let again = again.args(["--exact", "go_and_rust_give_one_answer", "--nocapture"]).env("PATH", "");
    let output = again.output().expect("it can be started");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("ignored: no Go toolchain (1.24 or newer): put one on PATH"),
        "{said}"
    );
}

#[test]
fn every_trap_has_a_twin() {
    let file = |name: &&str| module().join(format!("{name}_test.go"));
    let without: Vec<&str> = TRAPS.iter().map(|trap| trap.name).filter(|name| !file(name).exists()).collect();
    assert_eq!(without, [""; 0]);
}
