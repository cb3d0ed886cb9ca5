//! All advice, by the time that it saves: whether allocation or concurrency is where to begin.

use super::counts;
use super::gist::Gist;
use super::in_go::InGo;
use super::model::{Align, Table};
use super::number::{NONE, count, interval};
use super::row::saved;
use super::view::TrapView;
use crate::lab::stats::median;
use crate::trap::{Instrument, Role};

/// What the advice of a trap saves at its first headline.
#[derive(Clone, Debug)]
pub(super) struct Saved<'a> {
    trap: &'a str,
    section: String,
    advice: String,
    /// ns an op, `[low, value, high]`.
    ns: [f64; 3],
    /// Bytes an op, where they are counted.
    bytes: Option<f64>,
}

// Sections whose advice is about allocation, and about concurrency.
const KINDS: [&[&str]; 2] = [&["memory", "dispatch"], &["concurrency"]];

/// Of all traps with a ratio of time in Rust.
pub(super) fn in_rust<'a>(traps: &[TrapView<'a>]) -> Vec<Saved<'a>> {
    traps.iter().filter_map(of_trap).collect()
}

fn of_trap<'a>(trap: &TrapView<'a>) -> Option<Saved<'a>> {
    let gist = Gist::of(trap)?;
    let row = gist.row.as_ref()?;
    let bytes = counts::records(trap, gist.place, Instrument::Heap);
    let of = |is: &dyn Fn(&crate::record::Record) -> bool| {
        bytes.iter().rev().find(|r| is(r) && super::cell::measures(r, "bytes")).and_then(|r| r.value)
    };
    let fewer = of(&|r| r.role == Role::Trap)
        .zip(of(&|r| r.variant == row.variant))
        .map(|(from, to)| (from - to) / gist.place.n as f64);
    Some(Saved { trap: trap.name, section: section(trap), advice: row.variant.into(), ns: row.saved?, bytes: fewer })
}

/// Of all traps with a ratio of time in Go.
pub(super) fn in_go<'a>(traps: &[TrapView<'a>]) -> Vec<Saved<'a>> {
    let of = |trap: &TrapView<'a>| {
        let (advice, trap_ns, ratio) = InGo::of(trap)?.saving()?;
        Some(Saved {
            trap: trap.name,
            section: section(trap),
            advice: advice.into(),
            ns: saved(trap_ns, ratio),
            bytes: None,
        })
    };
    traps.iter().filter_map(of).collect()
}

fn section(trap: &TrapView<'_>) -> String {
    trap.note.map_or_else(String::new, |note| note.section.clone())
}

/// The median ns saved by advice about allocation and about concurrency, `[low, value, high]` each, where there is some of both: it
/// lies between the medians of the lower and of the upper ends.
pub(super) fn medians(all: &[Saved<'_>]) -> Option<[[f64; 3]; 2]> {
    let of = |kind: &[&str]| {
        let ns: Vec<[f64; 3]> = all.iter().filter(|s| kind.contains(&s.section.as_str())).map(|s| s.ns).collect();
        (!ns.is_empty()).then(|| [0, 1, 2].map(|end| median(&ns.iter().map(|ns| ns[end]).collect::<Vec<_>>())))
    };
    let [allocation, concurrency] = KINDS.map(of);
    Some([allocation?, concurrency?])
}

/// The medians in words.
pub(super) fn said(all: &[Saved<'_>]) -> String {
    medians(all).map_or(NONE.into(), |[allocation, concurrency]| {
        format!("memory and dispatch {} ns an op, concurrency {}", interval(allocation), interval(concurrency))
    })
}

/// All of them, the one that saves most first.
pub(super) fn table(traps: &[TrapView<'_>]) -> Option<Table> {
    let mut all = in_rust(traps);
    all.sort_by(|a, b| b.ns[1].total_cmp(&a.ns[1]));
    let columns = [
        ("the advice, by ns saved", Align::Left),
        ("section", Align::Left),
        ("ns saved an op [95 %]", Align::Right),
        ("bytes saved an op", Align::Right),
    ];
    let mut table = Table::of(&columns);
    let row = |s: &Saved<'_>| {
        let bytes = s.bytes.map_or(NONE.into(), count);
        vec![format!("{} of {}", s.advice, s.trap), s.section.clone(), interval(s.ns), bytes]
    };
    table.rows = all.iter().map(row).collect();
    (!table.rows.is_empty()).then_some(table)
}
