//! `list` and `show`: what the catalog holds.

use trapline::catalog;
use trapline::lab::session::args;
use trapline::report::{self, Cited};
use trapline::trap::{Role, Trap};

use super::fault::{Fault, print};
use super::source;

/// Names the traps.
pub(crate) fn list() -> Result<(), Fault> {
    let lines: String = catalog::TRAPS.iter().map(|t| format!("{:<18} {}\n", t.name, t.title)).collect();
    print(&lines)
}

/// Says what the traps are whose names have this part.
pub(crate) fn show(name: &str) -> Result<(), Fault> {
    let chosen: Vec<&Trap> = catalog::TRAPS.iter().filter(|trap| trap.name.contains(name)).collect();
    if chosen.is_empty() {
        return Err(Fault::wrong(args::unknown(name, catalog::TRAPS)));
    }
    let shown = |trap: &&Trap| Ok(format!("{}{}{}", described(trap), code(trap), numbers(trap)?));
    print(&chosen.iter().map(shown).collect::<Result<Vec<_>, Fault>>()?.join("\n"))
}

// Of the habit and of the first thing that people do instead.
fn code(trap: &Trap) -> String {
    let source = catalog::source(trap.name).unwrap_or_default();
    let fix = trap.variants.iter().find(|variant| variant.role == Role::Fix);
    let arms = [Some(trap.baseline()), fix].into_iter().flatten();
    let code = |name: &str| {
        report::code(source, name).map(|code| format!("\n{name}, as src/traps/{}.rs has it:\n\n{code}\n", trap.name))
    };
    arms.filter_map(|arm| code(arm.name)).collect()
}

// The latest: a sentence a headline point.
fn numbers(trap: &Trap) -> Result<String, Fault> {
    let archive = source::own_or_shipped(trap.name)?;
    source::whole(&archive)?;
    let cited = |point: String| {
        let cited = Cited { trap: trap.name, point: Some(&point), variant: None, allow_dirty: true };
        report::cite(&archive, cited).ok().map(|citation| format!("\n{}\n", citation.sentence()))
    };
    let said: String = trap.headlines().filter_map(|point| cited(point.to_string())).collect();
    Ok(format!(
        "{said}\nWhat that rests on, and what there is besides: trapline cite {name}, trapline report {name}\n",
        name = trap.name
    ))
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
