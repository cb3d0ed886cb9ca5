//! `list` and `show`: what the catalog holds.

use trapline::catalog;
use trapline::lab::session::args;
use trapline::trap::Trap;

use super::fault::{Fault, print};

/// Names the traps.
pub(crate) fn list() -> Result<(), Fault> {
    let lines: String = catalog::TRAPS.iter().map(|t| format!("{:<18} {}\n", t.name, t.title)).collect();
    print(&lines)
}

/// Says what the traps are whose names have this part.
pub(crate) fn show(name: &str) -> Result<(), Fault> {
    let chosen: Vec<String> = catalog::TRAPS.iter().filter(|t| t.name.contains(name)).map(described).collect();
    if chosen.is_empty() {
        return Err(Fault::wrong(args::unknown(name, catalog::TRAPS)));
    }
    print(&chosen.join("\n"))
}

fn described(trap: &Trap) -> String {
    let Trap { name, title, section, habit, counts, op, .. } = trap;
    let mut text = format!(
        "{name}: {title} ({section})\n\nThe habit: {habit}.\n\nn counts {counts}; one op is {op}.\n\nPoints:\n"
    );
    for point in trap.points {
        text.push_str(&format!("  {point}{}\n", if point.headline { "  (headline)" } else { "" }));
    }
    text.push_str(if trap.cases.is_empty() { "" } else { "\nCases:\n" });
    for (word, what) in trap.cases {
        text.push_str(&format!("  {word:<20} {what}\n"));
    }
    text.push_str("\nVariants:\n");
    for variant in trap.variants {
        text.push_str(&format!("  {:<20} {}\n", variant.name, variant.role.word()));
    }
    for (instrument, why) in trap.blind {
        text.push_str(&format!("\nThe {} instrument can't see it: {why}.\n", instrument.word()));
    }
    format!("{text}\nClaims: {}\n", trap.claims.join(", "))
}
