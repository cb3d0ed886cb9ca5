//! Where the ledger looks its effects up: a part of a claim, in one language, as numbers of records.

use super::cell::{Missing, measures, span};
use super::in_go::InGo;
use super::place::Place;
use super::verdict::Word;
use super::view::{TrapView, View};
use crate::claims::{At, Claim, Effect, Evidence, Part};
use crate::lab::stats;
use crate::record::Record;
use crate::trap::Instrument;

/// In which language an effect is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Rust,
    Go,
}

/// An effect at a point.
pub(super) struct Found {
    /// Where.
    pub(super) at: String,
    /// `[low, value, high]`.
    pub(super) effect: [f64; 3],
    /// Whether the trap beside itself scatters less than the effect is away from 1; a count and a quantile have none.
    pub(super) resolved: bool,
    /// The run that it is from.
    pub(super) run: String,
}

/// Where records are looked up.
pub(super) struct Books<'v> {
    pub(super) view: &'v View<'v>,
    pub(super) traps: &'v [TrapView<'v>],
}

impl Books<'_> {
    /// The effects of a part, by point.
    ///
    /// # Errors
    /// If one of them has no number: why, and how to get it.
    pub(super) fn effects(&self, claim: &Claim, part: &Part, language: Language) -> Result<Vec<Found>, String> {
        let Evidence::Records(instrument, metric, effect, points) = evidence(part, language) else {
            return Err("no records decide it".into());
        };
        let shelf = Shelf { records: self.records(claim.trap, instrument), trap: claim.trap, instrument };
        points.iter().map(|at| shelf.found(at, metric, effect)).collect()
    }

    fn records(&self, trap: &str, instrument: Instrument) -> Vec<&Record> {
        let view = self.traps.iter().find(|known| known.name == trap);
        match instrument {
            Instrument::Go => InGo::named(self.view, trap, view).map_or(Vec::new(), |go| go.records().to_vec()),
            _ => view.map_or(Vec::new(), |view| view.all(instrument).collect()),
        }
    }
}

// What an instrument has of a trap.
struct Shelf<'a> {
    records: Vec<&'a Record>,
    trap: &'a str,
    instrument: Instrument,
}

impl<'a> Shelf<'a> {
    fn found(&self, at: &At, metric: &str, effect: Effect) -> Result<Found, String> {
        let one = |arm: &str, metric: &str| self.find(at, arm, metric).ok_or_else(|| self.lost(at, arm, metric));
        let (effect, record) = match effect {
            Effect::Of(arm) => (span(one(arm, metric)?), one(arm, metric)?),
            Effect::Over(a, b) => (quotient(one(a, metric)?, one(b, metric)?), one(a, metric)?),
            Effect::Share(arm, of) => (quotient(one(arm, metric)?, one(arm, of)?), one(arm, metric)?),
        };
        let none = || format!("{metric} at {} has no interval, or is 0 in both", place(at).title());
        let effect = effect.filter(|effect| effect.iter().all(|end| !end.is_nan())).ok_or_else(none)?;
        let same = self.find(at, "same", metric).filter(|_| metric == "ratio").and_then(span);
        let resolved = Word::of(effect, same) != Word::Unresolved;
        Ok(Found { at: place(at).title(), effect, resolved, run: record.run.clone() })
    }

    fn find(&self, at: &At, arm: &str, metric: &str) -> Option<&'a Record> {
        let is = |r: &&&Record| Place::of(r) == place(at) && r.variant == arm && measures(r, metric);
        self.records.iter().rev().find(is).copied()
    }

    fn lost(&self, at: &At, arm: &str, metric: &str) -> String {
        let of = |r: &&&Record| {
            Place::of(r) == place(at) && r.variant == arm && r.metric.as_deref().is_none_or(|known| known == metric)
        };
        let missing = self.records.iter().rev().filter(of).find_map(|r| Missing::of(r));
        let (at, target, trap) = (place(at).title(), self.instrument.word(), self.trap);
        missing.map_or_else(
            || format!("no {metric} of {arm} at {at}; run cargo bench --bench {target} -- {trap}"),
            |missing| format!("{}: {}", missing.word, missing.why),
        )
    }
}

/// What decides a part in a language.
pub(super) const fn evidence(part: &Part, language: Language) -> Evidence {
    match language {
        Language::Rust => part.rust,
        Language::Go => part.go,
    }
}

fn place(at: &At) -> Place<'static> {
    Place { n: at.0, threads: at.1, case: at.2 }
}

// Of two estimates pass by pass, as everywhere; of two counts, of which one may be 0, as they are.
fn quotient(a: &Record, b: &Record) -> Option<[f64; 3]> {
    let pairs = a.samples.len() == b.samples.len() && a.samples.len() >= 3;
    let ratios: Vec<f64> = a.samples.iter().zip(&b.samples).map(|(a, b)| a / b).collect();
    if let Some(interval) = stats::geometric_process_interval(&ratios).filter(|_| pairs) {
        return Some(interval);
    }
    // None of what is counted is less than nothing, whatever an interval around a mean says.
    let ([low, value, high], [b_low, b_value, b_high]) =
        (span(a)?.map(|end| end.max(0.0)), span(b)?.map(|end| end.max(0.0)));
    Some([low / b_high, value / b_value, high / b_low])
}
