//! Made-up records: no test of the report depends on how fast anything is.

use crate::lab::stats;
use crate::record::{Archive, CoreProbe, Layouts, Provenance, Record, Run, SCHEMA, Sweeps, TrapNote, Variance};
use crate::trap::{Instrument, Role};

/// Ten factors around 1, as layouts scatter.
const SCATTER: [f64; 10] = [0.6, -1.2, 0.1, 1.5, -0.4, -0.9, 0.3, 1.0, -1.6, 0.5];

/// Ten layouts of three processes around a ratio, whose medians lie within about 1.6 spreads, and whose processes scatter more
/// than layouts do.
pub(super) fn forks(around: f64, spread: f64) -> Vec<Vec<f64>> {
    scattered(around, spread, [-2.5, 0.0, 2.5])
}

/// The same medians, with processes that hardly scatter: so layouts differ.
fn apart(around: f64, spread: f64) -> Vec<Vec<f64>> {
    scattered(around, spread, [-0.1, 0.0, 0.1])
}

// Which process of a layout is the slow one changes from layout to layout: no pass is a bad one.
fn scattered(around: f64, spread: f64, processes: [f64; 3]) -> Vec<Vec<f64>> {
    let process = |s: f64, at: usize| around * ((s + processes[at % 3]) * spread).exp();
    SCATTER.iter().enumerate().map(|(at, &s)| (at..at + 3).map(|at| process(s, at)).collect()).collect()
}

fn middles(forks: &[Vec<f64>]) -> Vec<f64> {
    forks.iter().map(|layout| stats::median(layout)).collect()
}

pub(super) fn note(name: &str, title: &str, habit: &str, counts: &str, op: &str, claims: &[&str]) -> TrapNote {
    TrapNote {
        name: name.into(),
        title: title.into(),
        section: "memory".into(),
        habit: habit.into(),
        claims: claims.iter().map(|&c| c.into()).collect(),
        counts: counts.into(),
        op: op.into(),
    }
}

fn provenance() -> Provenance {
    Provenance {
        trapline: "0.1.0".into(),
        commit: Some("28b8c19d3f".into()),
        dirty: Some(false),
        rustc: Some("rustc 1.95.0 (59807616e 2026-04-14), x86_64-unknown-linux-gnu, LLVM 22.1.2".into()),
        allocator: Some("glibc 2.36".into()),
        cpu: Some("Made-up CPU @ 2.80GHz".into()),
        cores: Some(2),
        governor: "unavailable".into(),
        turbo: "unavailable".into(),
        ..Provenance::default()
    }
}

fn probe() -> CoreProbe {
    CoreProbe {
        slowdown: 1.04,
        busy_slowdown: Some(1.06),
        line_bounce_ns: 118.0,
        step_ns: 1.7,
        wake_ns: Some(52_000.0),
        fault_ns: Some(410.0),
    }
}

pub(super) fn run(id: &str, instrument: Instrument, traps: Vec<TrapNote>) -> Run {
    let forked = instrument == Instrument::Ratio;
    Run {
        schema: SCHEMA,
        run: id.into(),
        instrument,
        started: "2026-05-04T10:00:00Z".into(),
        command: format!("cargo bench --bench {}", instrument.word()),
        quick: false,
        solo: false,
        unpinned: false,
        target: instrument.word().into(),
        sweeps: forked.then_some(Sweeps { layouts: 10, processes: 3, finished: 30 }),
        layouts: forked.then_some(Layouts { seed: 42, distinct: 10, one: None }),
        partial: None,
        traps,
        probes: vec![probe()],
        stolen: None,
        provenance: provenance(),
        source: String::new(),
    }
}

/// Records of one point, in the making.
pub(super) struct At<'a> {
    archive: &'a mut Archive,
    like: Record,
}

pub(super) fn at<'a>(archive: &'a mut Archive, trap: &str, n: u64, threads: usize, case: &str, run: &str) -> At<'a> {
    let like = Record {
        trap: trap.into(),
        n,
        threads,
        case: case.into(),
        headline: false,
        variant: String::new(),
        role: Role::Trap,
        instrument: Instrument::Ratio,
        metric: None,
        unit: None,
        value: None,
        low: None,
        high: None,
        samples: Vec::new(),
        processes: Vec::new(),
        rounds: None,
        variance: None,
        run: run.into(),
        skipped: None,
        failed: None,
        blind: None,
    };
    At { archive, like }
}

impl At<'_> {
    pub(super) fn headline(mut self) -> Self {
        self.like.headline = true;
        self
    }

    fn cell(&self, variant: &str, role: Role, instrument: Instrument) -> Record {
        Record { variant: variant.into(), role, instrument, ..self.like.clone() }
    }

    pub(super) fn trap(self, variant: &str, ns: f64) -> Self {
        let record = self.cell(variant, Role::Trap, Instrument::Ratio);
        let forks = forks(ns, 0.01);
        let span = stats::t_interval(&middles(&forks)).expect("ten layouts");
        let measured = record.clone().measured("ns_per_op", "ns", span, middles(&forks));
        self.archive.records.push(Record { processes: forks, ..measured });
        if self.like.threads > 1 {
            self.archive.records.extend(usage(&record, ns, 0.02));
        }
        self
    }

    /// A variant at `ns`, with these ratios of its layouts and processes.
    pub(super) fn variant(self, variant: &str, role: Role, ns: f64, ratios: &[Vec<f64>]) -> Self {
        let record = self.cell(variant, role, Instrument::Ratio);
        let (values, variance) = (middles(ratios), Variance { layouts: Some(1e-5), processes: 1.4e-4, rounds: 5e-5 });
        let span = stats::geometric_interval(&values).expect("three layouts or more");
        let ratio = record.clone().measured("ratio", "ratio", span, values.clone());
        self.archive.records.extend([
            Record { processes: ratios.to_vec(), rounds: Some(25), variance: Some(variance), ..ratio },
            record.clone().measured("ns_per_op", "ns", [ns * 0.99, ns, ns * 1.01], vec![ns; values.len()]),
        ]);
        if self.like.threads > 1 {
            self.archive.records.extend(usage(&record, ns, 0.03));
        }
        self
    }

    /// The share of its threads' time that others took from a variant.
    pub(super) fn taken(self, variant: &str, share: f64) -> Self {
        let record = self.cell(variant, Role::Fix, Instrument::Ratio);
        self.archive.records.push(record.measured("taken", "share", [share; 3], vec![share]));
        self
    }

    pub(super) fn control(self, variant: &str, around: f64, spread: f64) -> Self {
        let record = self.cell(variant, Role::Control, Instrument::Ratio);
        let forks = forks(around, spread);
        let span = stats::geometric_interval(&middles(&forks)).expect("ten layouts");
        let measured = record.measured("ratio", "ratio", span, middles(&forks));
        self.archive.records.push(Record { processes: forks, ..measured });
        self
    }

    pub(super) fn failed(self, variant: &str, role: Role, why: &str) -> Self {
        let record = self.cell(variant, role, Instrument::Ratio).failed(why);
        self.archive.records.push(record);
        self
    }

    pub(super) fn counts(
        self,
        run: &str,
        instrument: Instrument,
        variant: &str,
        role: Role,
        counts: &[(&str, f64)],
    ) -> Self {
        for &(metric, value) in counts {
            let record = Record { run: run.into(), ..self.cell(variant, role, instrument) };
            self.archive.records.push(record.measured(metric, "count", [value; 3], vec![value]));
        }
        self
    }

    /// A count of blocks that came out differently.
    pub(super) fn ranged(self, run: &str, variant: &str, [low, high]: [f64; 2]) -> Self {
        let record = Record { run: run.into(), ..self.cell(variant, Role::Fix, Instrument::Heap) };
        self.archive.records.push(record.measured("blocks", "count", [low, low, high], vec![low, high, low]));
        self
    }

    pub(super) fn none(
        self,
        run: &str,
        instrument: Instrument,
        variant: &str,
        role: Role,
        of: fn(Record) -> Record,
    ) -> Self {
        let record = Record { run: run.into(), ..self.cell(variant, role, instrument) };
        self.archive.records.push(of(record));
        self
    }
}

fn usage(record: &Record, ns: f64, taken: f64) -> [Record; 3] {
    let threads = record.threads.min(2) as f64;
    let of = |metric, unit, value: f64| record.clone().measured(metric, unit, [value; 3], vec![value; 10]);
    [of("cpu_ns_per_op", "ns", ns * threads), of("cpus", "count", threads * 0.99), of("taken", "share", taken)]
}

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
    note("vec_growth", "growing what could be sized", habit, "records", "one record pushed", &["A1", "A2"])
}

fn map() -> TrapNote {
    let habit = "One map behind one mutex, for every goroutine of the service.";
    note("contended_map", "one lock for all keys", habit, "operations", "one look-up or update", &["G1"])
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
