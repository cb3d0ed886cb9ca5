//! A benchmark is a test: every variant of a trap gives one answer, and every trap is stated in full.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use trapline::catalog::{TRAPS, find};
use trapline::lab::session::check::agreement;
use trapline::trap::{Point, Trap};

/// The headings of a trap's chapter after its title, in their order.
const HEADINGS: [&str; 6] =
    ["In Go", "In Rust", "Why it costs", "When the fix loses", "What to measure it with", "Sources"];

/// Fails unless every variant answers as the trap does. Each routine is fresh, as `digest` wants it. Paced and held points have
/// no routine: the check looks at their streams' answers, and whether some ops can be held.
fn agrees(trap: &Trap) {
    let others: Vec<Point> = trap.points.iter().filter(|p| !p.is_batch()).copied().collect();
    agreement(trap, &others).unwrap_or_else(|refusal| panic!("{refusal}"));
    for point in trap.points.iter().filter(|p| p.is_batch()) {
        let expected = (trap.baseline().batch)(point).digest();
        for variant in trap.variants_at(point) {
            let digest = (variant.batch)(point).digest();
            assert_eq!(digest, expected, "{} at {point}: {} answers otherwise", trap.name, variant.name);
        }
    }
}

/// Name and text of every module in `src/traps`.
fn modules() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/traps");
    let files = fs::read_dir(folder).expect("src/traps is a folder").map(|entry| entry.expect("it can be read").path());
    let named = |path: &Path| path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
    let modules = files.map(|path| (named(&path), fs::read_to_string(&path).expect("a module is text")));
    modules.filter(|(name, _)| name != "mod").collect()
}

fn is_a_name(name: &str) -> bool {
    let is_of_a_word = |byte: u8| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.starts_with(|first: char| first.is_ascii_lowercase()) && name.bytes().all(is_of_a_word)
}

#[test]
fn all_variants_of_a_trap_give_one_answer() {
    std::thread::scope(|scope| {
        for trap in TRAPS {
            scope.spawn(|| agrees(trap));
        }
    });
}

#[test]
fn no_trap_has_a_fault() {
    let faults: Vec<String> = TRAPS.iter().flat_map(Trap::faults).collect();
    assert_eq!(faults, [""; 0]);
}

#[test]
fn names_are_lower_case_words_and_unique() {
    let names: BTreeSet<&str> = TRAPS.iter().map(|trap| trap.name).collect();
    assert_eq!(names.len(), TRAPS.len());
    for name in TRAPS.iter().flat_map(|trap| trap.variants.iter().map(|v| v.name).chain([trap.name])) {
        assert!(is_a_name(name), "{name} must match [a-z][a-z0-9_]*");
    }
}

#[test]
fn every_point_is_stated_once_and_in_order() {
    for trap in TRAPS {
        for (at, point) in trap.points.iter().enumerate() {
            let alike = |p: &&trapline::trap::Point| p.threads == point.threads && p.case == point.case;
            let last = trap.points[..at].iter().filter(alike).map(|p| p.n).max();
            assert!(last < Some(point.n), "{} at {point} is out of order", trap.name);
        }
    }
}

#[test]
fn the_catalog_has_every_file_and_every_file_a_trap() {
    let files: BTreeSet<String> = modules().into_iter().map(|(name, _)| name).collect();
    let listed: BTreeSet<String> = TRAPS.iter().map(|trap| trap.name.to_string()).collect();
    assert_eq!(files, listed);
}

#[test]
fn every_chapter_has_the_same_headings() {
    for (name, text) in modules() {
        let title = find(&name).expect("another test says which file the catalog lacks").title;
        let mut headings = text.lines().filter_map(|line| line.strip_prefix("//! #"));
        assert_eq!(headings.next(), Some(format!(" {title}").as_str()), "the title of {name}");
        let sections: Vec<&str> = headings.map(|heading| heading.trim_start_matches("# ")).collect();
        assert_eq!(sections, HEADINGS, "the sections of {name}");
    }
}

#[test]
fn every_module_can_be_read_at_one_sitting() {
    for (name, text) in modules() {
        let lines = text.lines().take_while(|line| *line != "#[cfg(test)]").count();
        assert!(lines < 310, "{name} has {lines} lines before its tests");
    }
}
