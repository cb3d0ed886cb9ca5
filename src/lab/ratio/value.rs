//! What one process says of each row of a point.

use super::planted;
use super::protocol::SAME;
use crate::lab::session::ring::{CrewTotal, Taken};
use crate::lab::stats::median;
use crate::trap::{Point, Trap};

/// What one process took at one point, by arm.
pub(super) type Times = Vec<(String, Taken)>;

/// What one process says of one row.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) ln_ratio: Option<f64>,
    pub(super) ns_per_op: f64,
    pub(super) crew: Option<PerOp>,
    // ln of the ratio in each round; the rounds of arms in processes of their own do not belong together.
    pub(super) rounds: Vec<f64>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct PerOp {
    pub(super) cpu_ns: Option<f64>,
    pub(super) cpus: Option<f64>,
    pub(super) taken: Option<f64>,
}

// What one process took at one point.
pub(super) struct Bench<'a> {
    pub(super) trap: &'a Trap,
    pub(super) point: &'a Point,
    pub(super) times: &'a Times,
    pub(super) paired: bool,
}

impl Bench<'_> {
    pub(super) fn value(&self, arm: &str, taken: &Taken) -> Value {
        let trap = self.trap.baseline().name;
        let bases = if arm == SAME { [trap, trap] } else { planted::bases(arm, [trap, SAME]) };
        let base = self.base(bases);
        let rounds: Vec<f64> = base.iter().zip(self.logs(taken)).map(|(base, arm)| base - arm).collect();
        let sign = if planted::is_planted(arm) { -1.0 } else { 1.0 };
        let ln_ratio = (!base.is_empty() && arm != trap).then(|| sign * median(&rounds));
        let base_ns = median(&base).exp() / self.point.n as f64;
        Value {
            ln_ratio,
            ns_per_op: if arm == trap { base_ns } else { median(&taken.ns) / self.point.n as f64 },
            crew: taken.crew.map(|crew| per_op(&crew, self.point.n)),
            rounds: if self.paired { rounds } else { Vec::new() },
        }
    }

    // ln of the time of a run, a value a round, or one for all rounds where those of two arms do not belong together.
    fn logs(&self, taken: &Taken) -> Vec<f64> {
        let logs: Vec<f64> = taken.ns.iter().map(|ns| ns.ln()).collect();
        if self.paired { logs } else { vec![median(&logs)] }
    }

    // The mean of the two instances of what an arm is held against, round by round: one that was disturbed does not tip all rows.
    fn base(&self, names: [&str; 2]) -> Vec<f64> {
        let found = names.map(|name| self.times.iter().find(|(arm, _)| arm == name).map(|(_, taken)| self.logs(taken)));
        match found {
            [Some(one), Some(two)] => one.iter().zip(two).map(|(a, b)| f64::midpoint(*a, b)).collect(),
            [Some(only), None] | [None, Some(only)] => only,
            [None, None] => Vec::new(),
        }
    }
}

fn per_op(crew: &CrewTotal, n: u64) -> PerOp {
    PerOp {
        cpu_ns: crew.cpu.map(|cpu| cpu / (crew.runs * n as f64)),
        cpus: crew.cpu.map(|cpu| cpu / crew.wall),
        taken: crew.delayed.map(|delayed| delayed / crew.thread_wall),
    }
}
