//! Parts of a citation that are the same whatever is cited.

use super::number::count;
use super::place::Place;
use super::view::TrapView;
use crate::record::Run;

/// The trap's name and what the habit is called.
pub(super) fn title(trap: &TrapView<'_>) -> String {
    trap.note.map_or(String::new(), |note| format!(" ({}: {})", trap.name, note.title))
}

/// The point, and what its n counts.
pub(super) fn at(trap: &TrapView<'_>, place: Place<'_>) -> String {
    let (n, counts) = (count(place.n as f64), trap.note.map_or(String::new(), |note| format!(" {}", note.counts)));
    place.title().replacen(&n, &format!("{n}{counts}"), 1)
}

/// That nobody can repeat it, where that is so.
pub(super) fn uncommitted(run: &Run) -> &'static str {
    let dirty = run.provenance.dirty == Some(true);
    if dirty { " It was measured on a work tree with uncommitted changes." } else { "" }
}

/// What measures it again: the arguments as they were given, but for the traps that were chosen.
pub(super) fn repeat(run: &Run, trap: &str, targets: &str) -> String {
    let commit = run.provenance.commit.as_deref().unwrap_or_default();
    let commit = commit.get(..12).unwrap_or(commit);
    let flags: String = flags(&run.command).iter().map(|flag| format!(" {flag}")).collect();
    format!("Repeat: git checkout {commit} && cargo bench {targets} -- {trap}{flags}")
}

// The flags of a command line with their values, without what cargo adds.
fn flags(command: &str) -> Vec<&str> {
    let words: Vec<&str> = command.split_whitespace().skip(1).filter(|word| *word != "--bench").collect();
    let is_flag = |at: usize| words[at].starts_with("--");
    let is_value = |at: usize| at > 0 && is_flag(at - 1) && words[at].bytes().all(|byte| byte.is_ascii_digit());
    (0..words.len()).filter(|at| is_flag(*at) || is_value(*at)).map(|at| words[at]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_it_has_the_flags_that_were_given() {
        let command = "/deps/ratio-1 vec_growth --layouts 12 --quick --seed 7 --bench";
        assert_eq!(flags(command), ["--layouts", "12", "--quick", "--seed", "7"]);
        assert_eq!(flags("cargo"), [""; 0]);
    }
}
