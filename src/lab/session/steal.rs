//! CPU time that the host gave to others while this guest wanted it: `steal` of /proc/stat, see proc(5).

/// The machine's counters, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lab) struct Steal {
    all: u64,
    stolen: u64,
}

impl Steal {
    /// The counters as they stand; none where there is no /proc/stat.
    pub(in crate::lab) fn now() -> Option<Self> {
        Self::of(std::fs::read_to_string("/proc/stat").ok()?.lines().next()?)
    }

    // user nice system idle iowait irq softirq steal; what follows is in user already.
    fn of(line: &str) -> Option<Self> {
        let ticks: Vec<u64> =
            line.strip_prefix("cpu ")?.split_whitespace().map_while(|t| t.parse().ok()).take(8).collect();
        Some(Self { all: ticks.iter().sum(), stolen: *ticks.get(7)? })
    }

    /// The share of all CPU time since then that was stolen; none if no tick has passed.
    pub(in crate::lab) fn share_since(&self, start: &Self) -> Option<f64> {
        let all = self.all.checked_sub(start.all).filter(|&all| all > 0)?;
        Some(self.stolen.saturating_sub(start.stolen) as f64 / all as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::Steal;

    #[test]
    fn steal_is_the_eighth_column_and_guest_time_counts_once() {
        let start = Steal::of("cpu  10 0 10 70 5 0 0 5 99 0").expect("a line of /proc/stat");
        let end = Steal::of("cpu  20 0 20 120 5 0 0 35 99 0").expect("a line of /proc/stat");
        assert_eq!(start, Steal { all: 100, stolen: 5 });
        assert_eq!(end.share_since(&start), Some(0.3));
        assert_eq!(start.share_since(&start), None);
        assert_eq!(Steal::of("cpu0 1 2"), None);
    }
}
