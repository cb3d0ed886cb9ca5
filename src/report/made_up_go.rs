//! A made-up archive of what Go says, beside what Rust does.

use super::made_up::{at, forks, note, run};
use crate::record::{Archive, GoProvenance, Sweeps};
use crate::trap::{Instrument, Role};

const GO: (&str, Instrument) = ("go-1", Instrument::Go);
const TRAP: (&str, Role) = ("push_unsized", Role::Trap);
const FIX: (&str, Role) = ("push_presized", Role::Fix);

/// A slice that grows in both languages, a cache that only Go was asked about, and a trap that Rust does not have.
pub(super) fn archive() -> Archive {
    let mut archive = Archive::default();
    let grows =
        note("vec_growth", "a slice grown without a size", "append without a size", "records", "a push", &["A1"]);
    let keeps =
        note("unbounded_cache", "a cache without eviction", "keep everything", "requests", "a request", &["C4"]);
    archive.runs.push(run("ratio-1", Instrument::Ratio, vec![grows.clone(), keeps.clone()]));
    archive.runs.push(run("heap-1", Instrument::Heap, vec![grows.clone()]));
    let mut go = run(GO.0, GO.1, vec![grows, keeps]);
    go.sweeps = Some(Sweeps { layouts: 1, processes: 8, finished: 8 });
    let version = "go version go1.24.0 linux/amd64".into();
    go.provenance.go = Some(GoProvenance { version, goamd64: Some("v1".into()), ..GoProvenance::default() });
    archive.runs.push(go);
    rust(&mut archive);
    in_go(&mut archive);
    archive
}

fn rust(archive: &mut Archive) {
    for (n, ratio, bytes) in [(100, 1.6, [16_128.0, 6_400.0]), (50_000, 1.9, [8_388_352.0, 3_200_000.0])] {
        at(archive, "vec_growth", n, 1, "plain", "ratio-1")
            .headline()
            .trap(TRAP.0, 10.0)
            .variant(FIX.0, FIX.1, 10.0 / ratio, &forks(ratio, 0.01))
            .control("same", 1.0, 0.01)
            .counts("heap-1", Instrument::Heap, TRAP.0, TRAP.1, &[("bytes", bytes[0])])
            .counts("heap-1", Instrument::Heap, FIX.0, FIX.1, &[("bytes", bytes[1])]);
    }
}

fn in_go(archive: &mut Archive) {
    for (n, ratio, bytes) in [(100, 2.7, [16_320.0, 6_528.0]), (50_000, 5.8, [15_917_000.0, 3_203_070.0])] {
        let ends = |value: f64| [value * 0.95, value, value * 1.05];
        at(archive, "vec_growth", n, 1, "plain", GO.0)
            .headline()
            .within(GO, TRAP, &[("ns_per_op", "ns", ends(80.0)), ("bytes", "bytes", [bytes[0]; 3])])
            .within(GO, FIX, &[("ns_per_op", "ns", ends(80.0 / ratio)), ("bytes", "bytes", [bytes[1]; 3])])
            .within(GO, FIX, &[("ratio", "ratio", ends(ratio))])
            .within(GO, ("same", Role::Control), &[("ratio", "ratio", ends(1.0))]);
    }
    at(archive, "unbounded_cache", 400_000, 1, "unique", GO.0)
        .within(GO, ("unbounded", Role::Trap), &[("rss_bytes_per_op", "bytes", [310.0, 318.0, 326.0])])
        .within(GO, ("lru", Role::Fix), &[("rss_bytes_per_op", "bytes", [-8.0, 0.5, 9.0])]);
    at(archive, "prevented", 10_000, 2, "", GO.0).within(
        GO,
        ("unsynchronised", Role::Trap),
        &[("lost_share", "share", [0.0; 3]), ("fatal_share", "share", [0.4, 0.5, 0.6])],
    );
}
