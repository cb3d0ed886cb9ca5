//! What stands between a number and its use: derived from records, printed with the number.

use std::fmt;

use super::number::{figures, half_width, interval, many, percent};
use super::view::span;
use crate::lab::stats::{self, Mode};
use crate::record::{Record, Run};

/// An interval that reaches further than this up and down is called wide.
pub const WIDE: f64 = 0.10;

/// Two threads that take this much longer together than one alone do not have two cores.
pub const SHARED: f64 = 1.3;

/// The number of forks of a full run.
pub const FULL_FORKS: usize = 10;

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
    /// The code lay in memory the same way in every fork.
    OneLayout {
        /// Why.
        why: String,
    },
    /// Fewer forks than a full run has.
    FewForks {
        /// How many.
        forks: usize,
        /// Whether it was asked for by `--quick`.
        quick: bool,
    },
    /// The interval reaches far.
    WideInterval {
        /// How far up and down, as a share.
        half: f64,
    },
    /// The median of the rounds and the ratio of totals tell different stories: few slow blocks weigh much.
    TotalsPart {
        /// `[low, value, high]` of the medians.
        medians: [f64; 3],
        /// `[low, value, high]` of the totals.
        totals: [f64; 3],
    },
    /// The trap against itself did not come out at 1 here.
    NoisySame {
        /// `[low, value, high]` of the trap against itself.
        same: [f64; 3],
    },
    /// The forks fall into modes.
    Bimodal {
        /// What lies together.
        modes: Vec<Mode>,
    },
    /// Two threads do not get two cores.
    SharedCores {
        /// Two at once ÷ one alone.
        slowdown: f64,
    },
    /// The run ended early.
    Partial {
        /// Forks that finished and forks that were planned, where the instrument forks.
        forks: Option<[usize; 2]>,
        /// Why.
        why: String,
    },
}

impl Caveat {
    /// What holds for every number of a run.
    #[must_use]
    pub fn of_run(run: &Run) -> Vec<Self> {
        let one = run.layouts.as_ref().and_then(|l| l.one.clone()).map(|why| Self::OneLayout { why });
        let slowdown = run.probes.first().map(|p| p.slowdown).filter(|&s| s > SHARED);
        let shared = slowdown.map(|slowdown| Self::SharedCores { slowdown });
        [Self::of_forks(run), one, shared].into_iter().flatten().collect()
    }

    fn of_forks(run: &Run) -> Option<Self> {
        let forks = run.sweeps.map(|f| [f.finished, f.planned()]);
        if let Some(why) = &run.partial {
            return Some(Self::Partial { forks, why: why.clone() });
        }
        let [forks, _] = forks.filter(|&[finished, _]| finished < FULL_FORKS)?;
        Some(Self::FewForks { forks, quick: run.quick })
    }

    /// What holds for every row at a point with so many threads, beside the A/A row of the point.
    #[must_use]
    pub fn of_point(threads: usize, cores: Option<usize>, same: Option<&Record>) -> Vec<Self> {
        let fewer = cores.filter(|&cores| cores < threads).map(|cores| Self::FewerCores { threads, cores });
        let off = same.and_then(span).filter(|[low, _, high]| !(*low..=*high).contains(&1.0));
        [fewer, off.map(|same| Self::NoisySame { same })].into_iter().flatten().collect()
    }

    /// What holds for one row: its headline ratio, and the ratios of medians and of totals.
    #[must_use]
    pub fn of_row(headline: &Record, medians: Option<&Record>, totals: Option<&Record>) -> Vec<Self> {
        let modes = stats::modes(&headline.samples);
        let bimodal = (modes.len() > 1).then_some(Self::Bimodal { modes });
        let half =
            span(headline).map(|[low, _, high]| half_width(low, high)).filter(|&half| half > WIDE && bimodal.is_none());
        let wide = half.map(|half| Self::WideInterval { half });
        let both = medians.and_then(span).zip(totals.and_then(span));
        let part = both.filter(|&(m, t)| !overlap(m, t));
        let part = part.map(|(medians, totals)| Self::TotalsPart { medians, totals });
        [bimodal, wide, part].into_iter().flatten().collect()
    }
}

/// Whether two intervals `[low, value, high]` have a number in common.
pub(super) fn overlap(a: [f64; 3], b: [f64; 3]) -> bool {
    a[0] <= b[2] && b[0] <= a[2]
}

impl fmt::Display for Caveat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FewerCores { threads, cores } => {
                write!(f, "{} on {}: they take turns", many(*threads, "thread"), many(*cores, "core"))
            }
            Self::OneLayout { why } => write!(f, "one code layout only ({why}): another link may move every ratio"),
            Self::FewForks { forks, quick } => few_forks(f, *forks, *quick),
            Self::WideInterval { half } => write!(f, "a wide interval, ±{}", percent(*half)),
            Self::TotalsPart { medians, totals } => {
                let [medians, totals] = [medians, totals].map(|m| interval(*m));
                write!(f, "medians and totals part, {medians} against {totals}: a few slow blocks weigh much")
            }
            Self::NoisySame { same } => {
                write!(f, "the trap against itself gives {} here: read the other rows with that bias", interval(*same))
            }
            Self::Bimodal { modes } => write!(f, "the forks fall into modes: {}", ranges(modes)),
            Self::SharedCores { slowdown } => {
                write!(
                    f,
                    "two threads at once take {}x the time of one: these are not two whole cores",
                    figures(*slowdown)
                )
            }
            Self::Partial { forks: Some([finished, planned]), why } => {
                write!(f, "partial: from {finished} of {} ({why})", many(*planned, "fork"))
            }
            Self::Partial { forks: None, why } => write!(f, "partial: {why}"),
        }
    }
}

fn few_forks(f: &mut fmt::Formatter<'_>, forks: usize, quick: bool) -> fmt::Result {
    let how = if quick { " (--quick)" } else { "" };
    write!(f, "{}{how}: intervals are wider than those of a full run", many(forks, "fork"))
}

fn ranges(modes: &[Mode]) -> String {
    let range = |m: &Mode| match m.count {
        1 => format!("1 fork at {}", figures(m.low)),
        count => format!("{} from {} to {}", many(count, "fork"), figures(m.low), figures(m.high)),
    };
    modes.iter().map(range).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(caveat: &Caveat) -> String {
        caveat.to_string().replace(super::super::number::TIE, " ")
    }

    #[test]
    fn caveats_read_as_sentences() {
        let all = [
            Caveat::FewerCores { threads: 8, cores: 2 },
            Caveat::OneLayout { why: "the linker can't shuffle sections".into() },
            Caveat::FewForks { forks: 5, quick: true },
            Caveat::WideInterval { half: 0.123 },
            Caveat::TotalsPart { medians: [1.0, 1.1, 1.2], totals: [1.3, 1.4, 1.5] },
            Caveat::NoisySame { same: [1.01, 1.02, 1.03] },
            Caveat::Bimodal { modes: stats::modes(&[1.0, 1.01, 1.02, 1.03, 6.3]) },
            Caveat::SharedCores { slowdown: 1.62 },
            Caveat::Partial { forks: Some([4, 10]), why: "interrupted".into() },
            Caveat::Partial { forks: None, why: "interrupted".into() },
        ];
        let said: Vec<String> = all.iter().map(say).collect();
        insta::assert_snapshot!("caveats", said.join("\n"));
    }

    #[test]
    fn intervals_that_touch_overlap() {
        assert!(overlap([1.0, 1.1, 1.2], [1.2, 1.3, 1.4]));
        assert!(!overlap([1.0, 1.1, 1.2], [1.21, 1.3, 1.4]));
        assert!(overlap([1.0, 2.0, 3.0], [1.4, 1.5, 1.6]));
    }

    #[test]
    fn fewer_cores_is_told_only_where_cores_are_known() {
        assert_eq!(Caveat::of_point(8, None, None), []);
        assert_eq!(Caveat::of_point(2, Some(2), None), []);
        assert_eq!(Caveat::of_point(8, Some(2), None), [Caveat::FewerCores { threads: 8, cores: 2 }]);
    }
}
