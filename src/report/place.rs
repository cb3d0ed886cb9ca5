//! A point, as records tell of it.

use super::number::{TIE, count, many, short};
use crate::record::Record;

/// Where a row was measured. Whether the point carries claims is no part of it: an older run may have thought otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place<'a> {
    pub(super) n: u64,
    pub(super) threads: usize,
    pub(super) case: &'a str,
}

impl<'a> Place<'a> {
    pub(super) fn of(record: &'a Record) -> Self {
        Self { n: record.n, threads: record.threads, case: &record.case }
    }

    /// `n = 50 000, 8 threads, owning`.
    pub(super) fn title(&self) -> String {
        let mut title = format!("n{TIE}={TIE}{}", count(self.n as f64));
        if self.threads > 1 {
            title.push_str(&format!(", {}", many(self.threads, "thread")));
        }
        if !self.case.is_empty() {
            title.push_str(&format!(", {}", self.case));
        }
        title
    }

    /// `n=50000,threads=8,owning`, as it is typed.
    pub(super) fn key(&self) -> String {
        let threads = if self.threads > 1 { format!(",threads={}", self.threads) } else { String::new() };
        let case = if self.case.is_empty() { String::new() } else { format!(",{}", self.case) };
        format!("n={}{threads}{case}", self.n)
    }

    /// `50k 8t owning`, where there is little room.
    pub(super) fn short(&self) -> String {
        let threads = if self.threads > 1 { format!(" {}t", self.threads) } else { String::new() };
        let case = if self.case.is_empty() { String::new() } else { format!(" {}", self.case) };
        format!("{}{threads}{case}", short(self.n as f64))
    }
}
