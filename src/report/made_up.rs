//! Made-up records, in the making: no test of the report depends on how fast anything is.

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
pub(super) fn apart(around: f64, spread: f64) -> Vec<Vec<f64>> {
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
        cases: Vec::new(),
        unseen: Vec::new(),
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
        sweeps: forked.then_some(Sweeps { layouts: 10, processes: 8, finished: 80 }),
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

    /// Metrics of an instrument whose processes have a value each: name, unit, and `[low, value, high]`.
    pub(super) fn within(
        self,
        (run, instrument): (&str, Instrument),
        (variant, role): (&str, Role),
        metrics: &[(&str, &str, [f64; 3])],
    ) -> Self {
        for &(metric, unit, span) in metrics {
            let record = Record { run: run.into(), ..self.cell(variant, role, instrument) };
            self.archive.records.push(record.measured(metric, unit, span, span.to_vec()));
        }
        self
    }

    /// A quantile that can't be told.
    pub(super) fn too_few(self, run: &str, (variant, role): (&str, Role), metric: &str) -> Self {
        let cell = Record { run: run.into(), ..self.cell(variant, role, Instrument::Latency) };
        let record = Record { metric: Some(metric.into()), ..cell.blind("too few: 30 exceedances in 4 episodes") };
        self.archive.records.push(record);
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
