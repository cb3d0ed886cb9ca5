//! What a run would measure, and the run that measures nothing.

use std::io::{self, Write};
use std::process::ExitCode;

use super::args::Args;
use super::check;
use super::progress::Progress;
use crate::trap::{Instrument, Point, Trap};

/// Names every benchmark, a line each.
pub(super) fn list(instrument: Instrument, args: &Args, traps: &[&Trap]) -> ExitCode {
    let mut out = io::stdout().lock();
    for trap in traps {
        for point in measured_points(instrument, args.quick, trap) {
            for variant in trap.variants_seen(&point, instrument) {
                // A closed pipe is the reader's way to say that it has seen enough.
                let _ = writeln!(out, "{}/{}/{point}: benchmark", trap.name, variant.name);
            }
        }
    }
    ExitCode::SUCCESS
}

/// The points at which an instrument measures a trap: none if it is blind to it, in a quick run the first headline that it sees.
#[must_use]
pub fn measured_points(instrument: Instrument, quick: bool, trap: &Trap) -> Vec<Point> {
    if trap.blind_to(instrument).is_some() {
        return Vec::new();
    }
    let points = trap.points.iter().filter(|p| p.is_for(instrument)).copied();
    match instrument {
        Instrument::Instructions => trap.counted_point().copied().into_iter().collect(),
        _ if quick => points.filter(|p| p.headline).take(1).collect(),
        Instrument::Time => points.filter(|p| p.headline).collect(),
        Instrument::Usage => points.filter(is_used).collect(),
        Instrument::Ratio | Instrument::Heap | Instrument::Latency | Instrument::Go => points.collect(),
    }
}

// Usage measures where claims are judged, what is held, and where it was asked for by name.
fn is_used(point: &Point) -> bool {
    point.headline || point.held || !point.only.is_empty()
}

/// Checks every variant once at every point.
pub(super) fn test(instrument: Instrument, traps: &[&Trap]) -> ExitCode {
    let progress = Progress::new(instrument.word());
    let checked = check::all(traps, |trap| trap.points.to_vec(), &progress);
    progress.end();
    for (_, refusal) in &checked.refused {
        eprintln!("error: {refusal}");
    }
    println!(
        "{}: {} traps agree at all points, {} do not",
        instrument.word(),
        checked.sound.len(),
        checked.refused.len()
    );
    ExitCode::from(u8::from(!checked.refused.is_empty()))
}
