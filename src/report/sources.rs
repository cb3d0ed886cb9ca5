//! Which run a row is from: the newest full run of an instrument needs no mark, every other one has its own.

use super::ground;
use super::view::TrapView;
use crate::record::{Record, Run};
use crate::trap::Instrument;

const MARKS: [&str; 8] = ["ᵃ", "ᵇ", "ᶜ", "ᵈ", "ᵉ", "ᶠ", "ᵍ", "ʰ"];

/// The runs that the tables of one trap rest on.
#[derive(Clone, Debug)]
pub(super) struct Sources<'a> {
    /// The newest full run of each instrument, or the newest one where none is full.
    pub(super) main: Vec<&'a Run>,
    others: Vec<&'a Run>,
}

impl<'a> Sources<'a> {
    pub(super) fn of(trap: &TrapView<'a>) -> Self {
        let (mut main, mut others) = (Vec::new(), Vec::new());
        for instrument in Instrument::ALL.into_iter().filter(|instrument| *instrument != Instrument::Time) {
            let mut runs = runs(trap, instrument);
            runs.sort_by_key(|run| (!run.quick && run.partial.is_none(), &run.started));
            main.extend(runs.pop());
            others.extend(runs);
        }
        Self { main, others }
    }

    /// The mark of a run's rows; empty for those that need none.
    pub(super) fn mark(&self, run: &str) -> &'static str {
        let at = self.others.iter().position(|other| other.run == run);
        at.map_or("", |at| MARKS[at.min(MARKS.len() - 1)])
    }

    /// What the marks of these runs mean.
    pub(super) fn explained(&self, runs: &[&str]) -> Vec<String> {
        let shown = self.others.iter().filter(|run| runs.contains(&run.run.as_str()));
        let first = |run: &'a Run| self.main.iter().copied().find(|m| m.instrument == run.instrument).unwrap_or(run);
        shown.map(|run| format!("{} {}", self.mark(&run.run), ground::run(run, first(run)))).collect()
    }
}

fn runs<'a>(trap: &TrapView<'a>, instrument: Instrument) -> Vec<&'a Run> {
    let mut runs: Vec<&Run> = Vec::new();
    let measured = trap.all(instrument).filter(|record: &&Record| record.blind.is_none());
    for run in measured.filter_map(|record| trap.run_of(record)) {
        if !runs.iter().any(|known| known.run == run.run) {
            runs.push(run);
        }
    }
    runs
}
