//! Made-up archives: what the pages and screens of the tests show.

use super::made_up::{At, apart, at, forks, note, run};
use crate::record::{Archive, Layouts, Record, Run, Sweeps, TrapNote};
use crate::trap::{Instrument, Role};

/// A win, a tie and a loss; counts; an instrument skipped, one blind; an opposite that is left out; a threaded trap with a split and a failed process.
pub(super) fn archive() -> Archive {
    let mut archive = Archive::default();
    let traps = vec![growth(), map()];
    archive.runs.push(run("heap-1", Instrument::Heap, traps.clone()));
    archive.runs.push(run("instr-1", Instrument::Instructions, traps.clone()));
    archive.runs.push(run("ratio-1", Instrument::Ratio, traps.clone()));
    archive.runs.push(run("time-1", Instrument::Time, traps));
    growth_records(&mut archive);
    map_records(&mut archive);
    archive
}

fn growth() -> TrapNote {
    let habit = "Appending to a slice in a hot loop (`append(s, x)`) without saying how many elements will come, as with a \
                 Vec<Record> that starts empty.";
    let cases = vec![("owning".into(), "each record owns a heap string, a `Box<str>` of 16 bytes".into())];
    let grown = note("vec_growth", "growing what could be sized", habit, "records", "one record pushed", &["A1", "A2"]);
    TrapNote { cases, ..grown }
}

fn map() -> TrapNote {
    let habit = "One map behind one mutex, for every goroutine of the service.";
    let seen = note("contended_map", "one lock for all keys", habit, "operations", "one look-up or update", &["G1"]);
    let unseen = vec![
        (Instrument::Heap, "contention allocates nothing".into()),
        (Instrument::Latency, "an operation has no tail".into()),
        (Instrument::Usage, "not built yet".into()),
    ];
    TrapNote { unseen, ..seen }
}

fn growth_records(archive: &mut Archive) {
    let (fix, floor) = (Role::Fix, Role::Floor);
    at(archive, "vec_growth", 100, 1, "owning", "ratio-1")
        .trap("push_unsized", 31.2)
        .variant("push_presized", fix, 31.0, &forks(1.006, 0.01))
        .variant("push_half_size", fix, 35.5, &forks(0.88, 0.02))
        .variant("reuse", floor, 30.1, &forks(1.035, 0.02))
        .control("same", 1.001, 0.01)
        .counts("heap-1", Instrument::Heap, "push_unsized", Role::Trap, &[("blocks", 106.0), ("bytes", 12_032.0)])
        .counts("heap-1", Instrument::Heap, "push_presized", fix, &[("blocks", 101.0), ("bytes", 7_200.0)])
        .none("instr-1", Instrument::Instructions, "push_unsized", Role::Trap, no_valgrind)
        .none("instr-1", Instrument::Instructions, "push_presized", fix, no_valgrind);
    let (unsized_, presized) = (heap_of(50_015.0, 6_291_232.0, 15.0), heap_of(50_001.0, 3_200_000.0, 0.0));
    at(archive, "vec_growth", 50_000, 1, "owning", "ratio-1")
        .headline()
        .trap("push_unsized", 38.2)
        .variant("push_presized", fix, 26.1, &forks(1.46, 0.03))
        .variant("push_half_size", fix, 30.0, &apart(1.27, 0.12))
        .variant("reuse", floor, 24.8, &forks(1.54, 0.04))
        .control("same", 1.0, 0.012)
        .control("planted_5_percent", 1.048, 0.012)
        .none("ratio-1", Instrument::Ratio, "reserve_exact", Role::Opposite, quadratic)
        .ranged("heap-1", "collect", [50_003.0, 50_005.0])
        .counts("heap-1", Instrument::Heap, "push_unsized", Role::Trap, &unsized_)
        .counts("heap-1", Instrument::Heap, "push_presized", fix, &presized)
        .counts("instr-1", Instrument::Instructions, "push_unsized", Role::Trap, &instructions_of(4_812_345.0))
        .counts("instr-1", Instrument::Instructions, "push_presized", fix, &instructions_of(3_912_345.0));
}

fn heap_of(blocks: f64, bytes: f64, moves: f64) -> [(&'static str, f64); 5] {
    [("blocks", blocks), ("bytes", bytes), ("peak_bytes", bytes * 0.75), ("held_bytes", 0.0), ("moves", moves)]
}

fn instructions_of(count: f64) -> [(&'static str, f64); 5] {
    [
        ("instructions", count),
        ("l1_hits", count * 1.3),
        ("ll_hits", 12_345.0),
        ("ram_hits", 6_789.0),
        ("estimated_cycles", count * 1.7),
    ]
}

fn map_records(archive: &mut Archive) {
    let (fix, floor) = (Role::Fix, Role::Floor);
    let split = [forks(0.8, 0.004)[..6].to_vec(), forks(3.4, 0.01)[..4].to_vec()].concat();
    at(archive, "contended_map", 100_000, 1, "reads=99", "ratio-1")
        .trap("mutex_map", 61.0)
        .variant("dashmap", fix, 74.0, &forks(0.82, 0.01))
        .variant("private_maps", floor, 48.0, &forks(1.27, 0.02))
        .control("same", 1.03, 0.012);
    at(archive, "contended_map", 100_000, 8, "reads=99", "ratio-1")
        .headline()
        .trap("mutex_map", 412_000.0)
        .variant("dashmap", fix, 98_000.0, &forks(5.9, 0.05))
        .variant("parking_lot_mutex", fix, 250_000.0, &split)
        .variant("private_maps", floor, 41_000.0, &forks(10.0, 0.04))
        .failed(
            "papaya",
            fix,
            "in process 3 of 30: ended by signal 11; run it alone: cargo bench --bench ratio -- contended_map",
        )
        .control("same", 1.0, 0.03)
        .control("planted_5_percent_threads", 1.051, 0.02)
        .none("heap-1", Instrument::Heap, "mutex_map", Role::Trap, blind)
        .none("heap-1", Instrument::Heap, "dashmap", fix, blind);
}

fn no_valgrind(record: Record) -> Record {
    record.skipped("valgrind is not on PATH; on Debian: apt install valgrind")
}

fn quadratic(record: Record) -> Record {
    record.blind("quadratic")
}

fn blind(record: Record) -> Record {
    record.blind("contention allocates nothing")
}

/// The same with a second sitting, an older one whose points were others, a second allocator, whose run was interrupted, each
/// arm alone, and a point measured again by a quick run of a changed work tree.
pub(super) fn columns() -> Archive {
    let mut archive = archive();
    let sitting = Run { source: "second".into(), started: "2026-05-04T16:00:00Z".into(), ..ratio_run("ratio-2") };
    let mut old = Run { source: "old".into(), started: "2026-01-04T16:00:00Z".into(), ..ratio_run("ratio-0") };
    (old.unpinned, old.sweeps) = (true, Some(Sweeps { layouts: 10, processes: 1, finished: 10 }));
    let mut other = ratio_run("ratio-3");
    other.provenance.allocator = Some("mimalloc".into());
    other.sweeps = Some(Sweeps { layouts: 10, processes: 3, finished: 4 });
    other.layouts = Some(Layouts { seed: 42, distinct: 1, one: Some("the linker can't shuffle sections".into()) });
    other.partial = Some("interrupted".into());
    let solo = Run { solo: true, ..ratio_run("ratio-4") };
    let mut quick = Run { quick: true, started: "2026-05-05T10:00:00Z".into(), ..ratio_run("ratio-5") };
    (quick.provenance.dirty, quick.sweeps) = (Some(true), Some(Sweeps { layouts: 6, processes: 1, finished: 6 }));
    archive.runs.extend([sitting, old, other, solo, quick]);
    for (run, around) in [("ratio-2", 1.44), ("ratio-0", 1.41), ("ratio-3", 1.11), ("ratio-4", 1.45)] {
        at(&mut archive, "vec_growth", 50_000, 1, "owning", run)
            .headline()
            .trap("push_unsized", 29.0)
            .variant("push_presized", Role::Fix, 26.0, &forks(around, 0.02)[..4])
            .control("same", 1.0, 0.01);
    }
    at(&mut archive, "vec_growth", 100, 1, "owning", "ratio-0").headline().trap("push_unsized", 31.0).variant(
        "push_presized",
        Role::Fix,
        31.0,
        &forks(1.0, 0.02)[..4],
    );
    archive.records.retain(|r| !(r.variant == "push_half_size" && r.n == 50_000 && r.run == "ratio-1"));
    at(&mut archive, "vec_growth", 50_000, 1, "owning", "ratio-5").headline().variant(
        "push_half_size",
        Role::Fix,
        30.0,
        &forks(1.27, 0.12)[..6],
    );
    archive
}

fn ratio_run(id: &str) -> Run {
    run(id, Instrument::Ratio, vec![growth()])
}

/// The catalog to come: trap, n, threads and case of the first headline point, advice.
const CATALOG: [(&str, u64, usize, &str, &str); 21] = [
    ("vec_growth", 100, 1, "plain", "push_presized"),
    ("boxed_trait", 100_000, 1, "shuffled", "enum_kinds"),
    ("buffer_pool", 50, 2, "3KiB", "thread_local"),
    ("fan_in", 1_000, 2, "1us", "indexed_slots"),
    ("contended_map", 8_192, 2, "reads=99", "dashmap"),
    ("boxed_any", 1_000, 1, "rpc", "concrete_ref"),
    ("request_context", 1_000, 2, "settings", "by_value"),
    ("closure_capture", 10_000, 2, "200ns", "scoped"),
    ("unbounded_cache", 40_000, 1, "skewed", "lru"),
    ("drop_pause", 1_000, 1, "", "bump_arena"),
    ("reclaim_interval", 36_864, 1, "owning", "sweep_at_300"),
    ("shared_counter", 8_192, 2, "", "parking_lot_mutex"),
    ("channel_buffering", 1_024, 2, "flat_out", "slots_8"),
    ("busy_select", 20_000, 3, "neighbours", "select_blocking"),
    ("leaked_worker", 1_000, 1, "held=64KiB", "closed"),
    ("oversubscription", 1_000, 64, "cpu", "pool_of_cpus"),
    ("false_sharing", 8_192, 2, "store,work=50ns", "padded_128"),
    ("locked_iteration", 100_000, 2, "", "walk_chunks"),
    ("map_iteration", 10_000, 1, "removed=90", "index_map"),
    ("defer_in_loop", 100_000, 1, "body=25ns", "scoped_guard"),
    ("deep_recursion", 10_000, 1, "stack=64KiB", "explicit_stack"),
];

/// As many traps as the catalog is to have, measured by all instruments but where one is blind; one row of the first trap failed.
pub(super) fn catalog() -> Archive {
    let mut archive = Archive::default();
    let note = |(name, ..): &(&str, u64, usize, &str, &str)| {
        note(name, "a habit in five words", "A habit.", "records", "one record", &[])
    };
    let notes: Vec<TrapNote> = CATALOG.iter().map(note).collect();
    for (id, instrument) in
        [("heap-1", Instrument::Heap), ("instr-1", Instrument::Instructions), ("ratio-1", Instrument::Ratio)]
    {
        archive.runs.push(run(id, instrument, notes.clone()));
    }
    for number in 0..CATALOG.len() {
        one_of_many(&mut archive, number);
    }
    archive
}

fn one_of_many(archive: &mut Archive, number: usize) {
    let (name, n, threads, case, advice) = CATALOG[number];
    let (ratio, spread) = (0.8 + 0.07 * number as f64, 0.005 * (1 + number % 7) as f64);
    for (n, ratio, better) in [(n, ratio, 0.7 + 0.09 * number as f64), (n * 10, 1.3 / ratio, 0.7)] {
        let point = at(archive, name, n, threads, case, "ratio-1").headline();
        let point = point
            .trap("the_habit", 412.0)
            .variant(advice, Role::Fix, 300.0, &forks(ratio, spread))
            .variant("another_way", Role::Fix, 200.0, &forks(ratio * better, spread))
            .control("same", 1.0, 0.02 * (1 + number % 4) as f64);
        counted(point, number, "the_habit", advice);
    }
    let planted = [(4, "planted_5_percent_threads"), (5, "planted_5_percent")];
    let here = at(archive, name, n, threads, case, "ratio-1").headline();
    if let Some((_, planted)) = planted.iter().find(|(at, _)| *at == number) {
        here.control(planted, 1.05, 0.01);
    } else if number == 2 {
        here.failed("object_pool", Role::Fix, "ended by signal 11");
    }
}

fn counted(point: At<'_>, number: usize, trap: &str, advice: &str) {
    let (fix, count) = (Role::Fix, 10_f64.powi((number % 7) as i32));
    if number % 5 == 4 {
        point.none("heap-1", Instrument::Heap, trap, Role::Trap, blind).none(
            "instr-1",
            Instrument::Instructions,
            trap,
            Role::Trap,
            blind,
        );
        return;
    }
    point
        .counts("heap-1", Instrument::Heap, trap, Role::Trap, &heap_of(15.0 * count, 6_291.0 * count, 0.0))
        .counts(
            "heap-1",
            Instrument::Heap,
            advice,
            fix,
            &heap_of(count, if number == 6 { 0.0 } else { 3_200.0 * count }, 0.0),
        )
        .counts("instr-1", Instrument::Instructions, trap, Role::Trap, &instructions_of(481_234.0 * count))
        .counts("instr-1", Instrument::Instructions, advice, fix, &instructions_of(391_234.0 * count));
}
