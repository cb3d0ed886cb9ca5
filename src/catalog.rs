//! The one list of traps, and look-up by name.
//!
//! Every instrument, test, command and report reads this list and none keeps a list of its own. The list itself stands
//! in [`crate::traps`], where one line declares the module and enters it here.

use crate::trap::Trap;
use crate::traps::{LISTED, SOURCES};

/// Every trap, in the order of the catalog. A static and not a const: the code that it points to is then compiled here, once,
/// and not again in every bench target at every relink.
pub static TRAPS: &[Trap] = LISTED;

/// The trap of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Trap> {
    TRAPS.iter().find(|t| t.name == name)
}

/// The Rust source of the trap of that name, as of this version.
#[must_use]
pub fn source(name: &str) -> Option<&'static str> {
    SOURCES.iter().find(|(known, _)| *known == name).map(|(_, source)| *source)
}

#[cfg(test)]
mod tests {
    use super::{TRAPS, find, source};

    #[test]
    fn every_listed_trap_is_found_by_its_name() {
        for trap in TRAPS {
            assert_eq!(find(trap.name).map(|t| t.title), Some(trap.title));
            assert!(source(trap.name).is_some_and(|source| source.contains("pub const TRAP: Trap")));
        }
        assert!(find("no_such_trap").is_none());
    }
}
