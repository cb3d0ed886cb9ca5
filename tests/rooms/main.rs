//! The rooms of the house: no file imports upwards, and no files import each other in a circle.
//!
//! The sources are read as tokens. An import is any path that begins with `crate`, `super` or `self`, with a child module or
//! with a module that was imported, in a `use` or where it is called; what is under `#[cfg(test)]` is left out. A *door*, a
//! mod.rs or lib.rs of nothing but `mod` and `pub use`, is looked through to the file behind it.

mod house;
mod tokens;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use house::{Graph, House};

/// In rising order: a file may import from its own room and from those before it. The first prefix that fits decides.
const ROOMS: &[(&str, usize)] = &[
    ("routine/", 0),
    ("trap.rs", 1),
    ("workload", 2),
    ("claims/", 2),
    ("traps/", 3),
    ("catalog.rs", 4),
    ("lab/stats", 5),
    ("record/", 6),
    ("report/", 7),
    ("lab/session/", 8),
    ("lab/", 9),
    ("commands/", 10),
    ("main.rs", 11),
];

fn room(file: &str) -> usize {
    let found = ROOMS.iter().find(|(prefix, _)| file.starts_with(prefix));
    found.unwrap_or_else(|| panic!("src/{file} is in no room: give it one in tests/rooms/main.rs")).1
}

fn upwards(graph: &Graph) -> Vec<String> {
    let edges = graph.iter().flat_map(|(file, others)| others.iter().map(move |other| (file, other)));
    edges.filter(|(file, other)| room(other) > room(file)).map(|(file, other)| format!("{file} → {other}")).collect()
}

/// Every import that is part of a circle.
fn circular(graph: &Graph) -> Vec<String> {
    let edges = graph.iter().flat_map(|(file, others)| others.iter().map(move |other| (file, other)));
    edges.filter(|(file, other)| reaches(graph, other, file)).map(|(file, other)| format!("{file} → {other}")).collect()
}

fn reaches(graph: &Graph, from: &str, to: &str) -> bool {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
    while let Some(file) = open.pop() {
        if file == to {
            return true;
        }
        if seen.insert(file.clone()) {
            open.extend(graph.get(&file).into_iter().flatten().cloned());
        }
    }
    false
}

fn read(folder: &Path, under: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("src is a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            read(&path, under, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let name = path.strip_prefix(under).expect("it is under src").to_string_lossy().into_owned();
            files.push((name, fs::read_to_string(&path).expect("a source is text")));
        }
    }
}

fn our_house() -> Graph {
    let (mut files, src) = (Vec::new(), Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    read(&src, &src, &mut files);
    House::new(files.iter().map(|(file, text)| (file.as_str(), text.as_str()))).graph()
}

#[test]
fn no_file_imports_upwards() {
    assert_eq!(upwards(&our_house()), [""; 0]);
}

#[test]
fn no_files_import_each_other() {
    assert_eq!(circular(&our_house()), [""; 0]);
}

#[test]
fn the_imports_that_everybody_knows_are_seen() {
    let graph = our_house();
    for (file, other) in [
        ("workload.rs", "trap.rs"),
        ("catalog.rs", "traps/mod.rs"),
        ("trap.rs", "routine/team.rs"),
        ("lab/heap.rs", "lab/session/run.rs"),
        ("routine/team.rs", "routine/crew.rs"),
        ("commands/catalogue.rs", "catalog.rs"),
    ] {
        assert!(graph[file].contains(other), "{file} imports {other}, and {:?} was seen", graph[file]);
    }
}

// The search itself, in made-up houses.

fn imports(files: &[(&str, &str)], file: &str) -> Vec<String> {
    House::new(files.iter().copied()).graph()[file].iter().cloned().collect()
}

#[test]
fn groups_renames_globs_and_calls_are_imports() {
    let files = [
        (
            "a.rs",
            "use crate::{b::{self, One}, c as d}; fn f() -> u8 { d::g(crate::e::H::new('\\'', \"crate::f::G\")) }",
        ),
        ("b.rs", "use super::e::*;"),
        ("c.rs", "// use crate::a;\n/* crate::a::X */ fn f<'a>() -> &'a str { r#\"crate::a\"# }"),
        ("e.rs", "pub(in crate::b) fn f() {}"),
        ("f.rs", ""),
    ];
    assert_eq!(imports(&files, "a.rs"), ["b.rs", "c.rs", "e.rs"]);
    assert_eq!(imports(&files, "b.rs"), ["e.rs"]);
    assert_eq!((imports(&files, "c.rs"), imports(&files, "e.rs")), (vec![], vec![]));
}

#[test]
fn tests_are_left_out_with_the_files_that_they_alone_have() {
    let files = [
        (
            "a.rs",
            "#[cfg(test)] use crate::b::{One, Two}; fn f() {} #[cfg(test)] mod tests { use crate::b; } use crate::c;",
        ),
        ("b.rs", ""),
        ("c.rs", ""),
        ("d/mod.rs", "#[cfg(test)]\nmod made_up;\nfn f() {}"),
        ("d/made_up.rs", "use crate::a;"),
    ];
    assert_eq!(imports(&files, "a.rs"), ["c.rs"]);
    assert!(!House::new(files).graph().contains_key("d/made_up.rs"));
}

#[test]
fn a_door_is_looked_through_and_a_mod_with_code_is_not() {
    let door = "//! A door.\n#[cfg(unix)]\nmod inner;\npub mod other;\npub use inner::{Thing, thing as renamed};\npub use other::*;";
    let files = [
        ("lib.rs", "pub mod a; mod door; mod full;"),
        (
            "a.rs",
            "use crate::door::{Thing, other::Other}; use crate::full::Full; mod b { use super::super::full::inner; }",
        ),
        ("door/mod.rs", door),
        ("door/inner.rs", "use super::Loose;"),
        ("door/other.rs", ""),
        ("full/mod.rs", "mod inner; pub struct Full; fn f() { inner::g() }"),
        ("full/inner.rs", "use super::Full;"),
    ];
    assert_eq!(imports(&files, "a.rs"), ["door/inner.rs", "door/other.rs", "full/inner.rs", "full/mod.rs"]);
    assert_eq!(imports(&files, "door/inner.rs"), ["door/other.rs"]);
    let graph = House::new(files).graph();
    assert!(!graph.contains_key("door/mod.rs"));
    assert_eq!(circular(&graph), ["full/inner.rs → full/mod.rs", "full/mod.rs → full/inner.rs"]);
}

#[test]
fn an_import_upwards_and_a_longer_circle_are_found() {
    let files = [
        ("trap.rs", "use crate::lab::heap::X;"),
        ("lab/heap.rs", "use crate::report::a::Y;"),
        ("report/a.rs", "use super::b::Z;"),
        ("report/b.rs", "use super::c::Z;"),
        ("report/c.rs", "use super::a::Z;"),
    ];
    let graph = House::new(files).graph();
    assert_eq!(upwards(&graph), ["trap.rs → lab/heap.rs"]);
    assert_eq!(
        circular(&graph),
        ["report/a.rs → report/b.rs", "report/b.rs → report/c.rs", "report/c.rs → report/a.rs"]
    );
}
