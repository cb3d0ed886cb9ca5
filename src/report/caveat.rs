//! What stands between a number and its use: derived from records, printed with the number.

use std::fmt;

use super::cell::span;
use super::number::{figures, half_width, interval, many, percent};
use crate::record::{Record, Run, Sweeps};
use crate::trap::Instrument;

/// An interval that reaches further than this up and down is called wide.
pub const WIDE: f64 = 0.10;

/// Two threads that take this much longer together than one alone do not have two cores.
pub const SHARED: f64 = 1.3;

/// Where more than this share of the threads' time was taken by others, a row has no word.
pub const TAKEN: f64 = 0.10;

/// A floor of two threads or more that had fewer CPUs than this ran beside itself on one core.
pub const TWO_CPUS: f64 = 1.8;

/// The number of processes of a full run: 10 layouts × 6.
pub const FULL: usize = Sweeps::LAYOUTS * Sweeps::PROCESSES;

/// A reason not to take a number at its face.
#[derive(Clone, Debug, PartialEq)]
pub enum Caveat {
    /// Threads take turns.
    FewerCores {
        /// Threads of the point.
        threads: usize,
        /// Cores of the machine.
        cores: usize,
    },
    /// The machine ran something else in the meantime.
    Taken {
        /// The arm that lost most.
        variant: String,
        /// The share of its threads' time that steal and run delay took.
        share: f64,
    },
    /// Unpinned threads were packed onto fewer cores than they could have had.
    FewCpus {
        /// The floor, which never waits.
        variant: String,
        /// CPU time ÷ wall of its blocks.
        cpus: f64,
    },
    /// The run did not see a planted slowdown of 5 %.
    Missed {
        /// Of which kind.
        kind: &'static str,
    },
    /// The code lay in memory the same way in every process.
    OneLayout {
        /// Why.
        why: String,
    },
    /// Fewer processes than a full run has.
    FewProcesses {
        /// How many, by layouts and processes of each.
        sweeps: Sweeps,
        /// Whether it was asked for by `--quick`.
        quick: bool,
    },
    /// Heap counts that were taken once.
    CountedOnce,
    /// Times of two languages.
    TwoRuntimes,
    /// The interval reaches far.
    WideInterval {
        /// How far up and down, as a share.
        half: f64,
    },
    /// The trap against itself did not come out at 1 here.
    NoisySame {
        /// `[low, value, high]` of the trap against itself.
        same: [f64; 3],
    },
    /// Two threads do not get two cores.
    SharedCores {
        /// Two at once ÷ one alone: the worst probe.
        slowdown: f64,
        /// Whether only work that fills a core shows it.
        busy: bool,
    },
    /// The run ended early.
    Partial {
        /// Processes that finished and that were planned, where the instrument forks.
        processes: Option<[usize; 2]>,
        /// Why.
        why: String,
    },
}

/// Who had the cores while a point was measured; each with the variant that shows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Occupied {
    /// The largest share of its threads' time that an arm lost to others.
    pub taken: Option<(String, f64)>,
    /// The CPUs that the floor had, where threads were not pinned.
    pub floor_cpus: Option<(String, f64)>,
}

impl Caveat {
    /// What holds for every number of a run.
    #[must_use]
    pub fn of_run(run: &Run) -> Vec<Self> {
        let one = run.layouts.as_ref().and_then(|l| l.one.clone()).map(|why| Self::OneLayout { why });
        [Self::of_processes(run), one, Self::of_probes(run)].into_iter().flatten().collect()
    }

    fn of_processes(run: &Run) -> Option<Self> {
        if let Some(why) = &run.partial {
            let processes = run.sweeps.map(|s| [s.finished, s.planned()]);
            return Some(Self::Partial { processes, why: why.clone() });
        }
        if run.instrument == Instrument::Heap && run.quick {
            return Some(Self::CountedOnce);
        }
        // Other instruments have few processes by nature, and fewer when quick.
        let few =
            |sweeps: &Sweeps| if run.instrument == Instrument::Ratio { sweeps.finished < FULL } else { run.quick };
        let sweeps = run.sweeps.filter(few)?;
        Some(Self::FewProcesses { sweeps, quick: run.quick })
    }

    fn of_probes(run: &Run) -> Option<Self> {
        let worst = |of: Box<dyn Fn(&crate::record::CoreProbe) -> f64>| run.probes.iter().map(of).fold(0.0, f64::max);
        let plain = worst(Box::new(|p| p.slowdown));
        let full = worst(Box::new(|p| p.busy_slowdown.unwrap_or(0.0)));
        let busy = plain <= SHARED;
        Some(plain.max(full)).filter(|&s| s > SHARED).map(|slowdown| Self::SharedCores { slowdown, busy })
    }

    /// What holds for every row at a point with so many threads, beside the A/A row of the point.
    #[must_use]
    pub fn of_point(threads: usize, cores: Option<usize>, same: Option<&Record>, occupied: Occupied) -> Vec<Self> {
        let fewer = cores.filter(|&cores| cores < threads).map(|cores| Self::FewerCores { threads, cores });
        let room = threads > 1 && cores.is_some_and(|cores| cores >= threads);
        let taken = occupied.taken.filter(|(_, share)| room && *share > TAKEN);
        let cpus =
            occupied.floor_cpus.filter(|(_, cpus)| threads > 1 && cores.is_some_and(|c| c > 1) && *cpus < TWO_CPUS);
        let off = same.and_then(span).filter(|[low, _, high]| !(*low..=*high).contains(&1.0));
        let all = [
            fewer,
            taken.map(|(variant, share)| Self::Taken { variant, share }),
            cpus.map(|(variant, cpus)| Self::FewCpus { variant, cpus }),
            off.map(|same| Self::NoisySame { same }),
        ];
        all.into_iter().flatten().collect()
    }

    /// What holds for one row, by its ratio.
    #[must_use]
    pub fn of_row(ratio: &Record) -> Vec<Self> {
        let half = span(ratio).map(|[low, _, high]| half_width(low, high)).filter(|&half| half > WIDE);
        half.map(|half| Self::WideInterval { half }).into_iter().collect()
    }

    /// Whether rows that suffer from it have no word.
    #[must_use]
    pub const fn withholds(&self) -> bool {
        matches!(self, Self::Taken { .. } | Self::FewCpus { .. })
    }
}

impl fmt::Display for Caveat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FewerCores { threads, cores } => {
                write!(f, "{} on {}: they take turns", many(*threads, "thread"), many(*cores, "core"))
            }
            Self::Taken { variant, share } => {
                write!(f, "others took {} of the threads' time ({variant}): no verdict here", percent(*share))
            }
            Self::FewCpus { variant, cpus } => {
                write!(f, "unpinned, {variant} had {} CPUs: threads shared a core; no verdict here", figures(*cpus))
            }
            Self::Missed { kind } => write!(
                f,
                "the run can't resolve 5{}% today with {kind}: it missed a planted one, so nothing here is faster, slower or tied",
                super::number::TIE
            ),
            Self::OneLayout { why } => write!(f, "one code layout only ({why}): another link may move every ratio"),
            Self::FewProcesses { sweeps, quick } => few(f, *sweeps, *quick),
            Self::CountedOnce => write!(f, "counted once (--quick): whether counts repeat is not tested"),
            Self::TwoRuntimes => write!(
                f,
                "ratios may be held beside Rust's; times may not: another compiler, another runtime, and the collector is in them"
            ),
            Self::WideInterval { half } => write!(f, "a wide interval, ±{}", percent(*half)),
            Self::NoisySame { same } => {
                write!(f, "the trap against itself gives {} here: read the other rows with that bias", interval(*same))
            }
            Self::SharedCores { slowdown, busy } => {
                let work = if *busy { " with work that fills a core" } else { "" };
                let slowdown = figures(*slowdown);
                write!(
                    f,
                    "two threads at once took {slowdown}x the time of one{work}, at worst of all probes: then these were not two whole cores"
                )
            }
            Self::Partial { processes: Some([finished, planned]), why } => {
                write!(f, "partial: from {finished} of {} ({why})", many(*planned, "process"))
            }
            Self::Partial { processes: None, why } => write!(f, "partial: {why}"),
        }
    }
}

fn few(f: &mut fmt::Formatter<'_>, sweeps: Sweeps, quick: bool) -> fmt::Result {
    let how = if quick { " (--quick)" } else { "" };
    let (layouts, processes) = (many(sweeps.layouts, "layout"), many(sweeps.processes, "process"));
    write!(f, "{layouts} × {processes}{how}: intervals are wider than those of a full run")?;
    if sweeps.processes < 3 { write!(f, ", and whether layouts differ is not tested") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(caveat: &Caveat) -> String {
        caveat.to_string().replace(super::super::number::TIE, " ")
    }

    fn occupied(taken: f64, cpus: f64) -> Occupied {
        Occupied { taken: Some(("dashmap".into(), taken)), floor_cpus: Some(("atomics".into(), cpus)) }
    }

    #[test]
    fn caveats_read_as_sentences() {
        let quick = Sweeps { layouts: 6, processes: 1, finished: 6 };
        let all = [
            Caveat::FewerCores { threads: 8, cores: 2 },
            Caveat::Taken { variant: "dashmap".into(), share: 0.23 },
            Caveat::FewCpus { variant: "atomics".into(), cpus: 1.02 },
            Caveat::Missed { kind: "several threads" },
            Caveat::OneLayout { why: "the linker can't shuffle sections".into() },
            Caveat::FewProcesses { sweeps: quick, quick: true },
            Caveat::FewProcesses { sweeps: Sweeps { processes: 3, finished: 18, ..quick }, quick: false },
            Caveat::WideInterval { half: 0.123 },
            Caveat::NoisySame { same: [1.01, 1.02, 1.03] },
            Caveat::SharedCores { slowdown: 1.62, busy: false },
            Caveat::SharedCores { slowdown: 1.62, busy: true },
            Caveat::Partial { processes: Some([4, 30]), why: "interrupted".into() },
            Caveat::Partial { processes: None, why: "interrupted".into() },
        ];
        let said: Vec<String> = all.iter().map(say).collect();
        insta::assert_snapshot!("caveats", said.join("\n"));
    }

    #[test]
    fn fewer_cores_is_told_only_where_cores_are_known() {
        let of = |threads, cores| Caveat::of_point(threads, cores, None, Occupied::default());
        assert_eq!(of(8, None), []);
        assert_eq!(of(2, Some(2)), []);
        assert_eq!(of(8, Some(2)), [Caveat::FewerCores { threads: 8, cores: 2 }]);
    }

    #[test]
    fn words_are_withheld_only_where_threads_could_have_had_the_cores() {
        let withheld = |threads, cores, occupied| {
            Caveat::of_point(threads, cores, None, occupied).iter().filter(|c| c.withholds()).count()
        };
        assert_eq!(withheld(2, Some(2), occupied(0.11, 1.7)), 2);
        assert_eq!(withheld(2, Some(2), occupied(0.10, 1.8)), 0);
        assert_eq!(withheld(8, Some(2), occupied(0.75, 2.0)), 0, "waiting for a core is what eight threads on two do");
        assert_eq!(withheld(1, Some(2), occupied(0.75, 1.0)), 0);
    }
}
