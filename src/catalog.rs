//! The one list of traps, and look-up by name.
//!
//! Every instrument, test, command and report reads this list and none keeps a list of its own. The list itself stands
//! in [`crate::traps`], where one line declares the module and enters it here.

use crate::trap::Trap;
use crate::traps::LISTED;

/// Every trap, in the order of the catalog. A static and not a const: the code that it points to is then compiled here, once,
/// and not again in every bench target at every relink.
pub static TRAPS: &[Trap] = LISTED;

/// The trap of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Trap> {
    TRAPS.iter().find(|t| t.name == name)
}

#[cfg(test)]
mod tests {
    use super::{TRAPS, find};

    #[test]
    fn every_listed_trap_is_found_by_its_name() {
        for trap in TRAPS {
            assert_eq!(find(trap.name).map(|t| t.title), Some(trap.title));
        }
        assert!(find("no_such_trap").is_none());
    }
}
