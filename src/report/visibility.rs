//! Which tool would have shown a trap, and which would have told that all is well.

use super::cell::{Missing, measures, span};
use super::gist::Gist;
use super::model::{Align, Block, Section, Table, paragraph};
use super::number::NONE;
use super::verdict::MARGIN;
use super::view::{TrapView, View};
use crate::record::Record;
use crate::trap::{Instrument, Role};

const EXPLAINED: &str = "For each trap and instrument: *seen*, if by some number of it the advice is better than the trap by more than \
                         5 % and beyond the intervals, at any point; *misleading*, if it has numbers and none of them says so: who looks \
                         there alone hears that all is well; *blind*, if it can't see the trap, for the reason that the trap's section \
                         gives. The mean time of an op is what ratio has, its tail what latency has; a profile of the CPU is nearest to \
                         instructions.";

// What each instrument goes by, all of them the smaller the better; of ratios of trap ÷ advice the larger.
const COUNTS: [(Instrument, &[&str]); 3] = [
    (Instrument::Heap, &["blocks", "bytes", "peak_bytes", "held_bytes", "live_bytes_per_op"]),
    (Instrument::Instructions, &["instructions"]),
    (
        Instrument::Usage,
        &[
            "cpu_ns_per_op",
            "cpu_share",
            "voluntary_switches_per_op",
            "involuntary_switches_per_op",
            "minor_faults_per_op",
            "throttled_share",
            "peak_rss_bytes",
            "rss_bytes_per_op",
            "threads_per_op",
            "open_files_per_op",
        ],
    ),
];
const RATIOS: [(Instrument, &[&str]); 2] =
    [(Instrument::Ratio, &["ratio"]), (Instrument::Latency, &["p50_ratio", "p95_ratio", "p99_ratio", "p999_ratio"])];
const SHOWN: [Instrument; 5] =
    [Instrument::Ratio, Instrument::Latency, Instrument::Heap, Instrument::Instructions, Instrument::Usage];

/// The matrix; nothing before latency and usage have measured anything.
pub(super) fn section(view: &View<'_>, traps: &[TrapView<'_>]) -> Option<Section> {
    let late = |r: &Record| matches!(r.instrument, Instrument::Latency | Instrument::Usage) && r.value.is_some();
    view.archive.records.iter().any(late).then(|| Section {
        trap: None,
        heading: "What would have shown it".into(),
        blocks: vec![paragraph(EXPLAINED), Block::Table(matrix(traps))],
    })
}

/// A row a trap, a column an instrument.
pub(super) fn matrix(traps: &[TrapView<'_>]) -> Table {
    let headers = SHOWN.iter().map(|instrument| (instrument.word(), Align::Left));
    let mut table = Table::of(&std::iter::once(("trap", Align::Left)).chain(headers).collect::<Vec<_>>());
    for trap in traps {
        let advice = Gist::of(trap).and_then(|gist| gist.advice);
        let words = SHOWN.iter().map(|instrument| word(trap, advice, *instrument).to_owned());
        table.rows.push(std::iter::once(trap.name.to_owned()).chain(words).collect());
    }
    table
}

fn word(trap: &TrapView<'_>, advice: Option<&str>, instrument: Instrument) -> &'static str {
    let records: Vec<&Record> = trap.all(instrument).collect();
    let measured = records.iter().any(|r| r.role == Role::Trap && r.value.is_some());
    if !measured {
        let missing = records.iter().find_map(|r| Missing::of(r));
        return missing.map_or(NONE, |missing| if missing.word == "n/a" { "blind" } else { missing.word });
    }
    if advice.is_some_and(|advice| shows(&records, instrument, advice)) { "seen" } else { "misleading" }
}

fn shows(records: &[&Record], instrument: Instrument, advice: &str) -> bool {
    let metrics = |of: &[(Instrument, &'static [&'static str])]| {
        of.iter()
            .filter(|(known, _)| *known == instrument)
            .flat_map(|(_, metrics)| *metrics)
            .copied()
            .collect::<Vec<_>>()
    };
    let mine: Vec<&&Record> = records.iter().filter(|r| r.variant == advice).collect();
    let wins = |metric: &str| {
        mine.iter().filter(|r| measures(r, metric)).filter_map(|r| span(r)).any(|[low, ..]| low > MARGIN)
    };
    let fewer = |metric: &str| mine.iter().filter(|r| measures(r, metric)).any(|r| is_less(r, records, metric));
    metrics(&RATIOS).into_iter().any(wins) || metrics(&COUNTS).into_iter().any(fewer)
}

// Whether the advice has less than the trap at the same point, by more than 5 % and with nothing in common.
fn is_less(advice: &Record, records: &[&Record], metric: &str) -> bool {
    let place = |r: &Record| (r.n, r.threads, r.case.clone());
    let trap = records.iter().find(|r| r.role == Role::Trap && place(r) == place(advice) && measures(r, metric));
    let Some(([low, trap, _], [_, advice, high])) = trap.and_then(|r| span(r)).zip(span(advice)) else { return false };
    low > high && trap > MARGIN * advice
}
