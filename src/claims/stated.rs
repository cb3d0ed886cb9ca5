//! The claims themselves.

use super::claim::Effect::{self, Of, Over, Share};
use super::claim::Evidence::{self, Derived, Nothing, Planted, Prevented, Ranking, Records, Test};
use super::claim::Expected::{self, Alike, Appears, Figure, More, Turns};
use super::claim::{At, Claim, Part};
use crate::trap::Instrument::{self, Go, Heap, Latency, Ratio, Usage};

/// No upper end.
const ANY: f64 = f64::INFINITY;

const fn part(what: &'static str, expected: Expected, rust: Evidence, go: Evidence) -> Part {
    Part { what, expected, rust, go }
}

// The same metric, effect and points in both languages; heap's counts are Go's own there.
const fn both(
    what: &'static str,
    expected: Expected,
    of: (Instrument, &'static str),
    effect: Effect,
    at: &'static [At],
) -> Part {
    part(what, expected, Records(of.0, of.1, effect, at), Records(Go, of.1, effect, at))
}

const TIME: (Instrument, &str) = (Ratio, "ratio");
const BYTES: (Instrument, &str) = (Heap, "bytes");
const BLOCKS: (Instrument, &str) = (Heap, "blocks");

const fn claim(
    id: &'static str,
    trap: &'static str,
    statement: &'static str,
    published: &'static str,
    parts: &'static [Part],
) -> Claim {
    Claim { id, trap, statement, published, parts, since: None }
}

impl Claim {
    const fn since(self, what: &'static str) -> Self {
        Self { since: Some(what), ..self }
    }
}

const SIZED: Effect = Over("push_unsized", "push_presized");
const STALLS: &[At] = &[At(2_500, 2, "stalls")];
const READS: &[At] = &[At(256, 2, "reads=99"), At(256, 8, "reads=99")];

/// All of them.
pub static CLAIMS: &[Claim] = &[
    claim(
        "A1",
        "vec_growth",
        "Appending in a hot loop without a size allocates more",
        "up to 4x",
        &[both(
            "bytes, trap ÷ advice",
            Figure(1.05, 4.0),
            BYTES,
            SIZED,
            &[At(100, 1, "plain"), At(50_000, 1, "plain")],
        )],
    ),
    claim(
        "A2",
        "vec_growth",
        "Growing to 10 000 elements reallocates many times, with a copy each time",
        "about 14",
        &[both("blocks", Figure(14.0, 14.0), BLOCKS, Of("push_unsized"), &[At(10_000, 1, "plain")])],
    ),
    claim(
        "A3",
        "vec_growth",
        "A batch of 50 000 records allocates fewer bytes when its size is stated first",
        "-40 %",
        &[both("bytes, trap ÷ advice", Figure(1.67, 1.67), BYTES, SIZED, &[At(50_000, 1, "owning")])],
    ),
    claim(
        "A4",
        "vec_growth",
        "Stating the size first cuts the p95 latency of a batch",
        "180 ms to 112 ms, -38 %",
        &[part(
            "p95 of a batch, trap ÷ advice",
            Figure(1.61, 1.61),
            Records(Latency, "p95_ratio", Of("push_presized"), &[At(125, 1, "batch=50000")]),
            Nothing("batches are not timed one by one in Go"),
        )],
    ),
    claim(
        "A5",
        "vec_growth",
        "At 100 items nobody can see the difference, at 100 000 it can be measured",
        "a crossover",
        &[both(
            "time, trap ÷ advice",
            Appears,
            TIME,
            Of("push_presized"),
            &[At(100, 1, "plain"), At(100_000, 1, "plain")],
        )],
    ),
    claim(
        "A6",
        "vec_growth",
        "Even a cautious estimate of the size removes most of the reallocations",
        "direction",
        &[both(
            "blocks, trap ÷ estimate of a half",
            Figure(2.0, ANY),
            BLOCKS,
            Over("push_unsized", "push_half_sized"),
            &[At(10_000, 1, "plain")],
        )],
    ),
    claim(
        "B1",
        "boxed_any",
        "Passing a value through interface{} instead of its own type allocates on every call",
        "3.8x",
        &[both(
            "bytes, trap ÷ advice",
            Figure(3.8, 3.8),
            BYTES,
            Over("boxed_any", "concrete_ref"),
            &[At(1_000, 1, "rpc")],
        )],
    ),
    claim(
        "B2",
        "boxed_trait",
        "Calling boxed values through an interface costs time in tight loops",
        "direction",
        &[both(
            "time, trap ÷ advice",
            More,
            TIME,
            Of("enum_kinds"),
            &[At(100_000, 1, "sequential"), At(100_000, 1, "shuffled")],
        )],
    ),
    claim(
        "B3",
        "request_context",
        "Carrying a request's context by value instead of by pointer allocates fewer objects",
        "-31 %",
        &[part(
            "blocks, trap ÷ advice",
            Figure(1.45, 1.45),
            Records(Heap, "blocks", Over("arc_cloned", "by_value"), &[At(1_000, 1, "lean"), At(1_000, 1, "full")]),
            Records(Go, "blocks", Over("by_pointer", "by_value"), &[At(1_000, 1, "lean"), At(1_000, 1, "full")]),
        )],
    ),
    claim(
        "B4",
        "closure_capture",
        "A variable that a spawned closure captures moves to the heap",
        "direction",
        &[part(
            "blocks, trap ÷ advice",
            More,
            Records(Heap, "blocks", Over("spawn_static", "scoped"), &[At(10_000, 2, "200ns")]),
            Records(Go, "blocks", Over("closure_a_job", "struct_a_job"), &[At(10_000, 2, "200ns")]),
        )],
    ),
    claim(
        "C1",
        "buffer_pool",
        "Pooling the buffers of a JSON encoder cuts the bytes that it allocates",
        "-60 %",
        &[part(
            "bytes, trap ÷ advice",
            Figure(2.5, 2.5),
            Records(Heap, "bytes", Over("to_vec", "thread_local"), &[At(16, 1, "3KiB")]),
            Records(Go, "bytes", Over("to_vec", "sync_pool"), &[At(16, 1, "3KiB")]),
        )],
    ),
    claim(
        "C2",
        "buffer_pool",
        "For small objects the pool costs more than it saves",
        "a crossover",
        &[part(
            "time, trap ÷ pool",
            Turns,
            Records(Ratio, "ratio", Of("object_pool"), &[At(64, 1, "24B"), At(16, 1, "3KiB")]),
            Records(Go, "ratio", Of("sync_pool"), &[At(64, 1, "24B"), At(16, 1, "3KiB")]),
        )],
    ),
    claim(
        "C3",
        "buffer_pool",
        "A pooled object comes back dirty unless somebody resets it",
        "correctness",
        &[part("a test", More, Test("src/traps/buffer_pool.rs"), Test("benches/go/buffer_pool_test.go"))],
    ),
    claim(
        "C4",
        "unbounded_cache",
        "A cache without eviction is a leak",
        "direction",
        &[part(
            "resident bytes a new key",
            Figure(1.0, ANY),
            Records(Usage, "rss_bytes_per_op", Of("unbounded"), &[At(400_000, 1, "unique")]),
            Records(Go, "rss_bytes_per_op", Of("unbounded"), &[At(400_000, 1, "unique")]),
        )],
    ),
    claim(
        "D1",
        "drop_pause",
        "Many short-lived objects on the path of a request show in p99, not in the mean",
        "direction",
        &[
            both("p99, trap ÷ advice", More, (Latency, "p99_ratio"), Of("bump_arena"), &[At(10_000, 1, "")]),
            both("p50, trap ÷ advice", Alike, (Latency, "p50_ratio"), Of("bump_arena"), &[At(10_000, 1, "")]),
            both(
                "mean, trap ÷ advice",
                Alike,
                (Latency, "mean_ns"),
                Over("boxed_tree", "bump_arena"),
                &[At(10_000, 1, "")],
            ),
        ],
    ),
    claim(
        "D2",
        "reclaim_interval",
        "Collecting three times less often removes the spikes, for twice the memory",
        "2x the peak for no spike at p99",
        &[
            both("p99, trap ÷ advice", More, (Latency, "p99_ratio"), Of("sweep_at_300"), &[At(98_304, 1, "owning")]),
            part(
                "peak bytes, advice ÷ trap",
                Figure(2.0, 2.0),
                Records(Heap, "peak_bytes", Over("sweep_at_300", "sweep_at_100"), &[At(36_864, 1, "owning")]),
                Records(Go, "peak_bytes", Over("sweep_at_300", "sweep_at_100"), &[At(98_304, 1, "owning")]),
            ),
        ],
    ),
    claim(
        "D3",
        "reclaim_interval",
        "A hard ceiling in bytes bounds the peak whatever the interval is",
        "direction",
        &[part(
            "peak bytes, at 300 % ÷ with a ceiling",
            More,
            Records(Heap, "peak_bytes", Over("sweep_at_300", "sweep_under_ceiling"), &[At(36_864, 1, "owning")]),
            Records(Go, "peak_bytes", Over("sweep_at_300", "sweep_under_ceiling"), &[At(98_304, 1, "owning")]),
        )],
    ),
    claim(
        "E1",
        "shared_counter",
        "A channel where a mutex or an atomic would do costs a multiple",
        "direction",
        &[part(
            "time, trap ÷ mutex",
            Figure(2.0, ANY),
            Records(
                Ratio,
                "ratio",
                Of("parking_lot_mutex"),
                &[At(4_096, 2, ""), At(512, 2, "work=500ns"), At(64, 1, "work=20us")],
            ),
            Records(Go, "ratio", Of("std_mutex"), &[At(4_096, 2, ""), At(64, 1, "work=20us")]),
        )],
    ),
    claim(
        "E2",
        "channel_buffering",
        "An unbuffered channel shows its cost in the tail, and not in the mean",
        "direction",
        &[
            both("p99 of a send, trap ÷ advice", More, (Latency, "p99_ratio"), Of("slots_8"), STALLS),
            both("p50 of a send, trap ÷ advice", Alike, (Latency, "p50_ratio"), Of("slots_8"), STALLS),
            both("mean of a send, trap ÷ advice", Alike, (Latency, "mean_ns"), Over("rendezvous", "slots_8"), STALLS),
        ],
    ),
    claim(
        "E3",
        "channel_buffering",
        "A buffer of 8 to 16 absorbs short bursts",
        "direction",
        &[
            both("p99 of a send, trap ÷ 8 slots", More, (Latency, "p99_ratio"), Of("slots_8"), STALLS),
            both("p99 of a send, trap ÷ 16 slots", More, (Latency, "p99_ratio"), Of("slots_16"), STALLS),
        ],
    ),
    claim(
        "E4",
        "channel_buffering",
        "A buffer of 10 000 hides a slow consumer",
        "direction",
        &[both(
            "p99 in the queue, 10 000 slots ÷ 16",
            Figure(2.0, ANY),
            (Latency, "queue_p99_ns"),
            Over("slots_10000", "slots_16"),
            &[At(5_000, 2, "overload")],
        )],
    ),
    claim(
        "E5",
        "fan_in",
        "With 1000 units of 1 µs, the channel for the results takes a visible share of the run",
        "15 to 20 %; 18 % saved",
        &[both("time, trap ÷ advice", Figure(1.18, 1.25), TIME, Of("indexed_slots"), &[At(1_000, 2, "1us")])],
    ),
    claim(
        "E6",
        "fan_in",
        "A concurrent pipeline burns CPU on context switches and channel locks",
        "about 20 % of CPU",
        &[part(
            "CPU time, trap ÷ advice",
            Figure(1.25, 1.25),
            Records(Usage, "cpu_ns_per_op", Over("results_channel", "indexed_slots"), &[At(1_000, 2, "1us")]),
            Records(Go, "cpu_ns_per_op", Over("results_channel", "indexed_slots"), &[At(10_000, 2, "1us")]),
        )],
    ),
    claim(
        "E7",
        "busy_select",
        "A select in a loop with a default burns a core while idle",
        "direction",
        &[both(
            "CPUs busy while idle",
            Figure(1.0, 1.0),
            (Usage, "cpu_share"),
            Of("select_default"),
            &[At(10, 2, "idle=10ms")],
        )],
    ),
    claim(
        "F1",
        "leaked_worker",
        "A worker blocked on a channel that nobody closes keeps its stack and all that it references",
        "2 KB or more each",
        &[both(
            "resident bytes a leak, bare",
            Figure(2_048.0, ANY),
            (Usage, "rss_bytes_per_op"),
            Of("never_closed"),
            &[At(1_000, 1, "bare")],
        )],
    ),
    claim(
        "F2",
        "leaked_worker",
        "Ten leaks a minute become thousands of live workers in 48 hours",
        "28 800",
        &[part("arithmetic", More, Derived("F1", 28_800.0), Derived("F1", 28_800.0))],
    ),
    claim(
        "F3",
        "leaked_worker",
        "A leak check at test time catches it",
        "direction",
        &[part("a test", More, Test("tests/leaks.rs"), Test("benches/go/leaked_worker_test.go"))],
    ),
    claim(
        "F4",
        "oversubscription",
        "A pool sized for 64 CPUs on two loses time to scheduling",
        "direction",
        &[
            both("time, trap ÷ advice", More, TIME, Of("pool_of_cpus"), &[At(1_000, 64, "cpu")]),
            both(
                "throttled time, trap ÷ advice",
                More,
                (Usage, "throttled_ns_per_op"),
                Over("pool_of_threads", "pool_of_cpus"),
                &[At(200_000, 64, "quota=1cpu")],
            ),
        ],
    )
    .since("from Go 1.25 on GOMAXPROCS is taken from the cgroup's quota"),
    claim(
        "F5",
        "false_sharing",
        "Cores that fight over one cache line slow the program down",
        "about 30 %",
        &[both(
            "time, trap ÷ advice",
            Figure(1.3, 1.3),
            TIME,
            Of("padded_128"),
            &[At(2_048, 2, "rmw"), At(512, 2, "store,work=50ns")],
        )],
    ),
    claim(
        "F6",
        "prevented",
        "A map that goroutines share without a lock is corrupted silently",
        "correctness",
        &[part(
            "share of processes that lose entries without a word, one in twenty or more",
            Figure(0.05, 1.0),
            Prevented("src/prevented.rs"),
            Records(Go, "lost_share", Of("unsynchronised"), &[At(10_000, 2, "")]),
        )],
    ),
    claim(
        "G1",
        "contended_map",
        "A sharded map beats one map under one mutex when many threads mostly read",
        "3 to 5x",
        &[part(
            "time, trap ÷ sharded",
            Figure(3.0, 5.0),
            Records(Ratio, "ratio", Of("dashmap"), READS),
            Records(Go, "ratio", Of("sharded_mutexes"), READS),
        )],
    ),
    claim(
        "G2",
        "locked_iteration",
        "Iterating a large map under its lock starves the writers",
        "direction",
        &[both(
            "p99 of a write, beside a walk ÷ without",
            Figure(2.0, ANY),
            (Latency, "p99_ns"),
            Over("walk_locked", "nobody_walks"),
            &[At(10_000, 1, "writes")],
        )],
    ),
    claim(
        "G3",
        "map_iteration",
        "Iterating a hash map costs more than it looks",
        "direction",
        &[both(
            "time, trap ÷ dense layout",
            More,
            TIME,
            Of("index_map"),
            &[At(100_000, 1, "full"), At(10_000, 1, "removed=90")],
        )],
    )
    .since("from Go 1.24 on maps are Swiss tables"),
    claim(
        "H1",
        "defer_in_loop",
        "Deferring clean-up inside a loop makes the function slower",
        "3x at 100 000",
        &[both(
            "time, trap ÷ advice",
            Figure(3.0, 3.0),
            TIME,
            Of("scoped_guard"),
            &[At(100_000, 1, "empty"), At(100_000, 1, "body=25ns")],
        )],
    )
    .since("from Go 1.14 on a defer outside of loops is open-coded; in a loop it is not"),
    claim(
        "H2",
        "deep_recursion",
        "Deep recursion pays for the growth of its stack, an iterative form does not",
        "direction",
        &[both(
            "time, trap ÷ advice",
            More,
            TIME,
            Of("explicit_stack"),
            &[At(100_000, 1, "stack=2MiB"), At(10_000, 1, "stack=64KiB")],
        )],
    )
    .since("from Go 1.3 on a stack grows by copying, from 1.19 on it starts as large as stacks are on average"),
    claim(
        "I1",
        "(all)",
        "Allocation fixes win more than concurrency fixes, and are safer",
        "a ranking",
        &[part("ns saved an op, median of the advice", More, Ranking, Ranking)],
    ),
    claim(
        "I2",
        "(method)",
        "A change of 5 % lies within the noise unless it is compared statistically",
        "5 %",
        &[part("a planted 5 %", Figure(1.03, 1.07), Planted, Nothing("Go's binary is not slowed down on purpose"))],
    ),
    claim(
        "I3",
        "boxed_any",
        "Cumulative allocation finds hot spots that live heap hides",
        "direction",
        &[part(
            "bytes in all ÷ at the peak",
            Figure(2.0, ANY),
            Records(Heap, "bytes", Share("boxed_any", "peak_bytes"), &[At(1_000, 1, "call")]),
            Nothing("Go counts no peak"),
        )],
    ),
];
