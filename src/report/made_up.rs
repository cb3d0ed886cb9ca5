//! Made-up records: no test of the report depends on how fast anything is.

use crate::lab::stats;
use crate::record::{Archive, CoreProbe, Layouts, Provenance, Record, Run, SCHEMA, Sweeps, TrapNote};
use crate::trap::{Instrument, Role};

/// Ten factors around 1, as forks scatter.
const SCATTER: [f64; 10] = [0.6, -1.2, 0.1, 1.5, -0.4, -0.9, 0.3, 1.0, -1.6, 0.5];

/// Ten forks around a ratio, each within about 1.6 spreads.
pub(super) fn forks(around: f64, spread: f64) -> Vec<f64> {
    SCATTER.iter().map(|s| around * (s * spread).exp()).collect()
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
        sweeps: forked.then_some(Sweeps { layouts: 10, processes: 1, finished: 10 }),
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
        let span = stats::t_interval(&forks).expect("ten forks");
        self.archive.records.push(record.measured("ns_per_op", "ns", span, forks));
        self
    }

    /// A variant at `ns`, with these ratios of its forks; the totals are `part` times the medians.
    pub(super) fn variant(self, variant: &str, role: Role, ns: f64, ratios: &[f64], part: f64) -> Self {
        let record = self.cell(variant, role, Instrument::Ratio);
        let totals: Vec<f64> = ratios.iter().map(|r| r * part).collect();
        let of = |r: &[f64]| stats::geometric_interval(r).expect("three forks or more");
        let saved = of(ratios).map(|ratio| ns * (ratio - 1.0));
        let records = [
            record.clone().measured("ratio", "ratio", of(ratios), ratios.to_vec()),
            record.clone().measured("ratio_of_totals", "ratio", of(&totals), totals.clone()),
            record.clone().measured("ns_per_op", "ns", [ns * 0.99, ns, ns * 1.01], vec![ns; ratios.len()]),
            record.measured("saved_ns_per_op", "ns", saved, ratios.iter().map(|r| ns * (r - 1.0)).collect()),
        ];
        self.archive.records.extend(records);
        self
    }

    pub(super) fn control(self, variant: &str, around: f64, spread: f64) -> Self {
        let record = self.cell(variant, Role::Control, Instrument::Ratio);
        let forks = forks(around, spread);
        let span = stats::geometric_interval(&forks).expect("ten forks");
        self.archive.records.push(record.measured("ratio", "ratio", span, forks));
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

/// A win, a tie and a loss; counts; an instrument skipped, one blind; a threaded trap with modes and a failed fork.
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
        .variant("push_presized", fix, 31.0, &forks(1.006, 0.01), 1.0)
        .variant("push_half_size", fix, 35.5, &forks(0.88, 0.02), 1.0)
        .variant("reuse", floor, 30.1, &forks(1.035, 0.02), 1.0)
        .control("same", 1.001, 0.01)
        .counts("heap-1", Instrument::Heap, "push_unsized", Role::Trap, &[("blocks", 106.0), ("bytes", 12_032.0)])
        .counts("heap-1", Instrument::Heap, "push_presized", fix, &[("blocks", 101.0), ("bytes", 7_200.0)])
        .none("instr-1", Instrument::Instructions, "push_unsized", Role::Trap, no_valgrind)
        .none("instr-1", Instrument::Instructions, "push_presized", fix, no_valgrind);
    let (unsized_, presized) = (heap_of(50_015.0, 6_291_232.0, 15.0), heap_of(50_001.0, 3_200_000.0, 0.0));
    at(archive, "vec_growth", 50_000, 1, "owning", "ratio-1")
        .headline()
        .trap("push_unsized", 38.2)
        .variant("push_presized", fix, 26.1, &forks(1.46, 0.03), 1.0)
        .variant("push_half_size", fix, 30.0, &forks(1.27, 0.12), 1.0)
        .variant("reuse", floor, 24.8, &forks(1.54, 0.04), 1.0)
        .control("same", 1.0, 0.012)
        .control("planted_5_percent", 1.048, 0.012)
        .counts("heap-1", Instrument::Heap, "push_unsized", Role::Trap, &unsized_)
        .counts("heap-1", Instrument::Heap, "push_presized", fix, &presized)
        .counts("instr-1", Instrument::Instructions, "push_unsized", Role::Trap, &instructions_of(4_812_345.0))
        .counts("instr-1", Instrument::Instructions, "push_presized", fix, &instructions_of(3_912_345.0));
}

fn heap_of(blocks: f64, bytes: f64, moves: f64) -> [(&'static str, f64); 4] {
    [("blocks", blocks), ("bytes", bytes), ("peak_bytes", bytes * 0.75), ("moves", moves)]
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
    let modes = [forks(1.01, 0.004)[..6].to_vec(), forks(3.4, 0.01)[..4].to_vec()].concat();
    at(archive, "contended_map", 100_000, 1, "reads=99", "ratio-1")
        .trap("mutex_map", 61.0)
        .variant("dashmap", fix, 74.0, &forks(0.82, 0.01), 1.0)
        .variant("private_maps", floor, 48.0, &forks(1.27, 0.02), 1.0)
        .control("same", 1.03, 0.012);
    at(archive, "contended_map", 100_000, 8, "reads=99", "ratio-1")
        .headline()
        .trap("mutex_map", 412_000.0)
        .variant("dashmap", fix, 98_000.0, &forks(4.2, 0.05), 1.4)
        .variant("parking_lot_mutex", fix, 250_000.0, &modes, 1.0)
        .variant("private_maps", floor, 41_000.0, &forks(10.0, 0.04), 1.0)
        .failed("papaya", fix, "fork 3 ended by signal 11; run it alone: cargo bench --bench ratio -- contended_map")
        .control("same", 1.0, 0.03)
        .none("heap-1", Instrument::Heap, "mutex_map", Role::Trap, blind)
        .none("heap-1", Instrument::Heap, "dashmap", fix, blind);
}

fn no_valgrind(record: Record) -> Record {
    record.skipped("valgrind is not on PATH; on Debian: apt install valgrind")
}

fn blind(record: Record) -> Record {
    record.blind("contention allocates nothing")
}

/// The same with a second allocator, whose run was interrupted, and the first one with each arm alone.
pub(super) fn two_columns() -> Archive {
    let mut archive = archive();
    let mut other = run("ratio-2", Instrument::Ratio, vec![growth()]);
    other.provenance.allocator = Some("mimalloc".into());
    other.sweeps = Some(Sweeps { layouts: 10, processes: 1, finished: 4 });
    other.layouts = Some(Layouts { seed: 42, distinct: 1, one: Some("the linker can't shuffle sections".into()) });
    other.partial = Some("interrupted".into());
    let solo = Run { solo: true, ..run("ratio-3", Instrument::Ratio, vec![growth()]) };
    archive.runs.extend([other, solo]);
    for (run, around) in [("ratio-2", 1.11), ("ratio-3", 1.45)] {
        at(&mut archive, "vec_growth", 50_000, 1, "owning", run)
            .headline()
            .trap("push_unsized", 29.0)
            .variant("push_presized", Role::Fix, 26.0, &forks(around, 0.02)[..4], 1.0)
            .control("same", 1.0, 0.01);
    }
    archive
}
