//! Every claim has something that bears on it: records in `docs/results`, or a test.

use std::collections::BTreeSet;
use std::path::Path;

use trapline::catalog::TRAPS;
use trapline::record::Archive;
use trapline::trap::Instrument::{self, Heap, Instructions, Latency, Ratio, Usage};

/// What decides a claim.
enum Evidence {
    /// A record of an instrument and a metric, in a case that begins so.
    Records(&'static str, Instrument, &'static str, &'static str),
    /// Arithmetic on the evidence of another claim.
    Derived(&'static str),
    /// A file with the test.
    Test(&'static str),
}

use Evidence::{Derived, Records, Test};

const CLAIMS: &[(&str, &[Evidence])] = &[
    ("A1", &[Records("vec_growth", Heap, "bytes", "")]),
    ("A2", &[Records("vec_growth", Heap, "blocks", "plain"), Records("vec_growth", Heap, "moves", "plain")]),
    ("A3", &[Records("vec_growth", Heap, "bytes", "owning")]),
    ("A4", &[Records("vec_growth", Latency, "p95_ratio", "batch")]),
    ("A5", &[Records("vec_growth", Ratio, "ratio", "")]),
    ("A6", &[Records("vec_growth", Heap, "blocks", "")]),
    ("B1", &[Records("boxed_any", Heap, "bytes", "rpc")]),
    ("B2", &[Records("boxed_trait", Ratio, "ratio", ""), Records("boxed_trait", Instructions, "instructions", "")]),
    ("B3", &[Records("request_context", Heap, "blocks", "full")]),
    ("B4", &[Records("closure_capture", Heap, "blocks", "200ns")]),
    ("C1", &[Records("buffer_pool", Heap, "bytes", "")]),
    ("C2", &[Records("buffer_pool", Ratio, "ratio", "24B")]),
    ("C3", &[Test("src/traps/buffer_pool.rs")]),
    (
        "C4",
        &[
            Records("unbounded_cache", Usage, "rss_bytes_per_op", "unique"),
            Records("unbounded_cache", Heap, "live_bytes_per_op", "unique"),
        ],
    ),
    ("D1", &[Records("drop_pause", Latency, "p99_ratio", ""), Records("drop_pause", Latency, "p50_ratio", "")]),
    (
        "D2",
        &[
            Records("reclaim_interval", Latency, "p99_ns", "owning"),
            Records("reclaim_interval", Heap, "peak_bytes", ""),
        ],
    ),
    ("D3", &[Records("reclaim_interval", Heap, "peak_bytes", "owning")]),
    ("E1", &[Records("shared_counter", Ratio, "ratio", ""), Records("shared_counter", Usage, "cpu_ns_per_op", "")]),
    (
        "E2",
        &[
            Records("channel_buffering", Latency, "p99_ns", "stalls"),
            Records("channel_buffering", Latency, "mean_ns", ""),
        ],
    ),
    ("E3", &[Records("channel_buffering", Latency, "p99_ns", "stalls")]),
    ("E4", &[Records("channel_buffering", Latency, "queue_p99_ns", "overload")]),
    ("E5", &[Records("fan_in", Ratio, "ratio", "1us")]),
    (
        "E6",
        &[Records("fan_in", Usage, "cpu_ns_per_op", "1us"), Records("fan_in", Usage, "voluntary_switches_per_op", "")],
    ),
    ("E7", &[Records("busy_select", Usage, "cpu_share", "idle")]),
    (
        "F1",
        &[
            Records("leaked_worker", Usage, "rss_bytes_per_op", "bare"),
            Records("leaked_worker", Usage, "threads_per_op", ""),
        ],
    ),
    ("F2", &[Derived("F1")]),
    ("F3", &[Test("tests/leaks.rs")]),
    (
        "F4",
        &[
            Records("oversubscription", Ratio, "ratio", "cpu"),
            Records("oversubscription", Usage, "cpu_ns_per_op", ""),
            Records("oversubscription", Usage, "throttled_share", "quota"),
        ],
    ),
    ("F5", &[Records("false_sharing", Ratio, "ratio", "rmw")]),
    ("F6", &[Test("src/prevented.rs")]),
    ("G1", &[Records("contended_map", Ratio, "ratio", "reads=99")]),
    ("G2", &[Records("locked_iteration", Latency, "p99_ns", "writes")]),
    ("G3", &[Records("map_iteration", Ratio, "ratio", "full")]),
    (
        "H1",
        &[
            Records("defer_in_loop", Ratio, "ratio", ""),
            Records("defer_in_loop", Heap, "peak_bytes", "empty"),
            Records("defer_in_loop", Usage, "open_files_per_op", "files"),
        ],
    ),
    ("H2", &[Records("deep_recursion", Ratio, "ratio", "")]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn is_there(evidence: &Evidence, archive: &Archive) -> bool {
    match evidence {
        Records(trap, instrument, metric, case) => archive.records.iter().any(|r| {
            let row = r.trap == *trap && r.instrument == *instrument && r.case.starts_with(case);
            // A quantile that can't be told is a finding as well: its record says why.
            row && r.metric.as_deref() == Some(metric) && (r.value.is_some() || r.blind.is_some())
        }),
        Derived(of) => CLAIMS.iter().any(|(id, _)| id == of),
        Test(path) => root().join(path).exists(),
    }
}

#[test]
fn every_claim_has_a_record_or_a_test_that_bears_on_it() {
    let archive = Archive::read_tree(&root().join("docs/results")).expect("the records can be read");
    let without: Vec<&str> = CLAIMS
        .iter()
        .filter(|(_, all)| !all.iter().all(|evidence| is_there(evidence, &archive)))
        .map(|(id, _)| *id)
        .collect();
    assert_eq!(without, [""; 0], "nothing in docs/results bears on these");
}

#[test]
fn every_claim_that_a_trap_names_has_evidence() {
    let known: BTreeSet<&str> = CLAIMS.iter().map(|(id, _)| *id).collect();
    let named: BTreeSet<&str> = TRAPS.iter().flat_map(|trap| trap.claims).copied().collect();
    assert_eq!(named.difference(&known).collect::<Vec<_>>(), Vec::<&&str>::new());
}
